// When something was, told the more roughly the longer ago it is. Pure: time and language come as arguments.

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** "now", "5 minutes ago", "today 14:20", "yesterday 14:20", "Sunday 14:20", "24 February", "3 December 2025". */
export function moment(at: number, now: number, language: string): string {
  const minutes = Math.floor((now - at) / MINUTE);
  const relative = new Intl.RelativeTimeFormat(language, { numeric: 'auto' });
  if (minutes < 1) return relative.format(0, 'second');
  if (minutes < 60) return relative.format(-minutes, 'minute');
  const days = daysBetween(at, now);
  const format = (options: Intl.DateTimeFormatOptions): string =>
    new Intl.DateTimeFormat(language, options).format(at);
  const clock = format({ timeStyle: 'short' });
  if (days < 2) return `${relative.format(-days, 'day')} ${clock}`;
  if (days < 7) return `${format({ weekday: 'long' })} ${clock}`;
  const isThisYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  return format({ month: 'long', day: 'numeric', ...(!isThisYear && { year: 'numeric' }) });
}

/** A day with its year, such as "3 December 2025". */
export function day(at: number, language: string): string {
  return new Intl.DateTimeFormat(language, { dateStyle: 'long' }).format(at);
}

/** How many midnights of the local time lie between. */
function daysBetween(at: number, now: number): number {
  const midnight = (time: number): number => new Date(time).setHours(0, 0, 0, 0);
  return Math.round((midnight(now) - midnight(at)) / DAY);
}
