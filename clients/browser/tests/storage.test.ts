import { describe, expect, it } from 'vitest';
import { openStorage } from '../src/storage.js';
import { storage } from './browser.js';

describe('the storage', () => {
  it('sees only what is under its prefix', () => {
    storage.setItem('cart', '1');
    storage.setItem('trackmate:B:message:1', 'theirs');
    const ours = openStorage('trackmate:A:', true);
    ours.keepValue('message:2', 'ours');
    ours.keepValue('session', 'ours');
    expect(ours.namesOf('message:')).toEqual(['2']);
    expect(ours.lookUp('message:1')).toBeNull();
    expect(storage.getItem('trackmate:A:message:2')).toBe('ours');
  });

  it('moves a value to memory when there is no room, and back when there is', () => {
    const ours = openStorage('trackmate:A:', true);
    ours.keepValue('session', 'one');
    storage.quota = 0;
    ours.keepValue('session', 'two');
    expect([ours.lookUp('session'), storage.length, ours.namesOf('')]).toEqual(['two', 0, ['session']]);
    storage.quota = Infinity;
    ours.keepValue('session', 'three');
    expect([ours.lookUp('session'), storage.length, ours.namesOf('')]).toEqual(['three', 1, ['session']]);
    ours.dropValue('session');
    expect([ours.lookUp('session'), storage.length, ours.namesOf('')]).toEqual([null, 0, []]);
  });
});
