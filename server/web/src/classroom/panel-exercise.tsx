/** An exercise on the wall panel: the question for the class, what it has handed in, and afterwards what was right. */
import type { ExerciseRun, Participant } from "../generated/live";
import { language, t } from "../ui/i18n";
import { Icon } from "../ui/icons";
import type { Classroom } from "./classroom";
import { answered, answersOf, byOption, letter } from "./exercise";
import { Face, LineState } from "./parts";
import { classes, host, pupilsOf, type Room } from "./room";
import { lasting, timerLeft } from "./ticker";

export interface PanelExerciseProps {
  classroom: Classroom;
  room: Room;
  run: ExerciseRun;
  me: Participant;
}

export function PanelExercise({ classroom, room, run, me }: PanelExerciseProps) {
  const { exercise } = run;
  const answers = answersOf(run, me.unit);
  const given = answered(run, answers);
  const pupils = pupilsOf(room, me);
  const teacher = host(room);
  const left = timerLeft(room);
  return (
    <div class="wx" data-exercise={run.id} data-run-state={run.state}>
      <header class="row">
        <span class="chip-x w36">
          <Icon name="quiz" />
          {t("classroom.exercise.number", { n: run.number })}
        </span>
        <span class="grow" />
        <LineState classroom={classroom} />
        {run.state === "open" && left !== null && left > 0 && (
          <b class="w64 row" role="timer">
            <Icon name="timer" />
            {lasting(left)}
          </b>
        )}
      </header>
      <h1 class={exercise.prompt.length > 60 ? "w48" : "w64"}>{exercise.prompt}</h1>
      <aside>
        <div class="self">
          {teacher && <Face classroom={classroom} participant={teacher} />}
          <span class="cap s">{t("classroom.panel.teacher_short")}</span>
        </div>
        <p class="wx-n" data-given={given}>
          <b>{given}</b>
          {pupils > 0 && <span> / {pupils}</span>}
        </p>
        <p class="w36">{t("classroom.exercise.class_given")}</p>
        {pupils > 0 && (
          <div class="bar">
            <i style={{ width: `${Math.min(100, (given / pupils) * 100)}%` }} />
          </div>
        )}
        <p class="w28 mut">{t(run.state === "open" ? `classroom.exercise.wall_${exercise.kind}` : `classroom.exercise.state_${run.state}`)}</p>
        {exercise.kind === "number" && exercise.number !== null && (
          <p class="w64 wx-right">
            <Icon name="check" /> {exercise.number}
          </p>
        )}
      </aside>
      {exercise.kind === "choice" && <Options classroom={classroom} room={room} run={run} me={me} />}
    </div>
  );
}

/** The options of a choice. A pupil who comes to the panel taps one: one more hand. */
function Options({ classroom, room, run, me }: PanelExerciseProps) {
  const pending = classroom.line.value.pending.filter((command) => command.t === "count_hands");
  const newest = pending[pending.length - 1];
  const counted = byOption(run, answersOf(run, me.unit));
  const hands = newest?.t === "count_hands" ? newest.hands : counted;
  const everybody = run.exercise.options.map((_, place) => classes(room).reduce((sum, one) => sum + (byOption(run, answersOf(run, one.unit))[place] ?? 0), 0));
  const all = Math.max(1, everybody.reduce((sum, n) => sum + n, 0));
  const shown = run.state === "shown";
  const count = (place: number, by: number) =>
    classroom.ask({ t: "count_hands", exercise: run.id, hands: hands.map((n, at) => (at === place ? Math.min(99, Math.max(0, n + by)) : n)) });
  return (
    <ul class={`wx-opts n${run.exercise.options.length}`}>
      {run.exercise.options.map((option, place) => {
        const right = shown && run.exercise.right === place;
        return (
          <li key={place} class={right ? "right" : !shown && run.state === "open" && (hands[place] ?? 0) > 0 ? "counted" : ""} data-option={place} data-hands={hands[place] ?? 0}>
            <button type="button" data-action="more-hands" aria-disabled={run.state !== "open" || undefined} onClick={() => run.state === "open" && count(place, 1)}>
              <b class="wx-letter">{right ? <Icon name="check" label={t("classroom.exercise.right")} /> : letter(place, language())}</b>
              <span class="wx-text">{option}</span>
              <span class="w36 mut">{shown ? t("classroom.exercise.of_all", { n: everybody[place] ?? 0 }) : hands[place] || ""}</span>
            </button>
            {shown ? (
              <div class="bar">
                <i style={{ width: `${((everybody[place] ?? 0) / all) * 100}%` }} />
              </div>
            ) : (
              run.state === "open" &&
              (hands[place] ?? 0) > 0 && (
                <button type="button" class="wx-less" data-action="fewer-hands" aria-label={t("classroom.exercise.fewer", { option })} onClick={() => count(place, -1)}>
                  −
                </button>
              )
            )}
          </li>
        );
      })}
    </ul>
  );
}
