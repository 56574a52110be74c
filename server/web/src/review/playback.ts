/** Playing a review: this module owns the players, the conductor and their tick, and shows them as signals. */
import { signal } from "@preact/signals";
import type { ReviewView } from "../generated/api";
import { Unplayable } from "./feed";
import { ViewPlayer } from "./player";
import { Conductor, TICK } from "./sync";
import { keyed } from "./words";

export interface Moment {
  position: number;
  playing: boolean;
  waiting: boolean;
  base: number;
  /** Milliseconds between the leading and the farthest following picture. */
  spread: number | null;
}

/** Cameras do not begin in the same moment; within these seconds of the lesson's start they belong to it. */
const SOON = 2;

export const RATES = [0.75, 1, 1.25, 1.5, 2];

export class Playback {
  readonly moment = signal<Moment>({ position: 0, playing: false, waiting: false, base: 1, spread: null });
  /** Whose sound is heard: one at a time. */
  readonly audible = signal<string | null>(null);
  /** The two shown large. */
  readonly large = signal<readonly string[]>([]);
  readonly unplayable = signal<string | null>(null);

  private readonly conductor = new Conductor();
  private readonly players = new Map<string, ViewPlayer>();
  private view: ReviewView;
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(
    view: ReviewView,
    /** Signed addresses have expired: fetch the review again and `update`. */
    private readonly renew: () => void,
  ) {
    this.view = view;
    const views = keyed(view);
    const hosts = views.filter(({ track }) => track.side === "host");
    const host = hosts.find(({ track }) => track.source === "teacher") ?? hosts[0] ?? views[0];
    const far = views.find(({ track }) => track.side === "member" && track.segments.length > 0) ?? views.find((one) => one !== host);
    this.large.value = [host, far].flatMap((one) => (one ? [one.key] : []));
    this.audible.value = (views.find((one) => one === host && hasSound(one.track)) ?? views.find(({ track }) => hasSound(track)))?.key ?? null;
    this.arrange();
    this.conductor.position = beginning(view);
  }

  start(): void {
    this.timer = setInterval(() => this.tick(), TICK);
  }

  stop(): void {
    clearInterval(this.timer);
    for (const player of this.players.values()) player.close();
    this.players.clear();
  }

  /** The place of a view on the page has come or gone. */
  attach(key: string, frame: HTMLElement | null): void {
    if (frame !== null && this.players.get(key)?.frame === frame) return;
    this.drop(key);
    const track = keyed(this.view).find((one) => one.key === key)?.track;
    if (frame !== null && track !== undefined) {
      const player = new ViewPlayer(key, track, frame, this.view.recording, {
        expired: () => this.renew(),
        failed: (error) => {
          if (error instanceof Unplayable) this.unplayable.value = error.mime;
        },
      });
      this.players.set(key, player);
      player.seek(this.conductor.position);
    }
    this.arrange();
  }

  /** The review as it is now: longer, or with fresh addresses. */
  update(view: ReviewView): void {
    this.view = view;
    const views = keyed(view);
    for (const { key, track } of views) {
      if (track.segments.length > 0) this.players.get(key)?.update(track, view.recording);
      else this.drop(key);
    }
    if (!views.some(({ key, track }) => key === this.audible.value && hasSound(track))) this.audible.value = views.find(({ track }) => hasSound(track))?.key ?? null;
    this.arrange();
  }

  toggle(): void {
    if (this.conductor.playing) this.conductor.pause();
    else this.conductor.play();
    this.show();
  }

  seek(lesson: number): void {
    this.conductor.seek(lesson);
    this.show();
  }

  step(seconds: number): void {
    this.seek(this.conductor.position + seconds);
  }

  setRate(base: number): void {
    this.conductor.base = base;
    this.show();
  }

  listenTo(key: string): void {
    this.audible.value = key;
    this.arrange();
  }

  /** Shows a view large, beside the host's side where that is possible. */
  enlarge(key: string): void {
    const [first, second] = this.large.value;
    if (key === first || key === second) return;
    this.large.value = first === undefined ? [key] : [first, key];
    this.arrange();
  }

  /** With everything of it that was fetched ahead. */
  private drop(key: string): void {
    this.players.get(key)?.close();
    this.players.delete(key);
  }

  private arrange(): void {
    for (const [id, player] of this.players) player.muted = id !== this.audible.value;
    const order = [this.audible.value, ...this.large.value].flatMap((id) => (id === null ? [] : [id]));
    this.conductor.set([...this.players.values()], order);
    this.conductor.duration = this.view.duration;
    this.conductor.growing = this.view.recording;
  }

  private tick(): void {
    this.conductor.tick(performance.now());
    this.show();
  }

  private show(): void {
    const { position, playing, waiting, base, spread } = this.conductor;
    const before = this.moment.value;
    const distance = spread === null ? null : Math.round(spread * 1000);
    if (before.position === position && before.playing === playing && before.waiting === waiting && before.base === base && before.spread === distance) return;
    this.moment.value = { position, playing, waiting, base, spread: distance };
  }
}

function hasSound(track: ReviewView["views"][number]): boolean {
  return track.segments.some((segment) => segment.hasAudio);
}

/** Where a review opens: as soon as everybody who was there from the start can be seen. */
function beginning(view: ReviewView): number {
  const starts = view.views.map(({ segments }) => Math.min(...segments.map((segment) => segment.start)));
  return Math.max(0, ...starts.filter((start) => start < SOON));
}
