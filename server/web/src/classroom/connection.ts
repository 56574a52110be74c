/**
 * The signaling socket of one page. This module owns connecting, the hello, resuming after cuts, and which commands
 * still wait for their acknowledgement. It knows nothing of what a lesson is.
 */
import { decode, encode } from "@msgpack/msgpack";
import { steadyNow } from "./steady";
import type { Ack, AskTime, ClientMessage, Closing, Hello, LinkReport, MediaAnswer, ServerMessage, View as ViewMessage } from "../generated/live";

export type Command = Exclude<ClientMessage, Hello | LinkReport | ViewMessage | AskTime>;
type WithoutId<T> = T extends Command ? Omit<T, "msgId"> : never;
/** A command before it has its id. */
export type Wish = WithoutId<Command>;
export type Answer = Ack | MediaAnswer;

export interface Ticket {
  token: string;
  socketUrl: string;
}

export interface Pending {
  message: Command;
  /** Milliseconds of a steady clock when it was first wished for. */
  since: number;
}

export type Phase = "connecting" | "connected" | "reconnecting" | "closed";

export interface Listener {
  /** The phase, its reason or the waiting commands have changed. */
  changed(): void;
  received(message: ServerMessage): void;
}

/** A refusal or the loss of the socket, by stable code. */
export class CommandError extends Error {
  constructor(
    readonly code: string,
    readonly values: Record<string, string | number> = {},
  ) {
    super(code);
  }
}

/** What joining over HTTP may tell: codes that no retry cures. */
export class JoinRefused extends Error {
  constructor(readonly code: string) {
    super(code);
  }
}

export interface Environment {
  now(): number;
  random(): number;
  id(): string;
  open(url: string, protocol: string): WebSocket;
}

const BROWSER: Environment = {
  now: () => steadyNow() * 1000,
  random: () => Math.random(),
  id: () => hexId(),
  open: (url, protocol) => new WebSocket(url, protocol),
};

export const UNSENT_AFTER = 2_000;
/** An acknowledgement that takes longer means a socket that is open in name only. */
const DEAD_AFTER = 6_000;
/** So many of the server's heartbeats may be missed. */
const HEARTBEATS = 2.5;
const WELCOME_WITHIN = 10_000;
const FIRST_RETRY = 400;
const LONGEST_RETRY = 8_000;
/** A line that fails comes back within seconds: so long after a cut the page looks for it at least this often. */
const QUICK_FOR = 30_000;
const QUICK_RETRY = 700;
/** So long a page tries the address and the token that it was given for coming back, before it asks for others. */
const MOVED_FOR = 120_000;
/** Reasons of the server that end the page's part for good. */
const FINAL = new Set(["replaced", "ended", "left"]);

interface Waiting extends Pending {
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

export class Connection {
  phase: Phase = "connecting";
  /** Why it is closed, or why the last join was refused. */
  reason = "";
  /** Milliseconds since when there has been no connection. */
  downSince: number | null = null;

  private socket: WebSocket | null = null;
  private ready = false;
  private epoch: number | null = null;
  private seq: number | null = null;
  private attempt = 0;
  /** How often a way in was asked for. A slow one may come to its end beside a newer one. */
  private joins = 0;
  private waiting = new Map<string, Waiting>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private watch: ReturnType<typeof setInterval> | undefined;
  private heartbeat = 5_000;
  private heard = 0;
  /** Where the server said to come back to, and until when that is worth trying. */
  private moved: (Ticket & { until: number }) | null = null;
  /** The server's last word on this socket. */
  private told: Closing | null = null;
  private json: boolean;

  constructor(
    private readonly join: () => Promise<Ticket>,
    private readonly device: string,
    private readonly listener: Listener,
    private readonly env: Environment = BROWSER,
    options: { json?: boolean } = {},
  ) {
    this.json = options.json ?? false;
  }

