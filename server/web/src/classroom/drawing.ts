/**
 * A pen on the shared page. This module owns what becomes of its movements: a line that this screen shows at once, and
 * the few small messages by which all other rooms see it grow.
 */
import { signal } from "@preact/signals";
import type { Colour, Stroke } from "../generated/live";
import type { Wish } from "./connection";
import { absolute } from "./board";

export interface Pen {
  colour: Colour;
  /** In units of the page. */
  width: number;
}

export interface Place {
  version: string;
  page: number;
}

/** A stroke of this screen that the room does not have whole yet. */
export interface LocalStroke extends Pen, Place {
  id: string;
  /** One after the other, `[x, y, x, y, …]`. */
  points: number[];
}

/** Milliseconds between two messages: with those of the rest of the page they stay within a socket's rate. */
const SEND_EVERY = 110;
/** Units below which a movement is the hand's trembling. */
const TREMBLE = 6;
/** Numbers in one message, and points of one stroke; a longer line becomes several. */
const MOST_NUMBERS = 500;
const LONGEST = 1_200;

interface Writing {
  stroke: LocalStroke;
  /** How many numbers of its points have been sent. */
  sent: number;
  begun: boolean;
  waiting: number;
  over: boolean;
  dead: boolean;
}

export class Drawing {
  /** Shown over the room's own strokes until the room has them. */
  readonly local = signal<readonly LocalStroke[]>([]);
  private current: Writing | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** `say` resolves to whether the server did it. */
  constructor(
    private readonly say: (wish: Wish) => Promise<boolean>,
    private readonly newId: () => string,
  ) {}

  get active(): boolean {
    return this.current !== null;
  }

  begin(place: Place, pen: Pen, x: number, y: number): void {
    this.end();
    const stroke: LocalStroke = { id: this.newId(), ...place, ...pen, points: [x, y] };
    this.current = { stroke, sent: 0, begun: false, waiting: 0, over: false, dead: false };
    this.show();
    this.schedule();
  }

  move(x: number, y: number): void {
    const { current } = this;
    if (current === null) return;
    const { points, colour, width, version, page } = current.stroke;
    const [lastX = 0, lastY = 0] = points.slice(-2);
    if (Math.abs(x - lastX) + Math.abs(y - lastY) < TREMBLE) return;
    points.push(x, y);
    if (points.length / 2 >= LONGEST) this.begin({ version, page }, { colour, width }, x, y);
    this.show();
    this.schedule();
  }

  end(): void {
    const { current } = this;
    if (current === null) return;
    this.current = null;
    clearTimeout(this.timer);
    this.timer = undefined;
    current.over = true;
    this.send(current);
    this.finish(current);
  }

  private schedule(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      if (this.current !== null) this.send(this.current);
    }, SEND_EVERY);
  }

  private send(writing: Writing): void {
    const { stroke } = writing;
    while (!writing.dead && writing.sent < stroke.points.length) {
      const points = steps(stroke.points, writing.sent, Math.min(stroke.points.length, writing.sent + MOST_NUMBERS));
      writing.sent += points.length;
      const { id, version, page, colour, width } = stroke;
      const wish: Wish = writing.begun
        ? { t: "extend_stroke", stroke: id, points }
        : { t: "draw_stroke", stroke: id, version, page, colour, width, points };
      writing.begun = true;
      writing.waiting++;
      void this.say(wish).then((done) => {
        writing.waiting--;
        writing.dead ||= !done;
        this.finish(writing);
      });
    }
  }

  /** Whole at the server, or refused: either way this screen shows what the room has. */
  private finish(writing: Writing): void {
    if (writing.dead && this.current === writing) this.current = null;
    if (!writing.dead && !(writing.over && writing.waiting === 0)) return;
    this.local.value = this.local.value.filter((stroke) => stroke.id !== writing.stroke.id);
  }

  private show(): void {
    const stroke = this.current?.stroke;
    if (stroke === undefined) return;
    this.local.value = [...this.local.value.filter((one) => one.id !== stroke.id), { ...stroke }];
  }
}

/** The numbers from `from` to `to` as steps; the first point of a stroke as it is. */
function steps(points: readonly number[], from: number, to: number): number[] {
  const found: number[] = [];
  for (let at = from; at < to; at++) found.push((points[at] ?? 0) - (at < 2 ? 0 : (points[at - 2] ?? 0)));
  return found;
}

/** The newest stroke that a point touches, within so many units. */
export function strokeAt(strokes: readonly Stroke[], x: number, y: number, within: number): Stroke | undefined {
  return [...strokes].reverse().find((stroke) => {
    const points = absolute(stroke.points);
    const near = within + stroke.width / 2;
    for (let at = 0; at + 1 < points.length; at += 2) {
      const [ax = 0, ay = 0, bx = ax, by = ay] = points.slice(at, at + 4);
      if (distance(x, y, ax, ay, bx, by) <= near) return true;
    }
    return false;
  });
}

function distance(x: number, y: number, ax: number, ay: number, bx: number, by: number): number {
  const length = (bx - ax) ** 2 + (by - ay) ** 2;
  const along = length === 0 ? 0 : Math.min(1, Math.max(0, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length));
  return Math.hypot(x - ax - along * (bx - ax), y - ay - along * (by - ay));
}
