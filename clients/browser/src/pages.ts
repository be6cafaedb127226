import { safely } from './safely.js';

/**
 * Follows a single-page application from page to page: history.pushState and replaceState, back and forward, and a page
 * that comes back out of the browser's cache. The page's own calls keep their results and errors.
 *
 * @param countHash - Whether the part after `#` makes another page.
 * @param visit - Called when the address has really changed, a task later: by then most frameworks have set the title,
 * and a redirect on the way is no visit.
 * @returns What to call when a page has been counted.
 */
export function followPages(countHash: boolean, visit: () => void): () => void {
  let last: string | undefined;
  const present = (): string | undefined => (countHash ? location.href : location.href.split('#')[0]);
  const look = (): void => {
    setTimeout(
      safely(() => {
        if (present() !== last) visit();
      }),
    );
  };

  for (const name of ['pushState', 'replaceState'] as const) {
    const original = history[name];
    history[name] = function (this: History, ...args) {
      const result = original.apply(this, args);
      look();
      return result;
    };
  }
  addEventListener('popstate', look);
  if (countHash) addEventListener('hashchange', look);
  addEventListener('pageshow', safely((event: PageTransitionEvent) => {
    if (event.persisted) visit();
  }));

  return () => {
    last = present();
  };
}
