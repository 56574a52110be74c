/** How wide a text will be, for placing labels before they are painted. */

const canvas = document.createElement("canvas").getContext("2d");
const FONT = getComputedStyle(document.documentElement).getPropertyValue("--font") || "sans-serif";
const known = new Map<string, number>();

/** Width in CSS px of one line of text in the interface's font. */
export function textWidth(text: string, size: number, strong = false): number {
  const key = `${size}${strong}${text}`;
  let width = known.get(key);
  if (width === undefined) {
    if (canvas === null) return text.length * size;
    canvas.font = `${strong ? 600 : 400} ${size}px ${FONT}`;
    width = Math.ceil(canvas.measureText(text).width);
    known.set(key, width);
  }
  return width;
}
