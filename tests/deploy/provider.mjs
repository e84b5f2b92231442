/**
 * The identity provider of the login stories, for a product that runs elsewhere:
 * `node provider.mjs https://product`. It prints one line of JSON, what the product is to be told
 * of it, and runs until its standard input ends.
 */

import { generateKeyPair } from 'jose';

import { CLIENT_ID, CLIENT_SECRET, IdentityProvider } from '../login/provider.mjs';

const [product = ''] = process.argv.slice(2);
const keys = await generateKeyPair('RS256', { extractable: true });
const acme = await IdentityProvider.start(keys);
await acme.serve(product);

const entry = { id: 'acme', label: 'Acme', issuer: acme.issuer, clientId: CLIENT_ID, clientSecret: CLIENT_SECRET };
console.log(JSON.stringify(entry));
process.stdin.on('end', () => acme.stop()).resume();
