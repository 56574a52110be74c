/** The assistant's side of an exercise: counting hands, answers by seat, words, numbers, and photos of pupils' work. */
import { useRef, useState } from "preact/hooks";
import type { ExerciseRun, Participant } from "../generated/live";
import { del, Problem } from "../ui/api";
import { Button, Failure, useAction } from "../ui/components";
import { has, language, t } from "../ui/i18n";
import { Icon } from "../ui/icons";
import type { Classroom } from "./classroom";
import { answered, answersOf, byOption, letter } from "./exercise";
import { send, shrink } from "./photo";
import { PhotoView } from "./photo-view";
import { pupilsOf, type Room } from "./room";
import { seatsOf } from "./seats";

export interface PhoneExerciseProps {
  classroom: Classroom;
  room: Room;
  run: ExerciseRun;
  /** The classroom that is answered for. */
  own: Participant;
}

export function PhoneExercise({ classroom, room, run, own }: PhoneExerciseProps) {
  const answers = answersOf(run, own.unit);
  const given = answered(run, answers);
  const pupils = pupilsOf(room, own);
  const { kind, prompt } = run.exercise;
  return (
    <section class="px" data-exercise={run.id} data-run-state={run.state}>
      <h2 class="h row">
        <span class="grow">
          {t("classroom.exercise.number", { n: run.number })} · {t(`classroom.exercise.kind_${kind}`)}
        </span>
        <span class="dim" data-given={given}>
          {pupils > 0 ? t("classroom.exercise.given_of", { n: given, rest: Math.max(0, pupils - given) }) : t("classroom.exercise.given_n", { n: given })}
        </span>
      </h2>
      <p class="px-prompt">{prompt}</p>
      {run.state !== "open" && <p class="note">{t(`classroom.exercise.state_${run.state}`)}</p>}
      {run.state === "open" && kind === "choice" && <Choices classroom={classroom} room={room} run={run} own={own} />}
      {run.state === "open" && (kind === "text" || kind === "number") && <BySeat classroom={classroom} room={room} run={run} own={own} />}
      <Photos room={room} run={run} own={own} />
    </section>
  );
}

function Choices({ classroom, room, run, own }: PhoneExerciseProps) {
  const [bySeat, setBySeat] = useState(false);
  return (
    <>
      <div class="seg-ctl two-ways" role="radiogroup" aria-label={t("classroom.exercise.how")}>
        {[false, true].map((way) => (
          <button type="button" role="radio" key={String(way)} aria-checked={way === bySeat} data-way={way ? "seat" : "hands"} onClick={() => setBySeat(way)}>
            {t(way ? "classroom.exercise.by_seat" : "classroom.exercise.by_hands")}
          </button>
        ))}
      </div>
      {bySeat ? <SeatChoices classroom={classroom} room={room} run={run} own={own} /> : <HandsCounter classroom={classroom} run={run} unit={own.unit} />}
    </>
  );
}

/** Hands up for each option, one tap a hand. */
export function HandsCounter({ classroom, run, unit }: { classroom: Classroom; run: ExerciseRun; unit: string }) {
  const counted = byOption(run, answersOf(run, unit));
  const pending = classroom.line.value.pending.filter((command) => command.t === "count_hands");
  const newest = pending[pending.length - 1];
  // taps that are still on their way count already
  const hands = newest?.t === "count_hands" ? newest.hands : counted;
  const set = (place: number, n: number) =>
    classroom.ask({ t: "count_hands", exercise: run.id, hands: hands.map((before, at) => (at === place ? Math.min(99, Math.max(0, n)) : before)) });
  return (
    <ul class="px-hands">
      {run.exercise.options.map((option, place) => (
        <li key={place} class="row">
          <span class="grow">
            <b class="px-letter">{letter(place, language())}</b> {option}
          </span>
          <button type="button" class="btn" data-action="fewer-hands" data-option={place} aria-label={t("classroom.exercise.fewer", { option })} onClick={() => set(place, (hands[place] ?? 0) - 1)}>
            −
          </button>
          <input
            class="input"
            name={`hands-${place}`}
            inputMode="numeric"
            aria-label={t("classroom.exercise.hands_for", { option })}
            value={hands[place] ?? 0}
            onChange={(event) => set(place, Number(event.currentTarget.value) || 0)}
          />
          <button type="button" class="btn" data-action="more-hands" data-option={place} aria-label={t("classroom.exercise.more", { option })} onClick={() => set(place, (hands[place] ?? 0) + 1)}>
            +
          </button>
        </li>
      ))}
    </ul>
  );
}

/** Choose an option, then tap the seats that chose it. */
function SeatChoices({ classroom, room, run, own }: PhoneExerciseProps) {
  const [choice, setChoice] = useState(0);
  const known = new Map(answersOf(run, own.unit).seats.map((one) => [one.seat, one.choice]));
  return (
    <>
      <div class="px-letters" role="radiogroup" aria-label={t("classroom.exercise.which")}>
        {run.exercise.options.map((option, place) => (
          <button type="button" role="radio" key={place} aria-checked={place === choice} data-option={place} title={option} onClick={() => setChoice(place)}>
            {letter(place, language())}
          </button>
        ))}
      </div>
      <div class="seats pad">
        {seatsOf(room, own).map((seat) => {
          const chosen = known.get(seat);
          return (
            <button
              type="button"
              key={seat}
              data-action="answer"
              data-seat={seat}
              aria-pressed={chosen === choice}
              onClick={() => classroom.ask({ t: "answer", exercise: run.id, seat, choice: chosen === choice ? null : choice })}
            >
              {seat}
              {chosen !== undefined && chosen !== null && <small>{letter(chosen, language())}</small>}
            </button>
          );
        })}
      </div>
    </>
  );
}

