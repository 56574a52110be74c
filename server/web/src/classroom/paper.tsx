/** A page with what is drawn on it: what rooms see in the lesson, and what its review shows of that moment. */
import "./board.css";
import type { SVGAttributes, RefObject } from "preact";
import type { BoardState, Stroke } from "../generated/live";
import { t } from "../ui/i18n";
import { absolute, BLANK, frameOf, pathOf, strokesOn, unitsOf } from "./board";
import type { LocalStroke } from "./drawing";
import type { PagePictures } from "./page-pictures";

export interface PaperProps {
  board: BoardState;
  pages: PagePictures;
  /** Strokes of this screen that the room does not have whole yet. */
  own?: readonly LocalStroke[];
  /** The layer of the strokes: where the pen writes. */
  layer?: RefObject<SVGSVGElement | null>;
  class?: string;
  on?: SVGAttributes<SVGSVGElement>;
}

/** The open page, as large as its place allows; nothing where none is open. */
export function Paper({ board, pages, own = [], layer, class: tool = "", on = {} }: PaperProps) {
  pages.arrived.value; // painted again when a picture has come
  const { shown } = board;
  if (shown === null) return null;
  const { material, page, part } = shown;
  const place = { version: material.version, page };
  const { width, height } = unitsOf(material, page);
  const { top, height: seen } = frameOf(material, page, part);
  const frame = `0 ${top} ${width} ${seen}`;
  const large = pages.url({ ...place, small: false });
  const picture = large ?? pages.url({ ...place, small: true });
  const blank = material.version === BLANK;
  const strokes = strokesOn(board, material.version, page);
  const drawnHere = new Set(own.map((stroke) => stroke.id));
  return (
    <div
      class="sheet"
      data-material={material.version}
      data-page={page}
      data-part={part}
      data-pages={material.pages.length}
      data-strokes={strokes.length}
      data-picture={blank ? "blank" : large ? "large" : picture ? "small" : "none"}
      role="img"
      aria-label={t("board.page_of", { title: titleOf(material), page, pages: material.pages.length })}
    >
      <svg class="paper" viewBox={frame}>
        <rect width={width} height={height} fill="#fff" />
        {picture && <image href={picture} width={width} height={height} preserveAspectRatio="none" />}
        {!picture && !blank && (
          <text x={width / 2} y={top + seen / 2} class="coming">
            {t(pages.gone({ ...place, small: false }) ? "board.page_gone" : "board.page_comes")}
          </text>
        )}
      </svg>
      <svg ref={layer} class={`ink ${tool}`} viewBox={frame} {...on}>
        {strokes
          .filter((stroke) => !drawnHere.has(stroke.id))
          .map((stroke) => (
            <path key={stroke.id} class={`c-${stroke.colour}`} stroke-width={stroke.width} d={dataOf(stroke)} />
          ))}
        {own.map((stroke) => (
          <path key={stroke.id} class={`c-${stroke.colour}`} stroke-width={stroke.width} d={pathOf(stroke.points)} />
        ))}
      </svg>
    </div>
  );
}

/** What a material is called; the empty board has its name from us. */
export function titleOf(material: { version: string; title: string }): string {
  return material.version === BLANK ? t("board.blank") : material.title;
}

const paths = new WeakMap<Stroke, string>();

function dataOf(stroke: Stroke): string {
  let data = paths.get(stroke);
  if (data === undefined) {
    data = pathOf(absolute(stroke.points));
    paths.set(stroke, data);
  }
  return data;
}
