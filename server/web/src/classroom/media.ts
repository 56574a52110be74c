/**
 * Pictures and sound of one page. This module owns the two peer connections, one that publishes and one that watches,
 * their negotiation over the signaling socket, and bringing them back after a cut.
 */
import type { Sending, Track } from "../generated/live";
import { AUDIO_BITRATE, CAMERA, type Picture, type Source, TILE } from "./capture";
import { type Answer, CommandError, type Wish } from "./connection";
import { SCREEN } from "./screen";

type Layer = "high" | "low";

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
abstract class Path {
  state: PathState = "idle";
  protected pc: RTCPeerConnection | null = null;
  private turn: Promise<void> = Promise.resolve();
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
    this.turn = this.turn.then(() => this.exchange(restart));
    return this.turn;
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

  private async exchange(restart: boolean): Promise<void> {
    const pc = this.pc;
    if (pc === null || pc.signalingState === "closed") return;
    if (this.state === "idle") this.enter("connecting");
    try {
      if (pc.signalingState === "have-local-offer") await pc.setLocalDescription({ type: "rollback" });
      const offer = await pc.createOffer({ iceRestart: restart });
      await pc.setLocalDescription(offer);
      const answer = await this.ask(slim(offer.sdp ?? ""));
      if (this.pc !== pc) return;
      await pc.setRemoteDescription({ type: "answer", sdp: answer });
    } catch (error) {
      if (this.pc !== pc) return;
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
    if (pc === null) return;
    pc.onconnectionstatechange = null;
    pc.close();
  }
}

/** What a page can send: its devices, and its screen. */
export type Sent = Source | "screen";

interface Sender {
  source: Sent;
  layer: Layer;
  picture: Picture | null;
  transceiver: RTCRtpTransceiver;
}

export class Publisher extends Path {
  private tracks: ReadonlyMap<Sent, MediaStreamTrack> = new Map();
  private senders: Sender[] = [];
  private limits: Sending["limits"] = {};

  /** Send exactly these from now on. A device that was replaced needs no negotiation. */
  async send(tracks: ReadonlyMap<Sent, MediaStreamTrack>): Promise<void> {
    this.tracks = new Map(tracks);
    if (this.pc === null) {
      if (tracks.size === 0) return;
      this.fill(this.peer());
      return this.negotiate();
    }
    let changed = false;
    for (const { source, transceiver } of this.senders) {
      const track = this.tracks.get(source) ?? null;
      if (transceiver.sender.track !== track) await transceiver.sender.replaceTrack(track);
      // A camera that is gone comes back; a screen that is shared no more is no picture of the room any longer.
      const direction = source === "screen" && track === null ? "inactive" : "sendonly";
      changed ||= transceiver.direction !== direction;
      transceiver.direction = direction;
    }
    for (const [source, track] of this.tracks) {
      if (this.senders.some((sender) => sender.source === source)) continue;
      this.add(this.pc, source, track);
      changed = true;
    }
    if (changed) await this.negotiate();
  }

  /** What the server says is looked at: a layer that nobody sees rests, and one that only a recorder sees is smaller. */
  limit(limits: Sending["limits"]): void {
    this.limits = limits;
    for (const sender of this.senders) void this.obey(sender);
  }

  protected fill(pc: RTCPeerConnection): void {
    this.senders = [];
    for (const [source, track] of this.tracks) this.add(pc, source, track);
  }

  protected async ask(sdp: string): Promise<string> {
    const sources: Record<string, Sent> = {};
    const layers: Record<string, Layer> = {};
    for (const { source, layer, transceiver } of this.senders) {
      if (transceiver.mid === null) continue;
      sources[transceiver.mid] = source;
      layers[transceiver.mid] = layer;
    }
    return sdpOf(await this.door.request({ t: "publish", sdp, sources, layers }));
  }

  private add(pc: RTCPeerConnection, source: Sent, track: MediaStreamTrack): void {
    if (source === "mic") this.addSection(pc, track, { source, layer: "high", picture: null });
    else if (source === "screen") this.addSection(pc, track, { source, layer: "high", picture: SCREEN });
    else {
      this.addSection(pc, track, { source, layer: "high", picture: CAMERA });
      this.addSection(pc, track, { source, layer: "low", picture: TILE });
    }
  }

  private addSection(pc: RTCPeerConnection, track: MediaStreamTrack, section: Omit<Sender, "transceiver">): void {
    const { picture } = section;
    const encoding: RTCRtpEncodingParameters =
      picture === null ? { maxBitrate: AUDIO_BITRATE } : { maxBitrate: picture.maxBitrate, maxFramerate: picture.frameRate };
    if (section.layer === "low") encoding.scaleResolutionDownBy = CAMERA.height / TILE.height;
    const transceiver = pc.addTransceiver(track, { direction: "sendonly", sendEncodings: [encoding] });
    prefer(transceiver, picture === null ? "audio" : "video", picture === null ? isOpus : isH264);
    const sender = { ...section, transceiver };
    this.senders.push(sender);
    void this.obey(sender);
  }

