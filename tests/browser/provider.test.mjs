/** A login with an identity provider. */

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';

import { generateKeyPair } from 'jose';

import { CLIENT_ID, CLIENT_SECRET, IdentityProvider } from '../login/provider.mjs';
import { assertAccessible } from './accessibility.mjs';
import { browserTest } from './setup.mjs';

const provider = await IdentityProvider.start(
  await generateKeyPair('RS256', { extractable: true }),
);
const folder = await mkdtemp(join(tmpdir(), 'arm-browser-'));
const file = join(folder, 'providers.json');
const { issuer } = provider;
const acme = {
  id: 'acme',
  label: 'Continue with Acme',
  issuer,
  clientId: CLIENT_ID,
  clientSecret: CLIENT_SECRET,
};
await writeFile(file, JSON.stringify([acme]));

after(async () => {
  provider.stop();
  await rm(folder, { recursive: true });
});

/** The login page of the provider loads fonts from this origin. */
const FONTS = 'https://fonts.googleapis.com';
const OPTIONS = { server: ['--providers', file], origins: [issuer, FONTS] };

browserTest(
  'a login with a provider leads to the page that was requested',
  async (fixture) => {
    const { context, page, url } = fixture;
    await provider.serve(url);
    await context.route(`${FONTS}/**`, (route) => route.abort());
    await page.goto(`${url}/?next=/api`);
    await assertAccessible(page);
    await page.getByRole('link', { name: 'Continue with Acme' }).click();
    await page.getByPlaceholder(/login/i).fill('ana@acme.test');
    await page.getByPlaceholder(/password/i).fill('any');
    await page.getByRole('button', { name: 'Sign-in' }).click();
    await page.getByRole('button', { name: 'Continue' }).click();

    await page.waitForURL(`${url}/api`);
    await page.getByText('ana@acme.test').waitFor();
    const names = (await context.cookies(url)).map(({ name }) => name);
    assert.deepEqual(names, ['arm_session']);
  },
  OPTIONS,
);

browserTest(
  'the page about an unavailable provider is accessible',
  async ({ page, url }) => {
    provider.stop();
    const response = await page.goto(`${url}/login/acme`);

    assert.equal(response?.status(), 503);
    await assertAccessible(page);
  },
  OPTIONS,
);
