/** What one page sends. This module owns its sections: which device, which layer, and how much of it is looked at. */
import type { Sending } from "../generated/live";
import { AUDIO_BITRATE, CAMERA, type Picture, type Source, TILE } from "./capture";
import { codecsOf, isOpus, isPicture, prefer } from "./codecs";
import { Path, sdpOf } from "./path";
import { SCREEN } from "./screen";

type Layer = "high" | "low";

/** What a page can send: its devices, and its screen. */
export type Sent = Source | "screen";

interface Sender {
  source: Sent;
  layer: Layer;
  picture: Picture | null;
  transceiver: RTCRtpTransceiver;
  /** The limit that the browser was told last, in bit/s; null when it was told none. */
  obeyed: number | null;
  obeying: boolean;
  /** Its browser is taking another device for it. */
  changing: boolean;
}

export class Publisher extends Path {
  private tracks: ReadonlyMap<Sent, MediaStreamTrack> = new Map();
  private senders: Sender[] = [];
  private limits: Sending["limits"] = {};
  /** The codec of the pictures by the last answer, and the one that was asked for last. */
  private codec = "";
  private told = "";

  /** Send exactly these from now on. A device that was replaced needs no negotiation. */
  async send(tracks: ReadonlyMap<Sent, MediaStreamTrack>): Promise<void> {
    this.tracks = new Map(tracks);
    const { pc } = this;
    if (pc === null) {
      if (tracks.size === 0) return;
      this.fill(this.peer());
      return this.negotiate();
    }
    let changed = false;
    for (const sender of this.senders) {
      void this.carry(sender);
      const { source, transceiver } = sender;
      // A camera that is gone comes back; a screen that is shared no more is no picture of the room any longer.
      const direction = source === "screen" && !this.tracks.has(source) ? "inactive" : "sendonly";
      changed ||= transceiver.direction !== direction;
      transceiver.direction = direction;
    }
    for (const [source, track] of this.tracks) {
      if (this.senders.some((sender) => sender.source === source)) continue;
      this.add(pc, source, track);
      changed = true;
    }
    if (changed) await this.negotiate();
  }

  /** What the server says is looked at: a layer that nobody sees rests, and one that only a recorder sees is smaller. */
  limit(limits: Sending["limits"]): void {
    this.limits = limits;
    for (const sender of this.senders) void this.obey(sender);
  }

  /** The codec that all browsers of the lesson can play: what is offered again is answered with it. */
  speak(codec: string): void {
    const news = codec !== this.told;
    this.told = codec;
    if (news && this.pc !== null && this.codec !== "" && codec !== this.codec) void this.negotiate();
  }

  protected fill(pc: RTCPeerConnection): void {
    this.senders = [];
    this.codec = this.told = "";
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
    const answer = sdpOf(await this.door.request({ t: "publish", sdp, sources, layers }));
    this.codec = codecsOf(answer)?.[0] ?? "";
    return answer;
  }

  private add(pc: RTCPeerConnection, source: Sent, track: MediaStreamTrack): void {
    if (source === "mic") this.addSection(pc, track, { source, layer: "high", picture: null });
    else if (source === "screen") this.addSection(pc, track, { source, layer: "high", picture: SCREEN });
    else {
      this.addSection(pc, track, { source, layer: "high", picture: CAMERA });
      this.addSection(pc, track, { source, layer: "low", picture: TILE });
    }
  }

  private addSection(pc: RTCPeerConnection, track: MediaStreamTrack, section: Pick<Sender, "source" | "layer" | "picture">): void {
    const { picture } = section;
    const encoding: RTCRtpEncodingParameters =
      picture === null ? { maxBitrate: AUDIO_BITRATE } : { maxBitrate: picture.maxBitrate, maxFramerate: picture.frameRate };
    if (section.layer === "low") encoding.scaleResolutionDownBy = CAMERA.height / TILE.height;
    const transceiver = pc.addTransceiver(track, { direction: "sendonly", sendEncodings: [encoding] });
    prefer(transceiver, picture === null ? "audio" : "video", picture === null ? isOpus : isPicture);
    const sender: Sender = { ...section, transceiver, obeyed: null, obeying: false, changing: false };
    this.senders.push(sender);
    void this.obey(sender);
  }

  /** One device at a time: while a browser changes to one, it still names the one from before. */
  private async carry(sender: Sender): Promise<void> {
    if (sender.changing) return;
    sender.changing = true;
    const { source, transceiver } = sender;
    const wanted = () => this.tracks.get(source) ?? null;
    try {
      for (let track = wanted(); transceiver.sender.track !== track; track = wanted()) await transceiver.sender.replaceTrack(track);
    } catch (error) {
      this.expectClosed(sender, error);
    } finally {
      sender.changing = false;
    }
  }

  /** One change at a time: while a browser takes one, it still tells the parameters from before it, and takes no other. */
  private async obey(sender: Sender): Promise<void> {
    if (sender.obeying) return;
    sender.obeying = true;
    try {
      for (let limit = this.limitOf(sender); limit !== null && limit !== sender.obeyed; limit = this.limitOf(sender)) {
        if (!(await this.tellBrowser(sender, limit))) return;
        sender.obeyed = limit;
      }
    } catch (error) {
      this.expectClosed(sender, error);
    } finally {
      sender.obeying = false;
    }
  }

  /** A connection that was closed meanwhile refuses everything; the next one begins with the same devices and limits. */
  private expectClosed(sender: Sender, error: unknown): void {
    if (!(error instanceof DOMException) || (this.pc !== null && this.senders.includes(sender))) throw error;
  }

  private limitOf({ source, layer }: Sender): number | null {
    return source === "mic" ? null : (this.limits[source]?.[layer] ?? null);
  }

  /** Whether there is something that the limit can be told of. */
  private async tellBrowser({ source, layer, picture, transceiver: { sender } }: Sender, limit: number): Promise<boolean> {
    const parameters = sender.getParameters();
    const encoding = parameters.encodings[0];
    if (picture === null || encoding === undefined) return false;
    const wanted = { active: limit > 0, maxBitrate: Math.min(limit || picture.maxBitrate, picture.maxBitrate) };
    if (encoding.active === wanted.active && encoding.maxBitrate === wanted.maxBitrate) return true;
    Object.assign(encoding, wanted);
    // Fine lines at a third of the bitrate would only be coarse blocks.
    if (layer === "high" && source !== "screen") encoding.scaleResolutionDownBy = wanted.maxBitrate < picture.maxBitrate / 2 ? 2 : 1;
    await sender.setParameters(parameters);
    return true;
  }
}
