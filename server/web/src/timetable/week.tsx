/** The clock week: every school a lane, every shared lesson where the clock puts it. */

import { useMemo, useRef, useState } from "preact/hooks";
import type { DatedDay, Lesson } from "../generated/api";
import { type Axis, axisOf, type Span } from "../clock/axis";
import { placeLabels, splitLanes, type PlacedBar, type Wish } from "../clock/lanes";
import { kindOf } from "../ui/components";
import { Icon } from "../ui/icons";
import { language, t } from "../ui/i18n";
import { textWidth } from "../ui/measure";
import { label } from "../ui/names";
import { addDays, shortDate, span, weekdayName } from "../ui/time";
import { Half, Hours, inside, usePixelsPerMinute } from "./clock-frame";
import { carry } from "./carry";
import { gridKeys } from "./carry-keys";
import { useDragging } from "./drag";
import { HalfSlots } from "./drop-slots";
import { openLesson, place } from "./place";
import { isJoint, isShared, length, type LessonState, spanOf, STATE_ICONS, type Table } from "./table";

const AXIS_WIDTH = 44;
const ONE_LINE = 20;
const TWO_LINES = 37;

/** Lessons that the choice "all", "unit:ID" or "grade:5" lets through. */
export function shownLessons(table: Table, week: number, show: string): Lesson[] {
  const [what, which] = [show.split(":")[0], show.slice(show.indexOf(":") + 1)];
  return table.inWeek(week).filter((lesson) => {
    if (what === "unit") return isShared(lesson) && lesson.parties.some((party) => party.unit === which);
    if (what === "grade") return isJoint(lesson) && table.grade(lesson) === Number(which);
    return isJoint(lesson);
  });
}

export interface WeekProps {
  table: Table;
  week: number;
  days: readonly number[];
  show: string;
}

export function ClockWeek({ table, week, days, show }: WeekProps) {
  const grid = useRef<HTMLDivElement>(null);
  const { community, revision } = table.view;
  const take = useDragging(community.id, revision, table.movable);
  const lessons = useMemo(() => shownLessons(table, week, show), [table, week, show]);
  const axis = useMemo(() => axisOf(table.spans(lessons)), [table, lessons]);
  const { ppm, width } = usePixelsPerMinute(grid, axis);
  const [hovered, setHovered] = useState<string | null>(null);
  const dayWidth = (width - AXIS_WIDTH) / days.length;
  const picked = place.value.lesson;
  const stop = lessons.some((lesson) => lesson.id === picked && days.includes(lesson.weekday)) ? picked : firstOf(lessons, days);
  return (
    <div
      class="week"
      role="grid"
      tabIndex={-1}
      aria-label={t("clock.week_label", { week })}
      ref={grid}
      style={{ "--ppm": `${ppm}px`, "--days": days.length }}
      onKeyDown={gridKeys(table)}
      onPointerDown={take}
      data-carrying={carry.value !== null}
      onPointerLeave={() => setHovered(null)}
    >
      <Hours axis={axis} />
      {width > 0 &&
        days.map((day) => (
          <Day
            key={day}
            table={table}
            axis={axis}
            day={day}
            date={addDays(table.view.term.weekOne, 7 * (week - 1) + day - 1)}
            lessons={lessons.filter((lesson) => lesson.weekday === day)}
            ppm={ppm}
            width={dayWidth}
            stop={stop}
            marked={hovered ?? picked}
            hover={setHovered}
          />
        ))}
    </div>
  );
}

function firstOf(lessons: readonly Lesson[], days: readonly number[]): string | undefined {
  return lessons
    .filter((lesson) => days.includes(lesson.weekday))
    .sort((a, b) => a.weekday - b.weekday || a.start.localeCompare(b.start))[0]?.id;
}

interface DayProps {
  table: Table;
  axis: Axis;
  day: number;
  date: string;
  lessons: Lesson[];
  ppm: number;
  width: number;
  stop: string | undefined;
  marked: string | undefined;
  hover: (lesson: string | null) => void;
}

