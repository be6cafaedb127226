declare const SDK_VERSION: string;

/** The version of this SDK, put in by the build. */
export const version = SDK_VERSION;

const UTM = ['source', 'medium', 'campaign', 'term', 'content'];
const MOST_CHARACTERS = 2_048;

/**
 * Where an event happened: the page, the campaign in its address, screen, language and time zone. That is all that is
 * read of a browser; nothing that would tell one visitor from another (B16).
 */
export function contextOf(): object {
  const parameters = new URLSearchParams(location.search);
  const utm = Object.fromEntries(
    UTM.map((name) => [name, parameters.get('utm_' + name)] as const).filter(([, value]) => value),
  );
  return {
    page: { address: short(location.href), referrer: short(document.referrer), title: short(document.title) },
    utm: Object.keys(utm).length ? utm : undefined,
    screen: { width: screen.width, height: screen.height },
    language: navigator.language,
    timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    sdk: { name: 'browser', version },
  };
}

/** An empty text is left out; a very long one would make every batch of its page heavy. */
function short(text: string): string | undefined {
  return text ? text.slice(0, MOST_CHARACTERS) : undefined;
}
