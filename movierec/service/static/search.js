// The title search: an editable combobox with a list, as the ARIA Authoring Practices describe it.

import { findMovies } from './api.js';
import { byId, make } from './dom.js';
import { makeFacts, makeTile, titleOf } from './movies.js';
import { getWords } from './stars.js';

const PAUSE_MS = 180;

export function startSearch(choose, report, settle) {
  const input = byId('query');
  const list = byId('found');
  const hint = byId('query-hint');
  let movies = [];
  let active = -1;
  let timer = 0;
  let request = new AbortController();

  input.addEventListener('input', () => {
    clearTimeout(timer);
    request.abort();
    if (!input.value.trim()) return close(getWords().hint);
    timer = setTimeout(look, PAUSE_MS);
    return undefined;
  });
  input.addEventListener('keydown', (event) => {
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (move && movies.length) {
      event.preventDefault();
      open();
      activate((active + move + movies.length + (active < 0 && move < 0 ? 1 : 0)) % movies.length);
    } else if (event.key === 'Enter') {
      event.preventDefault();
      if (!list.hidden) pick(Math.max(active, 0));
    } else if (event.key === 'Escape') {
      if (list.hidden) input.value = '';
      close(getWords().hint);
    }
  });
  input.addEventListener('blur', () => close());
  input.addEventListener('click', () => { if (movies.length) open(); });
  list.addEventListener('mousedown', (event) => event.preventDefault()); // the input keeps the focus

  async function look() {
    request = new AbortController();
    try {
      const { items } = await findMovies(input.value.trim(), request.signal);
      movies = items.map((item) => item.movie);
      show();
      settle(look);
    } catch (error) {
      if (error.name !== 'AbortError') report(error, look);
    }
  }

  function show() {
    active = -1;
    list.replaceChildren(...movies.map((movie, i) =>
      make('li', { role: 'option', id: `found-${i}`, 'aria-selected': 'false', onclick: () => pick(i) },
        makeTile(movie), make('div', {}, make('p', { class: 'title' }, titleOf(movie)), makeFacts(movie)))));
    if (!movies.length) return close('No film by that name. Fewer letters may find more.');
    if (document.activeElement === input) open();
    hint.textContent = movies.length === 1 ? 'One film found.' : `${movies.length} films found.`;
    return undefined;
  }

  function open() {
    list.hidden = false;
    input.setAttribute('aria-expanded', 'true');
  }

  function close(message) {
    list.hidden = true;
    input.setAttribute('aria-expanded', 'false');
    input.removeAttribute('aria-activedescendant');
    list.children[active]?.setAttribute('aria-selected', 'false');
    active = -1;
    if (message) {
      hint.textContent = message;
      movies = [];
    }
  }

  function activate(next) {
    list.children[active]?.setAttribute('aria-selected', 'false');
    active = next;
    list.children[active].setAttribute('aria-selected', 'true');
    list.children[active].scrollIntoView({ block: 'nearest' });
    input.setAttribute('aria-activedescendant', `found-${active}`);
  }

  function pick(i) {
    const movie = movies[i];
    input.value = '';
    close(getWords().hint);
    choose(movie);
  }
}