function Day({ table, axis, day, date, lessons, ppm, width, stop, marked, hover }: DayProps) {
  const { units } = table.view;
  const dated = table.dated?.days.get(day);
  const bars = useMemo(() => barsOf(table, lessons), [table, lessons]);
  const laneWidth = width / units.length;
  return (
    <section class={`day ${dated?.school === false ? "shut" : ""}`} role="row" aria-label={`${weekdayName(day)} ${shortDate(date)}`} style={{ "--lanes": units.length }}>
      <div class="dh" aria-current={date === table.view.term.today ? "date" : undefined}>
        <b>{weekdayName(day)}</b>
        <span class="dim">{shortDate(date)}</span>
        {dated && <DayNote day={dated} />}
      </div>
      <div class="lh">
        {units.map((unit) => (
          <i key={unit.id} title={unit.name} class={dated?.closed.includes(unit.id) ? "shut" : ""}>
            {language() === "en" ? unit.code : textWidth(unit.shortName, 11) > laneWidth ? unit.shortName.slice(0, 2) : unit.shortName}
          </i>
        ))}
      </div>
      {axis.map((half, index) => {
        const here = lessons.filter((lesson) => inside(half, spanOf(lesson).start));
        return (
          <>
            {index > 0 && <div class="fold" />}
            <Half half={half} date={date}>
              <Bells table={table} half={half} />
              {here.map((lesson) => (
                <Parts
                  key={lesson.id}
                  state={table.state(lesson)}
                  lesson={lesson}
                  bars={bars.filter((bar) => bar.lesson === lesson.id)}
                  marked={lesson.id === marked}
                  host={table.view.units.findIndex((unit) => unit.id === lesson.parties[0]?.unit)}
                  hover={hover}
                />
              ))}
              <HalfSlots table={table} half={half} day={day} laneWidth={laneWidth} />
              <Tags table={table} half={half} lessons={here} bars={bars} ppm={ppm} width={width} day={day} stop={stop} hover={hover} />
            </Half>
          </>
        );
      })}
    </section>
  );
}

function barsOf(table: Table, lessons: readonly Lesson[]): PlacedBar[] {
  const lanes = new Map(table.view.units.map((unit, lane) => [unit.id, lane]));
  return splitLanes(
    lessons.flatMap((lesson) =>
      lesson.parties.flatMap((party) => {
        const lane = lanes.get(party.unit);
        return lane === undefined ? [] : [{ lesson: lesson.id, lane, ...spanOf(party) }];
      }),
    ),
  );
}

/** The schools' own periods, one grey drawing. */
function Bells({ table, half }: { table: Table; half: Span }) {
  const path = table.view.units
    .flatMap((unit, lane) =>
      unit.periods
        .map(spanOf)
        .filter((period) => inside(half, period.start))
        .map((period) => `M${lane * 100 + 6} ${period.start - half.start}h88v${length(period)}h-88z`),
    )
    .join("");
  return (
    <svg class="bells" preserveAspectRatio="none" viewBox={`0 0 ${table.view.units.length * 100} ${length(half)}`} aria-hidden="true">
      <path d={path} />
    </svg>
  );
}

/** Why a date is not an ordinary one: a holiday, a closing, the table of another weekday. */
export function DayNote({ day }: { day: DatedDay }) {
  const words = day.note || (day.followsWeekday === day.weekday ? "" : t("dated.follows", { day: weekdayName(day.followsWeekday) }));
  if (words === "") return null;
  return (
    <span class="day-note ell" title={words}>
      <Icon name={day.note ? "ban" : "swap"} size="sm" />
      <span class="ell">{label(words)}</span>
    </span>
  );
}

interface PartsProps {
  state: LessonState;
  lesson: Lesson;
  bars: readonly PlacedBar[];
  marked: boolean;
  host: number;
  hover: (lesson: string | null) => void;
}

/** The minutes of one lesson: hatched what each school has alone, solid what all share. */
function Parts({ state, lesson, bars, marked, host, hover }: PartsProps) {
  const tone = state === "cancelled" || state === "away" ? "k-free" : kindOf(lesson.kind).tone;
  const window = spanOf(lesson);
  const lanes = [...new Set(bars.map((bar) => bar.lane))].sort((a, b) => a - b);
  const first = lanes[0] ?? 0;
  const last = lanes[lanes.length - 1] ?? 0;
  const events = { onClick: () => openLesson(lesson.id), onPointerEnter: () => hover(lesson.id) };
  return (
    <>
      {last - first + 1 > lanes.length && (
        <i class={`con ${tone}`} style={{ "--l": first, "--n": last - first + 1, "--s": (window.start + window.end) / 2, "--e": (window.start + window.end) / 2 }} />
      )}
      {bars.map((bar) => {
        const across = { "--l": bar.lane + bar.part / bar.parts, "--n": 1 / bar.parts };
        const isHost = bar.lane === host;
        return (
          <>
            <i class={`seg ${tone}`} style={{ ...across, "--s": bar.start, "--e": bar.end }} {...events} />
            <i class={`win ${tone} ${isHost ? "hw" : ""}`} style={{ ...across, "--s": window.start, "--e": window.end }} {...events}>
              {isHost && bar.parts < 3 && <u>{t("clock.host_letter")}</u>}
            </i>
            {marked && <i class="mark" style={{ ...across, "--s": bar.start, "--e": bar.end }} />}
          </>
        );
      })}
    </>
  );
}

