import { afterEach, beforeEach, vi } from 'vitest';
import type { TrackMateApi, TrackMateOptions } from '../src/api.js';

export const COMPANY = 'TM-SHOP99';
export const API = 'https://track.example';
export const START = Date.parse('2025-10-18T10:00:00.000Z');
export const PREFIX = `trackmate:${COMPANY}:`;

/** One request as the server saw it. */
export interface Sent {
  url: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  body: any;
  init: RequestInit;
}

export interface Reply {
  status: number;
  headers?: Record<string, string>;
  body?: unknown;
}

/** A TrackMate server made of a function: what it answers is up to the test. `'offline'` is no answer at all. */
export class FakeServer {
  readonly requests: Sent[] = [];
  answer: (sent: Sent) => Reply | 'offline' | Promise<Reply | 'offline'> = taken;

  readonly fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const sent = { url, init, body: JSON.parse(init.body as string) };
    this.requests.push(sent);
    const reply = await new Promise<Reply | 'offline'>((resolve, reject) => {
      init.signal?.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')));
      Promise.resolve(this.answer(sent)).then(resolve, reject);
    });
    if (reply === 'offline') throw new TypeError('Failed to fetch');
    return {
      status: reply.status,
      headers: new Headers(reply.headers),
      text: async () => (typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body ?? {})),
    } as Response;
  };

  /** The events that arrived, of all requests, in the order of arrival. */
  get events(): any[] {
    return this.requests.flatMap(({ body }) => body.events ?? []);
  }

  get types(): string[] {
    return this.requests.flatMap(({ body }) => body.events?.map((event: any) => event.eventType) ?? ['identify']);
  }
}

/** The answers of a healthy server. */
export function taken({ url, body }: Sent): Reply {
  return url.endsWith('/api/profile')
    ? { status: 200, body: { profileId: '671234567890abcdef123456' } }
    : { status: 200, body: { accepted: body.events.length, duplicates: 0 } };
}

/** localStorage with a limit, as all tabs of one origin share it: what one does, the others hear. */
export class FakeStorage {
  readonly values = new Map<string, string>();
  quota = Infinity;
  /** Whether changes are told to the page as if another tab had made them. */
  tells = false;

  /** As in a browser, its keys are members too. */
  constructor() {
    return new Proxy(this, {
      ownKeys: () => [...this.values.keys()],
      getOwnPropertyDescriptor: (_target, key) => (this.values.has(key as string) ? { enumerable: true, configurable: true } : undefined),
    });
  }

  get length(): number {
    return this.values.size;
  }
  key(index: number): string | null {
    return [...this.values.keys()][index] ?? null;
  }
  getItem(key: string): string | null {
    return this.values.get(key) ?? null;
  }
  setItem(key: string, value: string): void {
    const others = [...this.values].filter(([name]) => name !== key).reduce((sum, [k, v]) => sum + k.length + v.length, 0);
    if (others + key.length + value.length > this.quota) throw new DOMException('full', 'QuotaExceededError');
    this.values.set(key, value);
    this.tell(key, value);
  }
  removeItem(key: string): void {
    if (this.values.delete(key)) this.tell(key, null);
  }
  clear(): void {
    this.values.clear();
  }
  private tell(key: string, newValue: string | null): void {
    if (this.tells) setTimeout(() => window.dispatchEvent(new StorageEvent('storage', { key, newValue })));
  }
}

/** navigator.locks, as far as the SDK uses it. */
export class FakeLocks {
  private tail: Promise<unknown> = Promise.resolve();
  held = 0;
  request(_name: string, work: () => Promise<void> | undefined): Promise<void> {
    const turn = this.tail.then(async () => {
      this.held++;
      await work();
      this.held--;
    });
    this.tail = turn;
    return turn;
  }
}

/** XMLHttpRequest, as far as the SDK uses it: the same server answers. */
export class FakeRequest {
  status = 0;
  responseText = '';
  onloadend = (): void => {};
  private url = '';
  private headers = new Headers();
  open(_method: string, url: string): void {
    this.url = url;
  }
  getResponseHeader(name: string): string | null {
    return this.headers.get(name);
  }
  send(body: string): void {
    server.fetch(this.url, { body, method: 'older' }).then(
      async (response) => {
        this.status = response.status;
        this.headers = response.headers;
        this.responseText = await response.text();
        this.onloadend();
      },
      () => this.onloadend(),
    );
  }
}

export interface Page {
  TrackMate: TrackMateApi;
  /** Ends the page: its timers and listeners are gone, what it stored is not. */
  close(): void;
}

export let server: FakeServer;
export let storage: FakeStorage;
export let beacon: ReturnType<typeof vi.fn>;
export let warn: ReturnType<typeof vi.spyOn>;
const pages: Page[] = [];
const originalHistory = { pushState: history.pushState, replaceState: history.replaceState };

beforeEach(() => {
  vi.useFakeTimers({ now: START });
  server = new FakeServer();
  storage = new FakeStorage();
  beacon = vi.fn(() => true);
  warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  vi.stubGlobal('fetch', server.fetch);
  vi.stubGlobal('localStorage', storage);
  vi.stubGlobal('XMLHttpRequest', FakeRequest);
  vi.stubGlobal('SDK_EXTRAS', false);
  define(navigator, 'sendBeacon', beacon);
  define(navigator, 'locks', undefined);
  show('visible');
  history.replaceState(null, '', '/homepage');
  document.title = 'Homepage';
});

afterEach(() => {
  pages.splice(0).forEach((page) => page.close());
  delete (window as { TrackMate?: unknown }).TrackMate;
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** Loads the SDK as a new page or a new tab would: a fresh instance, on the storage that is there. */
export async function openPage(): Promise<Page> {
  vi.resetModules();
  const listeners = listen();
  const { TrackMate } = await import('../src/trackmate.js');
  return remember(TrackMate, listeners);
}

export function remember(TrackMate: TrackMateApi, listeners: () => void): Page {
  const page = {
    TrackMate,
    close() {
      listeners();
      Object.assign(history, originalHistory);
      vi.clearAllTimers();
    },
  };
  pages.push(page);
  return page;
}

const originalListen = [window, document].map((target: EventTarget) => [target, target.addEventListener] as const);

/** Writes down what is listened to from now on, and takes it back when the returned function is called. */
export function listen(): () => void {
  const taken: (() => void)[] = [];
  for (const [target, original] of originalListen) {
    target.addEventListener = (...args: Parameters<typeof original>) => {
      original.apply(target, args);
      taken.push(() => target.removeEventListener(args[0], args[1]));
    };
  }
  return () => taken.splice(0).forEach((undo) => undo());
}

/** A page with `init` done. */
export async function openTracked(options?: TrackMateOptions): Promise<Page> {
  const page = await openPage();
  page.TrackMate.init(COMPANY, API, options);
  return page;
}

export async function pass(milliseconds: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(milliseconds);
}

export function show(state: 'visible' | 'hidden'): void {
  define(document, 'visibilityState', state);
  document.dispatchEvent(new Event('visibilitychange'));
}

export function define(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, configurable: true, writable: true });
}

/** The names of what is stored of the company, without the prefix. */
export function stored(start = ''): string[] {
  return [...storage.values.keys()].map((key) => key.slice(PREFIX.length)).filter((name) => name.startsWith(start));
}

export function session(): { id: string; since: number; email?: string } {
  return JSON.parse(storage.values.get(PREFIX + 'session')!);
}
