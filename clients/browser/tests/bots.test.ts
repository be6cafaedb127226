// @vitest-environment node
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
// @ts-expect-error A script of the build, without types.
import { target, text } from '../bots.mjs';

test("the server's list of bots is that of the pinned isbot", () => {
  expect(readFileSync(target, 'utf8')).toBe(text);
});
