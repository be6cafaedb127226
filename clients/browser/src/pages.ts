import type { TrackMateOptions } from './api.js';
import { attempt, on } from './safely.js';

/**
 * Follows a single-page application from page to page: history.pushState and replaceState, back and forward, and a page
 * that comes back out of the browser's cache. The page's own calls keep their results and errors.
 *
 * @param visit - Called when the address has really changed, a task later: by then most frameworks have set the title,
 * and a redirect on the way is no visit.
 * @returns What to call when a page has been counted.
 */
export function followPages({ hash, pathOnly, replaceState }: TrackMateOptions, visit: () => void): () => void {
  let last: string | undefined;
  const present = (): string | undefined => location.href.split(pathOnly ? /[?#]/ : hash ? /$/ : '#')[0];
  const look = (): void => {
    setTimeout(() => attempt(() => present() !== last && visit()));
  };

  for (const name of (replaceState === false ? ['pushState'] : ['pushState', 'replaceState']) as ('pushState' | 'replaceState')[]) {
    // A page may have frozen its history.
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
