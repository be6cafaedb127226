import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { TrackMateApi } from '../src/api.js';
import { API, COMPANY, listen, pass, remember, server, START, storage } from './browser.js';
import { version } from '../package.json';

const script = readFileSync('dist/trackmate.js', 'utf8');
const snippet = readFileSync('snippet.html', 'utf8').replaceAll('{{company}}', COMPANY).replaceAll('{{url}}', API);
const inline = /<script>([^]*?)<\/script>/.exec(snippet)![1]!;

type Stub = TrackMateApi & { calls: unknown[] };
const page = window as unknown as { TrackMate: Stub };

/** Runs code as a classic script of the page does. */
function run(code: string): void {
  (0, eval)(code);
}

function load(): void {
  const listeners = listen();
  run(script);
  remember(page.TrackMate, listeners);
}

describe('dist/trackmate.js', () => {
  it('is at most 5 KB gzipped', () => {
    expect(gzipSync(script, { level: 9 }).length).toBeLessThanOrEqual(5_120);
  });

  it('runs under a strict Content-Security-Policy: it evaluates no text, adds no style and no script', () => {
    expect(script).not.toMatch(/\beval\b|new Function|Function\(|\.style\b|createElement|innerHTML|setTimeout\(["'`]/);
  });

  it('defines window.TrackMate and nothing else, and says its version', () => {
    const before = new Set(Object.getOwnPropertyNames(window));
    load();
    expect(Object.getOwnPropertyNames(window).filter((name) => !before.has(name))).toEqual(['TrackMate']);
    expect(page.TrackMate.version).toBe(version);
    expect(Object.keys(page.TrackMate).sort()).toEqual([
      'getSessionId', 'identify', 'init', 'optIn', 'optOut', 'reset', 'track', 'trackPageView', 'version',
    ]);
  });

  it('alone, without the snippet, works', async () => {
    load();
    page.TrackMate.init(COMPANY, API);
    page.TrackMate.track('click');
    await pass(1_000);
    expect(server.types).toEqual(['click']);
  });
});

describe('the snippet', () => {
  it('takes calls before the script has loaded, which replays them in order, each with its time', async () => {
    run(inline);
    page.TrackMate.track('add_to_cart', { productId: 'PROD-001' });
    await pass(3_000);
    const identified = page.TrackMate.identify({ email: 'sarah@example.com' });
    page.TrackMate.track('checkout_started');
    expect(page.TrackMate.getSessionId()).toBeNull();
    expect(storage.length).toBe(0);
    expect(server.requests).toEqual([]);

    await pass(2_000);
    load();
    expect(page.TrackMate.getSessionId()).toMatch(/^session_/);
    await pass(1_000);
    expect(server.types).toEqual(['page_view', 'add_to_cart', 'identify', 'checkout_started']);
    expect(server.requests[0]!.url).toBe(API + '/api/events');
    expect(server.events.map((event) => Date.parse(event.timestamp) - START)).toEqual([0, 0, 3_000]);
    expect(await identified).toEqual({ profileId: '671234567890abcdef123456' });
  });

  it('pasted twice, or its script loaded twice, counts once', async () => {
    run(inline);
    run(inline);
    load();
    const first = { ...page.TrackMate };
    const { pushState } = history;
    load();
    run(inline);
    expect({ ...page.TrackMate }).toEqual(first);
    expect(history.pushState).toBe(pushState);
    history.pushState(null, '', '/cart');
    await pass(1_000);
    expect(server.types).toEqual(['page_view', 'page_view']);
  });

  it('works when the script was there before it', async () => {
    load();
    page.TrackMate.init(COMPANY, API);
    run(inline);
    page.TrackMate.track('click');
    await pass(1_000);
    expect(server.types).toEqual(['click']);
  });

  it('is still heard by a page that holds on to the stub or to one of its methods', async () => {
    run(inline);
    const stub = page.TrackMate;
    const { track, identify } = stub;
    load();
    stub.track('by_object');
    track('by_method');
    const identified = identify({ email: 'sarah@example.com' });
    await pass(1_000);
    expect(server.types).toEqual(['page_view', 'by_object', 'by_method', 'identify']);
    expect(await identified).toEqual({ profileId: '671234567890abcdef123456' });
  });

  it('keeps a bounded number of calls for a script that never comes', () => {
    run(inline);
    for (let i = 0; i < 2_000; i++) page.TrackMate.track('click');
    expect(page.TrackMate.calls).toHaveLength(500);
  });

  it('has no more than the two tags, whose addresses are the placeholders', () => {
    const text = readFileSync('snippet.html', 'utf8');
    expect(text.match(/<script/g)).toHaveLength(3); // One of them in the comment.
    expect(text).toContain('<script async src="{{url}}/trackmate.js"></script>');
    expect(text).toContain("TrackMate.init('{{company}}', '{{url}}');");
  });
});

describe('the package', () => {
  it('shows the snippet in its README as it is', () => {
    expect(readFileSync('README.md', 'utf8')).toContain(readFileSync('snippet.html', 'utf8'));
  });

  it('is an ES module with types, which a strict program can use', () => {
    execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tests/consumer'], { stdio: 'inherit' });
  });

  it('loads in Node without a browser', () => {
    const said = execFileSync(process.execPath, ['--input-type=module', '-e', `
      const { TrackMate } = await import('./dist/trackmate.mjs');
      TrackMate.init('TM-SHOP99', 'https://track.example'); TrackMate.trackPageView();
      console.log(TrackMate.version, TrackMate.getSessionId());
    `], { encoding: 'utf8' });
    expect(said.trim()).toBe(`${version} null`);
  });

  it.each(['./dist/trackmate.mjs', './dist/trackmate.extra.mjs'])('%s in Node settles what is awaited, at once, and leaves nothing behind', (file) => {
    const code = (before: string): string => `
      ${before}
      const names = new Set(Object.getOwnPropertyNames(globalThis));
      const { TrackMate } = await import('${file}');
      const added = Object.getOwnPropertyNames(globalThis).filter((name) => !names.has(name));
      TrackMate.init('TM-SHOP99', 'https://track.example');
      TrackMate.track('a'); TrackMate.reset(); TrackMate.optOut(); TrackMate.optIn();
      const answer = await TrackMate.identify({ email: 'sarah@example.com' });
      console.log(JSON.stringify(answer), TrackMate.getSessionId(), added.length, process.getActiveResourcesInfo().filter((kind) => /Timeout|TCP/.test(kind)).length);
    `;
    // As libraries do that render on a server.
    for (const before of ['', 'globalThis.window = {};', 'globalThis.window = globalThis; globalThis.self = globalThis;']) {
      const said = execFileSync(process.execPath, ['--input-type=module', '-e', code(before)], { encoding: 'utf8', timeout: 20_000 });
      expect(said.trim()).toBe('{"profileId":null} null 0 0');
    }
  }, 60_000);

  it('holds what package.json promises, and the types of the API only', () => {
    expect(readdirSync('dist').sort()).toEqual(['api.d.ts', 'trackmate.d.ts', 'trackmate.extra.js', 'trackmate.extra.mjs', 'trackmate.js', 'trackmate.mjs']);
    expect(existsSync('LICENSE')).toBe(true);
    expect(readFileSync('package-lock.json', 'utf8')).not.toMatch(/"resolved"/);
  });
});
