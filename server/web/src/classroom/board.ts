/**
 * The board of a lesson: which material all rooms have open, and what is drawn on its pages. This module owns the fold of
 * its events, the same as the server's, and the arithmetic of strokes; it paints nothing.
 */
import type { BoardEvent, BoardState, Event, Material, PageStrokes, Snapshot, Stroke } from "../generated/live";

/** The empty board is on every shelf under this version. */
export const BLANK = "blank";
/** Units of the longer edge of a page. */
export const GRID = 4096;

export function foldBoard(board: BoardState, event: BoardEvent, at: number): BoardState {
  switch (event.type) {
    case "materials_shelved":
      return { ...board, shelf: event.materials };
    case "material_opened":
      return { ...board, shown: { material: event.material, page: event.page, part: 0, by: event.by, since: at } };
    case "page_turned":
      return { ...board, shown: board.shown && { ...board.shown, page: event.page, part: event.part } };
    case "material_closed":
      return { ...board, shown: null };
    case "stroke_drawn": {
      const { type: _, version, page, stroke: id, ...rest } = event;
      if (board.strokes.some((entry) => entry.strokes.some((stroke) => stroke.id === id))) return board;
      return change(board, version, page, (strokes) => [...strokes, { id, ...rest }]);
    }
    case "stroke_extended":
      return where(board, event.stroke, (strokes) =>
        strokes.map((stroke) => (stroke.id === event.stroke ? { ...stroke, points: [...stroke.points, ...event.points] } : stroke)),
      );
    case "stroke_erased":
      return where(board, event.stroke, (strokes) => strokes.filter((stroke) => stroke.id !== event.stroke));
    case "page_cleared":
      return change(board, event.version, event.page, (strokes) =>
        strokes.filter((stroke) => event.participant !== null && stroke.participant !== event.participant),
      );
  }
}

const KINDS: Record<BoardEvent["type"], true> = {
  materials_shelved: true,
  material_opened: true,
  page_turned: true,
  material_closed: true,
  stroke_drawn: true,
  stroke_extended: true,
  stroke_erased: true,
  page_cleared: true,
};

export function isBoardEvent(event: Event["event"]): event is BoardEvent {
  return event.type in KINDS;
}

type Change = (strokes: Stroke[]) => Stroke[];

function change(board: BoardState, version: string, page: number, how: Change): BoardState {
  const known = board.strokes.find((entry) => entry.version === version && entry.page === page);
  const strokes = how(known?.strokes ?? []);
  if (known === undefined) return strokes.length > 0 ? { ...board, strokes: [...board.strokes, { version, page, strokes }] } : board;
  const pages = board.strokes.map((entry) => (entry === known ? { version, page, strokes } : entry));
  return { ...board, strokes: pages.filter((entry) => entry.strokes.length > 0) };
}

function where(board: BoardState, stroke: string, how: Change): BoardState {
  const entry = board.strokes.find((page) => page.strokes.some((one) => one.id === stroke));
  return entry === undefined ? board : change(board, entry.version, entry.page, how);
}

/** What is drawn on a page, the oldest first. */
export function strokesOn(board: BoardState, version: string, page: number): readonly Stroke[] {
  const found: PageStrokes | undefined = board.strokes.find((entry) => entry.version === version && entry.page === page);
  return found?.strokes ?? [];
}

/** The size of a page in units: its longer edge is GRID. */
export function unitsOf(material: Material, page: number): { width: number; height: number } {
  const [width, height] = material.pages[page - 1] ?? [16, 9];
  const scale = GRID / Math.max(width, height);
  return { width: Math.round(width * scale), height: Math.round(height * scale) };
}

/** Height of a band for a page's width of 1. */
const BAND = 0.62;

/** How many bands a page has, as the server counts them; 1 for one that fits a panel as it is. */
export function partsOf(material: Material, page: number): number {
  const [width, height] = material.pages[page - 1] ?? [16, 9];
  return Math.max(1, Math.ceil(height / (width * BAND) - 0.25));
}

/** What of the page is shown, in its units: all of it, or a band. */
export function frameOf(material: Material, page: number, part: number): { top: number; height: number } {
  const { width, height } = unitsOf(material, page);
  const parts = partsOf(material, page);
  if (part === 0 || parts === 1) return { top: 0, height };
  const band = Math.min(height, Math.round(width * BAND));
  return { top: Math.round(((part - 1) * (height - band)) / (parts - 1)), height: band };
}

/** Where one step forwards (1) or backwards (-1) leads: through the bands of an enlarged page, then to the next page. */
export function stepFrom(shown: { material: Material; page: number; part: number }, step: number): { page: number; part: number } | undefined {
  const { material, page, part } = shown;
  const parts = partsOf(material, page);
  if (part > 0 && part + step >= 1 && part + step <= parts) return { page, part: part + step };
  const next = page + step;
  if (next < 1 || next > material.pages.length) return undefined;
  const there = partsOf(material, next);
  return { page: next, part: part === 0 || there === 1 ? 0 : step > 0 ? 1 : there };
}

/** Points of a stroke one after the other, `[x, y, x, y, …]`, from its steps. */
export function absolute(points: readonly number[]): number[] {
  const found: number[] = [];
  let x = 0;
  let y = 0;
  for (let at = 0; at + 1 < points.length; at += 2) {
    x += points[at] ?? 0;
    y += points[at + 1] ?? 0;
    found.push(x, y);
  }
  return found;
}

/** SVG path data through the points, smooth between them. */
export function pathOf(points: readonly number[]): string {
  const [x = 0, y = 0] = points;
  if (points.length <= 2) return `M${x} ${y}h0`;
  let path = `M${x} ${y}`;
  for (let at = 2; at + 3 < points.length; at += 2) {
    const [cx = 0, cy = 0, nx = 0, ny = 0] = points.slice(at, at + 4);
    path += `Q${cx} ${cy} ${(cx + nx) / 2} ${(cy + ny) / 2}`;
  }
  return `${path}L${points[points.length - 2]} ${points[points.length - 1]}`;
}

/** The participant's newest stroke on a page. */
export function lastOf(snapshot: Snapshot, participant: string): Stroke | undefined {
  const { shown } = snapshot.board;
  if (shown === null) return undefined;
  return [...strokesOn(snapshot.board, shown.material.version, shown.page)].reverse().find((stroke) => stroke.participant === participant);
}
