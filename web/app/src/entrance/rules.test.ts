// The rules of names and passwords, against the cases of the server's own tests.
import { describe, expect, it } from 'vitest';
import { countCharacters, displayNameFits, nameProblem, passwordFits, passwordStep, tidyName } from './rules';

describe('names', () => {
  it.each(['ab', 'mina_1', 'a.b', 'x'.repeat(32)])('takes %s', (name) => {
    expect(nameProblem(name)).toBeUndefined();
  });
  it.each([
    ['a', 'too_short'],
    ['', 'too_short'],
    ['Mina', 'characters'],
    ['mi na', 'characters'],
    ['미나', 'characters'],
    ['a-b', 'characters'],
    ['x'.repeat(33), 'too_long'],
  ])('refuses %s: %s', (name, problem) => {
    expect(nameProblem(name)).toBe(problem);
  });
  it('tidies what telephones type', () => {
    expect(tidyName(' Mina ')).toBe('mina');
  });
});

describe('passwords', () => {
  it('are counted in characters, not in UTF-16 units', () => {
    expect(countCharacters('가나다🎉')).toBe(4);
    expect(passwordFits('🎉'.repeat(7))).toBe(false);
    expect(passwordFits('🎉'.repeat(8))).toBe(true);
    expect(passwordFits('x'.repeat(256))).toBe(true);
    expect(passwordFits('x'.repeat(257))).toBe(false);
  });
  it.each([
    [0, 0],
    [1, 1],
    [7, 1],
    [8, 2],
    [11, 2],
    [12, 3],
    [15, 3],
    [16, 4],
    [200, 4],
  ])('of %d characters are step %d', (length, step) => {
    expect(passwordStep('x'.repeat(length))).toBe(step);
  });
});

describe('display names', () => {
  it.each(['M', ' 미나 ', '가'.repeat(64), 'مينا', '<b>x</b>'])('takes %s', (name) => {
    expect(displayNameFits(name)).toBe(true);
  });
  it.each(['', '  ', 'a\nb', 'a\u202eb', 'a\u2066b', '가'.repeat(65)])('refuses %j', (name) => {
    expect(displayNameFits(name)).toBe(false);
  });
});
