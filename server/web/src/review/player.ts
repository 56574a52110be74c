/**
 * One view of a recorded lesson. This module owns the way from lesson seconds to the right segment and back: several
 * segments, gaps between them, and recordings that still grow. The next segment is made ready on a second screen, so
 * that going from one to the other shows no black.
 */
import type { SegmentView, ViewTrack } from "../generated/api";
import { type FeedEvents, SegmentFeed } from "./feed";
import type { Player } from "./sync";

const EDGE = 0.05;
/** A hole this small at the play position is stepped over. */
const HOLE = 0.75;
const HOLE_AFTER = 300;
/** A screen made ready is taken as it stands when it is this close; the rate does the rest. */
const CLOSE_ENOUGH = 0.25;

/** A video element and the segment it plays. */
class Screen {
  readonly video = document.createElement("video");
  segment: SegmentView | null = null;
  private feed: SegmentFeed | null = null;
  private intended = 0;
  private stuckSince: number | null = null;

  constructor(private readonly events: FeedEvents) {
    this.video.playsInline = true;
    this.video.muted = true;
    this.video.preload = "auto";
  }

  /** Seconds within the segment. */
  get local(): number {
    return this.video.readyState === 0 ? this.intended : this.video.currentTime;
  }

  get frames(): number {
    return this.video.getVideoPlaybackQuality().totalVideoFrames;
  }

  open(segment: SegmentView, local: number, growing: boolean): void {
    this.close();
    this.segment = segment;
    this.intended = local;
    this.feed = new SegmentFeed(segment, growing, () => this.local, this.events);
    this.video.src = this.feed.address;
    this.video.currentTime = local;
  }

  update(segment: SegmentView, growing: boolean): void {
    this.segment = segment;
    this.feed?.update(segment, growing);
  }

  move(local: number): void {
    this.intended = local;
    this.video.currentTime = local;
    this.feed?.moved();
  }

  /** Keeps the buffer filled and steps over small holes. `now` in milliseconds. */
  tend(now: number): void {
    void this.feed?.pump();
    if (this.segment === null || this.video.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA) {
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
    this.feed?.close();
    this.feed = null;
    this.segment = null;
    if (!this.video.hasAttribute("src")) return;
    this.video.removeAttribute("src");
    this.video.load();
  }
}

export class ViewPlayer implements Player {
  private front: Screen;
  private back: Screen;
  private heard = false;

  constructor(
    readonly id: string,
    private track: ViewTrack,
    /** Where the pictures go. */
    readonly frame: HTMLElement,
    private growing: boolean,
    events: FeedEvents,
  ) {
    this.front = new Screen(events);
    this.back = new Screen(events);
    frame.append(this.back.video, this.front.video);
    this.name();
  }

  set muted(muted: boolean) {
    this.heard = !muted;
    this.name();
  }

  get time(): number | null {
    return this.front.segment === null ? null : this.front.segment.start + this.front.local;
  }

  get seeking(): boolean {
    return this.front.video.seeking;
  }

  get ready(): boolean {
    const { video, segment } = this.front;
    return segment !== null && !video.seeking && video.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA;
  }

  /** The review as it is now: longer, or with fresh addresses. */
  update(track: ViewTrack, growing: boolean): void {
    this.track = track;
    this.growing = growing;
    for (const screen of [this.front, this.back]) {
      const same = track.segments.find((segment) => segment.id === screen.segment?.id);
      if (same !== undefined) screen.update(same, growing);
    }
  }

  covers(lesson: number): boolean {
    return this.at(lesson) !== undefined;
  }

  placed(lesson: number): boolean {
    return this.front.segment !== null && this.at(lesson)?.id === this.front.segment.id;
  }

  seek(lesson: number): void {
    const segment = this.at(lesson);
    if (segment === undefined) {
      this.pause();
      return;
    }
    const local = Math.min(Math.max(0, lesson - segment.start), Math.max(0, segment.duration - EDGE));
    if (segment.id === this.front.segment?.id) this.front.move(local);
    else if (segment.id === this.back.segment?.id) {
      if (Math.abs(this.back.local - local) > CLOSE_ENOUGH) this.back.move(local);
      this.swap();
    } else this.front.open(segment, local, this.growing);
  }

  prepare(from: number, until: number): void {
    const coming = this.track.segments
      .filter((segment) => segment.fragments.length > 0 && segment.start > from && segment.start <= until)
      .sort((a, b) => a.start - b.start)[0];
    if (coming !== undefined && coming.id !== this.front.segment?.id && coming.id !== this.back.segment?.id) this.back.open(coming, 0, this.growing);
  }

  play(): void {
    const { video } = this.front;
    // The next tick asks again when the browser refused or a seek came between.
    if (video.paused) video.play().catch(() => undefined);
  }

  pause(): void {
    if (!this.front.video.paused) this.front.video.pause();
  }

  rate(rate: number): void {
    const { video } = this.front;
    if (Math.abs(video.playbackRate - rate) > 0.004) video.playbackRate = rate;
  }

  tend(now: number): void {
    this.front.tend(now);
    this.back.tend(now);
    this.front.video.dataset.frames = String(this.front.frames + this.back.frames);
  }

  close(): void {
    for (const screen of [this.front, this.back]) {
      screen.close();
      screen.video.remove();
    }
  }

  /** Where two segments overlap, the one that begins later is the better one. */
  private at(lesson: number): SegmentView | undefined {
    return [...this.track.segments]
      .sort((a, b) => b.start - a.start)
      .find((segment) => segment.fragments.length > 0 && lesson >= segment.start - EDGE && lesson < segment.start + segment.duration - EDGE);
  }

  private swap(): void {
    this.front.video.pause();
    [this.front, this.back] = [this.back, this.front];
    this.front.video.playbackRate = this.back.video.playbackRate;
    this.name();
  }

  /** Only the screen in front is seen, heard, and known to the page. */
  private name(): void {
    this.front.video.dataset.participant = this.track.participant;
    this.front.video.dataset.source = this.track.source;
    this.front.video.className = "";
    this.front.video.muted = !this.heard;
    this.back.video.muted = true;
    this.back.video.className = "standby";
    delete this.back.video.dataset.participant;
    delete this.back.video.dataset.source;
    delete this.back.video.dataset.frames;
  }
}
