// What a strict TypeScript program of a user may write. Compiled by tests/script.test.ts against the built package.
import { TrackMate, type Identified, type TrackMateOptions } from '@trackmate/browser';

const options: TrackMateOptions = { spa: false, storage: 'memory' };
TrackMate.init('TM-SHOP99', 'https://track.example', options);
TrackMate.track('add_to_cart', { price: 79.99 });

const answer: Promise<Identified> = TrackMate.identify({ email: 'sarah@example.com', plan: 'gold' }, { token: 'signed' });
void answer.then(({ profileId }) => profileId?.length);

// @ts-expect-error: an option that is not there.
TrackMate.init('TM-SHOP99', '', { storge: 'memory' });
// @ts-expect-error: the session may be none.
TrackMate.getSessionId().length;
