// Writes the server's list of bots from the package isbot, at its version in package.json. The test tests/bots.test.ts compares.
import { readFileSync, writeFileSync } from 'node:fs';
import { list } from 'isbot';

const { version } = JSON.parse(readFileSync(new URL('node_modules/isbot/package.json', import.meta.url), 'utf8'));

export const target = new URL('../../src/TrackMate/Receive/bots.txt', import.meta.url);

export const text = [
  `# Patterns of isbot ${version}, https://github.com/omrilotan/isbot, dedicated to the public domain (Unlicense) by its authors.`,
  '# Written by clients/browser/bots.mjs: to refresh, install another version of isbot there and run "npm run bots".',
  ...list,
  '',
].join('\n');

if (process.argv[1] === import.meta.filename) writeFileSync(target, text);
