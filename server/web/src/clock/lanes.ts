/** Lessons that stand side by side in one lane: who takes which part of it, and where the labels go. */

import type { Span } from "./axis";

export interface Bar extends Span {
  lesson: string;
  lane: number;
}

export interface PlacedBar extends Bar {
  /** Its part of the lane: from `part / parts` to `(part + 1) / parts` of the lane's width. */
  part: number;
  parts: number;
}

/** Splits each lane where lessons overlap in time, and only there. */
export function splitLanes(bars: readonly Bar[]): PlacedBar[] {
  const lanes = new Map<number, Bar[]>();
  for (const bar of bars) lanes.set(bar.lane, [...(lanes.get(bar.lane) ?? []), bar]);
  return [...lanes.values()].flatMap(splitLane);
}

function splitLane(bars: Bar[]): PlacedBar[] {
  const found: PlacedBar[] = [];
  let cluster: { bar: Bar; part: number }[] = [];
  let ends: number[] = [];
  let reached = -1;
  const flush = () => {
    found.push(...cluster.map(({ bar, part }) => ({ ...bar, part, parts: ends.length })));
    cluster = [];
    ends = [];
  };
  for (const bar of [...bars].sort((a, b) => a.start - b.start || a.lesson.localeCompare(b.lesson))) {
    if (bar.start >= reached) flush();
    let part = ends.findIndex((end) => end <= bar.start);
    if (part < 0) part = ends.length;
    ends[part] = bar.end;
    cluster.push({ bar, part });
    reached = Math.max(reached, bar.end);
  }
  flush();
  return found;
}

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Wish extends Box {
  /** How far the label may go to the side: from the left edge of the leftmost place to the right edge of the last. */
  from?: number;
  to?: number;
}

const meets = (a: Box, b: Box) => a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
const clamp = (value: number, low: number, high: number) => Math.max(low, Math.min(value, Math.max(low, high)));

/** Places labels one after the other: each takes the free box within `bounds` that is nearest to the one it wishes. */
export function placeLabels(wishes: readonly Wish[], bounds: { width: number; height: number }, step = 4): Box[] {
  const placed: Box[] = [];
  for (const wish of wishes) {
    const { width, height } = wish;
    const lowest = Math.max(0, bounds.height - height);
    const y = clamp(wish.y, 0, lowest);
    const places = sideways(wish, bounds.width);
    const free = (x: number, top: number) => !placed.some((other) => meets({ x, y: top, width, height }, other));
    let box: Box | undefined;
    for (let away = 0; away <= bounds.height && box === undefined; away += step) {
      for (const top of away === 0 ? [y] : [y + away, y - away]) {
        const x = top < 0 || top > lowest ? undefined : places.find((place) => free(place, top));
        if (x === undefined) continue;
        box = { x, y: top, width, height };
        break;
      }
    }
    placed.push(box ?? { x: places[0] ?? 0, y, width, height });
  }
  return placed;
}

/** Left edges to try, the wished one first. */
function sideways({ x, width, from, to }: Wish, limit: number): number[] {
  const low = clamp(from ?? x, 0, limit - width);
  const high = clamp((to ?? x + width) - width, low, limit - width);
  const middle = clamp(x, 0, limit - width);
  return [middle, low, high, (low + middle) / 2, (middle + high) / 2];
}
