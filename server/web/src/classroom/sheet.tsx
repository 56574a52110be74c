/** The page that all rooms see, with what is drawn on it, and the pens. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { Colour } from "../generated/live";
import { t } from "../ui/i18n";
import { Icon } from "../ui/icons";
import { lastOf, strokesOn, unitsOf } from "./board";
import type { Classroom } from "./classroom";
import { type Pen, strokeAt } from "./drawing";
import { Paper } from "./paper";
import { type Room, self } from "./room";

export type Tool = "none" | "pen" | "eraser";

export interface Pens {
  tool: Tool;
  colour: Colour;
  thick: boolean;
}

const COLOURS: readonly Colour[] = ["red", "blue", "ink", "teal", "plum", "marker"];
const MARKER = 120;
const ERASER = 26;
/** A hand's edge or a sleeve leaves a wider mark than a finger, in CSS px. */
const PALM = 70;

/** Widths in units of the page: a wall panel is read from eight metres. */
export const WIDTHS = { desk: [10, 24], wall: [20, 44], phone: [14, 30] } as const;
export type Surface = keyof typeof WIDTHS;

export function usePens(tool: Tool): [Pens, (change: Partial<Pens>) => void] {
  const [pens, set] = useState<Pens>({ tool, colour: "red", thick: false });
  return [pens, (change) => set((old) => ({ ...old, ...change }))];
}

export interface SheetProps {
  classroom: Classroom;
  room: Room;
  surface: Surface;
  /** Absent: the page is only looked at. */
  pens?: Pens;
}

/** The page, as large as its place allows. */
export function Sheet({ classroom, room, surface, pens }: SheetProps) {
  const { board } = room.snapshot;
  const layer = useRef<SVGSVGElement>(null);
  const pen = useRef<{ type: string; at: number }>({ type: "", at: 0 });
  const erased = useRef(new Set<string>());
  const { shown } = board;
  // A line that was begun on a page ends with it: the hand that goes on would write where nobody looks.
  useEffect(() => () => classroom.drawing.end(), [shown?.material.version, shown?.page, shown?.part]);
  if (shown === null) return null;
  const { material, page } = shown;
  const place = { version: material.version, page };
  const { width, height } = unitsOf(material, page);
  const strokes = strokesOn(board, material.version, page);
  const local = classroom.drawing.local.value.filter((stroke) => stroke.version === material.version && stroke.page === page);
  const active = pens !== undefined && pens.tool !== "none";

  const pointOf = (event: PointerEvent): [number, number] => {
    const box = layer.current?.getScreenCTM();
    if (!box) return [0, 0];
    const within = (value: number, most: number) => Math.round(Math.min(most, Math.max(0, value)));
    return [within((event.clientX - box.e) / box.a, width), within((event.clientY - box.f) / box.d, height)];
  };
  const erase = (event: PointerEvent) => {
    const mine = room.role === "host" ? strokes : strokes.filter((stroke) => stroke.participant === room.me);
    const hit = strokeAt(mine.filter((stroke) => !erased.current.has(stroke.id)), ...pointOf(event), ERASER);
    if (hit === undefined) return;
    erased.current.add(hit.id);
    classroom.ask({ t: "erase_stroke", stroke: hit.id });
  };
  const down = (event: PointerEvent) => {
    if (!active || classroom.drawing.active || event.button > 0) return;
    const palm = event.pointerType === "touch" && (Math.max(event.width, event.height) > PALM || (pen.current.type === "pen" && event.timeStamp - pen.current.at < 800));
    if (palm) return;
    pen.current = { type: event.pointerType, at: event.timeStamp };
    event.preventDefault();
    layer.current?.setPointerCapture(event.pointerId);
    if (pens.tool === "eraser") erase(event);
    else classroom.drawing.begin(place, penOf(pens, surface), ...pointOf(event));
  };
  const move = (event: PointerEvent) => {
    if (!active || !layer.current?.hasPointerCapture(event.pointerId)) return;
    if (event.pointerType === "pen") pen.current.at = event.timeStamp;
    if (pens.tool === "eraser") return erase(event);
    const all = event.getCoalescedEvents?.() ?? [];
    for (const one of all.length > 0 ? all : [event]) classroom.drawing.move(...pointOf(one));
  };
  const up = (event: PointerEvent) => {
    if (layer.current?.hasPointerCapture(event.pointerId)) classroom.drawing.end();
    erased.current.clear();
  };
  return (
    <Paper
      board={board}
      pages={classroom.pages}
      own={local}
      layer={layer}
      class={active ? pens.tool : ""}
      on={{ onPointerDown: down, onPointerMove: move, onPointerUp: up, onPointerCancel: up, onLostPointerCapture: () => classroom.drawing.end() }}
    />
  );
}

