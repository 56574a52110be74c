/** Moving through a grid by the keyboard: one tab stop, arrows to the neighbour, Enter opens. */

import type { TargetedKeyboardEvent } from "preact";

const SIDEWAYS: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1 };
const UPDOWN: Record<string, number> = { ArrowUp: -1, ArrowDown: 1 };

interface Cell {
  element: HTMLElement;
  column: number;
  row: number;
}

function cellsOf(grid: HTMLElement): Cell[] {
  return [...grid.querySelectorAll<HTMLElement>("[data-lesson][data-column]")].map((element) => ({
    element,
    column: Number(element.dataset.column),
    row: Number(element.dataset.row),
  }));
}

const least = (cells: Cell[], distance: (cell: Cell) => number): Cell | undefined =>
  cells.reduce<Cell | undefined>((best, cell) => (best === undefined || distance(cell) < distance(best) ? cell : best), undefined);

/** The key handler of a grid whose lessons carry `data-column` and `data-row` (any rising numbers). */
export function moveThrough(event: TargetedKeyboardEvent<HTMLElement>): void {
  const sideways = SIDEWAYS[event.key];
  const updown = UPDOWN[event.key];
  if (sideways === undefined && updown === undefined && event.key !== "Home" && event.key !== "End") return;
  const cells = cellsOf(event.currentTarget);
  const here = cells.find((cell) => cell.element === document.activeElement);
  if (here === undefined) return;
  event.preventDefault();
  const next = target(cells, here, event.key, sideways, updown);
  if (next === undefined) return;
  here.element.tabIndex = -1;
  next.element.tabIndex = 0;
  next.element.focus();
}

function target(cells: Cell[], here: Cell, key: string, sideways?: number, updown?: number): Cell | undefined {
  if (key === "Home") return cells[0];
  if (key === "End") return cells[cells.length - 1];
  if (sideways !== undefined) {
    const beyond = cells.filter((cell) => (cell.column - here.column) * sideways > 0);
    return least(beyond, (cell) => Math.abs(cell.column - here.column) * 10_000 + Math.abs(cell.row - here.row));
  }
  const column = cells.filter((cell) => cell.column === here.column).sort((a, b) => a.row - b.row);
  return column[column.indexOf(here) + (updown ?? 0)];
}
