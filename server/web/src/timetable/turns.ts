/** A lesson of the table as it is in one term week: its clock by the bells of that date, and whose turn it is to lead. */

import type { Lesson, UnitRef } from "../generated/api";

/** Whether it takes place in a term week: by its parity, and by the weeks that are named. */
export function heldIn(lesson: Pick<Lesson, "weeks" | "onlyWeeks">, week: number): boolean {
  const parity = week % 2 === 0 ? "even" : "odd";
  if ((lesson.weeks ?? "all") !== "all" && lesson.weeks !== parity) return false;
  const only = lesson.onlyWeeks ?? [];
  return only.length === 0 || only.includes(week);
}

/** The unit whose turn it is in a term week. Turns follow the calendar alone: a holiday takes one and moves no other. */
export function turnOf(lesson: Pick<Lesson, "weeks" | "onlyWeeks" | "rotation">, week: number): string | undefined {
  const rotation = lesson.rotation ?? [];
  const only = lesson.onlyWeeks ?? [];
  const before =
    only.length > 0
      ? new Set(only.filter((one) => one < week && heldIn({ weeks: lesson.weeks }, one))).size
      : (lesson.weeks ?? "all") === "all"
        ? week - 1
        : Math.floor((week - 1) / 2);
  return rotation[before % rotation.length];
}

/** The lesson with the times of an ISO date, led by the unit whose turn it is in that week. */
export function lessonIn(lesson: Lesson, week: number, date: string): Lesson {
  const times = (lesson.later ?? []).filter((one) => one.first <= date).pop();
  let parties = lesson.parties;
  if (times !== undefined) {
    parties = parties.map((party, index) => {
      const own = times.parties[index];
      return own === undefined ? party : { ...party, start: own.start, end: own.end, leftover: own.leftover ?? [] };
    });
  }
  const first = turnOf(lesson, week);
  if (first !== undefined) parties = [...parties.filter((party) => party.unit === first), ...parties.filter((party) => party.unit !== first)];
  return { ...lesson, start: times?.start ?? lesson.start, end: times?.end ?? lesson.end, parties };
}

/** The unit with the bells of an ISO date. */
export function unitOn(unit: UnitRef, date: string): UnitRef {
  const rung = unit.later.filter((one) => one.first <= date).pop();
  return rung === undefined ? unit : { ...unit, periods: rung.periods };
}
