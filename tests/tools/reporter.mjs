/**
 * A reporter for node's test runner. Prints a line for each test, the errors of failed tests, and
 * the counts that `tests/run` parses.
 *
 * @typedef {import('node:test/reporters').TestEvent} TestEvent
 * @typedef {Extract<TestEvent, { type: 'test:fail' }>['data']} Failure
 */

import { inspect } from 'node:util';

/**
 * Describes the error of a failed test, without the wrapper of the test runner.
 *
 * @param {Failure} failure
 */
function describe({ details: { error } }) {
  const cause = error.cause ?? error;
  const text = cause instanceof Error ? (cause.stack ?? cause.message) : inspect(cause);
  return text.replace(/^/gm, '    ');
}

/** @param {AsyncIterable<TestEvent>} events */
export default async function* report(events) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for await (const { type, data } of events) {
    if (type === 'test:pass' && data.skip !== undefined) {
      counts.skipped += 1;
      yield `skipped: ${data.name} (${data.skip})\n`;
    } else if (type === 'test:pass') {
      counts.passed += 1;
      yield `ok: ${data.name} (${Math.round(data.details.duration_ms)} ms)\n`;
    } else if (type === 'test:fail') {
      counts.failed += 1;
      yield `FAILED: ${data.name}\n${describe(data)}\n`;
    } else if (type === 'test:stderr') {
      yield data.message;
    }
  }
  yield `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`;
}
