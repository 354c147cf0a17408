// The control that gives stars: a native slider from 0 (not rated) to 5, drawn as stars; on any other scale a number;
// without ratings a button. A click saves at once. Keys only choose, since they pass through every value between; Enter
// or the button saves. What is not rated is null: 0 is a rating on some scales.

import { make } from './dom.js';

const scale = { low: 0.5, high: 5, step: 0.5, feedback: 'explicit' };
export const hasEvents = () => scale.feedback === 'implicit';
export const hasStars = () => !hasEvents() && scale.high === 5 && [0.5, 1].includes(scale.low) && [0.5, 1].includes(scale.step);

export function formatStars(stars) {
  if (stars == null) return 'not rated';
  if (hasEvents()) return 'seen';
  return hasStars() ? `${stars} star${stars === 1 ? '' : 's'}` : `${stars} of ${scale.high}`;
}

/** Say an expected rating, which no one gave. */
export const formatExpected = (rating) => `${hasStars() ? '★ ' : ''}${rating.toFixed(1)}`;

/** Place a rating on a scale of five. */
export const toFive = (rating) => (hasStars() ? rating : 5 * (rating - scale.low) / (scale.high - scale.low || 1));

/** What the page says about the control. */
export function getWords() {
  if (hasEvents()) return { rate: 'Add a film', hint: 'Choose one that you have seen.', ratings: 'Seen', keys: '' };
  const hint = `Choose one, then give it ${hasStars() ? 'stars' : `${scale.low} to ${scale.high}`}.`;
  const keys = `By keyboard: arrows choose the ${hasStars() ? 'stars, Enter saves them' : 'number, Enter saves it'}.`;
  return { rate: 'Rate a film', hint, ratings: 'Ratings', keys };
}

/** Take the data's scale and kind of feedback; return whether what was drawn before does not suit it. */
export function setScale(found, feedback) {
  const drawn = JSON.stringify(scale);
  Object.assign(scale, found, { feedback });
  return JSON.stringify(scale) !== drawn;
}

/** `save` promises whether the event was stored. */
function makeEvent(title, count, save) {
  let seen = count;
  const button = make('button', { class: 'mark' }, '');
  const form = make('form', { class: 'stars event', onsubmit: submit }, button);
  form.take = (stars) => { seen = stars; show(); };
  show();
  return form;

  function show() {
    button.textContent = seen ? 'Seen' : 'Seen it?';
    button.setAttribute('aria-label', seen ? `You have seen ${title}` : `I have seen ${title}`);
    button.setAttribute('aria-pressed', String(Boolean(seen)));
    button.disabled = Boolean(seen);
  }

  async function submit(event) {
    event.preventDefault();
    button.disabled = true;
    if (await save(1)) seen = 1;
    show();
  }
}

/** `save` is given the stars and promises whether they were stored; the form's `take` shows stars stored elsewhere. */
export function makeStars(title, rating, save) {
  if (hasEvents()) return makeEvent(title, rating, save);
  let saved = rating ?? null;
  let wanted = saved;
  let saving = false;
  let pointing = false;
  const slider = make('input', {
    ...(hasStars() ? { type: 'range', min: 0, max: 5, step: scale.step, value: saved ?? 0 }
      : { type: 'number', min: scale.low, max: scale.high, step: scale.step || 'any', value: saved ?? '' }),
    'aria-label': `Your rating of ${title}`,
    onpointerdown: () => { pointing = true; },
    oninput: show,
    onchange: () => { if (pointing) form.requestSubmit(); pointing = false; },
    onkeydown: (event) => {
      pointing = false;
      if (event.key === 'Enter') { event.preventDefault(); form.requestSubmit(); }
      if (event.key === 'Escape') { write(wanted); show(); }
    },
  });
  const button = make('button', { class: 'save' }, 'Save');
  const form = make('form', { class: hasStars() ? 'stars' : 'stars number', onsubmit: submit }, make('span', { class: 'row' }, slider), button);
  form.take = (stars) => { if (!saving) settle(stars); };
  show();
  return form;

  function read() {
    if (hasStars()) return Number(slider.value) || null;
    return slider.value === '' ? null : Number(slider.value);
  }

  function write(stars) {
    slider.value = stars ?? (hasStars() ? 0 : '');
  }

  function settle(stars) {
    if (read() === wanted) write(stars); // else something is being chosen
    saved = wanted = stars;
    show();
  }

  function show() {
    const value = read();
    slider.setAttribute('aria-valuetext', formatStars(value));
    form.style.setProperty('--stars', value ?? 0);
    form.classList.toggle('changed', value !== wanted && value != null);
    form.dataset.value = value != null && hasStars() ? value.toFixed(1) : '';
  }

  async function submit(event) {
    event.preventDefault();
    wanted = read() ?? wanted;
    show();
    if (saving) return; // what is wanted now is saved next
    saving = true;
    while (saved !== wanted) {
      const stars = wanted;
      if (await save(stars)) saved = stars;
      else if (wanted === stars) settle(saved);
    }
    saving = false;
  }
}
