/**
 * This page's own clock. A panel with a dead battery comes up hours wrong and is put right in mid-lesson: whatever
 * counts seconds here asks a clock that nobody sets, and the time of day is the server's.
 */

/** Unix seconds as this machine had them when the page was loaded, and the seconds since then. */
export function steadyNow(): number {
  return (performance.timeOrigin + performance.now()) / 1000;
}
