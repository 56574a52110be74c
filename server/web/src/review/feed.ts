/**
 * One recorded segment fed into Media Source Extensions by its fragment index. This module owns which fragments are
 * fetched, appended and thrown away again around a play position. It works the same on a file that still grows.
 */
import type { Fragment, SegmentView } from "../generated/api";
import { seatHeaders } from "../ui/api";

/** Seconds kept ready before the position, and kept behind it. */
const AHEAD = 20;
const BEHIND = 40;
/** One request carries at most this much, so that a seek never waits behind a large one. */
const MOST_BYTES = 1_500_000;
const MOST_SECONDS = 8;
const RETRY_AFTER = 1_500;
const HALF_FRAME = 0.02;

export interface FeedEvents {
  /** The signed address is no longer good: bring a fresh one by `update`. */
  expired(): void;
  failed(error: unknown): void;
}

export class SegmentFeed {
  readonly address: string;
  private readonly source = new MediaSource();
  private buffer: SourceBuffer | null = null;
  private appended = new Set<number>();
  private begun = false;
  private busy = false;
  private closed = false;
  private abort = new AbortController();
  private restUntil = 0;

  constructor(
    private segment: SegmentView,
    private growing: boolean,
    private readonly position: () => number,
    private readonly events: FeedEvents,
  ) {
    this.address = URL.createObjectURL(this.source);
    this.source.addEventListener("sourceopen", () => this.open(), { once: true });
  }

  /** A later look at the same segment: more fragments, or a fresh address. */
  update(segment: SegmentView, growing: boolean): void {
    this.segment = segment;
    this.growing = growing;
    this.restUntil = 0;
    this.stretch();
  }

  /** Fetch and append what the position needs; harmless when nothing is missing or a fetch is under way. */
  async pump(): Promise<void> {
    if (this.busy || this.closed || this.buffer === null || performance.now() < this.restUntil) return;
    this.busy = true;
    try {
      if (!this.begun) {
        await this.append(await this.load(this.segment.initOffset, this.segment.initOffset + this.segment.initSize));
        this.begun = true;
      }
      for (let run = nextRun(this.segment.fragments, this.appended, this.position()); run !== null && !this.closed; ) {
        const [first, last] = [this.segment.fragments[run.from], this.segment.fragments[run.to]];
        if (first === undefined || last === undefined) break;
        const bytes = await this.load(first[2], last[2] + last[3]);
        await this.append(bytes);
        for (let index = run.from; index <= run.to; index++) this.appended.add(index);
        await this.trim();
        run = nextRun(this.segment.fragments, this.appended, this.position());
      }
      this.finish();
    } catch (error) {
      if (!this.closed && !(error instanceof DOMException && error.name === "AbortError")) {
        this.restUntil = performance.now() + RETRY_AFTER;
        if (error instanceof Expired) this.events.expired();
        else this.events.failed(error);
      }
    } finally {
      this.busy = false;
    }
  }

  /** A fetch for a place that nobody watches any more is given up. */
  moved(): void {
    this.abort.abort();
    this.abort = new AbortController();
    void this.pump();
  }

  close(): void {
    this.closed = true;
    this.abort.abort();
    URL.revokeObjectURL(this.address);
  }

  private open(): void {
    if (this.closed) return;
    if (!MediaSource.isTypeSupported(this.segment.mime)) {
      this.events.failed(new Unplayable(this.segment.mime));
      return;
    }
    this.buffer = this.source.addSourceBuffer(this.segment.mime);
    this.stretch();
    void this.pump();
  }

  private stretch(): void {
    const last = this.segment.fragments[this.segment.fragments.length - 1];
    const length = Math.max(this.segment.duration, last ? last[0] + last[1] : 0);
    if (this.source.readyState !== "open" || this.buffer?.updating || length <= 0) return;
    if (Number.isNaN(this.source.duration) || this.source.duration < length) this.source.duration = length;
  }

  /** Says that no more will come, else the last pictures are never shown: the decoder waits for their successors. */
  private finish(): void {
    const complete = this.appended.has(this.segment.fragments.length - 1) && !this.growing;
    if (complete && this.source.readyState === "open" && this.buffer?.updating === false) this.source.endOfStream();
  }

