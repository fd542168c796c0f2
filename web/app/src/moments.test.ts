// Moments, from now back to another year, in both languages.
import { expect, it } from 'vitest';

import { moment } from './moments';

/** Tuesday, 3 March 2026, 00:20 local time. */
const NOW = new Date(2026, 2, 3, 0, 20).getTime();
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

it.each([
  [0, 'now', '지금'],
  [-5_000, 'now', '지금'],
  [MINUTE - 1, 'now', '지금'],
  [59 * MINUTE, '59 minutes ago', '59분 전'],
  [60 * MINUTE, 'yesterday 11:20 PM', '어제 오후 11:20'],
  [2 * DAY, 'Sunday 12:20 AM', '일요일 오전 12:20'],
  [7 * DAY, 'February 24', '2월 24일'],
  [90 * DAY, 'December 3, 2025', '2025년 12월 3일'],
])('%d milliseconds ago', (ago, english, korean) => {
  expect(moment(NOW - ago, NOW, 'en').replace('\u202f', ' ')).toBe(english);
  // Which words Korean has for the halves of the day depends on the age of the browser's tables.
  expect(
    moment(NOW - ago, NOW, 'ko')
      .replace('AM', '오전')
      .replace('PM', '오후'),
  ).toBe(korean);
});

it('tells the time of the same day', () => {
  expect(moment(NOW, NOW + 90 * MINUTE, 'en').replace('\u202f', ' ')).toBe('today 12:20 AM');
});
