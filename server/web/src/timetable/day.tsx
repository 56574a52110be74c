/** The clock day: a column for each school, one of its classes in it, lesson by lesson. */

import { signal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import type { Lesson, PlacedParty } from "../generated/api";
import { axisOf } from "../clock/axis";
import { splitLanes } from "../clock/lanes";
import { kindOf } from "../ui/components";
import { Icon } from "../ui/icons";
import { t } from "../ui/i18n";
import { label, subjectName } from "../ui/names";
import { addDays, span, weekdayName } from "../ui/time";
import { Half, Hours, inside, usePixelsPerMinute } from "./clock-frame";
import { carry, slotBelow } from "./carry";
import { gridKeys } from "./carry-keys";
import { useDragging } from "./drag";
import { HalfSlots } from "./drop-slots";
import { go, openLesson, place } from "./place";
import { isShared, leftoverOf, leftoverText, length, peopleOf, spanOf, STATE_ICONS, type Table } from "./table";

/** Which class each school's column shows, where the person chose one. */
const chosen = signal<Record<string, string>>({});

const WHOLE_COLUMN = { first: 0, count: 1 };
/** A line of words in a lesson's box. */
const LINE = 14;

interface Entry {
  lesson: Lesson;
  party: PlacedParty;
}

export interface DayProps {
  table: Table;
  week: number;
  day: number;
  grade: number;
}

export function ClockDay({ table, week, day, grade }: DayProps) {
  const date = addDays(table.view.term.weekOne, 7 * (week - 1) + day - 1);
  const grid = useRef<HTMLDivElement>(null);
  const today = useMemo(() => table.inWeek(week).filter((lesson) => lesson.weekday === day), [table, week, day]);
  const units = table.view.units;
  const classes = units.map((unit) => classOf(table, today, unit.id, grade));
  const columns = units.map((unit, index) => entriesOf(table, today, unit.id, classes[index], grade));
  const axis = axisOf(table.spans(columns.flat().map((entry) => entry.lesson)));
  const { ppm, width } = usePixelsPerMinute(grid, axis);
  const picked = place.value.lesson;
  const { community, revision } = table.view;
  const take = useDragging(community.id, revision, table.movable);
  const hostOfCarried = table.owner(carry.value?.lesson)?.unit;
  const carriedTo = carry.value?.how === "keys" ? slotBelow.value?.weekday : undefined;
  useEffect(() => {
    if (carriedTo !== undefined) go({ day: carriedTo });
  }, [carriedTo]);
  let focusable = columns.flat().find((entry) => entry.lesson.id === picked) ?? columns.flat()[0];
  return (
    <div
      class="week oneday"
      role="grid"
      tabIndex={-1}
      aria-label={t("clock.day_label", { day: weekdayName(day), grade })}
      ref={grid}
      style={{ "--ppm": `${ppm}px`, "--days": units.length }}
      onKeyDown={gridKeys(table)}
      onPointerDown={take}
      data-carrying={carry.value !== null}
    >
      <Hours axis={axis} />
      {units.map((unit, column) => (
        <section class="day" role="row" aria-label={unit.name} key={unit.id}>
          <div class="col-head">
            <b class="ell" title={unit.name}>
              {unit.name}
            </b>
            <ClassChoice table={table} unit={unit.id} grade={grade} value={classes[column]} core={unit.core} />
          </div>
          {axis.map((half, index) => (
            <>
              {index > 0 && <div class="fold" />}
              <Half half={half} date={date}>
                {splitLanes((columns[column] ?? []).map(({ lesson, party }) => ({ lesson: lesson.id, lane: 0, ...spanOf(party) })))
                  .filter((bar) => inside(half, bar.start))
                  .map((bar) => {
                    const entry = columns[column]?.find((one) => one.lesson.id === bar.lesson);
                    if (entry === undefined) return null;
                    const isStop = entry === focusable;
                    if (isStop) focusable = undefined;
                    return (
                      <Block
                        key={bar.lesson}
                        table={table}
                        entry={entry}
                        column={column}
                        ppm={ppm}
                        across={{ "--l": bar.part / bar.parts, "--n": 1 / bar.parts }}
                        focusable={isStop}
                      />
                    );
                  })}
                {unit.id === hostOfCarried && <HalfSlots table={table} half={half} day={day} laneWidth={width / units.length} lanes={WHOLE_COLUMN} />}
              </Half>
            </>
          ))}
        </section>
      ))}
    </div>
  );
}

/** The class a column shows: the chosen one, else one with a shared lesson that day, else the first. */
function classOf(table: Table, today: readonly Lesson[], unit: string, grade: number): string | undefined {
  const all = table.classesOf(unit, grade).map((one) => one.id);
  const mine = chosen.value[unit];
  if (mine !== undefined && all.includes(mine)) return mine;
  const picked = table.lessons.get(place.value.lesson ?? "");
  const wanted = [...(picked ? [picked] : []), ...today.filter(isShared)];
  const shared = wanted.flatMap((lesson) => lesson.parties.flatMap((party) => party.classes ?? []));
  return shared.find((id) => all.includes(id)) ?? all[0];
}

/** The lessons of the class, and those that a teacher of the school gives to the others without a class of its own. */
function entriesOf(table: Table, today: readonly Lesson[], unit: string, shown: string | undefined, grade: number): Entry[] {
  return today.flatMap((lesson) =>
    lesson.parties
      .filter((party) => party.unit === unit)
      .filter((party) => {
        const classes = party.classes ?? [];
        if (classes.length > 0) return shown !== undefined && classes.includes(shown);
        return lesson.kind === "dedicated" && table.grade(lesson) === grade;
      })
      .map((party) => ({ lesson, party })),
  );
}

function ClassChoice({ table, unit, grade, value, core }: { table: Table; unit: string; grade: number; value: string | undefined; core: boolean }) {
  const all = table.classesOf(unit, grade);
  const tail = core ? ` · ${t("clock.core")}` : "";
  if (all.length < 2) {
    return (
      <span class="dim xs ell">
        {all[0] ? label(all[0].name) : t("clock.no_class")}
        {tail}
      </span>
    );
  }
  return (
    <label class="dim xs col-class">
      <span class="sr">{t("clock.class_of", { unit: table.unitName(unit) })}</span>
      <select value={value} onChange={(event) => (chosen.value = { ...chosen.value, [unit]: event.currentTarget.value })}>
        {all.map((one) => (
          <option value={one.id}>{label(one.name)}</option>
        ))}
      </select>
      <Icon name="down" size="sm" />
      {tail}
    </label>
  );
}

interface BlockProps {
  table: Table;
  entry: Entry;
  column: number;
  ppm: number;
  across: Record<string, number>;
  focusable: boolean;
}

function Block({ table, entry: { lesson, party }, column, ppm, across, focusable }: BlockProps) {
  const own = spanOf(party);
  const window = spanOf(lesson);
  const shared = isShared(lesson);
  const state = table.state(lesson);
  const marked = table.mark(lesson) !== undefined;
  const gone = state === "cancelled" || state === "away";
  const { icon } = kindOf(lesson.kind);
  const tone = gone ? "k-free" : kindOf(lesson.kind).tone;
  const stateIcon = marked ? STATE_ICONS[state] : undefined;
  const isHost = lesson.parties[0]?.unit === party.unit;
  const times = span(party.start, party.end);
  const box = shared ? window : own;
  const left = leftoverOf(lesson, party);
  const unwatched = (party.leftover ?? []).some((rest) => rest.teacher === null);
  const lines = Math.floor((length(box) * ppm - 3) / LINE);
  return (
    <>
      {shared && <i class={`seg ${tone}`} style={{ ...across, "--s": own.start, "--e": own.end }} />}
      <button
        type="button"
        role="gridcell"
        class={`dp ${shared ? `sh ${tone}` : ""} ${isHost && shared ? "hw" : ""} ${unwatched ? "wn" : ""} ${marked ? `is-${state}` : ""}`}
        style={{ ...across, "--s": box.start, "--e": box.end }}
        data-lesson={lesson.id}
        data-column={column}
        data-row={own.start}
        aria-selected={place.value.lesson === lesson.id}
        tabIndex={focusable ? 0 : -1}
        onClick={() => openLesson(lesson.id)}
      >
        {shared ? (
          <>
            <span class="dp-line">
              <Icon name={icon} size="sm" />
              <b class="grow ell">{table.subject(lesson)}</b>
              {stateIcon && <Icon name={stateIcon} size="sm" label={t(`state.${state}`)} />}
              {across["--n"] === 1 && <span class="tm">{times}</span>}
            </span>
            {lines > 1 && <span class="xs ell">{t(isHost ? "lesson.host_is" : "lesson.assistant_is", { name: peopleOf(table, party) || t("lesson.nobody") })}</span>}
            {lines > 2 && (left.before > 0 || left.after > 0) && (
              <span class="xs ell lf">
                {unwatched && <Icon name="warn" size="sm" />}
                {t("leftover.line", { minutes: leftoverText(lesson, party), name: supervisors(table, party) })}
              </span>
            )}
          </>
        ) : (
          <>
            {lines > 2 && (
              <small class="ell">
                {party.period} · {times}
              </small>
            )}
            <span class="dp-line">
              <b class="grow ell">{subjectName(lesson.subject)}</b>
              {stateIcon && <Icon name={stateIcon} size="sm" label={t(`state.${state}`)} />}
            </span>
            {lines > 1 && <em class="ell">{peopleOf(table, party)}</em>}
          </>
        )}
      </button>
    </>
  );
}

/** Who watches the pupils in the leftover minutes, each once. */
export function supervisors(table: Table, party: PlacedParty): string {
  const names = (party.leftover ?? []).map((rest) => (rest.teacher === null ? t("lesson.nobody") : table.name(rest.teacher)));
  return [...new Set(names)].join(t("list.comma")) || t("lesson.nobody");
}
