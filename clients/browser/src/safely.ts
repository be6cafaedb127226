let speaks = false;

/** Turns the console messages for developers on (option `debug`). */
export function speakUp(debug: boolean): void {
  speaks = debug;
}

/** Says something in the console. A page may have put anything in its place. */
export function warn(...what: unknown[]): void {
  try {
    console.warn('TrackMate:', ...what);
  } catch {
    // Nobody can be reached.
  }
}

/** Tells a developer who asked for it (option `debug`) what was dropped and why; silent otherwise. */
export function note(...what: unknown[]): void {
  if (speaks) warn(...what);
}

/**
 * The result, or undefined where the browser or the page throws instead: a page must work as if its tracking were not
 * there. Everything that the page or the browser calls goes through here.
 */
export function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    note(error);
    return undefined;
  }
}

/** Listens. A page may have put anything in the place of `addEventListener` too. */
export function on<E extends Event>(target: EventTarget, type: string, work: (event: E) => void): void {
  attempt(() => target.addEventListener(type, (event) => attempt(() => work(event as E))));
}

/** The browser's own Promise, which an async function returns whatever the page has put in its place. */
export const OwnPromise = /* @__PURE__ */ (async () => {})().constructor as PromiseConstructor;

/** An object that has only what is put into it, whatever the page has added to all others. */
export function emptyRecord<T>(): Record<string, T> {
  return Object.create(null) as Record<string, T>;
}