  private async load(from: number, to: number): Promise<ArrayBuffer> {
    const response = await fetch(this.segment.url, {
      headers: { Range: `bytes=${from}-${to - 1}`, ...seatHeaders() },
      signal: this.abort.signal,
      credentials: "same-origin",
    });
    if (response.status === 401 || response.status === 403 || response.status === 404 || response.status === 410) throw new Expired();
    if (!response.ok) throw new Error(`the recording answered ${response.status}`);
    const bytes = await response.arrayBuffer();
    // A server or proxy without byte ranges answers with the whole file.
    return response.status === 206 ? bytes : bytes.slice(from, to);
  }

  private async append(bytes: ArrayBuffer): Promise<void> {
    try {
      await this.change((buffer) => buffer.appendBuffer(bytes));
    } catch (error) {
      if (!(error instanceof DOMException && error.name === "QuotaExceededError")) throw error;
      await this.trim(2);
      await this.change((buffer) => buffer.appendBuffer(bytes));
    }
    this.stretch();
  }

  /** Throws away what lies far behind or far ahead of the position, from keyframe to keyframe. */
  private async trim(behind = BEHIND): Promise<void> {
    const { fragments } = this.segment;
    const at = this.position();
    const kept = startOf(fragments, at - behind);
    const tail = fragments.findIndex((fragment, index) => fragment[4] && fragment[0] > at + AHEAD * 3 && index > kept);
    await this.forget(0, kept);
    if (tail > 0) await this.forget(tail, fragments.length);
  }

  private async forget(from: number, to: number): Promise<void> {
    const gone = [...this.appended].filter((index) => index >= from && index < to);
    const first = this.segment.fragments[from];
    const until = this.segment.fragments[to]?.[0] ?? Infinity;
    if (gone.length === 0 || first === undefined) return;
    await this.change((buffer) => buffer.remove(first[0], until));
    for (const index of gone) this.appended.delete(index);
  }

  private change(what: (buffer: SourceBuffer) => void): Promise<void> {
    const { buffer } = this;
    if (buffer === null || this.closed) return Promise.reject(new DOMException("closed", "AbortError"));
    return new Promise((resolve, reject) => {
      const done = () => {
        buffer.removeEventListener("error", fail);
        resolve();
      };
      const fail = () => {
        buffer.removeEventListener("updateend", done);
        reject(new Error("the recording could not be read"));
      };
      buffer.addEventListener("updateend", done, { once: true });
      buffer.addEventListener("error", fail, { once: true });
      try {
        what(buffer);
      } catch (error) {
        buffer.removeEventListener("updateend", done);
        buffer.removeEventListener("error", fail);
        reject(error);
      }
    });
  }
}

export class Expired extends Error {}

/** This browser has no decoder for the recording. */
export class Unplayable extends Error {
  constructor(readonly mime: string) {
    super(`this browser cannot play ${mime}`);
  }
}

/** Index of the fragment to start decoding from for `time`: the last one at or before it that starts with a keyframe. */
export function startOf(fragments: readonly Fragment[], time: number): number {
  let low = 0;
  let high = fragments.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((fragments[middle]?.[0] ?? Infinity) <= time + HALF_FRAME) low = middle + 1;
    else high = middle;
  }
  for (let index = low - 1; index > 0; index--) if (fragments[index]?.[4]) return index;
  return 0;
}

/** The next stretch of neighbouring fragments that the position lacks, small enough for one request; null when ready. */
export function nextRun(fragments: readonly Fragment[], appended: ReadonlySet<number>, position: number): { from: number; to: number } | null {
  const until = position + AHEAD;
  let from = startOf(fragments, position);
  while (from < fragments.length && appended.has(from)) from++;
  const first = fragments[from];
  if (first === undefined || first[0] > until) return null;
  let to = from;
  for (let index = from + 1; index < fragments.length; index++) {
    const fragment = fragments[index];
    const previous = fragments[to];
    if (fragment === undefined || previous === undefined || appended.has(index) || fragment[0] > until) break;
    const neighbours = previous[2] + previous[3] === fragment[2];
    if (!neighbours || fragment[2] + fragment[3] - first[2] > MOST_BYTES || fragment[0] + fragment[1] - first[0] > MOST_SECONDS) break;
    to = index;
  }
  return { from, to };
}
