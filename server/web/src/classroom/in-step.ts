/**
 * Page turns in step. This module owns the server's time as this page knows it, and holding what was heard until the
 * instant at which all rooms show the next page.
 */
import type { AskTime, ServerMessage, TimeTold } from "../generated/live";
import { steadyNow } from "./steady";

/** Samples of the last minute or so: the one with the shortest round trip knows the time best. */
const KEPT = 30;
/** Samples that say how late the server's words come of late. */
const RECENT = 8;
/** A clock that jumped must not stop a page: no turn waits longer, seconds. */
const MOST_HELD = 0.5;
/** Seconds that are not worth a timer. */
const AT_ONCE = 0.004;

interface Sample {
  trip: number;
  /** Server's seconds less this page's. */
  offset: number;
}

/** The server's clock. `now`: this page's own, seconds, never put back. */
export class ServerClock {
  private samples: Sample[] = [];
  private recent: number[] = [];

  constructor(private readonly now: () => number = steadyNow) {}

  /** Whether the first few answers are still to come, each asked for as soon as the last is there. */
  get fresh(): boolean {
    return this.recent.length < 4;
  }

  question(): AskTime {
    const behind = this.behind();
    return { t: "ask_time", sent: this.now(), ...(behind === undefined ? {} : { behind: Math.min(60, behind) }) };
  }

  told({ sent, serverTime }: TimeTold): void {
    const now = this.now();
    const trip = now - sent;
    if (!(trip >= 0)) return;
    this.samples = [...this.samples, { trip, offset: serverTime - (sent + now) / 2 }].slice(-KEPT);
    this.recent = [...this.recent, now - serverTime].slice(-RECENT);
  }

  /** Another line: what was known of the last one's delay says nothing of it. */
  moved(): void {
    this.recent = [];
  }

  /** Seconds until an instant of the server's clock; undefined while that clock is not known. */
  until(instant: number): number | undefined {
    const offset = this.offset();
    return offset === undefined ? undefined : instant - offset - this.now();
  }

  /** Seconds after which the server's words reach this page: as three of four did lately. */
  private behind(): number | undefined {
    const offset = this.offset();
    if (offset === undefined || this.recent.length === 0) return undefined;
    const late = this.recent.map((difference) => difference + offset).sort((a, b) => a - b);
    return Math.max(0, late[Math.ceil(late.length * 0.75) - 1] ?? 0);
  }

  private offset(): number | undefined {
    if (this.samples.length === 0) return undefined;
    return this.samples.reduce((best, one) => (one.trip < best.trip ? one : best)).offset;
  }
}

/** What was heard, in order. A page that is turned to a little ahead of time waits, and whatever comes after it, too. */
export class InStep {
  private held: ServerMessage[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly clock: ServerClock,
    private readonly deliver: (message: ServerMessage) => void,
  ) {}

  /** `waits`: whether this page shows turns with the rooms; the host's own is not kept waiting. */
  take(message: ServerMessage, waits: boolean): void {
    this.held.push(message);
    // A new beginning ends every wait: what was held happened before it.
    if (message.t === "welcome" || message.t === "resumed" || !waits) this.flush();
    else if (this.timer === undefined) this.go();
  }

  /** Delivers everything now. */
  flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.deliverWhile(() => true);
  }

  private go(): void {
    this.timer = undefined;
    this.deliverWhile((message) => {
      const wait = this.waitOf(message);
      if (wait <= AT_ONCE) return true;
      this.timer = setTimeout(() => this.go(), wait * 1000);
      return false;
    });
  }

  /** One message that cannot be shown must not take those after it along: its error is thrown when they are delivered. */
  private deliverWhile(due: (message: ServerMessage) => boolean): void {
    const errors: unknown[] = [];
    for (let message = this.held[0]; message !== undefined && due(message); message = this.held[0]) {
      this.held.shift();
      try {
        this.deliver(message);
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }

  private waitOf(message: ServerMessage): number {
    if (message.t !== "event") return 0;
    const { event } = message;
    if (event.type !== "page_turned" && event.type !== "material_opened") return 0;
    const wait = event.lead > 0 ? (this.clock.until(message.at + event.lead) ?? 0) : 0;
    return wait <= MOST_HELD ? wait : 0;
  }
}
