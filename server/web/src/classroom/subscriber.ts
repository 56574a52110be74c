/** What one page receives. This module owns its sections, and which track each of them shows. */
import type { Track } from "../generated/live";
import { isH264, isOpus, isVp8, prefer } from "./codecs";
import { CommandError } from "./connection";
import { Path, sdpOf } from "./path";

interface Slot {
  kind: Track["kind"];
  transceiver: RTCRtpTransceiver;
  track: string | null;
}

export class Subscriber extends Path {
  private slots: Slot[] = [];
  private wanted: Track[] = [];
  /** Tracks in a codec that this browser does not have. */
  private readonly foreign = new Set<string>();

  /** The received track of each wanted one. */
  get received(): Map<string, MediaStreamTrack> {
    const found = new Map<string, MediaStreamTrack>();
    for (const slot of this.slots) if (slot.track !== null) found.set(slot.track, slot.transceiver.receiver.track);
    return found;
  }

  /** Whether a track is sent in a way that this browser cannot play. */
  get unplayable(): ReadonlySet<string> {
    return this.foreign;
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
    const answer = await this.door.request({ t: "subscribe", sdp, slots });
    const { slots: shown = {} } = answer.t === "media_answer" ? answer : {};
    // the server leaves a section empty for which the browser has offered no codec of the track's
    for (const [mid, track] of Object.entries(slots)) this.foreign[shown[mid] === track ? "delete" : "add"](track);
    this.door.changed();
    return sdpOf(answer);
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
      if (error.code === "nothing_acceptable" && track !== null) this.foreign.add(track);
      if (slot.track === track && track !== null) slot.track = null;
      this.door.changed();
    });
  }
}
