/** The clock axis: which stretch of the day is drawn, with the noon break folded away. */

export interface Span {
  start: number;
  end: number;
}

/** A school day as it is drawn: one stretch of minutes, or two around the noon break. */
export type Axis = readonly [Span] | readonly [Span, Span];

const NOON_FROM = 11 * 60;
const NOON_TO = 15 * 60;
const FOLD_FROM_MINUTES = 40;
const MARGIN = 8;
const WHOLE_DAY: Span = { start: 8 * 60, end: 17 * 60 };

/** The axis that shows all of `spans` (minutes after midnight), folded at the longest gap around noon. */
export function axisOf(spans: readonly Span[]): Axis {
  if (spans.length === 0) return [WHOLE_DAY];
  const first = Math.min(...spans.map((span) => span.start));
  const last = Math.max(...spans.map((span) => span.end));
  const whole = { start: first - MARGIN, end: last + MARGIN };
  const gap = longestGap(spans);
  if (gap === null || gap.end - gap.start < FOLD_FROM_MINUTES) return [whole];
  return [
    { start: whole.start, end: gap.start + MARGIN },
    { start: gap.end - MARGIN, end: whole.end },
  ];
}

/** The longest stretch around noon in which nobody has a lesson. */
function longestGap(spans: readonly Span[]): Span | null {
  let best: Span | null = null;
  let reached = -1;
  for (const span of [...spans].sort((a, b) => a.start - b.start)) {
    if (reached >= NOON_FROM && span.start <= NOON_TO && span.start > reached && (best === null || span.start - reached > best.end - best.start)) {
      best = { start: reached, end: span.start };
    }
    reached = Math.max(reached, span.end);
  }
  return best;
}

export function lengthOf(axis: Axis): number {
  return axis.reduce((sum, half) => sum + half.end - half.start, 0);
}

/** Full and half hours inside a stretch. */
export function halfHours({ start, end }: Span): number[] {
  const found: number[] = [];
  for (let minute = Math.ceil(start / 30) * 30; minute <= end; minute += 30) found.push(minute);
  return found;
}

/** The part of the axis that a minute falls into; during the fold, the end of the morning. */
export function halfAt(axis: Axis, minute: number): Span {
  return axis.find((half) => minute <= half.end) ?? axis[axis.length - 1] ?? WHOLE_DAY;
}

/** Whether a minute is drawn at all. */
export function onAxis(axis: Axis, minute: number): boolean {
  return axis.some((half) => minute >= half.start && minute <= half.end);
}
