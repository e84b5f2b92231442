/** The date means the end of that day in the visitor's time zone. */

import assert from 'node:assert/strict';

import { Modal } from './modal.mjs';
import { logIn, story } from './story.mjs';

/** Time zones without daylight saving time, with their hours ahead of UTC. */
const ZONES = /** @type {[string, number][]} */ ([
  ['America/Bogota', -5],
  ['Asia/Tokyo', 9],
  ['Pacific/Kiritimati', 14],
]);
const TIMES = /** @type {[number, number][]} */ ([
  [0, 1],
  [12, 0],
  [23, 59],
]);

const HOUR = 3_600_000;

for (const [zone, ahead] of ZONES) {
  for (const [hour, minute] of TIMES) {
    const clock = [hour, minute].map((it) => String(it).padStart(2, '0')).join(':');
    // February has no 31st, so these are the shortest six months.
    const at = Date.UTC(2027, 7, 31, hour, minute) - ahead * HOUR;
    const options = { at, context: { timezoneId: zone } };

    story(`at ${clock} in ${zone} the first and the last day work`, worksAtBothEnds, options);
  }
}

/** @param {import('./story.mjs').Given} given */
async function worksAtBothEnds(given) {
  await logIn(given);
  const modal = await Modal.open(given.page);
  const [first, last] = [await modal.date.getAttribute('min'), await modal.date.getAttribute('max')];
  assert.equal(first, '2027-08-31');

  await modal.last('6 months');
  assert.equal(await modal.date.inputValue(), last);
  await modal.create();
  await modal.leave();

  for (const date of [first, last]) {
    await Modal.open(given.page);
    await modal.dialog.getByRole('button', { name: 'Replace' }).click();
    await modal.date.fill(String(date));
    await modal.create();
    await modal.leave();
  }
}
