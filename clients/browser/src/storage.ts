/** Strings kept by name, under a prefix of our own. Never throws. */
export interface KeptValues {
  get(name: string): string | undefined;
  set(name: string, value: string): void;
  remove(name: string): void;
  /** The names that begin with `start`, without it. */
  names(start: string): string[];
}

/**
 * Keeps values in localStorage where that is wanted and possible, else in memory: a browser may lack it, forbid it
 * (reading the property throws), or be full. What could not be stored lives as long as the page.
 */
export function openStorage(prefix: string, persistent: boolean): KeptValues {
  const memory = new Map<string, string>();
  const local = <T>(use: (storage: Storage) => T): T | undefined => {
    try {
      return persistent ? use(localStorage) : undefined;
    } catch {
      return undefined; // Blocked or full: memory takes its place, which is what every caller does with undefined.
    }
  };
  const remove = (name: string): void => {
    memory.delete(name);
    local((storage) => storage.removeItem(prefix + name));
  };

  return {
    get: (name) => memory.get(name) ?? local((storage) => storage.getItem(prefix + name)) ?? undefined,
    set(name, value) {
      if (local((storage) => (storage.setItem(prefix + name, value), true))) {
        memory.delete(name);
      } else {
        // No room: an older value must not come back after a reload, such as the session that was left at a sign-out.
        remove(name);
        memory.set(name, value);
      }
    },
    remove,
    names(start) {
      const names = [...memory.keys()];
      local((storage) => {
        for (let i = 0; i < storage.length; i++) {
          const key = storage.key(i) ?? '';
          if (key.startsWith(prefix)) names.push(key.slice(prefix.length));
        }
      });
      return names.filter((name) => name.startsWith(start)).map((name) => name.slice(start.length));
    },
  };
}
