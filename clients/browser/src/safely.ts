let speaks = false;

/** Turns the console messages for developers on (option `debug`). */
export function speakUp(debug: boolean): void {
  speaks = debug;
}

/** Tells a developer who asked for it (option `debug`) what was dropped and why; silent otherwise. */
export function note(...what: unknown[]): void {
  if (speaks) console.warn('TrackMate:', ...what);
}

/**
 * The same function, but nothing it throws reaches the page: a page must work as if its tracking were not there.
 * Everything that the page or the browser calls goes through here.
 */
export function safely<A extends unknown[]>(work: (...args: A) => void): (...args: A) => void {
  return (...args) => {
    try {
      work(...args);
    } catch (error) {
      note(error);
    }
  };
}
