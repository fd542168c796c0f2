// Times in words, in both languages.
import { describe, expect, it } from 'vitest';

import { ago, brief, day, daysAgo } from './times';

const now = new Date(2026, 10, 22, 14, 30).getTime();
const at = (...parts: [number, number, number, number, number]): number => new Date(...parts).getTime();

describe('brief', () => {
  it.each([
    [at(2026, 10, 22, 9, 5), '9:05 AM', '오전 9:05'],
    [at(2026, 10, 22, 14, 31), '2:31 PM', '오후 2:31'],
    [at(2026, 10, 21, 23, 59), 'yesterday', '어제'],
    [at(2026, 10, 18, 12, 0), 'Wed', '수'],
    [at(2026, 2, 3, 12, 0), 'Mar 3', '3월 3일'],
    [at(2024, 2, 3, 12, 0), '3/3/24', '24. 3. 3.'],
  ])('%i', (time, en, ko) => {
    // Versions of the platform's data differ: a narrow space before AM, and AM in Korean too.
    expect(brief('en', time, now).replace(/\s/g, ' ')).toBe(en);
    expect(brief('ko', time, now).replace('AM', '오전').replace('PM', '오후')).toBe(ko);
  });
});

describe('day', () => {
  it.each([
    [at(2026, 10, 22, 0, 0), 'Today', '오늘'],
    [at(2026, 10, 21, 23, 59), 'Yesterday', '어제'],
    [at(2026, 10, 20, 1, 0), 'Friday, November 20', '11월 20일 금요일'],
    [at(2025, 0, 1, 1, 0), 'Wednesday, January 1, 2025', '2025년 1월 1일 수요일'],
  ])('%i', (time, en, ko) => {
    expect(day('en', time, now)).toBe(en);
    expect(day('ko', time, now)).toBe(ko);
  });
});

describe('ago', () => {
  it.each([
    [now - 20_000, 'now', '지금'],
    [now - 5 * 60_000, '5 minutes ago', '5분 전'],
    [now - 3 * 3_600_000, '3 hours ago', '3시간 전'],
    [at(2026, 10, 21, 12, 0), 'yesterday', '어제'],
    [at(2026, 10, 19, 12, 0), '3 days ago', '3일 전'],
    [now + 5_000, 'now', '지금'],
  ])('%i', (time, en, ko) => {
    expect(ago('en', time, now)).toBe(en);
    expect(ago('ko', time, now)).toBe(ko);
  });
});

it('days are those of the calendar, not 24 hours', () => {
  expect(daysAgo(at(2026, 10, 21, 23, 59), at(2026, 10, 22, 0, 1))).toBe(1);
  expect(daysAgo(at(2026, 10, 22, 0, 1), at(2026, 10, 22, 23, 59))).toBe(0);
});
