/** What one page receives. This module owns its sections, and which track each of them shows. */
import type { Track } from "../generated/live";
import { codecsOf, isOpus, isPicture, prefer } from "./codecs";
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
  /** The codecs of pictures that this browser shares with the server; null while that is not known. */
  private playable: readonly string[] | null = null;

  /** The received track of each wanted one. */
  get received(): Map<string, MediaStreamTrack> {
    const found = new Map<string, MediaStreamTrack>();
    for (const slot of this.slots) if (slot.track !== null) found.set(slot.track, slot.transceiver.receiver.track);
    return found;
  }

  /** The tracks that come in a codec that this browser does not have. */
  get unplayable(): Set<string> {
    const { playable } = this;
    if (playable === null) return new Set();
    return new Set(this.wanted.filter((track) => track.kind === "video" && !playable.includes(track.codec)).map((track) => track.id));
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
    const answer = sdpOf(await this.door.request({ t: "subscribe", sdp, slots }));
    this.playable = codecsOf(answer);
    this.door.changed();
    return answer;
  }

  private add(pc: RTCPeerConnection, track: Track): void {
    const transceiver = pc.addTransceiver(track.kind, { direction: "recvonly" });
    prefer(transceiver, track.kind, track.kind === "audio" ? isOpus : isPicture);
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
