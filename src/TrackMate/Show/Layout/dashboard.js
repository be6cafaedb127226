// Enhances pages that work without it: live updates, events that open in place, copying, the local time zone.
(() => {
  'use strict';
  const refreshEvery = 400;
  const root = document.documentElement;
  const main = document.querySelector('#main');
  let loading = null;
  let again = null;
  let paused = false;
  let lastRefresh = 0;
  let timer = 0;

  // The HTML of each part as the server sent it, before the reader opened a fold. A part that arrives unchanged is not replaced.
  const asSent = new WeakMap([...document.querySelectorAll('[data-live]')].map((part) => [part, part.outerHTML]));

  // Replaces a part, and keeps the state that the address does not contain: open folds and the focus.
  function swap(old, fresh) {
    const sent = fresh.outerHTML;
    if (asSent.get(old) === sent) return;
    asSent.set(fresh, sent);
    const open = new Map([...old.querySelectorAll('details[data-key]')].map((fold) => [fold.dataset.key, fold.open]));
    const known = new Set([...old.querySelectorAll('[data-key]')].map((row) => row.dataset.key));
    for (const fold of fresh.querySelectorAll('details[data-key]')) if (open.get(fold.dataset.key)) fold.open = true;
    if (old.dataset.live !== 'event' && old.dataset.page === fresh.dataset.page && !old.dataset.emptied) {
      for (const row of fresh.querySelectorAll('li[data-key], tr[data-key]')) if (!known.has(row.dataset.key)) row.classList.add('new');
    }
    const focused = old.contains(document.activeElement) ? document.activeElement : null;
    const row = focused?.closest('[data-key]')?.dataset.key;
    const href = focused?.getAttribute('href');
    const scrolled = old.scrollTop;
    old.replaceWith(document.adoptNode(fresh));
    fresh.scrollTop = scrolled;
    if (focused) {
      const same = [...fresh.querySelectorAll('a, summary, button')].find((candidate) =>
        href ? candidate.getAttribute('href') === href : candidate.closest('[data-key]')?.dataset.key === row);
      const inRow = row && [...fresh.querySelectorAll('[data-key]')].find((candidate) => candidate.dataset.key === row)?.querySelector('a, summary');
      (same ?? inRow ?? null)?.focus({ preventScroll: true });
    }
  }

  async function fetchPage(address) {
    const answer = await fetch(address, { headers: { 'X-Requested-With': 'XMLHttpRequest' }, cache: 'no-store' });
    if (answer.status === 401) {
      location.reload();
      return null;
    }
    if (!answer.ok) throw new Error(String(answer.status));
    return new DOMParser().parseFromString(await answer.text(), 'text/html');
  }

  async function load(address) {
    const here = location.href;
    const page = await fetchPage(address);
    if (!page || here !== location.href) return;
    const before = document.querySelectorAll('[data-live] [data-key]').length;
    for (const part of document.querySelectorAll('[data-live]:not([data-page])')) {
      const fresh = page.querySelector(`[data-live="${CSS.escape(part.dataset.live)}"]`);
      if (fresh) swap(part, fresh);
    }
    const fresh = page.querySelector('[data-page]');
    if (fresh) showPage(fresh);
    const split = document.querySelector('.split');
    const freshSplit = page.querySelector('.split');
    if (split && freshSplit) split.className = freshSplit.className;
    const added = document.querySelectorAll('[data-live] .new').length;
    const announce = document.querySelector('[data-announce]');
    if (announce && before && added) announce.textContent = added === 1 ? '1 new entry' : `${added} new entries`;
  }

  // A long timeline loads page by page while scrolling. Pages far from the window are emptied and keep their height, so that the
  // document stays small. They are fetched again when they come near.
  const near = '3000px 0px';
  const timeline = document.querySelector('[data-pages]');
  const pages = () => [...(timeline?.querySelectorAll('[data-page]') ?? [])];
  const sameLinks = (one, other) => one.querySelector('[data-next]')?.href === other.querySelector('[data-next]')?.href;
  let extending = false;

  const distance = timeline && 'IntersectionObserver' in window ? new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) fill(target);
      else if (target.isConnected) empty(target);
    }
  }, { rootMargin: near }) : null;
  const end = distance && new IntersectionObserver((entries) => {
    if (entries.some((entry) => entry.isIntersecting)) extend();
  }, { rootMargin: near });

  function watch(page) {
    if (!distance) return;
    distance.observe(page);
    const next = page.querySelector('[data-next]');
    if (next && page === pages().at(-1)) end.observe(next);
  }

  function empty(page) {
    if (page.dataset.emptied || pages().length < 4 || page === pages().at(-1) || page.contains(document.activeElement)) return;
    page.style.height = `${page.offsetHeight}px`;
    page.dataset.emptied = 'true';
    page.replaceChildren();
  }

  async function fill(page) {
    if (page.dataset.emptied !== 'true') return;
    page.dataset.emptied = 'loading';
    try {
      const fresh = (await fetchPage(page.dataset.page))?.querySelector('[data-page]');
      asSent.delete(page);
      if (fresh) replacePage(page, fresh);
    } catch {
      page.dataset.emptied = 'true';
      connected(false);
    }
  }

  async function extend() {
    const last = pages().at(-1);
    const next = last?.querySelector('[data-next]');
    if (extending || !next) return;
    extending = true;
    try {
      const fresh = (await fetchPage(next.href))?.querySelector('[data-page]');
      if (fresh && last.isConnected) {
        fresh.querySelector('.more.up')?.remove();
        last.after(document.adoptNode(fresh));
        mark();
        watch(fresh);
      }
    } catch {
      // The link stays, so that the reader can follow it.
      end.unobserve(next);
    }
    extending = false;
  }

  function replacePage(old, fresh) {
    if (old !== pages()[0]) fresh.querySelector('.more.up')?.remove();
    distance?.unobserve(old);
    swap(old, fresh);
    mark();
    watch(pages().find((page) => page.dataset.page === fresh.dataset.page) ?? fresh);
  }

  function showPage(fresh) {
    const known = pages().find((page) => page.dataset.page === fresh.dataset.page);
    if (!known) {
      for (const page of pages().slice(1)) page.remove();
      replacePage(pages()[0], fresh);
    } else if (known.nextElementSibling && !sameLinks(known, fresh)) {
      // The pages below begin where this one ended. Replacing it would leave a gap for the new events.
      const notice = timeline.querySelector('[data-fresh]');
      if (!known.dataset.emptied) notice.hidden = false;
    } else {
      replacePage(known, fresh);
    }
    mark();
  }

  // The address says which event is open. The pages of a timeline were rendered at different times, so their marks may be old.
  function mark() {
    const key = new URLSearchParams(location.search).get('event');
    for (const link of timeline?.querySelectorAll('a.on') ?? []) {
      if (link.closest('[data-key]').dataset.key === key) continue;
      link.classList.remove('on');
      link.removeAttribute('aria-current');
    }
  }

  // The address of the first shown page, which may differ from the one in the location, with the open event.
  function top() {
    const first = pages()[0];
    if (!first || first.dataset.emptied) return location.href;
    const address = new URL(first.dataset.page, location.href);
    const key = new URLSearchParams(location.search).get('event');
    if (key) address.searchParams.set('event', key);
    return address.href;
  }

  // Loads one page at a time. A request during a load causes one more load after it.
  async function refresh(address = () => location.href) {
    if (loading) {
      again = address;
      return loading;
    }
    lastRefresh = Date.now();
    loading = load(address()).catch(() => connected(false));
    await loading;
    loading = null;
    if (again) {
      const next = again;
      again = null;
      await refresh(next);
    }
  }

  function refreshSoon() {
    if (paused) {
      document.querySelector('[data-pause]').textContent = 'Resume, new events';
      return;
    }
    if (timer) return;
    timer = setTimeout(() => {
      timer = 0;
      refresh(top);
    }, Math.max(0, lastRefresh + refreshEvery - Date.now()));
  }

  function connected(on) {
    for (const mark of document.querySelectorAll('[data-connection]')) {
      mark.classList.toggle('on', on);
      mark.title = on ? 'Live updates are on' : 'Live updates are interrupted';
      mark.firstElementChild.textContent = mark.title;
    }
  }

  // Only a visible page listens, since browsers limit the connections to each server.
  let stream = null;
  let retry = 0;
  function listen() {
    clearTimeout(retry);
    if (!main?.dataset.stream || document.hidden || stream) return;
    stream = new EventSource(main.dataset.stream);
    stream.addEventListener('ready', () => connected(true));
    stream.addEventListener('changed', refreshSoon);
    stream.addEventListener('error', () => {
      connected(false);
      if (stream?.readyState !== EventSource.CLOSED) return;
      stop();
      retry = setTimeout(listen, 10_000);
    });
  }
  function stop() {
    stream?.close();
    stream = null;
  }
  document.addEventListener('visibilitychange', () => (document.hidden ? stop() : listen()));
  addEventListener('pagehide', stop);
  addEventListener('pageshow', listen);

  async function visit(address) {
    history.pushState(null, '', address);
    await refresh();
    if (matchMedia('(max-width: 1080px)').matches) document.querySelector('aside:not(.idle)')?.focus({ preventScroll: true });
  }
  addEventListener('popstate', () => refresh());

  document.addEventListener('click', (click) => {
    const link = click.target.closest('a[data-open]');
    if (link && !click.defaultPrevented && click.button === 0 && !click.metaKey && !click.ctrlKey && !click.shiftKey && !click.altKey) {
      click.preventDefault();
      visit(link.href);
      return;
    }
    const copy = click.target.closest('[data-copy]');
    if (copy) copyText(copy);
    const pause = click.target.closest('[data-pause]');
    if (pause) {
      paused = !paused;
      pause.textContent = paused ? 'Resume' : 'Pause';
      pause.setAttribute('aria-pressed', String(paused));
      if (!paused) refresh();
    }
  });

  async function copyText(button) {
    const code = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(code.textContent);
    } catch {
      // Without https scripts cannot use the clipboard. The text is selected, so that the reader can copy it with the keyboard.
      getSelection().selectAllChildren(code);
      button.textContent = 'Selected';
      return;
    }
    button.textContent = 'Copied';
    setTimeout(() => (button.textContent = 'Copy'), 2000);
  }

  document.addEventListener('keydown', (key) => {
    if ((key.metaKey || key.ctrlKey) && key.key.toLowerCase() === 'k') {
      const find = document.querySelector('#find');
      if (find) {
        key.preventDefault();
        find.select();
        find.focus();
      }
    }
    if (key.key === 'Escape') document.querySelector('a[data-close]')?.click();
  });

  for (const hidden of document.querySelectorAll('[data-copy][hidden], [data-pause][hidden]')) hidden.hidden = false;

  // Replaces the address that the server guessed by the page's own origin.
  for (const code of document.querySelectorAll('code[data-address]')) code.textContent = code.textContent.replaceAll(code.dataset.address, location.origin);

  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone && zone !== root.dataset.zone && navigator.cookieEnabled) {
    document.cookie = `trackmate-zone=${encodeURIComponent(zone)}; path=${root.dataset.base}; max-age=31536000; samesite=strict`;
    if (main?.dataset.stream) {
      refresh();
      document.querySelectorAll('.zone').forEach((note) => (note.textContent = note.textContent.replace(root.dataset.zone, zone)));
    }
  }
  for (const page of pages()) watch(page);
  listen();
})();
