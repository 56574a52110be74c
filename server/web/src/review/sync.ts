/**
 * Several views of one lesson moving as one. This module owns the lesson's play position: which view leads, and how the
 * others follow by small changes of their rate, so that nobody sees a jump.
 */

/** What is followed or led; times in lesson seconds. */
export interface Player {
  readonly id: string;
  readonly time: number | null;
  readonly seeking: boolean;
  readonly ready: boolean;
  /** Whether anything was recorded at this second. */
  covers(lesson: number): boolean;
  /** Whether it stands in the segment that holds this second; a seek that never ends there does not count. */
  placed(lesson: number): boolean;
  seek(lesson: number): void;
  /** Makes ready a segment that starts in this stretch, so that its picture is there on time. */
  prepare(from: number, until: number): void;
  play(): void;
  pause(): void;
  rate(rate: number): void;
  tend(now: number): void;
}

export const TICK = 100;
const GAIN = 0.9;
const MOST_CHANGE = 0.25;
const DEAD_BAND = 0.01;
const HARD_SEEK = 0.6;
const HOLD_AFTER_SEEK = 400;
/** A paused view this far off is put right; smaller is not seen. */
const STILL_TOLERANCE = 0.045;
/** A leader this far from the position has not been told of it. */
const LOST = 2;
/** Seconds before a segment begins from which on it is loaded. */
const PREPARE = 4;
const FIRST_LATENCY = 0.15;
const LONGEST_LATENCY = 1.5;

/** The rate of a follower that is `error` seconds behind (negative: ahead) of a leader at `base`. */
export function followingRate(error: number, base: number): number {
  if (Math.abs(error) <= DEAD_BAND) return base;
  return base * (1 + Math.max(-MOST_CHANGE, Math.min(MOST_CHANGE, GAIN * error)));
}

interface Follower {
  holdUntil: number;
  /** Measured seconds that a seek takes, so that the next one aims ahead by it. */
  latency: number;
  soughtAt: number | null;
}

export class Conductor {
  position = 0;
  playing = false;
  base = 1;
  duration = 0;
  /** More is still being recorded: the end is not the end. */
  growing = false;
  /** The leader has no data yet. */
  waiting = false;
  /** The largest distance between the leader and a follower with a picture, seconds; null when nothing follows. */
  spread: number | null = null;

  private players: readonly Player[] = [];
  private preferred: readonly string[] = [];
  private leader: Player | null = null;
  private followers = new Map<string, Follower>();
  private last: number | null = null;

  /** `order`: ids by how much they deserve to lead: what is heard first, then what is seen large. */
  set(players: readonly Player[], order: readonly string[]): void {
    this.players = players;
    this.preferred = order;
    for (const player of players) {
      if (!this.followers.has(player.id)) this.followers.set(player.id, { holdUntil: 0, latency: FIRST_LATENCY, soughtAt: null });
    }
  }

  play(): void {
    if (this.position >= this.duration - 0.2 && !this.growing) this.seek(0);
    this.playing = true;
    this.last = null;
    // Started inside the gesture: browsers let sound begin only there.
    for (const player of this.players) if (player.covers(this.position)) player.play();
  }

  pause(): void {
    this.playing = false;
    this.spread = null;
    for (const player of this.players) {
      player.pause();
      player.rate(this.base);
    }
  }

  seek(lesson: number): void {
    this.position = Math.min(Math.max(0, lesson), Math.max(0, this.duration));
    this.spread = null;
    for (const player of this.players) {
      player.rate(this.base);
      player.seek(this.position);
      this.follower(player).holdUntil = 0;
    }
  }

  /** One step; `now` in milliseconds, about every `TICK`. */
  tick(now: number): void {
    for (const player of this.players) {
      player.prepare(this.position, this.position + PREPARE * this.base);
      player.tend(now);
    }
    const elapsed = this.last === null ? 0 : (now - this.last) / 1000;
    this.last = now;
    if (!this.playing) {
      this.holdStill();
      return;
    }
    this.lead(elapsed);
    if (this.position >= this.duration && !this.growing) {
      this.position = this.duration;
      this.pause();
      return;
    }
    this.spread = null;
    for (const player of this.players) if (player !== this.leader) this.follow(player, now);
  }

  private holdStill(): void {
    this.waiting = false;
    for (const player of this.players) {
      if (!player.covers(this.position)) continue;
      if (!player.placed(this.position)) player.seek(this.position);
      else if (!player.seeking && Math.abs((player.time ?? 0) - this.position) > STILL_TOLERANCE) player.seek(this.position);
    }
  }

  /** Moves the position: by the leader's picture, or by the clock where nothing was recorded. */
  private lead(elapsed: number): void {
    const leader = this.choose();
    if (leader !== this.leader) {
      this.leader = leader;
      leader?.rate(this.base);
    }
    if (leader === null) {
      this.waiting = false;
      this.position = Math.min(this.duration, this.position + elapsed * this.base);
      return;
    }
    const lost = leader.time === null || (!leader.seeking && Math.abs(leader.time - this.position) > LOST);
    if (lost || !leader.placed(this.position)) leader.seek(this.position);
    if (!leader.ready || leader.time === null) {
      this.waiting = true;
      return;
    }
    leader.rate(this.base);
    leader.play();
    this.waiting = false;
    this.position = leader.time;
  }

  private choose(): Player | null {
    const able = this.players.filter((player) => player.covers(this.position));
    for (const id of this.preferred) {
      const found = able.find((player) => player.id === id);
      if (found) return found;
    }
    return able[0] ?? null;
  }

  private follow(player: Player, now: number): void {
    const state = this.follower(player);
    if (!player.covers(this.position)) {
      player.pause();
      return;
    }
    if (!player.placed(this.position)) {
      player.seek(this.position + state.latency * this.base);
      // A segment that was made ready plays at once; another needs its time.
      if (player.ready && !this.waiting) player.play();
      else state.holdUntil = now + HOLD_AFTER_SEEK;
      return;
    }
    if (player.seeking) return;
    if (state.soughtAt !== null) {
      const took = (now - state.soughtAt) / 1000;
      state.latency = Math.min(LONGEST_LATENCY, 0.5 * state.latency + 0.5 * took);
      state.soughtAt = null;
    }
    if (now < state.holdUntil) return;
    if (this.waiting) {
      player.pause();
      return;
    }
    const error = player.time === null ? Infinity : this.position - player.time;
    if (Math.abs(error) > HARD_SEEK) {
      player.seek(this.position + state.latency * this.base);
      state.soughtAt = now;
      state.holdUntil = now + HOLD_AFTER_SEEK;
      return;
    }
    player.play();
    if (!player.ready) return;
    player.rate(followingRate(error, this.base));
    this.spread = Math.max(this.spread ?? 0, Math.abs(error));
  }

  private follower(player: Player): Follower {
    const known = this.followers.get(player.id);
    if (known) return known;
    const fresh = { holdUntil: 0, latency: FIRST_LATENCY, soughtAt: null };
    this.followers.set(player.id, fresh);
    return fresh;
  }
}
