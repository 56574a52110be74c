/** Where on the timetable page the person is: kept in the address, so that a link or a reload leads back. */

import { signal } from "@preact/signals";

export type View = "clock" | "day" | "class";
export type By = "class" | "teacher" | "room" | "unit";
export type Tab = "lesson" | "nego" | "build" | "versions";

export interface Place {
  view: View;
  /** A published version's number or "draft"; absent: what the server finds newest. */
  version?: string;
  /** An earlier term; absent: the present one. */
  term?: string;
  /** Absent: this week, at the weekend the next. */
  week?: number;
  day?: number;
  grade?: number;
  by?: By;
  of?: string;
  /** What the clock week shows: "all", "unit:ID" or "grade:5". */
  show?: string;
  lesson?: string;
  tab?: Tab;
  /** "weekly": every week alike, without what was changed on its dates. */
  plan?: "weekly";
}

const VIEWS: readonly View[] = ["clock", "day", "class"];
const BYS: readonly By[] = ["class", "teacher", "room", "unit"];
const TABS: readonly Tab[] = ["lesson", "nego", "build", "versions"];

function read(): Place {
  const query = new URLSearchParams(location.search);
  const text = (name: string) => query.get(name) ?? undefined;
  const number = (name: string) => Number(query.get(name)) || undefined;
  const among = <T extends string>(all: readonly T[], name: string) => all.find((one) => one === query.get(name));
  return {
    view: among(VIEWS, "view") ?? "clock",
    version: text("version"),
    term: text("term"),
    week: number("week"),
    day: number("day"),
    grade: number("grade"),
    by: among(BYS, "by"),
    of: text("of"),
    show: text("show"),
    lesson: text("lesson"),
    tab: among(TABS, "tab"),
    plan: among(["weekly"] as const, "plan"),
  };
}

export const place = signal<Place>(read());

/** Whether the side panel is open where it lies over the page (below 1200 px). */
export const panelOpen = signal(place.value.tab !== undefined);

export function go(change: Partial<Place>): void {
  const next = { ...place.value, ...change };
  place.value = next;
  const address = new URL(location.href);
  for (const [name, value] of Object.entries(next)) {
    if (value === undefined) address.searchParams.delete(name);
    else address.searchParams.set(name, String(value));
  }
  history.replaceState(null, "", address);
}

/** Opens a lesson in the side panel. */
export function openLesson(lesson: string): void {
  go({ lesson, tab: "lesson" });
  panelOpen.value = true;
}
