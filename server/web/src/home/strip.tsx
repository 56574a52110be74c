/** Today's shared lessons on the clock: a row for each school, solid where all share, hatched where its bells differ. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { TodayLesson, TodayView, UnitRef } from "../generated/api";
import { type Axis, axisOf, halfHours, lengthOf, onAxis, type Span } from "../clock/axis";
import { type Box, placeLabels, splitLanes } from "../clock/lanes";
import { kindOf, LiveDot } from "../ui/components";
import { Icon } from "../ui/icons";
import { t } from "../ui/i18n";
import { textWidth } from "../ui/measure";
import { label } from "../ui/names";
import { useSize } from "../ui/size";
import { clockOf, countyTime, minutesOf, now, span } from "../ui/time";

/** The folded noon break is as wide as this many minutes. */
const FOLD_MINUTES = 16;
const TAG_HEIGHT = 23;
const CLOCK_MS = 15_000;

/** Where a minute stands, in percent of the field's width. */
function scaleOf(axis: Axis): (minute: number) => number {
  const total = lengthOf(axis) + (axis.length - 1) * FOLD_MINUTES;
  return (minute) => {
    let before = 0;
    for (const half of axis) {
      if (minute <= half.end) return ((before + Math.max(0, minute - half.start)) / total) * 100;
      before += half.end - half.start + FOLD_MINUTES;
    }
    return 100;
  };
}

const spanOf = (times: { start: string; end: string }): Span => ({ start: minutesOf(times.start), end: minutesOf(times.end) });
const percent = (value: number) => `${value.toFixed(2)}%`;
const isLive = (lesson: TodayLesson) => lesson.state === "live" || lesson.state === "overrun";
const isOff = (lesson: TodayLesson) => lesson.change === "cancelled";
/** The title, after what was done to the lesson since the table was published. */
const titleOf = (lesson: TodayLesson) => (lesson.change === "none" ? label(lesson.title) : `${t(`amend.change.${lesson.change}`)} · ${label(lesson.title)}`);

export function Strip({ today }: { today: TodayView }) {
  const { units, lessons } = today;
  const field = useRef<HTMLDivElement>(null);
  const size = useSize(field);
  const [clock, setClock] = useState(() => countyTime(now()));

  useEffect(() => {
    const timer = setInterval(() => setClock(countyTime(now())), CLOCK_MS);
    return () => clearInterval(timer);
  }, []);

  const periods = units.flatMap((unit) => unit.periods.map(spanOf));
  const axis = axisOf([...periods, ...lessons.flatMap((lesson) => lesson.parties.map(spanOf))]);
  const at = scaleOf(axis);
  const rowOf = new Map(units.map((unit, row) => [unit.id, row]));
  const isToday = clock.date === today.date;
  const past = (lesson: TodayLesson) => isOff(lesson) || lesson.state === "ended" || (isToday && lesson.state === "scheduled" && minutesOf(lesson.end) < clock.minutes);
  const row = 100 / units.length;

  const bars = splitLanes(
    lessons.flatMap((lesson) =>
      lesson.parties.flatMap((party) => {
        const lane = rowOf.get(party.unit);
        return lane === undefined ? [] : [{ lesson: lesson.occurrence, lane, ...spanOf(party) }];
      }),
    ),
  );
  const byId = new Map(lessons.map((lesson) => [lesson.occurrence, lesson]));
  const across = (span: Span) => ({ left: percent(at(span.start)), width: percent(at(span.end) - at(span.start)) });

  return (
    <div class="strip">
      <div class="strip-names">
        {units.map((unit) => (
          <span class="ell" title={unit.name}>
            {unit.shortName}
          </span>
        ))}
      </div>
      <div class="strip-plot">
        <div class="strip-hours" aria-hidden="true">
          {axis.flatMap(halfHours).map((minute) =>
            isToday && Math.abs(at(minute) - at(clock.minutes)) < 4 ? null : <i style={{ left: percent(at(minute)) }}>{clockOf(minute)}</i>,
          )}
        </div>
        <div class="strip-field" ref={field}>
          {units.map((unit, index) => (
            <div class="strip-row" style={{ top: percent(index * row), height: percent(row) }} key={unit.id} />
          ))}
          {axis.length === 2 && <i class="noon" style={{ left: percent(at(axis[0].end)), width: percent(at(axis[1].start) - at(axis[0].end)) }} />}
          {units.flatMap((unit, index) =>
            freePeriods(unit, bars, index).map((period) => (
              <i class="bg" style={{ ...across(period), top: `calc(${percent(index * row)} + 6px)`, height: `calc(${percent(row)} - 12px)` }} />
            )),
          )}
          {lessons.map((lesson) => (
            <Ties key={lesson.occurrence} lesson={lesson} lanes={bars.filter((bar) => bar.lesson === lesson.occurrence).map((bar) => bar.lane)} row={row} at={at} />
          ))}
          {bars.map((bar) => {
            const lesson = byId.get(bar.lesson);
            if (lesson === undefined) return null;
            const tone = `${kindOf(lesson.kind).tone} ${past(lesson) ? "past" : ""}`;
            const place = {
              top: `calc(${percent((bar.lane + bar.part / bar.parts) * row)} + 2px)`,
              height: `calc(${percent(row / bar.parts)} - ${bar.parts > 1 ? 2 : 4}px)`,
            };
            return (
              <>
                <i class={`sg ${tone}`} style={{ ...across(bar), ...place }} />
                <i class={`wn ${tone}`} style={{ ...across(spanOf(lesson)), ...place }} />
              </>
            );
          })}
          {isToday && onAxis(axis, clock.minutes) && (
            <i class="nowl" style={{ left: percent(at(clock.minutes)) }}>
              <b>{clockOf(Math.floor(clock.minutes))}</b>
            </i>
          )}
          <Tags today={today} at={at} size={size} rows={units.length} laneOf={(id) => bars.filter((bar) => bar.lesson === id).map((bar) => bar.lane + (bar.part + 0.5) / bar.parts)} past={past} />
        </div>
      </div>
    </div>
  );
}

