/** One timetable as the page reads it: indexed, and with the words for its lessons. */

import type { ClassRef, DatedDay, Lesson, OccurrenceRow, PlacedParty, TimetableView, UnitRef } from "../generated/api";
import type { Span } from "../clock/axis";
import type { IconName } from "../ui/icons";
import { t } from "../ui/i18n";
import { speaks } from "../ui/session";
import { gradeName, gradeShort, label, subjectName } from "../ui/names";
import { addDays, countyTime, minutesOf, now } from "../ui/time";
import { heldIn, lessonIn, unitOn } from "./turns";

/** What became of a lesson on its date; "away" is the slot that it has left, "reduced" goes on without a school. */
export type DatedState = "moved" | "away" | "substituted" | "cancelled" | "made_up" | "reduced";
export type LessonState = "draft" | "proposed" | "objected" | "agreed" | "published" | DatedState;

export const STATE_ICONS: Record<LessonState, IconName | undefined> = {
  draft: undefined,
  proposed: "send",
  objected: "flag",
  agreed: "check",
  published: "lock",
  moved: "swap",
  away: "out",
  substituted: "users",
  cancelled: "ban",
  made_up: "plus",
  reduced: "linkoff",
};

export const spanOf = (times: { start: string; end: string }): Span => ({ start: minutesOf(times.start), end: minutesOf(times.end) });
export const length = ({ start, end }: Span) => end - start;

/** Whether a lesson is more than a school's own: it has a colour and a state. */
export const isShared = (lesson: Lesson) => lesson.kind !== "local";

/** Whether several schools meet in it. */
export const isJoint = (lesson: Lesson) => lesson.parties.length > 1;

/** How a lesson that is drawn stands against the weekly table. */
export interface DatedMark {
  state: DatedState;
  row: OccurrenceRow;
}

/** One week on its dates: what is drawn, by the ids under which it is drawn. */
export interface DatedWeek {
  plain: Table;
  week: number;
  days: ReadonlyMap<number, DatedDay>;
  marks: ReadonlyMap<string, DatedMark>;
  /** The lesson of the weekly table, where one is drawn under another id. */
  origins: ReadonlyMap<string, string>;
}

export class Table {
  readonly units: ReadonlyMap<string, UnitRef>;
  readonly lessons: ReadonlyMap<string, Lesson>;
  readonly view: TimetableView;
  private readonly classes: ReadonlyMap<string, ClassRef>;
  private readonly names: ReadonlyMap<string, string>;

  private readonly owners: ReadonlyMap<string, PlacedParty>;

  /** `whole` is the table as the server tells it. `week` is the term week that is looked at, whose clock and whose turns
   * count; without it the table's own. Of a week on its dates, the lessons are drawn already. */
  constructor(
    readonly whole: TimetableView,
    week?: number,
    readonly dated: DatedWeek | null = null,
  ) {
    const view = week === undefined ? whole : inWeek(whole, week);
    this.view = view;
    this.units = new Map(view.units.map((unit) => [unit.id, unit]));
    this.lessons = new Map(view.lessons.map((lesson) => [lesson.id, lesson]));
    this.owners = new Map(whole.lessons.flatMap(({ id, parties: [first] }) => (first ? [[id, first]] : [])));
    this.classes = new Map(view.classes.map((one) => [one.id, one]));
    this.names = new Map([...view.teachers, ...view.rooms, ...view.classes].map(({ id, name }) => [id, name]));
  }

  /** The lessons that take place in a term week. */
  inWeek(week: number): Lesson[] {
    if (this.dated !== null) return this.dated.week === week ? [...this.view.lessons] : [];
    return this.view.lessons.filter((lesson) => heldIn(lesson, week));
  }

  /** The party whose periods name the lesson's slots, whoever leads it in the week that is looked at. */
  owner(lesson: string | undefined): PlacedParty | undefined {
    if (this.dated !== null) return this.dated.plain.owner(this.dated.origins.get(lesson ?? "") ?? lesson);
    return this.owners.get(lesson ?? "");
  }

  get weekdays(): number[] {
    const found = new Set([1, 2, 3, 4, 5]);
    for (const lesson of this.view.lessons) found.add(lesson.weekday);
    return [...found].sort((a, b) => a - b);
  }

  /** The weekly table behind a week on its dates. */
  get plain(): Table {
    return this.dated?.plain ?? this;
  }

  /** The id of the lesson in the weekly table. */
  origin(lesson: Lesson): string {
    return this.dated?.origins.get(lesson.id) ?? lesson.id;
  }

  mark(lesson: Lesson): DatedMark | undefined {
    return this.dated?.marks.get(lesson.id);
  }

  /** The occurrence that a lesson of a week is, and its date. */
  occurrence(lesson: Lesson, week: number): { id: string; date: string } {
    const row = this.mark(lesson)?.row;
    if (row !== undefined) return { id: row.occurrence, date: row.date };
    const date = addDays(this.view.term.weekOne, 7 * (week - 1) + lesson.weekday - 1);
    return { id: `${this.origin(lesson)}.${date}`, date };
  }

  /** Whether the lesson of a week has not begun yet: what has, nobody changes any more. On the table's own day the clock
   * of this machine says so, as far as it is of the same day. */
  toCome(lesson: Lesson, week: number): boolean {
    const { date } = this.occurrence(lesson, week);
    const { today } = this.view.term;
    const here = countyTime(now());
    return date === today && here.date === today ? minutesOf(lesson.start) > here.minutes : date >= today;
  }

  /** Whether the term is over: its table is read, nothing of it changes any more. */
  get over(): boolean {
    return this.view.terms.length > 0 && this.view.termId !== this.view.terms[0]?.id;
  }