/** Words or a number of one seat, or of the class as one. */
function BySeat({ classroom, room, run, own }: PhoneExerciseProps) {
  const [seat, setSeat] = useState<number | null>(null);
  const [value, setValue] = useState("");
  const number = run.exercise.kind === "number";
  const unfit = value.trim() === "" || (number && !Number.isFinite(Number(value)));
  const seats = answersOf(run, own.unit).seats;
  const submit = (event: Event) => {
    event.preventDefault();
    if (unfit) return;
    classroom.ask({ t: "answer", exercise: run.id, seat, ...(number ? { number: Number(value) } : { text: value.trim() }) });
    setValue("");
  };
  return (
    <>
      <form class="row px-write" onSubmit={submit}>
        <SeatSelect room={room} own={own} seat={seat} setSeat={setSeat} />
        <input
          class="input grow"
          name="answer"
          inputMode={number ? "decimal" : "text"}
          maxLength={200}
          value={value}
          aria-label={t("classroom.exercise.answer")}
          placeholder={t("classroom.exercise.answer")}
          onInput={(event) => setValue(event.currentTarget.value)}
        />
        <button type="submit" class="btn pri" data-action="answer" aria-disabled={unfit || undefined}>
          {t("classroom.exercise.hand_in")}
        </button>
      </form>
      <ul class="px-given">
        {seats.map((one) => (
          <li key={one.seat ?? "class"} class="row">
            <b class="nw">{one.seat === null ? t("classroom.seat.whole") : t("classroom.seat.no", { seat: one.seat })}</b>
            <span class="grow ell">{one.text ?? one.number}</span>
            <Button kind="quiet" icon="x" label={t("classroom.exercise.take_back")} onClick={() => classroom.ask({ t: "answer", exercise: run.id, seat: one.seat })} />
          </li>
        ))}
      </ul>
    </>
  );
}

function SeatSelect({ room, own, seat, setSeat }: { room: Room; own: Participant; seat: number | null; setSeat: (seat: number | null) => void }) {
  return (
    <select class="input px-seat" name="seat" value={seat ?? ""} aria-label={t("classroom.exercise.whose")} onChange={(event) => setSeat(Number(event.currentTarget.value) || null)}>
      <option value="">{t("classroom.seat.whole")}</option>
      {seatsOf(room, own).map((one) => (
        <option key={one} value={one}>
          {t("classroom.seat.no", { seat: one })}
        </option>
      ))}
    </select>
  );
}

function Photos({ room, run, own }: { room: Room; run: ExerciseRun; own: Participant }) {
  const [seat, setSeat] = useState<number | null>(null);
  const [error, setError] = useState<unknown>();
  const sending = useAction();
  const file = useRef<HTMLInputElement>(null);
  const { session } = room.snapshot;
  const { photos } = answersOf(run, own.unit);
  const open = run.state === "open";
  if (!open && photos.length === 0) return null;
  const take = (picture: File | undefined) => {
    if (picture === undefined) return;
    setError(undefined);
    sending.run(async () => {
      try {
        await send(session, run.id, seat, await shrink(picture));
      } catch (problem) {
        setError(spoken(problem));
      }
    });
  };
  return (
    <div class="px-photos">
      <h3 class="h row">
        <span class="grow">{t("classroom.exercise.photos", { n: photos.length })}</span>
        {open && <SeatSelect room={room} own={own} seat={seat} setSeat={setSeat} />}
      </h3>
      <Failure error={error} />
      <ul class="xphotos">
        {photos.map((photo) => (
          <li key={photo.id}>
            <PhotoView session={session} photo={photo} />
            {open && (
              <Button
                small
                kind="quiet"
                icon="x"
                label={t("classroom.exercise.take_back")}
                action="remove-photo"
                onClick={() => void del(`/api/sessions/${encodeURIComponent(session)}/photos/${photo.id}`).catch((problem: unknown) => setError(spoken(problem)))}
              />
            )}
          </li>
        ))}
        {open && (
          <li>
            <button type="button" class="xphoto add" data-action="add-photo" aria-busy={sending.busy || undefined} onClick={() => !sending.busy && file.current?.click()}>
              <Icon name={sending.busy ? "load" : "photo"} size="lg" spin={sending.busy} />
              <b>{t(sending.busy ? "classroom.phone.sending" : "classroom.exercise.take_photo")}</b>
            </button>
            <input
              ref={file}
              class="px-file"
              type="file"
              accept="image/*"
              capture="environment"
              name="photo"
              tabIndex={-1}
              aria-hidden
              onChange={(event) => {
                take(event.currentTarget.files?.[0]);
                event.currentTarget.value = "";
              }}
            />
          </li>
        )}
      </ul>
    </div>
  );
}

/** A refusal of the room comes as one problem; its own code says more. */
function spoken(problem: unknown): unknown {
  if (!(problem instanceof Problem) || problem.code !== "refused") return problem;
  const reason = String(problem.values.reason ?? "");
  return has(`error.${reason}`) ? new Problem(problem.status, reason, "", problem.values) : problem;
}
