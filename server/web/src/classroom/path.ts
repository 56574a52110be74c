/**
 * The way of a page's media to the server or back. This module owns one peer connection: its negotiation over the
 * signaling socket, and bringing it back after a cut.
 */
import { type Answer, CommandError, type Wish } from "./connection";

export type PathState = "idle" | "connecting" | "connected" | "broken";

export interface Door {
  request(wish: Wish): Promise<Answer>;
  /** Something the page shows has changed. */
  changed(): void;
}

const RESTART_AFTER = 3_000;
const REBUILD_AFTER = 10_000;
const RETRY_EVERY = 4_000;

/** One peer connection that repairs itself: an ICE restart when the path is interrupted, a new one when it failed. */
export abstract class Path {
  state: PathState = "idle";
  protected pc: RTCPeerConnection | null = null;
  /** The negotiations of the present peer connection, one after the other. */
  private turn: Promise<void> = Promise.resolve();
  /** The last one came to nothing: what the server knows is not what this page has. */
  private unagreed = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    protected readonly door: Door,
    protected iceServers: RTCIceServer[],
  ) {}

  close(): void {
    clearTimeout(this.timer);
    this.dropPeer();
    this.enter("idle");
  }

  /** Use these relays from now on: the names and passwords of the last ones expire. */
  relay(iceServers: RTCIceServer[]): void {
    this.iceServers = iceServers;
    this.pc?.setConfiguration({ ...this.pc.getConfiguration(), iceServers });
  }

  /** The socket is back. `fresh`: at a server that knows nothing of the old connections. */
  recover(fresh: boolean): void {
    if (this.state === "idle") return;
    if (fresh || this.state === "broken") this.rebuild();
    else if (this.state !== "connected") this.restart();
  }

  stats(): Promise<RTCStatsReport | null> {
    return this.pc ? this.pc.getStats() : Promise.resolve(null);
  }

  /** Puts the sections of a new peer connection together. */
  protected abstract fill(pc: RTCPeerConnection): void;
  protected abstract ask(sdp: string): Promise<string>;

  /** Negotiations follow one another; a failed one leaves the path broken and is tried again. */
  protected negotiate(restart = false): Promise<void> {
    const { pc } = this;
    if (pc === null) return Promise.resolve();
    const mine = this.turn.then(() => this.exchange(pc, restart));
    // whoever asked for this one hears of its error; the next one has nothing to do with it
    this.turn = mine.catch(() => undefined);
    return mine;
  }

  protected peer(): RTCPeerConnection {
    if (this.pc !== null) return this.pc;
    const pc = new RTCPeerConnection({ iceServers: this.iceServers, bundlePolicy: "max-bundle" });
    pc.onconnectionstatechange = () => this.follow(pc);
    this.pc = pc;
    return pc;
  }

  protected rebuild(): void {
    clearTimeout(this.timer);
    this.dropPeer();
    const pc = this.peer();
    this.fill(pc);
    if (pc.getTransceivers().length > 0) void this.negotiate();
    else this.close();
  }

  protected enter(state: PathState): void {
    if (this.state === state) return;
    this.state = state;
    this.door.changed();
  }

  private async exchange(pc: RTCPeerConnection, restart: boolean): Promise<void> {
    if (this.pc !== pc || pc.signalingState === "closed") return;
    if (this.state === "idle") this.enter("connecting");
    try {
      if (pc.signalingState === "have-local-offer") await pc.setLocalDescription({ type: "rollback" });
      const offer = await pc.createOffer({ iceRestart: restart });
      await pc.setLocalDescription(offer);
      if (this.pc !== pc) return;
      const answer = await this.ask(slim(offer.sdp ?? ""));
      if (this.pc !== pc) return;
      await pc.setRemoteDescription({ type: "answer", sdp: answer });
      this.unagreed = false;
      if (pc.connectionState === "connected") this.follow(pc);
    } catch (error) {
      if (this.pc !== pc) return;
      this.unagreed = true;
      this.enter("broken");
      // Without a socket the next hello recovers; a refusal is tried again, more slowly.
      if (!(error instanceof CommandError && error.code === "disconnected")) this.later(RETRY_EVERY, () => this.rebuild());
    }
  }

  private restart(): void {
    void this.negotiate(true);
    this.later(REBUILD_AFTER, () => this.rebuild());
  }

  private follow(pc: RTCPeerConnection): void {
    if (pc !== this.pc) return;
    switch (pc.connectionState) {
      case "connected":
        if (this.unagreed) return;
        clearTimeout(this.timer);
        this.enter("connected");
        return;
      case "disconnected":
        this.enter("connecting");
        this.later(RESTART_AFTER, () => this.restart());
        return;
      case "failed":
      case "closed":
        this.enter("broken");
        this.later(500, () => this.rebuild());
        return;
    }
  }

  private later(delay: number, what: () => void): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(what, delay);
  }

  private dropPeer(): void {
    const pc = this.pc;
    this.pc = null;
    this.unagreed = false;
    // a browser never finishes what it was doing for a connection that was closed meanwhile
    this.turn = Promise.resolve();
    if (pc === null) return;
    pc.onconnectionstatechange = null;
    pc.close();
  }
}

/** The description in the answer to an offer. */
export function sdpOf(answer: Answer): string {
  if (answer.t !== "media_answer") throw new CommandError("no_answer");
  return answer.sdp;
}

const KEPT_EXTENSIONS = ["sdes:mid", "ssrc-audio-level", "abs-send-time"];

/** The server uses three header extensions; eight rooms' offers fit its limit without the others. */
function slim(sdp: string): string {
  return sdp
    .split("\r\n")
    .filter((line) => !line.startsWith("a=extmap:") || KEPT_EXTENSIONS.some((name) => line.includes(name)))
    .join("\r\n");
}
