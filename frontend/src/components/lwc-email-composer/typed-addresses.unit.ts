import { expect, it } from 'vitest';

import { splitTyped } from './typed-addresses';

it('a comma or a semicolon ends an address, right or wrong', () => {
  expect(splitTyped('anna@x.org,')).toEqual({ finished: 'anna@x.org', rest: '' });
  expect(splitTyped('anna@;')).toEqual({ finished: 'anna@', rest: '' });
  expect(splitTyped('a@x.org, b@y.org; c')).toEqual({ finished: 'a@x.org, b@y.org', rest: 'c' });
  expect(splitTyped(',')).toEqual({ finished: '', rest: '' });
});

it('a comma within a name or an address that is being written ends nothing', () => {
  expect(splitTyped('"Berg, Bo')).toEqual({ rest: '"Berg, Bo' });
  expect(splitTyped('Bo <b@y.org,')).toEqual({ rest: 'Bo <b@y.org,' });
  expect(splitTyped('"Berg, Bo" <b@y.org>,')).toEqual({
    finished: '"Berg, Bo" <b@y.org>',
    rest: '',
  });
  expect(splitTyped('anna')).toEqual({ rest: 'anna' });
});
