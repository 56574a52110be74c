/** The answer bar of one class: right first, wrong by option, and the unanswered as a dashed gap with their number. */
import type { ExerciseRun, Participant } from "../generated/live";
import { language, t } from "../ui/i18n";
import { Icon } from "../ui/icons";
import { answered, answersOf, byOption, isRight, letter } from "./exercise";
import { hasNotCome, pupilsOf, type Room } from "./room";

interface Piece {
  key: string;
  n: number;
  tone: string;
  label: string;
}

/** What a class answered, as pieces of a bar: the right ones first. */
function pieces(run: ExerciseRun, unit: string): Piece[] {
  const answers = answersOf(run, unit);
  const { exercise } = run;
  if (exercise.kind === "choice") {
    const found = byOption(run, answers).map((n, place) => ({
      key: String(place),
      n,
      right: place === exercise.right,
      tone: place === exercise.right ? "right" : `o${place % 4}`,
      label: letter(place, language()),
    }));
    return [...found.filter((one) => one.right), ...found.filter((one) => !one.right)].filter((one) => one.n > 0);
  }
  const judged = answers.seats.map((one) => isRight(run, one));
  const right = judged.filter((one) => one === true).length;
  const wrong = judged.filter((one) => one === false).length;
  const rest = answered(run, answers) - right - wrong;
  return [
    { key: "right", n: right, tone: "right", label: t("classroom.exercise.right") },
    { key: "wrong", n: wrong, tone: "o0", label: t("classroom.exercise.wrong") },
    { key: "given", n: rest, tone: "o1", label: t("classroom.exercise.given") },
  ].filter((one) => one.n > 0);
}

export interface ClassRowProps {
  room: Room;
  run: ExerciseRun;
  place: Participant;
  onOpen?: () => void;
}

export function ClassRow({ room, run, place, onOpen }: ClassRowProps) {
  const shown = pieces(run, place.unit);
  const given = shown.reduce((sum, piece) => sum + piece.n, 0);
  const pupils = pupilsOf(room, place);
  const missing = Math.max(0, pupils - given);
  const total = Math.max(1, pupils, given);
  const away = place.presence !== "connected" && given === 0;
  const bar = (
    <>
      <span class="xr-name ell">{place.role === "host" ? t("classroom.tile.here") : place.unitName}</span>
      {away ? (
        <span class="xr-away ell">
          <Icon name="linkoff" size="sm" />
          {t(hasNotCome(place) ? "classroom.exercise.not_come" : "classroom.exercise.away")}
        </span>
      ) : (
        <span class="xr-bar">
          {shown.map((piece) => (
            <i key={piece.key} class={piece.tone} style={{ flexGrow: piece.n, flexBasis: 0 }} title={`${piece.label} ${piece.n}`} data-piece={piece.key} data-n={piece.n}>
              {piece.n}
            </i>
          ))}
          {total > given && <i class="gap" style={{ flexGrow: total - given, flexBasis: 0 }} />}
        </span>
      )}
      <b class={`xr-no ${missing > 0 && run.state !== "open" ? "z" : ""}`} data-unanswered={missing}>
        {pupils > 0 ? missing : "—"}
      </b>
    </>
  );
  return (
    <li data-class={place.unit} data-answered={given}>
      {onOpen ? (
        <button type="button" class="xr" data-action="open-answers" onClick={onOpen}>
          {bar}
        </button>
      ) : (
        <span class="xr">{bar}</span>
      )}
    </li>
  );
}

/** Which colour is which option, the right one marked once it may be. */
export function Legend({ run }: { run: ExerciseRun }) {
  const { exercise } = run;
  if (exercise.kind !== "choice") return null;
  const places = exercise.options.map((_, place) => place);
  const ordered = exercise.right === null ? places : [exercise.right, ...places.filter((place) => place !== exercise.right)];
  return (
    <p class="legend sm">
      {ordered.map((place) => (
        <span key={place} class="ell">
          <i class={place === exercise.right ? "right" : `o${place % 4}`} />
          {letter(place, language())} {exercise.options[place]}
          {place === exercise.right && <Icon name="check" size="sm" label={t("classroom.exercise.right")} />}
        </span>
      ))}
    </p>
  );
}
