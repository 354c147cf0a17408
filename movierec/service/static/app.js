// The page: who is looking, what they rated, and which lists are shown. Everything else is in the modules beside.

import { Problem, getGenres, getModels, getRatings, getRecommendations, sendRating } from './api.js';
import { announce, byId, make } from './dom.js';
import { makeList, showAnswer, showFailure } from './lists.js';
import { makeFacts, makeTile, shortTitle, titleOf } from './movies.js';
import { startSearch } from './search.js';
import { formatStars, getWords, hasEvents, makeStars, setScale } from './stars.js';

const FIRST_NEW_USER = 1_000_000_000;
const LAST_USER = 2_147_483_647;
const MOST_RATINGS = 500;
const SHOWN_RATINGS = matchMedia('(width < 56rem)').matches ? 3 : 8;
const BEST = [{ name: '', model: '', id: 'results-title' }];
const BOTH = [
  { name: 'Most stars', by: 'rating_model', id: 'stars-title', about: 'Films it expects the highest ratings for' },
  { name: 'Best matches', by: 'champion', id: 'best-title', about: 'Films it would show you first' },
];

let user = 0;
let ratings = []; // {movie, rating}, latest first; a rating of null is chosen and not yet given
let lists = [];
let turn = new AbortController(); // aborted when another user is shown
let round = new AbortController(); // aborted when the lists are asked for again

const failed = new Map(); // what to do again, with which arguments

function report(error, again, ...args) {
  if (error.name === 'AbortError') return;
  failed.set(again, args);
  byId('trouble-text').textContent = error instanceof Problem ? error.message : 'This page failed. Reload it.';
  byId('trouble').hidden = false;
  if (!(error instanceof Problem)) console.error(error);
}

function settle(again) {
  failed.delete(again);
  byId('trouble').hidden = !failed.size;
}

function retry() {
  const all = [...failed];
  failed.clear();
  byId('trouble').hidden = true;
  all.forEach(([again, args]) => again(...args));
}

function recallNewUser(afresh = false) {
  const known = Number(localStorage.getItem('movierec-user'));
  if (!afresh && known >= FIRST_NEW_USER) return known;
  const id = FIRST_NEW_USER + Math.floor(Math.random() * (LAST_USER - FIRST_NEW_USER));
  localStorage.setItem('movierec-user', id);
  return id;
}

async function showUser(id) {
  user = id;
  turn.abort();
  turn = new AbortController();
  ratings = [];
  byId('ratings').replaceChildren(); // another user's stars
  settle(rate);
  settle(loadRatings);
  showRatings();
  showLists();
  await Promise.all([loadRatings(turn.signal), refresh()]);
}

async function loadRatings(signal) {
  try {
    const answer = await getRatings(user, MOST_RATINGS, signal);
    ratings = [...ratings, ...answer.ratings.filter(({ movie }) => !ratings.some((one) => one.movie.movie_id === movie.movie_id))];
    showRatings();
  } catch (error) {
    report(error, loadRatings, signal);
  }
}

async function surprise() {
  for (let bound = 65_536; bound > 1; bound /= 4) { // how many users there are is not known: look lower when nobody is there
    const id = 1 + Math.floor(Math.random() * bound);
    try {
      const answer = await getRatings(id, 1);
      if (answer.ratings.length) return await showUser(id);
    } catch (error) {
      return report(error, surprise);
    }
  }
  return report(new Problem('No user was found by chance. Give a number instead.'), surprise);
}

function showRatings() {
  const mine = user >= FIRST_NEW_USER;
  const given = ratings.filter(({ rating }) => rating != null).length;
  const title = getWords().ratings;
  byId('identity').textContent = mine ? 'You, a new user' : `User ${user}`;
  byId('me').textContent = mine ? 'Start over' : 'Back to me';
  byId('me').disabled = mine && !given;
  byId('ratings-title').textContent = given ? `${title} (${given}${given < MOST_RATINGS ? '' : '+'})` : title;
  byId('ratings-empty').hidden = ratings.length > 0;
  byId('jump').hidden = !given;
  byId('ratings-more').hidden = ratings.length <= SHOWN_RATINGS;
  byId('ratings-more').textContent = `The first ${SHOWN_RATINGS} are shown.`;
  const list = byId('ratings');
  const shown = new Map([...list.children].map((row) => [row.dataset.movie, row]));
  const rows = ratings.slice(0, SHOWN_RATINGS).map((one) => shown.get(String(one.movie.movie_id)) ?? makeRated(one));
  if (rows.length !== shown.size || rows.some((row, i) => row !== list.children[i])) list.replaceChildren(...rows);
}

function makeRated({ movie, rating }) {
  return make('li', { 'data-movie': movie.movie_id }, makeTile(movie),
    make('div', {}, make('p', { class: 'title' }, shortTitle(movie)), makeFacts(movie)),
    makeStars(titleOf(movie), rating, (stars) => rate(movie, stars)));
}

