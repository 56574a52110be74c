/**
 * How large each track stands on this screen. This module owns measuring it and telling the server, which sends no
 * picture that nobody sees, and no fine one to a small place.
 */

/** Pixels of height that make no difference. */
const STEP = 90;
const LOOK_EVERY_MS = 500;

export class View {
  private timer: ReturnType<typeof setInterval> | undefined;
  private told = "";

  constructor(private readonly tell: (heights: Record<string, number>) => void) {}

  start(): void {
    this.timer ??= setInterval(this.look, LOOK_EVERY_MS);
    document.addEventListener("visibilitychange", this.look);
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    document.removeEventListener("visibilitychange", this.look);
  }

  /** The server may have forgotten: say it again. */
  reset(): void {
    this.told = "";
  }

  private readonly look = (): void => {
    const heights = measure();
    const told = JSON.stringify(heights);
    if (told === this.told) return;
    this.told = told;
    this.tell(heights);
  };
}

/** The height in device pixels of each track, rounded, in a fixed order; the largest place counts. */
function measure(): Record<string, number> {
  const found = new Map<string, number>();
  if (document.visibilityState === "visible") {
    for (const video of document.querySelectorAll<HTMLVideoElement>("video[data-track]")) {
      const { height } = video.getBoundingClientRect();
      const track = video.dataset.track ?? "";
      const lines = Math.ceil((height * devicePixelRatio) / STEP) * STEP;
      if (lines > 0) found.set(track, Math.max(found.get(track) ?? 0, lines));
    }
  }
  return Object.fromEntries([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}
