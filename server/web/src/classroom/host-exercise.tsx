/** The host's side of an exercise: the answers of every class while they come in, and what is done next. */
import { useState } from "preact/hooks";
import type { ExerciseRun, Participant } from "../generated/live";
import { Button, Dialog } from "../ui/components";
import { language, t } from "../ui/i18n";
import { Icon } from "../ui/icons";
import type { Classroom } from "./classroom";
import { answersOf, isRight, letter } from "./exercise";
import { ClassRow, Legend } from "./exercise-bar";
import { HandsCounter } from "./phone-exercise";
import { PhotoView } from "./photo-view";
import { classes, type Room } from "./room";
import { lasting, timerLeft } from "./ticker";

const LONGER = 60;

export function ExerciseCard({ classroom, room, run }: { classroom: Classroom; room: Room; run: ExerciseRun }) {
  const [opened, open] = useState<string | null>(null);
  const places = classes(room);
  const place = places.find((one) => one.unit === opened);
  const left = timerLeft(room);
  const exercise = run.id;
  return (
    <section class="card sec xcard" data-exercise={run.id} data-run-state={run.state} data-number={run.number}>
      <div class="row">
        <h2 class="grow ell" title={run.exercise.prompt}>
          {t("classroom.exercise.number", { n: run.number })} · {run.exercise.prompt}
        </h2>
        {run.state === "open" && left !== null && left > 0 && (
          <span class="st warn" role="timer">
            <Icon name="timer" size="sm" />
            {lasting(left)}
          </span>
        )}
      </div>
      <div class="row xhead">
        <span class="grow">
          <Legend run={run} />
        </span>
        <span class="sm mut nw">{t("classroom.exercise.unanswered")}</span>
      </div>
      <ul class="xrows">
        {places.map((one) => (
          <ClassRow key={one.id} room={room} run={run} place={one} onOpen={() => open(one.unit)} />
        ))}
      </ul>
      <div class="row xacts">
        {run.state === "open" && (
          <>
            <Button small action="longer" onClick={() => classroom.ask({ t: "set_timer", seconds: Math.min(3600, Math.round(Math.max(0, left ?? 0)) + LONGER) })}>
              {t("classroom.exercise.longer")}
            </Button>
            <span class="grow" />
            <Button small action="close-exercise" onClick={() => classroom.ask({ t: "close_exercise", exercise })}>
              {t("classroom.exercise.close")}
            </Button>
          </>
        )}
        {run.state !== "open" && <span class="grow sm mut">{t(`classroom.exercise.state_${run.state}`)}</span>}
        {run.state !== "shown" ? (
          <Button small kind="pri" action="show-result" onClick={() => classroom.ask({ t: "show_result", exercise })}>
            {t("classroom.exercise.show")}
          </Button>
        ) : (
          <Button small kind="pri" action="put-away" onClick={() => classroom.ask({ t: "put_away_exercise", exercise })}>
            {t("classroom.exercise.put_away")}
          </Button>
        )}
        {run.state === "closed" && (
          <Button small action="put-away" onClick={() => classroom.ask({ t: "put_away_exercise", exercise })}>
            {t("classroom.exercise.put_away")}
          </Button>
        )}
      </div>
      {place && <AnswersDialog classroom={classroom} room={room} run={run} place={place} onClose={() => open(null)} />}
    </section>
  );
}

interface AnswersProps {
  classroom: Classroom;
  room: Room;
  run: ExerciseRun;
  place: Participant;
  onClose: () => void;
}

/** What one class answered, seat by seat, with its photos; the host's own class is counted here. */
function AnswersDialog({ classroom, room, run, place, onClose }: AnswersProps) {
  const answers = answersOf(run, place.unit);
  const { kind, options } = run.exercise;
  const seats = [...answers.seats].sort((a, b) => (a.seat ?? 0) - (b.seat ?? 0));
  const own = place.id === room.me;
  return (
    <Dialog title={`${place.unitName} · ${t("classroom.exercise.number", { n: run.number })}`} onClose={onClose}>
      <p>{run.exercise.prompt}</p>
      <ul class="xrows">
        <ClassRow room={room} run={run} place={place} />
      </ul>
      {own && kind === "choice" && run.state === "open" && <HandsCounter classroom={classroom} run={run} unit={place.unit} />}
      {seats.length > 0 && (
        <ul class="xseats" aria-label={t("classroom.exercise.by_seat")}>
          {seats.map((one) => {
            const right = isRight(run, one);
            return (
              <li key={one.seat ?? "class"} class={right === null ? "" : right ? "right" : "wrong"}>
                <b class="nw">{one.seat === null ? t("classroom.seat.whole") : t("classroom.seat.no", { seat: one.seat })}</b>
                <span>{kind === "choice" && one.choice !== null ? `${letter(one.choice, language())} ${options[one.choice] ?? ""}` : (one.text ?? one.number)}</span>
                {right !== null && <Icon name={right ? "check" : "x"} size="sm" label={t(right ? "classroom.exercise.right" : "classroom.exercise.wrong")} />}
              </li>
            );
          })}
        </ul>
      )}
      {answers.photos.length > 0 && (
        <ul class="xphotos">
          {answers.photos.map((photo) => (
            <li key={photo.id}>
              <PhotoView session={room.snapshot.session} photo={photo} />
            </li>
          ))}
        </ul>
      )}
      {seats.length + answers.photos.length === 0 && answers.hands.length === 0 && <p class="mut">{t("classroom.exercise.nothing_yet")}</p>}
    </Dialog>
  );
}
