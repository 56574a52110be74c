/** A week on its dates: the published table as amendments, holidays and closings have changed it. */

import type { DatedDay, Lesson, OccurrenceRow, WeekView } from "../generated/api";
import { get } from "../ui/api";
import { type Resource, useResource } from "../ui/resource";
import { addDays, weekdayOf } from "../ui/time";
import { type DatedMark, type DatedState, Table } from "./table";

const REFRESH_SECONDS = 30;
const NAMES_ASIDE = "@";

/** What stands in a week of a published version; nothing for a draft, which has no dates yet. */
export function useWeek(table: Table | null, week: number, wanted: boolean): Resource<WeekView> {
  const shown = wanted && table?.view.status === "published" && !table.over ? table.view : null;
  const path = shown && `/api/communities/${encodeURIComponent(shown.community.id)}/week?week=${week}&version=${shown.version}`;
  return useResource<WeekView>(path, (signal) => get(path ?? "", signal), REFRESH_SECONDS);
}

/** The table as it stands in that week. */
export function datedTable(plain: Table, view: WeekView): Table {
  const drawn = new Drawn(plain, view);
  return new Table({ ...plain.view, lessons: drawn.lessons }, undefined, { plain, week: view.week, days: drawn.days, marks: drawn.marks, origins: drawn.origins });
}

class Drawn {
  readonly lessons: Lesson[] = [];
  readonly marks = new Map<string, DatedMark>();
  readonly origins = new Map<string, string>();
  readonly days: Map<number, DatedDay>;
  private readonly last: string;

  constructor(
    private readonly plain: Table,
    private readonly view: WeekView,
  ) {
    this.days = new Map(view.days.map((day) => [day.weekday, day]));
    this.last = addDays(view.first, 6);
    for (const day of view.days) {
      for (const id of day.standing) {
        const lesson = plain.lessons.get(id);
        if (lesson !== undefined) this.draw({ ...lesson, weekday: day.weekday }, day.date);
      }
    }
    for (const row of view.changed) this.change(row);
  }

  /** A lesson under its own id, or beside another of the same lesson under one of its own. */
  private draw(lesson: Lesson, aside: string, mark?: DatedMark): void {
    const taken = this.origins.has(lesson.id);
    const id = taken ? `${lesson.id}${NAMES_ASIDE}${aside}` : lesson.id;
    this.origins.set(id, lesson.id);
    this.lessons.push({ ...lesson, id, weeks: "all" });
    if (mark !== undefined) this.marks.set(id, mark);
  }

  private change(row: OccurrenceRow): void {
    const state = stateOf(row);
    const usual = this.plain.lessons.get(row.lesson);
    const here = this.view.first <= row.date && row.date <= this.last;
    if (here) {
      const lesson = {
        ...(usual ?? { requirement: row.lesson, topic: "" }),
        id: row.lesson,
        kind: row.kind as Lesson["kind"],
        subject: row.subject,
        weekday: weekdayOf(row.date),
        start: row.start,
        end: row.end,
        parties: row.parties,
      } as Lesson;
      this.draw(lesson, row.date, state === undefined ? undefined : { state, row });
    }
    const { plannedDate, plannedStart } = row;
    const left = state === "moved" && plannedDate !== null && (plannedDate !== row.date || plannedStart !== row.start);
    if (left && usual !== undefined && this.view.first <= plannedDate && plannedDate <= this.last) {
      this.draw({ ...usual, weekday: weekdayOf(plannedDate) }, `from.${plannedDate}`, { state: "away", row });
    }
  }
}

function stateOf(row: OccurrenceRow): DatedState | undefined {
  if (row.change !== "none") return row.change;
  return row.reason ? "reduced" : undefined;
}
