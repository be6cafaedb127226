import { describe, expect, it } from 'vitest';
import { openStorage } from '../src/storage.js';
import { storage } from './browser.js';

describe('the storage', () => {
  it('sees only what is under its prefix', () => {
    storage.setItem('cart', '1');
    storage.setItem('trackmate:B:message:1', 'theirs');
    const ours = openStorage('trackmate:A:', true);
    ours.set('message:2', 'ours');
    ours.set('session', 'ours');
    expect(ours.names('message:')).toEqual(['2']);
    expect(ours.get('message:1')).toBeUndefined();
    expect(storage.getItem('trackmate:A:message:2')).toBe('ours');
  });

  it('moves a value to memory when there is no room, and back when there is', () => {
    const ours = openStorage('trackmate:A:', true);
    ours.set('session', 'one');
    storage.quota = 0;
    ours.set('session', 'two');
    expect([ours.get('session'), storage.length, ours.names('')]).toEqual(['two', 0, ['session']]);
    storage.quota = Infinity;
    ours.set('session', 'three');
    expect([ours.get('session'), storage.length, ours.names('')]).toEqual(['three', 1, ['session']]);
    ours.remove('session');
    expect([ours.get('session'), storage.length, ours.names('')]).toEqual([undefined, 0, []]);
  });
});
