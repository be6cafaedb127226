import { emptyRecord } from './safely.js';

/** Strings stored by name, under our own prefix. Never throws. */
export interface KeptValues {
  lookUp(name: string): string | null | undefined;
  keepValue(name: string, value: string): void;
  dropValue(name: string): void;
  /** The names with the prefix `start`, without this prefix. */
  namesOf(start: string): string[];
}

/**
 * Stores values in localStorage if wanted and possible, otherwise in memory: a browser may lack localStorage, forbid it
 * (reading the property throws), or be full. A value in memory lives as long as the page.
 */
export function openStorage(prefix: string, persistent: boolean): KeptValues {
  const memory = emptyRecord<string>();
  const local = <T>(use: (storage: Storage) => T): T | undefined => {
    try {
      return persistent ? use(localStorage) : undefined;
    } catch {
      return undefined; // Blocked or full. Every caller then uses the memory.
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
        // No room: an old value must not come back after a reload, such as the session that ended at a sign-out.
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
