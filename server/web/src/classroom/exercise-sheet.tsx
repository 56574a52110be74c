/** What the host asks next: the exercises prepared for the lesson, or one made on the spot. */
import { useEffect, useState } from "preact/hooks";
import type { LessonExercises } from "../generated/api";
import type { Exercise, ExerciseKind } from "../generated/live";
import { get, put } from "../ui/api";
import { Button, Dialog, Failure, useAction } from "../ui/components";
import { language, t } from "../ui/i18n";
import { Icon, type IconName } from "../ui/icons";
import type { Classroom } from "./classroom";
import { letter } from "./exercise";
import type { Room } from "./room";

const KINDS: readonly { kind: ExerciseKind; icon: IconName }[] = [
  { kind: "choice", icon: "quiz" },
  { kind: "text", icon: "doc" },
  { kind: "number", icon: "timer" },
  { kind: "photo", icon: "photo" },
];
const MOST_OPTIONS = 6;
const LEAST_OPTIONS = 2;

export function ExerciseSheet({ classroom, room, onClose }: { classroom: Classroom; room: Room; onClose: () => void }) {
  const lesson = room.snapshot.lesson.id;
  const path = `/api/lessons/${encodeURIComponent(lesson)}/exercises`;
  const [prepared, setPrepared] = useState<LessonExercises | null>(null);
  const loading = useAction();
  const saving = useAction();
  useEffect(() => loading.run(async () => setPrepared(await get<LessonExercises>(path))), [path]);
  const push = (exercise: Exercise) => {
    classroom.ask({ t: "push_exercise", exercise });
    onClose();
  };
  const save = (exercises: Exercise[]) => saving.run(async () => setPrepared(await put<LessonExercises>(path, { revision: prepared?.revision ?? 0, exercises })));
  const list = prepared?.exercises ?? [];
  return (
    <Dialog title={t("classroom.exercise.push")} onClose={onClose}>
      <div class="xsheet" data-sheet="exercises">
        <h3 class="h">{t("classroom.exercise.prepared")}</h3>
        <Failure error={loading.error ?? saving.error} />
        {prepared !== null && list.length === 0 && <p class="mut sm">{t("classroom.exercise.none_prepared")}</p>}
        <ul class="xlist">
          {list.map((exercise, place) => (
            <li key={place} class="row">
              <Icon name={KINDS.find((one) => one.kind === exercise.kind)?.icon ?? "quiz"} />
              <span class="grow">
                <b class="ell">{exercise.prompt}</b>
                <span class="sm mut ell">{summary(exercise)}</span>
              </span>
              {prepared?.mayChange && (
                <Button small kind="quiet" icon="x" label={t("classroom.exercise.forget")} action="forget-exercise" onClick={() => save(list.filter((_, at) => at !== place))} />
              )}
              <Button small kind="pri" action="push-exercise" onClick={() => push(exercise)}>
                {t("classroom.exercise.push_this")}
              </Button>
            </li>
          ))}
        </ul>
        <h3 class="h">{t("classroom.exercise.new")}</h3>
        <Compose push={push} save={prepared?.mayChange ? (exercise) => save([...list, exercise]) : undefined} />
      </div>
    </Dialog>
  );
}

function summary(exercise: Exercise): string {
  const kind = t(`classroom.exercise.kind_${exercise.kind}`);
  if (exercise.kind === "choice") return [kind, ...exercise.options.map((option, place) => `${letter(place, language())} ${option}${place === exercise.right ? " ✓" : ""}`)].join(" · ");
  return exercise.number === null ? kind : `${kind} · ${exercise.number}`;
}

