/** What every clock grid shares: the hours at the left, the noon fold, and how high a minute is. */

import type { ComponentChildren, RefObject } from "preact";
import { useEffect, useState } from "preact/hooks";
import { type Axis, halfHours, lengthOf, type Span } from "../clock/axis";
import { t } from "../ui/i18n";
import { useSize } from "../ui/size";
import { clockOf, countyTime, now } from "../ui/time";

const FOLD_HEIGHT = 20;
const HEAD_HEIGHT = 48;
const NOW_LINE_MS = 20_000;
/** Below this a lesson's words no longer fit into its minutes: the grid scrolls instead. */
const LEAST_PX_PER_MINUTE = 1.15;

/** CSS pixels of one minute, so that the day fills the height of the element. */
export function usePixelsPerMinute(element: RefObject<HTMLElement | null>, axis: Axis): { ppm: number; width: number } {
  const size = useSize(element);
  const room = size.height - HEAD_HEIGHT - (axis.length - 1) * FOLD_HEIGHT - 1;
  return { ppm: Math.max(LEAST_PX_PER_MINUTE, room / lengthOf(axis)), width: size.width };
}

export function Hours({ axis, head }: { axis: Axis; head?: ComponentChildren }) {
  return (
    <div class="ax" aria-hidden="true">
      <div class="hh">{head}</div>
      {axis.map((half, index) => (
        <>
          {index > 0 && <div class="fold">{t("clock.noon")}</div>}
          <Half half={half}>
            {halfHours(half).map((minute) => (
              <i style={{ "--s": minute }}>{clockOf(minute)}</i>
            ))}
          </Half>
        </>
      ))}
    </div>
  );
}

/** One stretch of the axis; what stands in it is placed by `--s` and `--e`, in minutes. */
export function Half({ half, date, children }: { half: Span; date?: string; children: ComponentChildren }) {
  return (
    <div class="half" style={{ "--t0": half.start, "--len": half.end - half.start, "--grid": 30 - (half.start % 30) }}>
      {children}
      {date !== undefined && <NowLine half={half} date={date} />}
    </div>
  );
}

/** Where the clock stands, on the day that is today. */
function NowLine({ half, date }: { half: Span; date: string }) {
  const [clock, setClock] = useState(() => countyTime(now()));
  useEffect(() => {
    const timer = setInterval(() => setClock(countyTime(now())), NOW_LINE_MS);
    return () => clearInterval(timer);
  }, []);
  if (clock.date !== date || !inside(half, clock.minutes)) return null;
  return <i class="nowl" style={{ "--s": clock.minutes, "--e": clock.minutes }} />;
}

export function inside(half: Span, minute: number): boolean {
  return minute >= half.start && minute < half.end;
}
