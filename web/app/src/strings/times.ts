// Times in words, in the chosen language, by the browser's own formatters.
import type { Language } from './strings.svelte';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Formatters cost a millisecond each to make; there are a handful for each language. */
const made = new Map<string, Intl.DateTimeFormat>();

function format(language: Language, options: Intl.DateTimeFormatOptions, at: number): string {
  const key = language + JSON.stringify(options);
  let formatter = made.get(key);
  if (formatter === undefined) {
    formatter = new Intl.DateTimeFormat(language, options);
    made.set(key, formatter);
  }
  return formatter.format(at);
}

/** Days between the calendar days of two times here; 0 on the same day, 1 where `at` was yesterday. */
export function daysAgo(at: number, now: number): number {
  return Math.round((new Date(now).setHours(0, 0, 0, 0) - new Date(at).setHours(0, 0, 0, 0)) / DAY);
}

/** Words for a minute, which are remembered for the next time: messages that stand together share them. */
function ofMinute(options: Intl.DateTimeFormatOptions): (language: Language, at: number) => string {
  let last: { language: Language; minute: number; words: string } | undefined;
  return (language, at) => {
    const minute = Math.floor(at / MINUTE);
    if (last?.minute !== minute || last.language !== language) {
      last = { language, minute, words: format(language, options, at) };
    }
    return last.words;
  };
}

/** The time of day, such as 14:05 or 오후 2:05. */
export const clock = ofMinute({ hour: 'numeric', minute: '2-digit' });

/** Day and time in full, for tooltips and screen readers. */
export const moment = ofMinute({ dateStyle: 'full', timeStyle: 'short' });

/** For a line in a list: the time today, "yesterday", the weekday within a week, else the date. */
export function brief(language: Language, at: number, now: number): string {
  const days = daysAgo(at, now);
  if (days <= 0) return clock(language, at);
  if (days === 1) return relativeDay(language, -1);
  if (days < 7) return format(language, { weekday: 'short' }, at);
  if (new Date(at).getFullYear() === new Date(now).getFullYear()) {
    return format(language, { month: 'short', day: 'numeric' }, at);
  }
  return format(language, { year: '2-digit', month: 'numeric', day: 'numeric' }, at);
}

/** A day between messages: "today", "yesterday", else the date with its weekday. */
export function day(language: Language, at: number, now: number): string {
  const days = daysAgo(at, now);
  if (days === 0 || days === 1) return capitalised(relativeDay(language, -days));
  const year = new Date(at).getFullYear() === new Date(now).getFullYear() ? {} : { year: 'numeric' as const };
  return format(language, { weekday: 'long', month: 'long', day: 'numeric', ...year }, at);
}

/** How long ago, in the largest unit that fits: "5 minutes ago", "어제". */
export function ago(language: Language, at: number, now: number): string {
  const passed = Math.max(0, now - at);
  const words = relative(language);
  if (passed < MINUTE) return words.format(0, 'second');
  if (passed < HOUR) return words.format(-Math.floor(passed / MINUTE), 'minute');
  const days = daysAgo(at, now);
  if (days === 0) return words.format(-Math.floor(passed / HOUR), 'hour');
  if (days < 7) return words.format(-days, 'day');
  return brief(language, at, now);
}

function relativeDay(language: Language, days: number): string {
  return relative(language).format(days, 'day');
}

const madeRelative = new Map<Language, Intl.RelativeTimeFormat>();

function relative(language: Language): Intl.RelativeTimeFormat {
  let formatter = madeRelative.get(language);
  if (formatter === undefined) {
    formatter = new Intl.RelativeTimeFormat(language, { numeric: 'auto' });
    madeRelative.set(language, formatter);
  }
  return formatter;
}

function capitalised(text: string): string {
  return text.charAt(0).toLocaleUpperCase() + text.slice(1);
}
