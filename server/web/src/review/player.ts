/**
 * One participant of a recorded lesson in one video element. This module owns the way from lesson seconds to the right
 * segment and back: several segments, gaps between them, and recordings that still grow.
 */
import type { SegmentView, ViewTrack } from "../generated/api";
import type { Player } from "./sync";
import { type FeedEvents, SegmentFeed } from "./feed";

const EDGE = 0.05;
/** A hole this small at the play position is stepped over. */
const HOLE = 0.75;
const HOLE_AFTER = 300;

export class ViewPlayer implements Player {
  private segment: SegmentView | null = null;
  private feed: SegmentFeed | null = null;
  private stuckSince: number | null = null;
  private intended = 0;

  constructor(
    readonly id: string,
    private track: ViewTrack,
    readonly video: HTMLVideoElement,
    private growing: boolean,
    private readonly events: FeedEvents,
  ) {
    video.playsInline = true;
    video.preload = "auto";
  }

  update(track: ViewTrack, growing: boolean): void {
    this.track = track;
    this.growing = growing;
    const same = track.segments.find((segment) => segment.id === this.segment?.id);
    if (same === undefined) return;
    this.segment = same;
    this.feed?.update(same, growing);
  }

  covers(lesson: number): boolean {
    return this.at(lesson) !== undefined;
  }

  placed(lesson: number): boolean {
    return this.segment !== null && this.at(lesson)?.id === this.segment.id;
  }

  /** The lesson second that the element stands at; null while it stands at none. */
  get time(): number | null {
    if (this.segment === null) return null;
    return this.segment.start + (this.video.readyState === 0 ? this.intended : this.video.currentTime);
  }

  get seeking(): boolean {
    return this.video.seeking;
  }

  /** It could move on at once. */
  get ready(): boolean {
    return this.segment !== null && !this.video.seeking && this.video.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA;
  }

  seek(lesson: number): void {
    const segment = this.at(lesson);
    if (segment === undefined) {
      this.pause();
      return;
    }
    const local = Math.min(Math.max(0, lesson - segment.start), Math.max(0, segment.duration - EDGE));
    this.intended = local;
    if (segment.id !== this.segment?.id) this.open(segment);
    else {
      this.video.currentTime = local;
      this.feed?.moved();
    }
  }

  prepare(from: number, until: number): void {
    const coming = this.track.segments.find((segment) => segment.fragments.length > 0 && segment.start > from && segment.start <= until);
    if (coming === undefined || coming.id === this.segment?.id) return;
    this.pause();
    this.intended = 0;
    this.open(coming);
  }

  play(): void {
    // The next tick asks again when the browser refused or a seek came between.
    if (this.video.paused) this.video.play().catch(() => undefined);
  }

  pause(): void {
    if (!this.video.paused) this.video.pause();
  }

  rate(rate: number): void {
    if (Math.abs(this.video.playbackRate - rate) > 0.004) this.video.playbackRate = rate;
  }

  /** Keeps the buffer filled and steps over small holes; called a few times a second. `now` in milliseconds. */
  tend(now: number): void {
    void this.feed?.pump();
    const waiting = this.segment !== null && this.video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA;
    if (!waiting) {
      this.stuckSince = null;
      return;
    }
    this.stuckSince ??= now;
    if (now - this.stuckSince < HOLE_AFTER) return;
    const { buffered, currentTime } = this.video;
    for (let range = 0; range < buffered.length; range++) {
      const start = buffered.start(range);
      if (start > currentTime && start - currentTime < HOLE) {
        this.video.currentTime = start + 0.001;
        this.stuckSince = null;
        return;
      }
    }
  }

  close(): void {
    this.drop();
  }

  private at(lesson: number): SegmentView | undefined {
    // Where two overlap, the one that begins later is the better one.
    return [...this.track.segments]
      .sort((a, b) => b.start - a.start)
      .find((segment) => segment.fragments.length > 0 && lesson >= segment.start - EDGE && lesson < segment.start + segment.duration - EDGE);
  }

  private open(segment: SegmentView): void {
    this.drop();
    this.segment = segment;
    const feed = new SegmentFeed(segment, this.growing, () => (this.video.readyState === 0 ? this.intended : this.video.currentTime), this.events);
    this.feed = feed;
    this.video.src = feed.address;
    this.video.currentTime = this.intended;
  }

  private drop(): void {
    this.feed?.close();
    this.feed = null;
    this.segment = null;
    if (this.video.hasAttribute("src")) {
      this.video.removeAttribute("src");
      this.video.load();
    }
  }
}
