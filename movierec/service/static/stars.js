// The control that gives stars: a native slider from 0 (not rated) to 5, drawn as stars; on any other scale a number.
// A click saves at once. Keys only choose, since they pass through every value between; Enter or the button saves.

import { make } from './dom.js';

export const formatStars = (stars) => (stars ? `${stars} star${stars === 1 ? '' : 's'}` : 'not rated');

const scale = { low: 0.5, high: 5, step: 0.5 };
const hasStars = () => scale.high === 5 && [0.5, 1].includes(scale.low) && [0.5, 1].includes(scale.step);

/** Take the data's scale; return whether what was drawn before does not suit it. */
export function setScale(found) {
  const drawn = JSON.stringify(scale);
  Object.assign(scale, found);
  return JSON.stringify(scale) !== drawn;
}

/** `save` is given the stars and promises whether they were stored; the form's `take` shows stars stored elsewhere. */
export function makeStars(title, rating, save) {
  let saved = rating ?? 0;
  let wanted = saved;
  let saving = false;
  let pointing = false;
  const slider = make('input', {
    ...(hasStars() ? { type: 'range', min: 0, max: 5, step: scale.step, value: saved }
      : { type: 'number', min: scale.low, max: scale.high, step: scale.step || 'any', value: saved || '' }),
    'aria-label': `Your rating of ${title}`,
    onpointerdown: () => { pointing = true; },
    oninput: show,
    onchange: () => { if (pointing) form.requestSubmit(); pointing = false; },
    onkeydown: (event) => {
      pointing = false;
      if (event.key === 'Enter') { event.preventDefault(); form.requestSubmit(); }
      if (event.key === 'Escape') { slider.value = wanted; show(); }
    },
  });
  const button = make('button', { class: 'save' }, 'Save');
  const form = make('form', { class: hasStars() ? 'stars' : 'stars number', onsubmit: submit }, make('span', { class: 'row' }, slider), button);
  form.take = (stars) => { if (!saving) settle(stars); };
  show();
  return form;

  function settle(stars) {
    if (Number(slider.value) === wanted) slider.value = stars; // else something is being chosen
    saved = wanted = stars;
    show();
  }

  function show() {
    const value = Number(slider.value);
    slider.setAttribute('aria-valuetext', formatStars(value));
    form.style.setProperty('--stars', value);
    form.classList.toggle('changed', value !== wanted && value > 0);
    form.dataset.value = value ? value.toFixed(1) : '';
  }

  async function submit(event) {
    event.preventDefault();
    wanted = Number(slider.value) || wanted;
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
