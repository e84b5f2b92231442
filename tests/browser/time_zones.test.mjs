/** The expiration date means the end of that day in the user's time zone. */

import assert from 'node:assert/strict';

import { Modal } from './modal.mjs';
import { browserTest, logIn } from './setup.mjs';

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
    // February has no 31st, so these six months are the shortest.
    const at = Date.UTC(2027, 7, 31, hour, minute) - ahead * HOUR;
    const options = { at, context: { timezoneId: zone } };

    browserTest(
      `at ${clock} in ${zone} the first and the last date work`,
      testFirstAndLastDate,
      options,
    );
  }
}

/** @param {import('./setup.mjs').Fixture} fixture */
async function testFirstAndLastDate(fixture) {
  await logIn(fixture);
  const modal = await Modal.open(fixture.page);
  const first = await modal.date.getAttribute('min');
  const last = await modal.date.getAttribute('max');
  assert.equal(first, '2027-08-31');

  await modal.selectLifetime('6 months');
  assert.equal(await modal.date.inputValue(), last);
  await modal.create();
  await modal.confirmAndClose();

  for (const date of [first, last]) {
    await Modal.open(fixture.page);
    await modal.dialog.getByRole('button', { name: 'Replace' }).click();
    await modal.date.fill(String(date));
    await modal.create();
    await modal.confirmAndClose();
  }
}