  /** Whether the person may move the lessons of what is shown: those of a draft that nobody was asked about yet. */
  get movable(): boolean {
    return this.view.status !== "published" && this.view.mayBuild;
  }

  /** Whether the person may ask for changes of what is shown: the newest version, by a school that speaks in it. */
  get amendable(): boolean {
    return !this.over && this.view.status === "published" && this.view.version === this.newest && speaks(this.view.units.map((unit) => unit.id), this.view.community.id);
  }

  /** The newest published version: what a change after publication is asked for. */
  get newest(): number {
    return Math.max(0, ...this.view.versions.map((row) => row.number));
  }

  unitName(id: string): string {
    return this.units.get(id)?.name ?? id;
  }

  unitShort(id: string): string {
    return this.units.get(id)?.shortName ?? id;
  }

  /** The name of a teacher, a room or a class. */
  name(id: string): string {
    return label(this.names.get(id) ?? id);
  }

  grade(lesson: Lesson): number | undefined {
    for (const party of lesson.parties) {
      for (const id of party.classes ?? []) {
        const grade = this.classes.get(id)?.grade;
        if (grade !== undefined) return grade;
      }
    }
    return undefined;
  }

  classesOf(unit: string, grade?: number): ClassRef[] {
    return this.view.classes.filter((one) => one.unit === unit && (grade === undefined || one.grade === grade));
  }

  /** "语文 五年级"; for a meeting its topic. */
  title(lesson: Lesson): string {
    const grade = this.grade(lesson);
    if (grade === undefined) return lesson.topic ? label(lesson.topic) : subjectName(lesson.subject);
    return `${subjectName(lesson.subject)} ${gradeName(grade)}`;
  }

  /** "科学 五(1)班、五(2)班": which of several lessons of a subject and a year it is. */
  full(lesson: Lesson): string {
    const classes = lesson.parties.flatMap((party) => party.classes ?? []).map((id) => this.name(id));
    if (classes.length === 0 || classes.length > 2) return this.title(lesson);
    return `${subjectName(lesson.subject)} ${[...new Set(classes)].join(t("list.comma"))}`;
  }

  /** The second line of a narrow label. */
  subtitle(lesson: Lesson, short: boolean): string {
    const mark = this.mark(lesson);
    if (mark?.state === "substituted") return substitutes(this, mark.row, this.plain.lessons.get(mark.row.lesson));
    const grade = this.grade(lesson);
    if (grade === undefined) return short ? "" : t(`kind.${lesson.kind}`);
    return short ? gradeShort(grade) : gradeName(grade);
  }

  subject(lesson: Lesson): string {
    return this.grade(lesson) === undefined && lesson.topic ? label(lesson.topic) : subjectName(lesson.subject);
  }

  state(lesson: Lesson): LessonState {
    const mark = this.mark(lesson);
    if (mark !== undefined) return mark.state;
    const { status, negotiation } = this.view;
    if (status === "published") return "published";
    if (negotiation === null || status === "draft" || status === "none") return "draft";
    if (negotiation.consents.some((row) => row.answer === "objected" && row.lesson === lesson.id)) return "objected";
    if (status === "agreed") return "agreed";
    const said = (party: PlacedParty) => negotiation.consents.find((row) => row.unit === party.unit)?.answer;
    return lesson.parties.every((party) => ["agreed", "unaffected"].includes(said(party) ?? "silent")) ? "agreed" : "proposed";
  }

  /** All times of all bells and the given lessons: what a clock axis must show. */
  spans(lessons: readonly Lesson[]): Span[] {
    return [
      ...this.view.units.flatMap((unit) => unit.periods.map(spanOf)),
      ...lessons.flatMap((lesson) => [spanOf(lesson), ...lesson.parties.map(spanOf)]),
    ];
  }
}

/** The names of those who teach or assist on this date and not by the weekly table. */
function substitutes(table: Table, row: OccurrenceRow, lesson: Lesson | undefined): string {
  const usual = new Set((lesson?.parties ?? []).flatMap((party) => party.teachers ?? []));
  const there = row.parties.flatMap((party) => party.teachers ?? []);
  return [...new Set(there.filter((id) => !usual.has(id)))].map((id) => table.name(id)).join(t("list.comma"));
}

function inWeek(whole: TimetableView, week: number): TimetableView {
  const monday = addDays(whole.term.weekOne, 7 * (week - 1));
  return {
    ...whole,
    units: whole.units.map((unit) => unitOn(unit, addDays(monday, 4))),
    lessons: whole.lessons.map((lesson) => lessonIn(lesson, week, addDays(monday, lesson.weekday - 1))),
  };
}

/** Everybody who teaches or assists at one school, and its classes. */
export function peopleOf(table: Table, party: PlacedParty): string {
  return (party.teachers ?? []).map((id) => table.name(id)).join(t("list.comma"));
}

export function classesOf(table: Table, party: PlacedParty): string {
  return (party.classes ?? []).map((id) => table.name(id)).join(t("list.comma"));
}

/** Minutes of the party's own period before and after the shared window. */
export function leftoverOf(lesson: Lesson, party: PlacedParty): { before: number; after: number } {
  return {
    before: Math.max(0, minutesOf(lesson.start) - minutesOf(party.start)),
    after: Math.max(0, minutesOf(party.end) - minutesOf(lesson.end)),
  };
}

/** "前 5 · 后 10 分", or nothing. */
export function leftoverText(lesson: Lesson, party: PlacedParty): string {
  const { before, after } = leftoverOf(lesson, party);
  if (before > 0 && after > 0) return t("leftover.both", { before, after });
  if (before > 0) return t("leftover.before", { before });
  if (after > 0) return t("leftover.after", { after });
  return t("leftover.none");
}
