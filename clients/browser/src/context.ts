import type { TrackMateOptions } from './api.js';
import { attempt } from './safely.js';

declare const SDK_VERSION: string;

/** The version of this SDK, inserted by the build. */
export const version = SDK_VERSION;

const UTM = /^utm_(source|medium|campaign|term|content)$/;
const MOST_CHARACTERS = 2_048;

/** A parameter of a query or of the part after `#`, also inside an address that is itself a parameter. */
const PARAMETER = /([?&#;]|%3f|%26|%23)([^=&#;?]{1,99}?)(=|%3d)([^&#;]*)/gi;
/** Names of parameters that grant access or identify a person. Their values must not be stored. */
const SECRET =
  /token|passw|pwd|secret|sess|jwt|api_?key|signature|e-?mail|^(code|state|nonce|key|sid|sig|otp|auth|ticket)$/i;

/** Reads the context of an event. */
export interface Surroundings {
  /** An address without secrets, and truncated. */
  addressOf(read: () => string): string | undefined;
  contextNow(): object;
}

/**
 * The context of an event: the page, the campaign in its address, screen, language and time zone. Nothing else is read
 * from a browser, and nothing that distinguishes visitors (B16). A part is left out if reading it throws, because of the
 * browser or a script of the page.
 */
export function openSurroundings({ mask, pathOnly }: TrackMateOptions): Surroundings {
  const masked = (_all: string, start: string, name: string, equals: string, value: string): string =>
    start + name + equals + (SECRET.test(name) || (mask && mask.indexOf(name) >= 0) ? '***' : value.replace(PARAMETER, masked));
  const addressOf = (read: () => string): string | undefined =>
    text(() => {
      const cut = read().slice(0, MOST_CHARACTERS);
      return pathOnly ? cut.split(/[?#]/)[0]! : mask === false ? cut : cut.replace(PARAMETER, masked);
    });

  return {
    addressOf,
    contextNow: () => ({
      page: { address: addressOf(() => location.href), referrer: addressOf(() => document.referrer), title: text(() => document.title) },
      utm: attempt(() => {
        let utm: Record<string, unknown> | undefined;
        for (const [name, value] of new URLSearchParams(location.search)) {
          if (value && UTM.test(name)) (utm ??= {})[name.slice(4)] = value.slice(0, MOST_CHARACTERS);
        }
        return utm;
      }),
      screen: attempt(() => ({ width: screen.width, height: screen.height })),
      language: text(() => navigator.language),
      timezone: text(() => Intl.DateTimeFormat().resolvedOptions().timeZone),
      sdk: { name: 'browser', version },
    }),
  };
}

/**
 * Limits a text, since a very long one would make every batch of its page large. An empty text is left out, and so is a
 * value that is not text: a form with the name `title` replaces the document's title.
 */
function text(read: () => string): string | undefined {
  return attempt(() => read().slice(0, MOST_CHARACTERS) || undefined);
}
