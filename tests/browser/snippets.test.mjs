/** Runs each snippet as a file. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { Modal, createToken } from './modal.mjs';
import { browserTest, logIn } from './setup.mjs';

const PYTHON = fileURLToPath(new URL('../../.tools/python/bin/python', import.meta.url));

/** The snippets, with the program that runs each. */
const PROGRAMS = /** @type {[string, string][]} */ ([
  ['curl', 'bash'],
  ['python-requests', PYTHON],
  ['python-gql', PYTHON],
  ['javascript', process.execPath],
]);

/**
 * Writes a program to a file and runs it. Returns its output, even if it fails.
 *
 * @param {string} program
 * @param {string} text
 * @param {NodeJS.ProcessEnv} [environment]
 */
async function run(program, text, environment) {
  const folder = await mkdtemp(join(tmpdir(), 'arm-snippet-'));
  try {
    const file = join(folder, 'snippet');
    await writeFile(file, text);
    const { stdout } = await promisify(execFile)(program, [file], {
      env: { ...process.env, ...environment },
    });
    return stdout;
  } catch (error) {
    const { stdout, stderr } = /** @type {{ stdout: string, stderr: string }} */ (error);
    return stdout + stderr;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/**
 * Returns the text of a snippet.
 *
 * @param {Modal} modal
 * @param {string} name
 */
async function textOf(modal, name) {
  return (await modal.dialog.locator(`[data-snippet="${name}"]`).textContent()) ?? '';
}

for (const [name, program] of PROGRAMS) {
  browserTest(`the snippet ${name} prints the user`, async (fixture) => {
    await logIn(fixture);
    const modal = await Modal.open(fixture.page);
    const token = await modal.create();

    const text = await textOf(modal, name);
    assert.ok(!text.includes(token), 'the snippet contains the secret');
    const printed = await run(program, text, { ARM_API_TOKEN: token });
    assert.ok(printed.includes('hacker@demo.test'), printed);
    await modal.confirmAndClose();
  });
}

for (const [name, program] of PROGRAMS) {
  browserTest(
    `the snippet ${name} prints why a token is rejected, and what to do`,
    async (fixture) => {
      await logIn(fixture);
      const token = await createToken(fixture, 90 * 86_400);
      await createToken(fixture, 90 * 86_400);
      await fixture.page.reload();
      const modal = await Modal.open(fixture.page);
      await modal.dialog.getByRole('button', { name: 'Replace' }).click();
      await modal.create();

      const printed = await run(program, await textOf(modal, name), { ARM_API_TOKEN: token });
      await modal.confirmAndClose();
      for (const expected of ['Login required', 'TOKEN_REPLACED', 'hint']) {
        assert.ok(printed.includes(expected), `${expected} is not in: ${printed}`);
      }
    },
  );
}

browserTest('after the snippet env, the other snippets work', async (fixture) => {
  await logIn(fixture);
  const modal = await Modal.open(fixture.page);
  await modal.create();

  const printed = await run(
    'bash',
    `${await textOf(modal, 'env')}\n${await textOf(modal, 'curl')}`,
  );
  assert.ok(printed.includes('hacker@demo.test'), printed);
  await modal.confirmAndClose();
});

browserTest('the command on the home page works', async (fixture) => {
  await logIn(fixture);
  const command = (await fixture.page.locator('[data-snippet="start-curl"]').textContent()) ?? '';
  const modal = await Modal.open(fixture.page);
  const token = await modal.create();

  assert.ok((await run('bash', command, { ARM_API_TOKEN: token })).includes('hacker@demo.test'));
  await modal.confirmAndClose();
});
