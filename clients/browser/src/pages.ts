import type { TrackMateOptions } from './api.js';
import { attempt, on } from './safely.js';

/**
 * Detects page changes of a single-page application: history.pushState and replaceState, back and forward, and a page
 * that is restored from the browser's cache. The results and errors of the page's own calls do not change.
 *
 * @param visit - Called when the address has really changed, one task later: by then most frameworks have set the title,
 * and a redirect in between is not counted.
 * @returns A function to call when a page view has been counted.
 */
export function followPages({ hash, pathOnly, replaceState }: TrackMateOptions, visit: () => void): () => void {
  let last: string | undefined;
  const present = (): string | undefined => location.href.split(pathOnly ? /[?#]/ : hash ? /$/ : '#')[0];
  const look = (): void => {
    setTimeout(() => attempt(() => present() !== last && visit()));
  };

  for (const name of (replaceState === false ? ['pushState'] : ['pushState', 'replaceState']) as ('pushState' | 'replaceState')[]) {
    // A page may have frozen its history object.
    attempt(() => {
      const original = history[name];
      history[name] = function (this: History, ...args) {
        const result = original.apply(this, args);
        look();
        return result;
      };
    });
  }
  on(window, 'popstate', look);
  if (hash) on(window, 'hashchange', look);
  on(window, 'pageshow', (event: PageTransitionEvent) => event.persisted && visit());

  return () => {
    last = present();
  };
}