  start(): void {
    this.watch = setInterval(() => this.supervise(), 500);
    void this.connect();
  }

  /** Close for good, from this side. */
  stop(reason = "left"): void {
    if (this.phase === "closed") return;
    this.phase = "closed";
    this.reason = reason;
    clearTimeout(this.timer);
    clearInterval(this.watch);
    this.dropSocket();
    for (const [id, entry] of this.waiting) {
      this.waiting.delete(id);
      entry.reject(new CommandError("disconnected"));
    }
    this.listener.changed();
  }

  /** Do not wait for the next attempt: the line is back, or a person asked for it. */
  retryNow(): void {
    if (this.phase !== "reconnecting" && this.phase !== "connecting") return;
    if (this.socket !== null) return;
    this.attempt = 0;
    clearTimeout(this.timer);
    void this.connect();
  }

  get pending(): Pending[] {
    return [...this.waiting.values()];
  }

  /** True when something a person did has not been acknowledged for two seconds. */
  get unsent(): boolean {
    const now = this.env.now();
    return this.pending.some((p) => !isMedia(p.message) && now - p.since >= UNSENT_AFTER);
  }

  /**
   * Ask the server. The promise settles with its answer; across cuts a command is sent again under the same id, which
   * the server does once. An offer belongs to its connection and is not repeated.
   */
  request(wish: Wish): Promise<Answer> {
    if (this.phase === "closed") return Promise.reject(new CommandError("disconnected"));
    const message = { ...wish, msgId: this.env.id() } as Command;
    if (isMedia(message) && !this.ready) return Promise.reject(new CommandError("disconnected"));
    return new Promise<Answer>((resolve, reject) => {
      this.waiting.set(message.msgId, { message, since: this.env.now(), resolve, reject });
      if (this.ready) this.send(message);
      this.listener.changed();
    });
  }

  /** Say something that needs no answer; lost when there is no connection. */
  tell(message: LinkReport | ViewMessage | AskTime): void {
    if (this.ready) this.send(message);
  }

  private async connect(): Promise<void> {
    let ticket: Ticket;
    const mine = ++this.joins;
    try {
      if (this.moved !== null && this.env.now() >= this.moved.until) this.moved = null;
      ticket = this.moved ?? (await this.join());
    } catch (error) {
      // another one has come further, or will say how it ends
      if (this.socket !== null || mine !== this.joins || (this.phase as Phase) === "closed") return;
      if (error instanceof JoinRefused) {
        this.stop(error.code);
        return;
      }
      // A fetch that reaches nobody fails with a TypeError; a server that answers with an error is left in peace.
      this.later(error instanceof TypeError);
      return;
    }
    if ((this.phase as Phase) === "closed" || this.socket !== null) return;
    const socket = this.env.open(
      absolute(ticket.socketUrl),
      this.json ? "tongke.live.1+json" : "tongke.live.1+msgpack",
    );
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    const patience = setTimeout(() => this.lost(socket), WELCOME_WITHIN);
    socket.onopen = () => {
      const resume = this.epoch === null ? {} : { epoch: this.epoch, seq: this.seq };
      this.send({ t: "hello", token: ticket.token, device: this.device, ...resume });
    };
    socket.onmessage = (frame) => {
      if (socket !== this.socket) return;
      this.heard = this.env.now();
      const message = (
        typeof frame.data === "string" ? JSON.parse(frame.data) : decode(new Uint8Array(frame.data as ArrayBuffer))
      ) as ServerMessage;
      if (message.t === "welcome" || message.t === "resumed") clearTimeout(patience);
      this.receive(message);
    };
    socket.onclose = () => {
      clearTimeout(patience);
      this.lost(socket);
    };
  }