  private async obey({ source, layer, picture, transceiver: { sender } }: Sender): Promise<void> {
    const limit = source === "mic" ? undefined : this.limits[source]?.[layer];
    const parameters = sender.getParameters();
    const encoding = parameters.encodings[0];
    if (picture === null || limit === undefined || encoding === undefined) return;
    const wanted = { active: limit > 0, maxBitrate: Math.min(limit || picture.maxBitrate, picture.maxBitrate) };
    if (encoding.active === wanted.active && encoding.maxBitrate === wanted.maxBitrate) return;
    Object.assign(encoding, wanted);
    // Fine lines at a third of the bitrate would only be coarse blocks.
    if (layer === "high" && source !== "screen") encoding.scaleResolutionDownBy = wanted.maxBitrate < picture.maxBitrate / 2 ? 2 : 1;
    try {
      await sender.setParameters(parameters);
    } catch (error) {
      // The connection was closed meanwhile; the next one begins with the same limits.
      if (!(error instanceof DOMException)) throw error;
    }
  }
}

interface Slot {
  kind: Track["kind"];
  transceiver: RTCRtpTransceiver;
  track: string | null;
}

export class Subscriber extends Path {
  private slots: Slot[] = [];
  private wanted: Track[] = [];

  /** The received track of each wanted one. */
  get received(): Map<string, MediaStreamTrack> {
    const found = new Map<string, MediaStreamTrack>();
    for (const slot of this.slots) if (slot.track !== null) found.set(slot.track, slot.transceiver.receiver.track);
    return found;
  }

  /** Watch exactly these from now on. Sections left over by others are pointed at the new ones before any is added. */
  want(tracks: readonly Track[]): void {
    this.wanted = [...tracks];
    if (this.pc === null) {
      if (tracks.length === 0) return;
      this.fill(this.peer());
      void this.negotiate();
      this.door.changed();
      return;
    }
    const ids = new Set(tracks.map((t) => t.id));
    const free = this.slots.filter((slot) => slot.track === null || !ids.has(slot.track));
    const shown = new Set(this.slots.map((slot) => slot.track));
    let added = false;
    for (const track of tracks) {
      if (shown.has(track.id)) continue;
      const at = free.findIndex((slot) => slot.kind === track.kind);
      const slot = at < 0 ? undefined : free.splice(at, 1)[0];
      if (slot) this.point(slot, track.id);
      else {
        this.add(this.pc, track);
        added = true;
      }
    }
    for (const slot of free) if (slot.track !== null) this.point(slot, null);
    if (added) void this.negotiate();
    this.door.changed();
  }

  protected fill(pc: RTCPeerConnection): void {
    this.slots = [];
    for (const track of this.wanted) this.add(pc, track);
  }

  protected async ask(sdp: string): Promise<string> {
    const slots: Record<string, string> = {};
    for (const { transceiver, track } of this.slots) if (transceiver.mid !== null && track !== null) slots[transceiver.mid] = track;
    return sdpOf(await this.door.request({ t: "subscribe", sdp, slots }));
  }

  private add(pc: RTCPeerConnection, track: Track): void {
    const transceiver = pc.addTransceiver(track.kind, { direction: "recvonly" });
    prefer(transceiver, track.kind, track.kind === "audio" ? isOpus : (codec) => isH264(codec) || isVp8(codec));
    this.slots.push({ kind: track.kind, transceiver, track: track.id });
  }

  private point(slot: Slot, track: string | null): void {
    slot.track = track;
    const { mid } = slot.transceiver;
    // A section still waiting for its offer carries the new track in that offer.
    if (mid === null) return;
    this.door.request({ t: "switch", mid, track }).catch((error: unknown) => {
      if (!(error instanceof CommandError)) throw error;
      if (slot.track === track && track !== null) slot.track = null;
      this.door.changed();
    });
  }
}

function sdpOf(answer: Answer): string {
  if (answer.t !== "media_answer") throw new CommandError("no_answer");
  return answer.sdp;
}

type Codec = RTCRtpCodec;

function isOpus(codec: Codec): boolean {
  return codec.mimeType.toLowerCase() === "audio/opus";
}

function isVp8(codec: Codec): boolean {
  return codec.mimeType.toLowerCase() === "video/vp8";
}

/** What recordings hold without transcoding, and every classroom PC decodes. */
function isH264(codec: Codec): boolean {
  const line = codec.sdpFmtpLine ?? "";
  return codec.mimeType.toLowerCase() === "video/h264" && /profile-level-id=42e01f/i.test(line) && line.includes("packetization-mode=1");
}

/** Offer only these codecs, with retransmission; a browser that has none of them offers its own. */
function prefer(transceiver: RTCRtpTransceiver, kind: Track["kind"], wanted: (codec: Codec) => boolean): void {
  if (typeof transceiver.setCodecPreferences !== "function") return;
  const known = RTCRtpReceiver.getCapabilities(kind)?.codecs ?? [];
  const chosen = known.filter(wanted);
  if (chosen.length === 0) return;
  const repair = known.filter((codec) => codec.mimeType.toLowerCase() === "video/rtx");
  transceiver.setCodecPreferences([...chosen, ...repair]);
}

const KEPT_EXTENSIONS = ["sdes:mid", "ssrc-audio-level", "abs-send-time"];

/** The server uses three header extensions; eight rooms' offers fit its limit without the others. */
function slim(sdp: string): string {
  return sdp
    .split("\r\n")
    .filter((line) => !line.startsWith("a=extmap:") || KEPT_EXTENSIONS.some((name) => line.includes(name)))
    .join("\r\n");
}
