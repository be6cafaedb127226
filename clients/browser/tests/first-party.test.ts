// @vitest-environment node
import { spawn } from 'node:child_process';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const guide = readFileSync('../../docs/first-party.md', 'utf8');
const snippet = (language: string, index = 0): string => [...guide.matchAll(new RegExp('^```' + language + '\\n([^]*?)^```', 'gm'))][index]![1]!;
const module = (code: string): Promise<{ default: any }> => import(/* @vite-ignore */ `data:text/javascript,${encodeURIComponent(code)}`);

/** Stands where TrackMate is, and says what it saw. */
const seen: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[] = [];
const trackmate = createServer((request, response) => {
  let body = '';
  request.on('data', (part) => (body += part)).on('end', () => {
    seen.push({ method: request.method!, url: request.url!, headers: request.headers, body });
    response.writeHead(200, { 'Content-Type': 'application/json', 'Retry-After': '1' }).end('{"accepted":1,"duplicates":0}');
  });
});
let port = 0;
const folder = mkdtempSync(join(tmpdir(), 'trackmate-first-party-'));
beforeAll(async () => {
  await new Promise<void>((listening) => trackmate.listen(0, '127.0.0.1', listening));
  port = (trackmate.address() as AddressInfo).port;
});
afterAll(() => {
  trackmate.close();
  rmSync(folder, { recursive: true });
});

describe('the guide to a path of your own site', () => {
  it('names the paths that the SDK calls', () => {
    expect(guide).toContain("TrackMate.init('TM-DEMO', '/m', { path: '/t' });");
    expect(guide).toContain('src="/m/t/script.js"');
  });

  it('has a worker that passes on the three calls, without cookies, with the visitor\'s address', async () => {
    const worker = (await module(snippet('js').replace('https://track.example.com', `http://127.0.0.1:${port}`))).default;
    const headers = { 'Content-Type': 'text/plain', Cookie: 'cart=1', Authorization: 'Bearer x', 'X-Forwarded-For': '6.6.6.6', 'CF-Connecting-IP': '203.0.113.7', 'User-Agent': 'Mozilla/5.0' };
    const answer = await worker.fetch(new Request('https://www.example.com/m/t/events', { method: 'POST', headers, body: '{"a":1}' }));
    expect(await answer.text()).toBe('{"accepted":1,"duplicates":0}');
    expect(answer.headers.get('Retry-After')).toBe('1');
    const [sent] = seen.splice(0);
    expect(sent).toMatchObject({ method: 'POST', url: '/t/events', body: '{"a":1}', headers: { 'x-forwarded-for': '203.0.113.7', 'user-agent': 'Mozilla/5.0' } });
    expect(sent!.headers.cookie).toBeUndefined();
    expect(sent!.headers.authorization).toBeUndefined();

    expect((await worker.fetch(new Request('https://www.example.com/m/t/script.js'))).status).toBe(200);
    expect((await worker.fetch(new Request('https://www.example.com/m/t/profile', { method: 'POST', body: '{}' }))).status).toBe(200);
    expect(seen.splice(0).map(({ method, url }) => `${method} ${url}`)).toEqual(['GET /t/script.js', 'POST /t/profile']);
    for (const path of ['/m/api/profiles', '/m/t/events', '/m/login', '/m/t/../api/events', '/t/events']) {
      expect((await worker.fetch(new Request('https://www.example.com' + path))).status).toBe(404);
    }
    expect(seen).toEqual([]);
  });

  it('has a rewrite for Next.js, call by call', async () => {
    const { rewrites } = (await module(snippet('js', 1))).default;
    expect(await rewrites()).toEqual([
      { source: '/m/t/script.js', destination: 'https://track.example.com/t/script.js' },
      { source: '/m/t/events', destination: 'https://track.example.com/t/events' },
      { source: '/m/t/profile', destination: 'https://track.example.com/t/profile' },
    ]);
  });

  /** Of the system, or where test.sh has put it. */
  const programOf = (name: string): string | undefined =>
    ['/usr/sbin/', '/usr/bin/', '/usr/local/bin/', 'node_modules/.proxies/usr/sbin/', 'node_modules/.proxies/usr/bin/'].map((place) => resolve(place + name)).find(existsSync);
  const freePort = async (): Promise<number> => {
    const server = createServer();
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const free = (server.address() as AddressInfo).port;
    await new Promise((closed) => server.close(closed));
    return free;
  };

  /** Through the proxy, once it answers: what a browser sends arrives, and nothing else does. */
  async function behaves(at: string, unwanted: number): Promise<void> {
    const post = (): Promise<Response> =>
      fetch(at + '/m/t/events', { method: 'POST', headers: { Cookie: 'cart=1', Authorization: 'x', 'X-Forwarded-For': '6.6.6.6' }, body: '{"a":1}' });
    await expect.poll(() => post().then(({ status }) => status, () => 0), { timeout: 10_000, interval: 20 }).toBe(200);
    const sent = seen.splice(0).at(-1)!;
    expect(sent).toMatchObject({ method: 'POST', url: '/t/events', body: '{"a":1}', headers: { 'x-forwarded-for': '127.0.0.1' } });
    expect(sent.headers.cookie).toBeUndefined();
    expect(sent.headers.authorization).toBeUndefined();
    expect((await fetch(at + '/m/t/script.js')).status).toBe(200);
    expect(seen.splice(0).map(({ url }) => url)).toEqual(['/t/script.js']);
    expect((await fetch(at + '/m/api/profiles')).status).toBe(unwanted);
    expect(seen).toEqual([]);
  }

  const nginx = programOf('nginx');
  it.skipIf(!nginx)('has a location for nginx that does the same', async () => {
    const own = await freePort();
    const configuration = join(folder, 'nginx.conf');
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${folder}/${kind};`).join(' ');
    writeFileSync(configuration, `
      daemon off; pid ${folder}/nginx.pid; error_log stderr;
      events {}
      http { access_log off; ${temporary} server { listen 127.0.0.1:${own}; location / { return 404; } ${snippet('nginx').replace('127.0.0.1:5080', `127.0.0.1:${port}`)} } }`);
    const server = spawn(nginx!, ['-c', configuration, '-p', folder], { stdio: 'ignore' });
    try {
      await behaves(`http://127.0.0.1:${own}`, 404);
      expect((await fetch(`http://127.0.0.1:${own}/m/t/events`, { method: 'DELETE' })).status).toBe(403);
    } finally {
      server.kill();
    }
  }, 30_000);

  const caddy = programOf('caddy');
  it.skipIf(!caddy)('has a site for Caddy that does the same', async () => {
    const own = await freePort();
    const configuration = join(folder, 'Caddyfile');
    const site = snippet('caddy').replace('www.example.com', `http://127.0.0.1:${own}`).replace('127.0.0.1:5080', `127.0.0.1:${port}`);
    writeFileSync(configuration, `{\n admin off\n auto_https off\n}\n${site}`);
    const server = spawn(caddy!, ['run', '--config', configuration, '--adapter', 'caddyfile'], { stdio: 'ignore', env: { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder } });
    try {
      await behaves(`http://127.0.0.1:${own}`, 404);
    } finally {
      server.kill();
    }
  }, 30_000);
});