export interface PenToolsProps {
  classroom: Classroom;
  room: Room;
  pens: Pens;
  change: (change: Partial<Pens>) => void;
  /** Whether the pen can be put down, so that the page is only looked at. */
  optional?: boolean;
}

export function PenTools({ classroom, room, pens, change, optional }: PenToolsProps) {
  const [sure, setSure] = useState(false);
  const me = self(room);
  const { shown } = room.snapshot.board;
  const last = me && lastOf(room.snapshot, me.id);
  const here = shown ? strokesOn(room.snapshot.board, shown.material.version, shown.page) : [];
  const clearable = room.role === "host" ? here.length > 0 : last !== undefined;
  const drawing = pens.tool === "pen";
  return (
    <div class="pens" role="toolbar" aria-label={t("board.pens")} data-tool={pens.tool}>
      {optional && (
        <button type="button" data-tool="none" aria-pressed={pens.tool === "none"} aria-label={t("board.point")} title={t("board.point")} onClick={() => change({ tool: "none" })}>
          <Icon name="hand" size="lg" />
        </button>
      )}
      {COLOURS.map((colour) => (
        <button
          type="button"
          key={colour}
          class="swatch"
          data-colour={colour}
          aria-pressed={drawing && pens.colour === colour}
          aria-label={t(`board.colour_${colour}`)}
          title={t(`board.colour_${colour}`)}
          onClick={() => change({ tool: "pen", colour })}
        >
          <i class={`b-${colour}`} />
        </button>
      ))}
      <button
        type="button"
        data-tool="thick"
        aria-pressed={pens.thick}
        aria-label={t("board.thick")}
        title={t("board.thick")}
        onClick={() => change({ thick: !pens.thick, tool: pens.tool === "none" ? "pen" : pens.tool })}
      >
        <i class={`width ${pens.thick ? "thick" : ""}`} />
      </button>
      <button type="button" data-tool="eraser" aria-pressed={pens.tool === "eraser"} aria-label={t("board.eraser")} title={t("board.eraser")} onClick={() => change({ tool: "eraser" })}>
        <Icon name="eraser" size="lg" />
      </button>
      <button
        type="button"
        data-action="undo-stroke"
        aria-disabled={last === undefined || undefined}
        aria-label={t("board.undo")}
        title={t("board.undo")}
        onClick={() => last && classroom.ask({ t: "erase_stroke", stroke: last.id })}
      >
        <Icon name="undo" size="lg" />
      </button>
      <button
        type="button"
        class={sure ? "sure" : ""}
        data-action="clear-page"
        data-confirm={sure}
        aria-disabled={!clearable || undefined}
        aria-label={t(sure ? "board.clear_sure" : "board.clear")}
        title={t(sure ? "board.clear_sure" : "board.clear")}
        onBlur={() => setSure(false)}
        onClick={() => {
          if (!clearable || shown === null) return;
          if (sure) classroom.ask({ t: "clear_page", version: shown.material.version, page: shown.page });
          setSure(!sure);
        }}
      >
        <Icon name={sure ? "check" : "trash"} size="lg" />
      </button>
    </div>
  );
}

function penOf(pens: Pens, surface: Surface): Pen {
  if (pens.colour === "marker") return { colour: "marker", width: MARKER };
  return { colour: pens.colour, width: WIDTHS[surface][pens.thick ? 1 : 0] };
}
