/**
 * How the suites of node's test runner tell what they did: a line for each story, what went
 * wrong in those that failed, and at last the counts that `tests/run` reads.
 *
 * @typedef {import('node:test/reporters').TestEvent} TestEvent
 * @typedef {Extract<TestEvent, { type: 'test:fail' }>['data']} Failure
 */

import { inspect } from 'node:util';

/**
 * What went wrong: the error itself, not the wrapper that the runner puts around it.
 *
 * @param {Failure} failure
 */
function reason({ details: { error } }) {
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
      yield `FAILED: ${data.name}\n${reason(data)}\n`;
    } else if (type === 'test:stderr') {
      yield data.message;
    }
  }
  yield `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`;
}
