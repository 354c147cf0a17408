// The lists of recommendations: one, or two side by side, and how they change without a jump.

import { make } from './dom.js';
import { makeFacts, makeTile, shortTitle, titleOf } from './movies.js';
import { formatExpected, formatStars, hasEvents, hasStars, makeStars, toFive } from './stars.js';

const STRATEGIES = {
  personal: 'from the ratings the model was trained on',
  folded_in: 'with the latest ratings',
  popular: 'what most people like',
};

export function makeList(name, about, id) {
  const items = make('ol', { class: 'films', 'aria-labelledby': id });
  items.append(...Array.from({ length: 6 }, () => make('li', { class: 'film ghost', 'aria-hidden': 'true' })));
  const heading = name ? [make('h3', { id }, name), make('p', { class: 'about' }, about)] : [];
  const source = make('p', { class: 'source' });
  const element = make('section', { class: 'list', 'aria-labelledby': id }, heading, source, items);
  return { element, items, source, level: name ? 'h4' : 'h3' };
}

export function showAnswer(list, answer, rate) {
  const films = [...list.items.querySelectorAll('[data-movie]')];
  const ranks = new Map(films.map((film, i) => [film.dataset.movie, i]));
  const stars = new Map(films.map((film) => [film.dataset.movie, film.querySelector('.stars')])); // what is chosen there stays
  const explained = list.items.querySelector('details');
  const opened = new Set(films.filter((film) => film.querySelector('details[open]')).map((film) => film.dataset.movie));
  const gone = opened.size && !answer.items.some((item) => opened.has(String(item.movie.movie_id)));
  const shown = answer.items.map((item, i) => {
    const key = String(item.movie.movie_id);
    const change = films.length ? (ranks.get(key) ?? Infinity) - i : 0;
    const open = explained && !gone ? opened.has(key) : i === 0;
    return makeFilm(item, { level: list.level, change, open, stars: stars.get(key), rate });
  });
  replace(list.items, shown.length ? shown : [say('Nothing left here. Another genre or decade may have more.')]);
  list.source.replaceChildren(...describe(answer));
  return shown.filter((film) => !ranks.has(film.dataset.movie)).length;
}

export function showFailure(list) {
  if (list.items.querySelector('.ghost')) list.items.replaceChildren(say('Nothing to show yet.'));
}

const say = (text) => make('li', { class: 'nothing' }, text);

function describe(answer) {
  const arm = answer.experiment ? ` · ${answer.experiment.name}: ${answer.experiment.arm}` : '';
  return [make('span', {}, `${answer.model}, ${STRATEGIES[answer.strategy] ?? answer.strategy}`),
    make('span', { class: 'version' }, `version ${answer.model_version}${arm}`)];
}

function makeFilm({ movie, predicted_rating: predicted, low, high, reasons }, { level, change, open, stars, rate }) {
  const title = titleOf(movie);
  const main = shortTitle(movie);
  const facts = makeFacts(movie);
  if (low != null) facts.append(makeBand(predicted, low, high));
  else if (predicted != null) facts.append(make('span', { class: 'guess' }, `${formatExpected(predicted)} predicted`));
  else if (movie.mean != null) facts.append(make('span', { class: 'guess' }, `${formatExpected(movie.mean)} on average`));
  return make('li', { class: 'film', 'data-movie': movie.movie_id },
    makeTile(movie),
    make('div', { class: 'what' }, make(level, { class: 'title' }, main, make('span', { class: 'alias' }, title.slice(main.length)), ' ', makeChange(change)), facts,
      reasons?.length ? makeReasons(reasons, open) : null),
    stars ?? makeStars(title, null, (chosen) => rate(movie, chosen)));
}

function makeBand(predicted, low, high) {
  const told = `${hasStars() ? 'stars' : 'rating'} expected; 8 in 10 such films get ${low.toFixed(1)} to ${high.toFixed(1)}`;
  return make('span', { class: 'guess' }, `${formatExpected(predicted)} `,
    make('span', { class: 'band', role: 'img', 'aria-label': told, title: told, '--low': toFive(low), '--mid': toFive(predicted), '--high': toFive(high) }));
}

function makeChange(change) {
  if (!change) return null;
  const text = change === Infinity ? 'new' : `${change > 0 ? 'up' : 'down'} ${Math.abs(change)}`;
  return make('span', { class: 'change' }, text);
}

function makeReasons(reasons, open) {
  const [first] = reasons;
  const shown = reasons.reduce((sum, { weight }) => sum + weight, 0);
  return make('details', { open },
    make('summary', {}, 'Because of ', make('cite', {}, shortTitle(first.movie)), reasons.length > 1 ? ` and ${reasons.length - 1} more` : ''),
    make('ul', { class: 'reasons' }, reasons.map(({ movie, rating, weight }) =>
      make('li', { '--share': `${100 * weight / shown}%` }, make('cite', {}, shortTitle(movie)),
        make('span', { class: 'gave' }, hasEvents() ? '' : `rated ${formatStars(rating)}`),
        make('span', { class: 'share' }, `${(100 * weight).toFixed(weight < 0.1 ? 1 : 0)} %`)))));
}

function replace(list, items) {
  const tops = new Map([...list.children].map((item) => [item.dataset.movie, item.getBoundingClientRect().top]));
  const first = !list.querySelector('[data-movie]');
  list.replaceChildren(...items);
  if (first || matchMedia('(prefers-reduced-motion: reduce)').matches) return;
  for (const item of items) {
    const before = tops.get(item.dataset.movie);
    const from = before == null ? { opacity: 0 } : { transform: `translateY(${before - item.getBoundingClientRect().top}px)` };
    item.animate([from, {}], { duration: 400, easing: 'cubic-bezier(.2, .7, .2, 1)' });
  }
}
