import type { Language } from ".";

const locales: Record<Language, string> = { zh: "zh-CN", en: "en-GB" };

/** Today as a time, this year as a day, older with its year: as short as it can be without doubt. */
export function shortTime(at: string, now: Date, language: Language): string {
  const date = new Date(at);
  if (isSameDay(date, now)) return timeOfDay(at, language);
  const year = date.getFullYear() === now.getFullYear() ? {} : ({ year: "numeric" } as const);
  return new Intl.DateTimeFormat(locales[language], { month: "numeric", day: "numeric", ...year }).format(date);
}

export function timeOfDay(at: string, language: Language): string {
  return new Intl.DateTimeFormat(locales[language], { hour: "2-digit", minute: "2-digit", hour12: false }).format(new Date(at));
}

export function fullTime(at: string, language: Language): string {
  return new Intl.DateTimeFormat(locales[language], { dateStyle: "medium", timeStyle: "medium", hour12: false }).format(new Date(at));
}

export function day(at: string, language: Language): string {
  return new Intl.DateTimeFormat(locales[language], { year: "numeric", month: "long", day: "numeric", weekday: "short" }).format(new Date(at));
}

/** Whole minutes since then; a clock that runs ahead gives 0. */
export function minutesSince(at: string, now: Date): number {
  return Math.max(0, Math.floor((now.getTime() - new Date(at).getTime()) / 60_000));
}

/** How long somebody has been waiting, in the largest unit that is not zero. */
export function waited(since: string, now: Date): { key: "item.waited_minutes" | "item.waited_hours" | "item.waited_days"; values: { count: number } } {
  const minutes = minutesSince(since, now);
  if (minutes < 60) return { key: "item.waited_minutes", values: { count: minutes } };
  if (minutes < 48 * 60) return { key: "item.waited_hours", values: { count: Math.floor(minutes / 60) } };
  return { key: "item.waited_days", values: { count: Math.floor(minutes / (24 * 60)) } };
}

export function isSameDay(a: Date, b: Date): boolean {
  return a.toDateString() === b.toDateString();
}
