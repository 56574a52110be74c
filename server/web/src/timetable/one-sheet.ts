/**
 * A printed grid of periods is one sheet on the wall where its type can be read on one, and else runs over several: this
 * module owns how much smaller it is drawn for that.
 */

/** Heights on the sheet, millimetres, as `timetable.css` draws them for print. */
const ROOM = 168;
const HEAD = 8;
const BREAK = 5;
const ROW = 19;
/** One of several lessons in the same period of a day. */
const DENSE = 6.4;
/** The smallest type of the grid is 11 px, which are 8.25 points; on A4 none is drawn below 7. */
const LEAST = 7 / 8.25;

/**
 * The factor that makes a grid fit: 1 where it fits as it is, and never less than can be read. `stacks`: of every period,
 * the most lessons that it holds on one day; `breaks`: rows between the periods.
 */
export function fitOnSheet(stacks: readonly number[], breaks: number): number {
  const rows = stacks.reduce((sum, most) => sum + Math.max(ROW, most * DENSE), 0);
  return Math.max(LEAST, Math.min(1, ROOM / (HEAD + breaks * BREAK + rows)));
}