/** The unit's periods that no shared lesson of today takes. */
function freePeriods(unit: UnitRef, bars: { lane: number; start: number; end: number }[], lane: number): Span[] {
  const taken = bars.filter((bar) => bar.lane === lane);
  return unit.periods.map(spanOf).filter((period) => !taken.some((bar) => bar.start < period.end && period.start < bar.end));
}

/** The dashed line that leads past the schools which do not take part. */
function Ties({ lesson, lanes, row, at }: { lesson: TodayLesson; lanes: number[]; row: number; at: (minute: number) => number }) {
  const sorted = [...new Set(lanes)].sort((a, b) => a - b);
  const first = sorted[0];
  const last = sorted[sorted.length - 1];
  if (first === undefined || last === undefined || last - first + 1 === sorted.length) return null;
  const middle = (at(minutesOf(lesson.start)) + at(minutesOf(lesson.end))) / 2;
  return <i class={`tie ${kindOf(lesson.kind).tone}`} style={{ left: percent(middle), top: percent((first + 0.5) * row), height: percent((last - first) * row) }} />;
}

interface TagsProps {
  today: TodayView;
  at: (minute: number) => number;
  size: { width: number; height: number };
  rows: number;
  laneOf: (occurrence: string) => number[];
  past: (lesson: TodayLesson) => boolean;
}

function Tags({ today, at, size, rows, laneOf, past }: TagsProps) {
  if (size.width === 0) return null;
  const wishes: Box[] = today.lessons.map((lesson) => {
    const lanes = laneOf(lesson.occurrence);
    const middle = lanes.length ? lanes.reduce((a, b) => a + b, 0) / lanes.length : 0;
    const width = textWidth(titleOf(lesson), 12, true) + 32;
    const x = ((at(minutesOf(lesson.start)) + at(minutesOf(lesson.end))) / 200) * size.width - width / 2;
    return { x, y: (middle / rows) * size.height - TAG_HEIGHT / 2, width, height: TAG_HEIGHT + 2 };
  });
  const boxes = placeLabels(wishes, size);
  return (
    <>
      {today.lessons.map((lesson, index) => {
        const { tone, icon } = kindOf(lesson.kind);
        const box = boxes[index];
        if (box === undefined) return null;
        const state = isLive(lesson) ? "now" : past(lesson) ? "past" : "";
        const address = `/timetable?community=${today.community.id}&view=day&day=${today.weekday}&lesson=${lesson.lesson}&tab=lesson`;
        return (
          <a
            class={`strip-tag ${tone} ${state}`}
            style={{ left: `${box.x}px`, top: `${box.y}px` }}
            href={address}
            data-lesson={lesson.lesson}
            data-state={lesson.state}
            title={`${titleOf(lesson)} ${span(lesson.start, lesson.end)}${lesson.provisional ? ` · ${t("today.provisional")}` : ""}`}
          >
            {isLive(lesson) ? <LiveDot /> : <Icon name={isOff(lesson) ? "ban" : state === "past" ? "check" : icon} size="sm" />}
            {titleOf(lesson)}
          </a>
        );
      })}
    </>
  );
}