interface TagsProps {
  table: Table;
  half: Span;
  lessons: readonly Lesson[];
  bars: readonly PlacedBar[];
  ppm: number;
  width: number;
  day: number;
  stop: string | undefined;
  hover: (lesson: string | null) => void;
}

/** The lessons' labels: near their minutes, never on top of each other. */
function Tags({ table, half, lessons, bars, ppm, width, day, stop, hover }: TagsProps) {
  const sorted = [...lessons].sort((a, b) => a.start.localeCompare(b.start) || a.id.localeCompare(b.id));
  const crowded = (lesson: Lesson) => {
    const { start, end } = spanOf(lesson);
    return lessons.some((other) => other.id !== lesson.id && spanOf(other).start < end && start < spanOf(other).end);
  };
  const laneWidth = width / table.view.units.length;
  const drawn = sorted.map((lesson) => ({ lesson, short: crowded(lesson) || length(spanOf(lesson)) * ppm < TWO_LINES + 6 }));
  const wishes = drawn.map(({ lesson, short }): Wish => {
    const own = bars.filter((bar) => bar.lesson === lesson.id);
    const alone = own.filter((bar) => bar.parts === 1);
    const centres = (alone.length > 0 ? alone : own).map((bar) => (bar.lane + (bar.part + 0.5) / bar.parts) * laneWidth);
    const middle = centres.reduce((a, b) => a + b, 0) / (centres.length || 1);
    const lanes = own.map((bar) => bar.lane);
    const window = spanOf(lesson);
    const height = short ? ONE_LINE : TWO_LINES;
    const tagWidth = widthOf(table, lesson, short);
    const top = short ? ((window.start + window.end) / 2 - half.start) * ppm - height / 2 : (window.start - half.start) * ppm + 4;
    return {
      x: middle - tagWidth / 2,
      y: top,
      width: tagWidth,
      height: height + 1,
      from: Math.min(...lanes) * laneWidth,
      to: (Math.max(...lanes) + 1) * laneWidth,
    };
  });
  const boxes = placeLabels(wishes, { width, height: length(half) * ppm });
  return (
    <>
      {drawn.map(({ lesson, short }, index) => {
        const box = boxes[index];
        if (box === undefined) return null;
        return (
          <Tag
            key={lesson.id}
            table={table}
            lesson={lesson}
            short={short}
            day={day}
            focusable={lesson.id === stop}
            hover={hover}
            left={`${((box.x / width) * 100).toFixed(2)}%`}
            width={box.width}
            start={half.start + box.y / ppm}
          />
        );
      })}
    </>
  );
}

function widthOf(table: Table, lesson: Lesson, short: boolean): number {
  const icons = table.state(lesson) === "draft" ? 16 : 32;
  const subject = textWidth(table.subject(lesson), 12, true);
  const second = textWidth(table.subtitle(lesson, short), 11);
  return short ? subject + second + icons + 19 : Math.max(subject + 16, second + icons - 16) + 16;
}

interface TagProps {
  table: Table;
  lesson: Lesson;
  short: boolean;
  day: number;
  focusable: boolean;
  hover: (lesson: string | null) => void;
  left: string;
  width: number;
  start: number;
}

function Tag({ table, lesson, short, day, focusable, hover, left, width, start }: TagProps) {
  const { tone, icon } = kindOf(lesson.kind);
  const state = table.state(lesson);
  const stateIcon = STATE_ICONS[state];
  const picked = place.value.lesson === lesson.id;
  return (
    <button
      type="button"
      role="gridcell"
      class={`les ${tone} is-${state} ${short ? "short" : ""}`}
      style={{ "--x": left, "--w": `${width}px`, "--s": start }}
      data-lesson={lesson.id}
      data-column={day}
      data-row={spanOf(lesson).start}
      aria-selected={picked}
      aria-label={t("lesson.label", {
        title: table.title(lesson),
        time: span(lesson.start, lesson.end),
        minutes: length(spanOf(lesson)),
        state: t(`state.${state}`),
      })}
      tabIndex={focusable ? 0 : -1}
      onClick={() => openLesson(lesson.id)}
      onPointerEnter={() => hover(lesson.id)}
      onFocus={() => hover(lesson.id)}
    >
      <b>
        <Icon name={icon} size="sm" />
        {table.subject(lesson)}
      </b>
      <small>
        {table.subtitle(lesson, short)}
        {stateIcon && <Icon name={stateIcon} size="sm" />}
      </small>
    </button>
  );
}
