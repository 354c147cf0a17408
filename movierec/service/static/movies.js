// How a film looks: its title in reading order, its line of facts, and a tile drawn from its genres and number.

import { draw, make } from './dom.js';

const HUES = {
  Action: 28, Adventure: 55, Animation: 335, Children: 88, Comedy: 75, Crime: 275, Documentary: 190, Drama: 255,
  Fantasy: 310, 'Film-Noir': 265, Horror: 15, IMAX: 205, Musical: 350, Mystery: 292, Romance: 5, 'Sci-Fi': 225,
  Thriller: 165, War: 125, Western: 48,
};

const hash = (text) => [...text].reduce((sum, letter) => Math.imul(sum ^ letter.codePointAt(0), 16777619) >>> 0, 2166136261);
const hueOf = (genre) => HUES[genre] ?? hash(genre) % 360;

export function titleOf(movie) {
  const [, rest, article, more = ''] = movie.title.match(/^(.+), (The|A|An|La|Le|Les|L'|Der|Die|Das|El|Il)( \(.*\))?$/) ?? [];
  return article ? `${article}${article.endsWith("'") ? '' : ' '}${rest}${more}` : movie.title;
}

/** Without other titles in brackets. */
export const shortTitle = (movie) => titleOf(movie).replace(/(.) \(.+\)$/, '$1');

export function makeFacts(movie) {
  const genres = movie.genres.slice(0, 3).map((genre) => make('span', { class: 'genre', '--hue': hueOf(genre) }, genre));
  return make('p', { class: 'facts' }, movie.year ? make('span', {}, String(movie.year)) : null, genres);
}

export function makeTile(movie) {
  const [first = '', second = first] = movie.genres;
  const seed = hash(`${movie.movie_id} ${movie.title}`);
  const pattern = PATTERNS[seed % PATTERNS.length];
  const hues = { '--hue': hueOf(first), '--hue-2': second === first ? hueOf(first) + 35 : hueOf(second) };
  return draw('svg', { class: 'tile', viewBox: '0 0 40 60', 'aria-hidden': 'true', ...hues },
    draw('rect', { width: 40, height: 60, class: 'back' }), pattern(seed >>> 4),
    draw('text', { x: 4, y: 55, class: 'initial' }, titleOf(movie).replace(/^(The|A|An) /, '')[0]));
}

const circle = (cx, cy, r, shade) => draw('circle', { cx, cy, r, class: shade });
const path = (d, shade) => draw('path', { d, class: shade });
const times = (n, one) => Array.from({ length: n }, (_, i) => one(i));

const PATTERNS = [
  (seed) => times(4, (i) => circle(8 + seed % 26, 8 + (seed >> 3) % 18, 34 - 9 * i, i % 2 ? 'two' : 'one')),
  (seed) => [circle(10 + seed % 20, 24, 11 + (seed >> 3) % 5, 'two'), path('M0 27h40v33H0z', 'one'), path('M0 35h40v2H0z', 'back')],
  (seed) => times(6, (i) => path(`M${20 * (i % 2)} ${20 * (i >> 1)}${['h20a20 20 0 0 1-20 20z', 'h20v20a20 20 0 0 1-20-20z'][(seed >> i) & 1]}`,
    (seed >> i) % 3 ? 'one' : 'two')),
  (seed) => times(4, (i) => path(`M${-30 + 20 * i + seed % 8} 60l36-60h9l-36 60z`, i % 2 ? 'two' : 'one')),
  (seed) => [circle(28 - seed % 16, 14, 7, 'two'), path(`M-8 60l${16 + seed % 14}-36 22 36z`, 'one'), path(`M14 60l${10 + seed % 9}-26 24 26z`, 'two')],
];
