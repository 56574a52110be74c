/** Times and dates as the pages write them: 24 h clock, week days, everything in the county's own time. */

import { language, t } from "./i18n";

/** All schools of a county ring by the same clock, wherever the person reading is. */
const COUNTY_ZONE = "Asia/Shanghai";

/** Minutes after midnight of "HH:MM". */
export function minutesOf(clock: string): number {
  return Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3, 5));
}

/** "8:30" of minutes after midnight. */
export function clockOf(minutes: number): string {
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}`;
}

/** "8:30" of "08:30". */
export function shortClock(clock: string): string {
  return clock.replace(/^0/, "");
}

export function span(start: string, end: string): string {
  return `${shortClock(start)}–${shortClock(end)}`;
}

interface CountyTime {
  date: string;
  /** Minutes after midnight, with the fraction of the running minute. */
  minutes: number;
}

/** The county's date and time of day at a moment given in seconds since 1970. */
export function countyTime(seconds: number): CountyTime {
  const parts = new Intl.DateTimeFormat("en-GB", {
    timeZone: COUNTY_ZONE,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  }).formatToParts(new Date(seconds * 1000));
  const part = (type: string) => parts.find((p) => p.type === type)?.value ?? "0";
  return {
    date: `${part("year")}-${part("month")}-${part("day")}`,
    minutes: Number(part("hour")) * 60 + Number(part("minute")) + Number(part("second")) / 60,
  };
}

export function now(): number {
  return Date.now() / 1000;
}

/** "10:41" of a moment in seconds since 1970. */
export function clockAt(seconds: number): string {
  return clockOf(Math.floor(countyTime(seconds).minutes));
}

/** "周四" or "Thu" of an ISO week day. */
export function weekdayName(weekday: number): string {
  return t(`weekday.${weekday}`);
}

/** ISO week day of "2026-11-19". */
export function weekdayOf(date: string): number {
  return new Date(`${date}T00:00:00Z`).getUTCDay() || 7;
}

export function addDays(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}

/** "11-19" or "19 Nov" of "2026-11-19". */
export function shortDate(date: string): string {
  if (language() === "zh-CN") return date.slice(5);
  return new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" }).format(new Date(`${date}T00:00:00Z`));
}

/** "11-19 周四" or "Thu 19 Nov". */
export function dayDate(date: string): string {
  const weekday = weekdayName(weekdayOf(date));
  return language() === "zh-CN" ? `${shortDate(date)} ${weekday}` : `${weekday} ${shortDate(date)}`;
}

/** "11 月 19 日 周四" or "Thursday 19 November". */
export function longDate(date: string): string {
  if (language() === "zh-CN") {
    return `${Number(date.slice(5, 7))} 月 ${Number(date.slice(8))} 日 ${weekdayName(weekdayOf(date))}`;
  }
  return new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long", timeZone: "UTC" })
    .format(new Date(`${date}T00:00:00Z`))
    .replace(",", "");
}

/** "11-19 周四 10:41" of a moment in seconds since 1970. */
export function dateTime(seconds: number): string {
  const { date } = countyTime(seconds);
  return language() === "zh-CN"
    ? `${shortDate(date)} ${weekdayName(weekdayOf(date))} ${clockAt(seconds)}`
    : `${weekdayName(weekdayOf(date))} ${shortDate(date)} ${clockAt(seconds)}`;
}

/** "第 12 周（双周）" or "Week 12, even". */
export function weekLabel(week: number): string {
  return t("week.full", { week, parity: parityName(week) });
}

export function parityName(week: number): string {
  return t(week % 2 === 0 ? "parity.even" : "parity.odd");
}
