/**
 * Cameras and microphone of this machine. This module owns opening them, naming what is wrong with them, and noticing
 * when they come or go. A page joins with whatever it got, down to nothing at all.
 */
import { remember } from "../ui/i18n";

export type Source = "mic" | "teacher" | "pupils";
export type CameraSource = Exclude<Source, "mic">;
export type Fault = "denied" | "missing" | "busy" | "insecure";

export interface Picture {
  width: number;
  height: number;
  frameRate: number;
  maxBitrate: number;
}

/** The host's picture carries the board; a room's is a tile. */
export const HOST_PICTURE: Picture = { width: 960, height: 540, frameRate: 15, maxBitrate: 850_000 };
export const ROOM_PICTURE: Picture = { width: 320, height: 180, frameRate: 15, maxBitrate: 250_000 };
export const AUDIO_BITRATE = 48_000;

export interface Plan {
  /** The cameras wanted; the first is opened on the only camera there is. */
  cameras: readonly CameraSource[];
  picture: Picture;
  /** Sound as the microphone gives it, for measuring. */
  raw?: boolean;
}

export const PLANS: Partial<Record<string, Plan>> = {
  host: { cameras: ["teacher", "pupils"], picture: HOST_PICTURE },
  endpoint: { cameras: ["pupils", "teacher"], picture: ROOM_PICTURE },
};

export class Capture {
  readonly tracks = new Map<Source, MediaStreamTrack>();
  microphone: Fault | null = null;
  camera: Fault | null = null;
  private opening: Promise<void> | null = null;
  private closed = false;

  constructor(
    private readonly plan: Plan,
    /** Tracks or faults have changed. */
    private readonly changed: () => void,
  ) {}

  /** Opens what is wanted and not yet open. Never fails: what is missing is named in `microphone` and `camera`. */
  open(): Promise<void> {
    this.opening ??= this.fill().finally(() => {
      this.opening = null;
    });
    return this.opening;
  }

  /** Open missing devices when one is plugged in. */
  watch(): void {
    navigator.mediaDevices?.addEventListener("devicechange", this.onDevices);
  }

  /** The two cameras change places, and keep them on this machine. */
  async swap(): Promise<void> {
    const [first, second] = this.plan.cameras;
    const one = first && this.tracks.get(first);
    const other = second && this.tracks.get(second);
    if (!first || !second || !one || !other) return;
    this.tracks.set(first, other);
    this.tracks.set(second, one);
    for (const [source, track] of [[first, other], [second, one]] as const) {
      const { deviceId } = track.getSettings();
      if (deviceId) remember(`tongke.camera.${source}`, deviceId);
    }
    await Promise.all([other.applyConstraints(size(this.plan.picture)), one.applyConstraints(size(ROOM_PICTURE))]);
    this.changed();
  }

  close(): void {
    this.closed = true;
    navigator.mediaDevices?.removeEventListener("devicechange", this.onDevices);
    for (const track of this.tracks.values()) stop(track);
    this.tracks.clear();
  }

  private readonly onDevices = () => void this.open();

  private async fill(): Promise<void> {
    if (!navigator.mediaDevices?.getUserMedia) {
      this.microphone = this.camera = "insecure";
      this.changed();
      return;
    }
    const main = this.plan.cameras[0];
    const needMic = !this.tracks.has("mic");
    const needMain = main !== undefined && !this.tracks.has(main);
    if (needMic && needMain) {
      // Asked for together first: one question of the browser instead of two.
      const both = await ask({ audio: this.audio, video: this.video(main) });
      if (both instanceof MediaStream) for (const track of both.getTracks()) this.keep(track.kind === "audio" ? "mic" : main, track);
    }
    if (!this.tracks.has("mic")) {
      const got = await ask({ audio: this.audio });
      if (got instanceof MediaStream) this.keep("mic", got.getAudioTracks()[0]);
      else this.microphone = got;
    }
    if (main !== undefined && !this.tracks.has(main)) {
      const got = await ask({ video: this.video(main) });
      if (got instanceof MediaStream) this.keep(main, got.getVideoTracks()[0]);
      else this.camera = got;
    }
    for (const extra of this.plan.cameras.slice(1)) await this.openExtra(extra);
    this.changed();
  }

  private async openExtra(source: CameraSource): Promise<void> {
    if (this.tracks.has(source) || this.camera !== null) return;
    const used = new Set([...this.tracks.values()].map((track) => track.getSettings().deviceId));
    const devices = await navigator.mediaDevices.enumerateDevices();
    const free = devices.find((d) => d.kind === "videoinput" && d.deviceId !== "" && !used.has(d.deviceId));
    if (free === undefined) return;
    const got = await ask({ video: { ...size(ROOM_PICTURE), deviceId: { exact: free.deviceId } } });
    if (got instanceof MediaStream) this.keep(source, got.getVideoTracks()[0]);
  }

  private get audio(): MediaTrackConstraints {
    return this.plan.raw ? { echoCancellation: false, noiseSuppression: false, autoGainControl: false } : SPEECH;
  }

  private video(source: CameraSource): MediaTrackConstraints {
    const chosen = remember(`tongke.camera.${source}`);
    return { ...size(this.plan.picture), ...(chosen ? { deviceId: { ideal: chosen } } : {}) };
  }

  private keep(source: Source, track: MediaStreamTrack | undefined): void {
    if (track === undefined) return;
    if (this.closed) {
      stop(track);
      return;
    }
    this.tracks.set(source, track);
    if (source === "mic") this.microphone = null;
    else this.camera = null;
    track.addEventListener("ended", () => {
      const held = [...this.tracks].find(([, one]) => one === track)?.[0];
      if (held === undefined) return;
      this.tracks.delete(held);
      if (held === "mic") this.microphone = "missing";
      else if (held === this.plan.cameras[0]) this.camera = "missing";
      this.changed();
      void this.open();
    });
  }
}

const SPEECH: MediaTrackConstraints = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };

function size(picture: Picture): MediaTrackConstraints {
  return {
    width: { ideal: picture.width },
    height: { ideal: picture.height },
    frameRate: { ideal: picture.frameRate, max: 30 },
  };
}

async function ask(constraints: MediaStreamConstraints): Promise<MediaStream | Fault> {
  try {
    return await navigator.mediaDevices.getUserMedia(constraints);
  } catch (error) {
    const name = error instanceof Error ? error.name : "";
    if (name === "NotAllowedError" || name === "SecurityError") return "denied";
    if (name === "NotFoundError" || name === "OverconstrainedError") return "missing";
    return "busy";
  }
}

function stop(track: MediaStreamTrack): void {
  track.stop();
}