function Compose({ push, save }: { push: (exercise: Exercise) => void; save?: (exercise: Exercise) => void }) {
  const [kind, setKind] = useState<ExerciseKind>("choice");
  const [prompt, setPrompt] = useState("");
  const [options, setOptions] = useState<readonly string[]>(["", "", ""]);
  const [right, setRight] = useState<number | null>(null);
  const [number, setNumber] = useState("");
  const filled = options.map((option) => option.trim());
  const value = number.trim() === "" ? null : Number(number);
  const sound =
    prompt.trim() !== "" &&
    (kind !== "choice" || (filled.filter(Boolean).length >= LEAST_OPTIONS && new Set(filled.filter(Boolean)).size === filled.filter(Boolean).length)) &&
    (value === null || Number.isFinite(value));
  const made = (): Exercise => {
    const kept = filled.flatMap((option, place) => (option === "" ? [] : [{ option, place }]));
    const at = kept.findIndex((one) => one.place === right);
    return {
      kind,
      prompt: prompt.trim(),
      options: kind === "choice" ? kept.map((one) => one.option) : [],
      right: kind === "choice" && at >= 0 ? at : null,
      number: kind === "number" ? value : null,
    };
  };
  const change = (place: number, text: string) => setOptions(options.map((option, at) => (at === place ? text : option)));
  return (
    <form
      class="xnew"
      onSubmit={(event) => {
        event.preventDefault();
        if (sound) push(made());
      }}
    >
      <div class="seg-ctl" role="radiogroup" aria-label={t("classroom.exercise.kind")}>
        {KINDS.map((one) => (
          <button type="button" role="radio" key={one.kind} aria-checked={one.kind === kind} data-kind={one.kind} onClick={() => setKind(one.kind)}>
            <Icon name={one.icon} size="sm" />
            {t(`classroom.exercise.kind_${one.kind}`)}
          </button>
        ))}
      </div>
      <textarea
        class="input"
        name="prompt"
        rows={2}
        maxLength={500}
        value={prompt}
        aria-label={t("classroom.exercise.prompt")}
        placeholder={t("classroom.exercise.prompt")}
        onInput={(event) => setPrompt(event.currentTarget.value)}
      />
      {kind === "choice" && (
        <div class="xopts">
          {options.map((option, place) => (
            <label class="row" key={place}>
              <input
                type="radio"
                name="right"
                checked={right === place}
                aria-label={t("classroom.exercise.mark_right", { option: letter(place, language()) })}
                onChange={() => setRight(place)}
              />
              <b>{letter(place, language())}</b>
              <input
                class="input grow"
                name={`option-${place}`}
                maxLength={80}
                value={option}
                aria-label={t("classroom.exercise.option", { option: letter(place, language()) })}
                onInput={(event) => change(place, event.currentTarget.value)}
              />
            </label>
          ))}
          <div class="row">
            <span class="sm mut grow">{t(right === null ? "classroom.exercise.right_hint" : "classroom.exercise.right_set", { option: right === null ? "" : letter(right, language()) })}</span>
            {right !== null && (
              <Button small kind="quiet" onClick={() => setRight(null)}>
                {t("classroom.exercise.no_right")}
              </Button>
            )}
            {options.length < MOST_OPTIONS && (
              <Button small icon="plus" onClick={() => setOptions([...options, ""])}>
                {t("classroom.exercise.more_options")}
              </Button>
            )}
          </div>
        </div>
      )}
      {kind === "number" && (
        <label class="row">
          <span class="sm mut">{t("classroom.exercise.right_number")}</span>
          <input class="input" name="number" inputMode="decimal" value={number} onInput={(event) => setNumber(event.currentTarget.value)} />
        </label>
      )}
      <div class="dialog-acts">
        {save && (
          <Button
            disabled={!sound}
            action="save-exercise"
            onClick={() => {
              save(made());
              setPrompt("");
              setOptions(["", "", ""]);
              setRight(null);
              setNumber("");
            }}
          >
            {t("classroom.exercise.save")}
          </Button>
        )}
        <Button kind="pri" submit disabled={!sound} action="push-new">
          {t("classroom.exercise.push_new")}
        </Button>
      </div>
    </form>
  );
}
