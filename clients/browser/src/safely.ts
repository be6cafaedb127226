let speaks = false;

/** Turns on console messages for developers (option `debug`). */
export function speakUp(debug: boolean): void {
  speaks = debug;
}

/** Writes to the console. A page may have replaced it by anything. */
export function warn(...what: unknown[]): void {
  try {
    console.warn('TrackMate:', ...what);
  } catch {
    // There is no console to write to.
  }
}

/** Reports to a developer (option `debug`) what was dropped and why; silent otherwise. */
export function note(...what: unknown[]): void {
  if (speaks) warn(...what);
}

/**
 * Returns the result, or undefined if the browser or the page throws: a page must work as if tracking did not exist.
 * Every function that the page or the browser calls runs through here.
 */
export function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    note(error);
    return undefined;
  }
}

/** Adds a listener. A page may have replaced `addEventListener` too. */
export function on<E extends Event>(target: EventTarget, type: string, work: (event: E) => void): void {
  attempt(() => target.addEventListener(type, (event) => attempt(() => work(event as E))));
}

/** The browser's own Promise, which an async function returns even if the page has replaced the global one. */
export const OwnPromise = /* @__PURE__ */ (async () => {})().constructor as PromiseConstructor;

/** An object without any inherited members, whatever the page has added to all objects. */
export function emptyRecord<T>(): Record<string, T> {
  return Object.create(null) as Record<string, T>;
}
