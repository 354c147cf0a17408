// Talking to the service: addresses, the token, and what went wrong in plain words.

import { byId } from './dom.js';

const TOKEN = 'movierec-token';

export class Problem extends Error {}

export const getGenres = () => call('v1/genres');
export const getModels = () => call('v1/models');
export const findMovies = (query, signal) => call(`v1/movies?${new URLSearchParams({ query, limit: 8 })}`, { signal });
export const getRatings = (user, limit, signal) => call(`v1/users/${encodeURIComponent(user)}/ratings?limit=${limit}`, { signal });

export function getRecommendations(user, options, signal) {
  const wanted = Object.entries({ k: 10, explain: true, ...options }).filter(([, value]) => value !== '');
  return call(`v1/users/${encodeURIComponent(user)}/recommendations?${new URLSearchParams(wanted)}`, { signal });
}

export function sendRating(user, movie, rating) {
  return call('v1/ratings', { method: 'POST', body: JSON.stringify({ user_id: user, movie_id: movie, rating }) });
}

async function call(path, options = {}) {
  const headers = { Accept: 'application/json' };
  if (options.body) headers['Content-Type'] = 'application/json';
  const token = sessionStorage.getItem(TOKEN);
  if (token) headers.Authorization = `Bearer ${token}`;
  const response = await reach(path, { ...options, headers });
  if (response.status === 401) {
    await askForToken(token);
    return call(path, options);
  }
  const answer = await response.json().catch((error) => { if (error.name === 'AbortError') throw error; });
  if (response.ok && answer) return answer;
  throw new Problem(explain(response, answer));
}

async function reach(path, options) {
  try {
    return await fetch(path, options);
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Problem('The service does not answer. It may be restarting, or you may be offline.');
  }
}

function explain(response, answer) {
  const wait = response.headers.get('Retry-After');
  const later = wait ? `in ${wait} second${wait === '1' ? '' : 's'}` : 'in a moment';
  const said = typeof answer?.detail === 'string' ? answer.detail : answer?.detail?.map?.((item) => item.msg).join('; ');
  switch (response.status) {
    case 429: return `That was a lot of requests. Try again ${later}.`;
    case 503: return `The service is not ready. Try again ${later}.`;
    case 404: case 409: case 413: case 422: return `The service did not accept that${said ? `: ${said}` : '.'}`;
    default: return `The service failed (${response.status}). Your ratings up to here are kept.`;
  }
}

let asking = null;

function askForToken(refused) {
  if (sessionStorage.getItem(TOKEN) !== refused) return null; // given meanwhile, for another request
  asking ??= new Promise((resolve, reject) => {
    const dialog = byId('token');
    byId('token-value').value = '';
    dialog.returnValue = '';
    dialog.onclose = () => {
      asking = null;
      if (dialog.returnValue !== 'use') return reject(new Problem('Without its token the service does not answer this.'));
      sessionStorage.setItem(TOKEN, byId('token-value').value);
      return resolve();
    };
    dialog.showModal();
  });
  return asking;
}