function choose(movie) {
  const known = ratings.find((one) => one.movie.movie_id === movie.movie_id) ?? { movie, rating: null };
  if (hasEvents() && known.rating == null) rate(movie, 1);
  if (hasEvents()) return;
  ratings = [known, ...ratings.filter((one) => one !== known)];
  showRatings();
  byId('ratings').querySelector('input').focus();
}

async function rate(movie, stars) {
  const rater = user;
  try {
    await sendRating(rater, movie.movie_id, hasEvents() ? undefined : stars); // an event has no rating
  } catch (error) {
    report(error, rate, movie, stars);
    return false;
  }
  settle(rate);
  if (rater !== user) return true;
  const rated = ratings.find((one) => one.movie.movie_id === movie.movie_id);
  if (rated) rated.rating = stars;
  else ratings.unshift({ movie, rating: stars });
  const focused = rememberFocus();
  showRatings();
  focused();
  byId('ratings').querySelector(`[data-movie="${CSS.escape(movie.movie_id)}"] .stars`)?.take(stars);
  announce(`${titleOf(movie)}: ${formatStars(stars)}, saved.`);
  refresh();
  return true;
}

/** Give a function that puts the focus back when the focused row was made anew, or to its neighbour if it is gone. */
function rememberFocus() {
  const row = document.activeElement.closest('li[data-movie]');
  const holder = row?.parentElement;
  const place = row ? [...holder.children].indexOf(row) : -1;
  const kind = document.activeElement.tagName === 'SUMMARY' ? 'summary' : 'input, .mark';
  return () => {
    if (!row || document.activeElement !== document.body) return;
    const same = holder.querySelector(`[data-movie="${CSS.escape(row.dataset.movie)}"]`);
    const next = same ?? holder.children[Math.min(place, holder.children.length - 1)];
    (next?.querySelector(kind) ?? next?.querySelector('input, .mark') ?? byId('results')).focus({ preventScroll: true });
  };
}

function showLists() {
  const wanted = byId('compare').checked ? BOTH : BEST;
  lists = wanted.map(({ name, about, model, id }) => ({ model, ...makeList(name, about, id) }));
  byId('lists').classList.toggle('two', wanted === BOTH);
  byId('lists').replaceChildren(...lists.map((list) => list.element));
}

async function refresh() {
  round.abort();
  round = new AbortController();
  const { signal } = round;
  const current = lists;
  const filters = Object.fromEntries(['genre', 'decade', 'diversity'].map((id) => [id, byId(id).value]));
  byId('lists').setAttribute('aria-busy', 'true');
  try {
    const answers = await Promise.all(current.map(({ model }) => getRecommendations(user, { ...filters, model }, signal)));
    const focused = rememberFocus();
    const fresh = current.map((list, i) => showAnswer(list, answers[i], rate));
    focused();
    settle(refresh);
    announce(`${fresh.reduce((sum, n) => sum + n)} new in the recommendations. First: ${answers.map(nameFirst).join('; ')}.`);
  } catch (error) {
    if (round.signal === signal) current.forEach(showFailure);
    report(error, refresh);
  } finally {
    if (round.signal === signal) byId('lists').removeAttribute('aria-busy');
  }
}

const nameFirst = ({ items: [first] }) => (first ? titleOf(first.movie) : 'none');

async function loadFilters() {
  try {
    const [{ genres, decades, scale, feedback, text_ids: textIds }, models] = await Promise.all([getGenres(), getModels()]);
    BOTH.forEach((list) => { list.model = models[list.by]; });
    byId('compare').disabled = !models.rating_model || models.rating_model === models.champion;
    if (textIds) Object.assign(byId('user'), { type: 'text', inputMode: 'text', maxLength: 200 });
    byId('surprise').hidden = textIds; // no text is found by chance
    const redraw = setScale(scale, feedback);
    const { rate: heading, hint, keys } = getWords();
    byId('rate-title').textContent = heading;
    byId('query-hint').textContent = hint;
    byId('keys').textContent = keys;
    byId('foot').hidden = feedback === 'implicit';
    if (redraw && user) showUser(user);
    byId('genre').append(...genres.map((genre) => make('option', {}, genre)));
    byId('decade').append(...decades.map((decade) => make('option', { value: decade }, `${decade}s`)));
  } catch (error) {
    report(error, loadFilters);
  }
}

byId('who').addEventListener('submit', (event) => { event.preventDefault(); showUser(byId('user').type === 'text' ? byId('user').value : Number(byId('user').value)); });
byId('me').addEventListener('click', () => showUser(recallNewUser(user >= FIRST_NEW_USER)));
byId('surprise').addEventListener('click', surprise);
byId('filters').addEventListener('submit', (event) => event.preventDefault());
['genre', 'decade', 'diversity'].forEach((id) => byId(id).addEventListener('change', refresh));
byId('compare').addEventListener('change', () => { showLists(); refresh(); });
byId('retry').addEventListener('click', retry);
byId('dismiss').addEventListener('click', () => { failed.clear(); byId('trouble').hidden = true; });
startSearch(choose, report, settle);
loadFilters();
showUser(recallNewUser());
