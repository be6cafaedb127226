// Suggests people while a user types into the search field. Without this script the search is a plain form.
(() => {
  'use strict';
  const wait = 120;
  const form = document.querySelector('form[data-suggest]');
  const input = form?.querySelector('input');
  if (!input) return;

  const hint = form.querySelector('kbd');
  hint.textContent = /Mac|iPhone|iPad|iPod/.test(navigator.platform) ? '⌘K' : 'Ctrl K';
  hint.hidden = false;

  const list = document.createElement('ul');
  list.id = 'find-suggestions';
  list.setAttribute('role', 'listbox');
  list.setAttribute('aria-label', 'People');
  list.hidden = true;
  const status = document.createElement('p');
  status.className = 'hidden';
  status.setAttribute('role', 'status');
  form.append(list, status);
  for (const [name, value] of [['role', 'combobox'], ['aria-autocomplete', 'list'], ['aria-controls', list.id], ['aria-expanded', 'false']]) input.setAttribute(name, value);

  let timer = 0;
  let asked = null;
  let shown = '';
  let active = -1;

  function close() {
    clearTimeout(timer);
    asked?.abort();
    list.hidden = true;
    status.textContent = '';
    input.setAttribute('aria-expanded', 'false');
    activate(-1);
  }

  function activate(index) {
    active = index;
    for (const [i, option] of [...list.children].entries()) option.setAttribute('aria-selected', String(i === index));
    if (index < 0) input.removeAttribute('aria-activedescendant');
    else {
      input.setAttribute('aria-activedescendant', list.children[index].id);
      list.children[index].scrollIntoView({ block: 'nearest' });
    }
  }

  function show(query, { suggestions, more }) {
    shown = query;
    list.replaceChildren(...suggestions.map((suggestion, i) => {
      const option = document.createElement('li');
      option.id = `find-suggestion-${i}`;
      option.setAttribute('role', 'option');
      option.dataset.address = suggestion.address;
      const name = document.createElement('b');
      name.textContent = suggestion.name;
      const line = document.createElement('span');
      line.textContent = suggestion.line;
      option.append(name, line);
      return option;
    }));
    activate(-1);
    list.hidden = suggestions.length === 0;
    input.setAttribute('aria-expanded', String(!list.hidden));
    const count = suggestions.length === 1 ? '1 person' : `${suggestions.length} people`;
    status.textContent = suggestions.length === 0 ? 'Nobody found' : `${more ? 'The first ' : ''}${count}; choose with the arrow keys`;
  }

  async function suggest() {
    const query = input.value.trim();
    asked?.abort();
    if (!query) {
      close();
      return;
    }
    asked = new AbortController();
    try {
      const answer = await fetch(`${form.dataset.suggest}?q=${encodeURIComponent(query)}`, { headers: { 'X-Requested-With': 'XMLHttpRequest' }, signal: asked.signal });
      if (answer.ok && document.activeElement === input) show(query, await answer.json());
    } catch {
      // The user has typed on, or the server cannot be reached. Submitting the form still searches.
    }
  }

  input.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(suggest, wait);
  });
  input.addEventListener('focus', () => {
    if (input.value.trim() && input.value.trim() === shown && list.children.length) {
      list.hidden = false;
      input.setAttribute('aria-expanded', 'true');
    }
  });
  input.addEventListener('blur', close);
  input.addEventListener('keydown', (key) => {
    if (key.isComposing) return;
    const count = list.children.length;
    if (key.key === 'Escape' && !list.hidden) {
      // Escape closes only the list, not the open event beside it, and keeps the text.
      key.preventDefault();
      key.stopPropagation();
      close();
    } else if ((key.key === 'ArrowDown' || key.key === 'ArrowUp') && count && !list.hidden) {
      key.preventDefault();
      const step = key.key === 'ArrowDown' ? 1 : -1;
      // The input itself is one position in the cycle.
      activate(((active + 1 + step + count + 1) % (count + 1)) - 1);
    } else if (key.key === 'Enter' && active >= 0 && !list.hidden) {
      key.preventDefault();
      location.assign(list.children[active].dataset.address);
    }
  });
  // Prevents the input from losing the focus, which would close the list before the click.
  list.addEventListener('mousedown', (press) => press.preventDefault());
  list.addEventListener('click', (click) => {
    const option = click.target.closest('[role=option]');
    if (option) location.assign(option.dataset.address);
  });
})();