  private receive(message: ServerMessage): void {
    switch (message.t) {
      case "welcome":
      case "resumed":
        this.epoch = message.epoch;
        // After a resume the missed events follow and count from where this page stood.
        if (message.t === "welcome") {
          this.seq = message.seq;
          this.heartbeat = message.heartbeatSeconds * 1000;
        }
        this.ready = true;
        this.moved = null;
        this.attempt = 0;
        this.downSince = null;
        this.phase = "connected";
        // first what has waited, in its order; then what follows from being in
        this.resend();
        this.listener.received(message);
        this.listener.changed();
        return;
      case "event":
        if (message.epoch !== this.epoch || (this.seq !== null && message.seq <= this.seq)) return;
        this.seq = message.seq;
        break;
      case "ack":
      case "media_answer":
        this.settle(message.msgId, (entry) => entry.resolve(message));
        return;
      case "refused":
        if (message.msgId) {
          this.settle(message.msgId, (entry) => entry.reject(new CommandError(message.code, message.values)));
          return;
        }
        if (!this.ready) this.moved = null;
        break;
      case "moved":
        this.moved = { socketUrl: message.address, token: message.token, until: this.env.now() + MOVED_FOR };
        break;
      case "closing":
        if (FINAL.has(message.code)) {
          this.listener.received(message);
          this.stop(message.code);
          return;
        }
        this.told = message;
        break;
    }
    this.listener.received(message);
  }

  private settle(id: string, how: (entry: Waiting) => void): void {
    const entry = this.waiting.get(id);
    if (entry === undefined) return;
    this.waiting.delete(id);
    how(entry);
    this.listener.changed();
  }

  /** On a new socket: its answers are waited for from now on. */
  private resend(): void {
    const patient = this.env.now() - UNSENT_AFTER;
    for (const entry of this.waiting.values()) {
      entry.since = Math.max(entry.since, patient);
      this.send(entry.message);
    }
  }

  private send(message: ClientMessage): void {
    if (this.socket?.readyState !== WebSocket.OPEN) return;
    this.socket.send(this.json ? JSON.stringify(message) : encode(message, { ignoreUndefined: true }));
  }

  private lost(socket: WebSocket): void {
    if (socket !== this.socket) return;
    this.dropSocket();
    if (this.phase === "closed") return;
    for (const [id, entry] of this.waiting) {
      if (!isMedia(entry.message)) continue;
      this.waiting.delete(id);
      entry.reject(new CommandError("disconnected"));
    }
    this.later();
  }

  private dropSocket(): void {
    const socket = this.socket;
    this.socket = null;
    this.ready = false;
    if (socket === null) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  /** Try again after a while; `cut`: nobody said that this would happen, and nobody was reached. */
  private later(cut = this.told === null): void {
    const now = this.env.now();
    const told = this.told;
    this.told = null;
    this.downSince ??= now;
    this.phase = "reconnecting";
    this.listener.changed();
    const soon = now - this.downSince < QUICK_FOR || this.moved !== null;
    const longest = cut && soon ? QUICK_RETRY : LONGEST_RETRY;
    const ceiling = Math.min(longest, FIRST_RETRY * 2 ** this.attempt++);
    // Half of the delay is random: rooms that fell together must not come back together.
    const delay = ceiling * (0.5 + this.env.random() / 2);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.connect(), told && told.code === "drain" ? told.retryIn * 1000 + delay : delay);
  }

  private supervise(): void {
    const now = this.env.now();
    const overdue = this.pending.some((p) => now - p.since >= DEAD_AFTER);
    const silent = now - this.heard >= this.heartbeat * HEARTBEATS;
    if ((overdue || silent) && this.ready && this.socket !== null) {
      this.lost(this.socket);
      return;
    }
    if (this.unsent) this.listener.changed();
  }
}

function isMedia(message: Command): boolean {
  return message.t === "publish" || message.t === "subscribe" || message.t === "switch";
}

function absolute(address: string): string {
  const url = new URL(address, location.href);
  if (url.protocol === "http:") url.protocol = "ws:";
  if (url.protocol === "https:") url.protocol = "wss:";
  return url.href;
}

export function hexId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
