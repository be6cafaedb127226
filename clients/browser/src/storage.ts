import { emptyRecord } from './safely.js';

/** Strings kept by name, under a prefix of our own. Never throws. */
export interface KeptValues {
  lookUp(name: string): string | null | undefined;
  keepValue(name: string, value: string): void;
  dropValue(name: string): void;
  /** The names that begin with `start`, without it. */
  namesOf(start: string): string[];
}

/**
 * Keeps values in localStorage where that is wanted and possible, else in memory: a browser may lack it, forbid it
 * (reading the property throws), or be full. What could not be stored lives as long as the page.
 */
export function openStorage(prefix: string, persistent: boolean): KeptValues {
  const memory = emptyRecord<string>();
  const local = <T>(use: (storage: Storage) => T): T | undefined => {
    try {
      return persistent ? use(localStorage) : undefined;
    } catch {
      return undefined; // Blocked or full: memory takes its place, which is what every caller does with undefined.
    }
  };
  const dropValue = (name: string): void => {
    delete memory[prefix + name];
    local((storage) => storage.removeItem(prefix + name));
  };

  return {
    lookUp: (name) => memory[prefix + name] ?? local((storage) => storage.getItem(prefix + name)),
    keepValue(name, value) {
      if (local((storage) => (storage.setItem(prefix + name, value), true))) {
        delete memory[prefix + name];
      } else {
        // No room: an older value must not come back after a reload, such as the session that was left at a sign-out.
        dropValue(name);
        memory[prefix + name] = value;
      }
    },
    dropValue,
    namesOf(start) {
      const names: string[] = [];
      const add = (keys: object): void => {
        for (const key in keys) if (key.startsWith(prefix + start)) names.push(key.slice((prefix + start).length));
      };
      add(memory);
      local(add);
      return names;
    },
  };
}
