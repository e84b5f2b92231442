/**
 * Starts the identity provider of the login tests: `node provider.mjs https://application`. Prints
 * its entry for the list of providers as one line of JSON, and runs until its standard input ends.
 */

import { generateKeyPair } from 'jose';

import { CLIENT_ID, CLIENT_SECRET, IdentityProvider } from '../login/provider.mjs';

const [application = ''] = process.argv.slice(2);
const keys = await generateKeyPair('RS256', { extractable: true });
const acme = await IdentityProvider.start(keys);
await acme.serve(application);

const client = { clientId: CLIENT_ID, clientSecret: CLIENT_SECRET };
console.log(JSON.stringify({ id: 'acme', label: 'Acme', issuer: acme.issuer, ...client }));
process.stdin.on('end', () => acme.stop()).resume();
