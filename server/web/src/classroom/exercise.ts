/**
 * The exercise that all rooms see: this module owns the fold of its events, the same as the server's, and what is counted
 * of a class's answers; it paints nothing.
 */
import type { Event, ExerciseRun, RoomAnswers, Snapshot } from "../generated/live";

type ExerciseEvent = Extract<
  Event["event"],
  { type: "exercise_pushed" | "exercise_closed" | "result_shown" | "exercise_put_away" | "answered" | "hands_counted" | "photo_added" | "photo_removed" }
>;

const KINDS: Record<ExerciseEvent["type"], true> = {
  exercise_pushed: true,
  exercise_closed: true,
  result_shown: true,
  exercise_put_away: true,
  answered: true,
  hands_counted: true,
  photo_added: true,
  photo_removed: true,
};

export function isExerciseEvent(event: Event["event"]): event is ExerciseEvent {
  return event.type in KINDS;
}

export function foldExercise(snapshot: Snapshot, event: ExerciseEvent, at: number): Snapshot {
  if (event.type === "exercise_pushed") {
    const { run: id, number, by, exercise } = event;
    return { ...snapshot, exercises: number, exercise: { id, number, by, exercise, state: "open", since: at, answers: [] } };
  }
  const run = snapshot.exercise;
  if (run === null || run.id !== event.run) return snapshot;
  const next = (changed: ExerciseRun | null): Snapshot => ({ ...snapshot, exercise: changed });
  switch (event.type) {
    case "exercise_closed":
      return next({ ...run, state: "closed" });
    case "result_shown":
      return next({ ...run, state: "shown", exercise: { ...run.exercise, right: event.right, number: event.number } });
    case "exercise_put_away":
      return next(null);
    case "answered": {
      const { seat, choice, text, number } = event;
      const given = choice !== null || text !== null || number !== null;
      return next(
        change(run, event.unit, (room) => {
          const others = room.seats.filter((one) => one.seat !== seat);
          return { seats: given ? [...others, { seat, at, choice, text, number }] : others };
        }),
      );
    }
    case "hands_counted":
      return next(change(run, event.unit, () => ({ hands: event.hands })));
    case "photo_added":
      return next(change(run, event.unit, (room) => ({ photos: [...room.photos, { id: event.photo, at, seat: event.seat }] })));
    case "photo_removed":
      return next(change(run, event.unit, (room) => ({ photos: room.photos.filter((one) => one.id !== event.photo) })));
  }
}

function change(run: ExerciseRun, unit: string, how: (room: RoomAnswers) => Partial<RoomAnswers>): ExerciseRun {
  const before = answersOf(run, unit);
  const after = { ...before, ...how(before) };
  const known = run.answers.some((one) => one.unit === unit);
  return { ...run, answers: known ? run.answers.map((one) => (one.unit === unit ? after : one)) : [...run.answers, after] };
}

/** What the class of a unit answered. */
export function answersOf(run: ExerciseRun, unit: string): RoomAnswers {
  return run.answers.find((one) => one.unit === unit) ?? { unit, hands: [], seats: [], photos: [] };
}

/** How many chose each option: those counted, and never fewer than the seats known. */
export function byOption(run: ExerciseRun, answers: RoomAnswers): number[] {
  return run.exercise.options.map((_, place) => Math.max(answers.hands[place] ?? 0, answers.seats.filter((one) => one.choice === place).length));
}

/** How many of a class have answered. */
export function answered(run: ExerciseRun, answers: RoomAnswers): number {
  if (run.exercise.kind === "choice") return byOption(run, answers).reduce((sum, n) => sum + n, 0);
  const seats = new Set([...answers.seats.map((one) => one.seat), ...answers.photos.flatMap((photo) => photo.seat ?? [])]);
  return seats.size + answers.photos.filter((photo) => photo.seat === null).length;
}

/** 甲 乙 丙 in Chinese, A B C in English. */
export function letter(place: number, language: string): string {
  return (language === "zh-CN" ? "甲乙丙丁戊己" : "ABCDEF")[place] ?? String(place + 1);
}

/** Whether an answer is the right one; null where there is no right one (yet). */
export function isRight(run: ExerciseRun, answer: { choice: number | null; number: number | null }): boolean | null {
  const { right, number } = run.exercise;
  if (right !== null) return answer.choice === right;
  if (number !== null) return answer.number === number;
  return null;
}
