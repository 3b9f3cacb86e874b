import { afterEach, expect, it, vi } from 'vitest';

import { here, leaveFor, leaveNote, takeNote } from './leave';

afterEach(() => vi.unstubAllGlobals());

it('only addresses of the web are gone to', () => {
  const gone: string[] = [];
  const location = { assign: (address: string | URL) => void gone.push(String(address)) };
  leaveFor('https://engine.example.com/accounts/new?data=x', location);
  expect(() => leaveFor('javascript:alert(1)', location)).toThrow();
  expect(() => leaveFor('nothing', location)).toThrow();
  expect(gone).toEqual(['https://engine.example.com/accounts/new?data=x']);
});

it('the way back is the path of the page', () => {
  vi.stubGlobal('window', { location: { pathname: '/crm/admin', search: '?a=1' } });
  expect(here()).toBe('/crm/admin?a=1');
  vi.stubGlobal('window', { location: { pathname: '/crm', search: '?' + 'x'.repeat(500) } });
  expect(here()).toBe('/crm');
});

it('a note is read once', () => {
  const kept = new Map<string, string>();
  const sessionStorage = {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, text: string) => void kept.set(name, text),
    removeItem: (name: string) => void kept.delete(name),
  };
  vi.stubGlobal('window', { sessionStorage });
  leaveNote('x', { email: 'a@b.se' });
  expect(takeNote('x')).toEqual({ email: 'a@b.se' });
  expect(takeNote('x')).toBeUndefined();
  kept.set('x', 'no json');
  expect(takeNote('x')).toBeUndefined();
});

it('a browser without storage only forgets', () => {
  vi.stubGlobal('window', {});
  expect(() => leaveNote('x', {})).not.toThrow();
  expect(takeNote('x')).toBeUndefined();
});
