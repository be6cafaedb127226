// What a strict TypeScript program of a user may write. Compiled by tests/script.test.ts against the built package.
import { TrackMate, type Identified, type TrackMateOptions } from '@trackmate/browser';
import { TrackMate as Extra } from '@trackmate/browser/extra';

const options: TrackMateOptions = { spa: false, storage: 'memory' };
TrackMate.init('TM-SHOP99', 'https://track.example', options);
TrackMate.track('add_to_cart', { price: 79.99 });

const answer: Promise<Identified> = TrackMate.identify({ email: 'sarah@example.com', plan: 'gold' }, { token: 'signed' });
void answer.then(({ profileId }) => profileId?.length);

TrackMate.identify('42', { email: 'sarah@example.com' }, { token: 'signed' });
TrackMate.identify(42);
TrackMate.init('TM-SHOP99', '', {
  path: '/t',
  mask: ['customer'],
  identifyTimeout: 2_000,
  beforeSend(message) {
    if ('eventType' in message) return { ...message, eventData: { ...message.eventData, shop: 'de' } };
    return message.email?.endsWith('@shop.example') ? null : message;
  },
});
Extra.init('TM-SHOP99', '', { cookieDomain: 'shop.example', linkDomains: ['pay.example'] });

// @ts-expect-error: an option that is not there.
TrackMate.init('TM-SHOP99', '', { storge: 'memory' });
// @ts-expect-error: the session may be none.
TrackMate.getSessionId().length;
