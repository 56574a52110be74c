/**
 * Cameras and microphone of this machine. This module owns opening the chosen ones, naming what is wrong with them, and
 * what follows when one comes or goes. A page joins with whatever it got, down to nothing at all.
 */
import { signal } from "@preact/signals";
import { choiceOf, choose, type Choice, type Chosen, find, fitting, onDevices, plugged } from "./devices";

export type Source = "mic" | "teacher" | "pupils";
export type CameraSource = Exclude<Source, "mic">;
/** Why a source gives nothing; `off` is a choice, the others are trouble. */
export type Fault = "denied" | "missing" | "busy" | "insecure" | "unplugged" | "off";

export interface Picture {
  width: number;
  height: number;
  frameRate: number;
  maxBitrate: number;
}

/** A camera as it is opened, and as it is sent when somebody sees it large: it carries the board. */
export const CAMERA: Picture = { width: 960, height: 540, frameRate: 15, maxBitrate: 850_000 };
/** The same camera, sent beside it for tiles and weak lines. */
export const TILE: Picture = { width: 320, height: 180, frameRate: 15, maxBitrate: 150_000 };
export const AUDIO_BITRATE = 48_000;
/** A device that another program holds announces nothing when it is let go. */
const BUSY_AGAIN_MS = 10_000;

export interface Plan {
  /** The cameras wanted; the first is opened on the only camera there is. */
  cameras: readonly CameraSource[];
  /** Sound as the microphone gives it, for measuring. */
  raw?: boolean;
  /** The room has neither camera nor microphone: nothing is asked for. */
  listens?: boolean;
}

export const PLANS: Partial<Record<string, Plan>> = {
  host: { cameras: ["teacher", "pupils"] },
  endpoint: { cameras: ["pupils", "teacher"] },
};

/** One device that stands in for another that is gone. */
export interface StandIn {
  lost: string;
  now: string;
}

export class Capture {
  readonly tracks = new Map<Source, MediaStreamTrack>();
  readonly faults = new Map<Source, Fault>();
  readonly standIns = new Map<Source, StandIn>();
  /** Goes up with every change, for views. */
  readonly version = signal(0);
  private opening: Promise<void> | null = null;
  private using: Promise<void> = Promise.resolve();
  private again = false;
  private closed = false;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private unwatch: (() => void) | null = null;
  /** Names of devices that went away while they were used. */
  private readonly lost = new Map<Source, string>();

  constructor(
    readonly plan: Plan,
    /** Tracks or faults have changed. */
    private readonly changed: () => void,
  ) {}

  get microphone(): Fault | null {
    return this.faults.get("mic") ?? null;
  }

  /** What is wrong with the main camera. */
  get camera(): Fault | null {
    const main = this.plan.cameras[0];
    return (main && this.faults.get(main)) ?? null;
  }

  /** Opens what is wanted and not yet open. Never fails: what is missing is named in `faults`. */
  open(): Promise<void> {
    if (this.opening !== null) {
      this.again = true;
      return this.opening;
    }
    return this.alone(this.fill());
  }

  /** Nothing else is opened meanwhile; what is wanted then is opened afterwards. */
  private alone(work: Promise<void>): Promise<void> {
    this.opening = work.finally(() => {
      this.opening = null;
      if (!this.again) return;
      this.again = false;
      void this.open();
    });
    return this.opening;
  }

  private async idle(): Promise<void> {
    while (this.opening !== null) await this.opening;
  }

  /** Follow devices that are plugged in, pulled out, allowed or given free from now on. */
  watch(): void {
    this.unwatch ??= onDevices(() => void this.look());
  }

  /** Use another device for a source, or none, and remember it. */
  use(source: Source, choice: Choice): Promise<void> {
    this.using = this.using.then(() => this.change(source, choice));
    return this.using;
  }

  private async change(source: Source, choice: Choice): Promise<void> {
    // what is being opened was asked for before this choice, and would be taken for it
    await this.idle();
    if (this.closed) return;
    const device = choice !== null && choice !== "off" ? choice : undefined;
    const id = device?.id;
    const other = id && this.plan.cameras.find((camera) => camera !== source && deviceOf(this.tracks.get(camera)) === id);
    if (other && source !== "mic" && this.tracks.has(source)) return this.swap();
    if (device && !other && this.tracks.has(source)) {
      let changed = false;
      await this.alone(this.changeOver(source, device).then((done) => void (changed = done)));
      if (changed) return;
      await this.idle();
      if (this.closed) return;
    }
    choose(source, choice);
    this.standIns.delete(source);
    this.lost.delete(source);
    this.release(source);
    if (other) {
      // the chosen camera serves the other use: it comes over, and that one looks for another
      choose(other, null);
      this.release(other);
    }
    await this.open();
  }

  /**
   * Opens the chosen device while the one before goes on, so that a lesson neither falls silent nor dark meanwhile.
   * False: this machine opens but one at a time, or the chosen one not at all.
   */
  private async changeOver(source: Source, chosen: Chosen): Promise<boolean> {
    const exact = { deviceId: { exact: chosen.id } };
    const got = await ask(source === "mic" ? { audio: { ...this.treatment(), ...exact } } : { video: { ...size(CAMERA), ...exact } });
    if (!(got instanceof MediaStream)) return false;
    choose(source, chosen);
    this.lost.delete(source);
    this.release(source);
    this.keep(source, got.getTracks()[0]);
    if (!this.closed) this.tell();
    return true;
  }

  /** The two cameras change places, and keep them on this machine. */
  swap(): void {
    const [first, second] = this.plan.cameras;
    const one = first && this.tracks.get(first);
    const other = second && this.tracks.get(second);
    if (!first || !second || !one || !other) return;
    this.tracks.set(first, other);
    this.tracks.set(second, one);
    for (const [source, track] of [[first, other], [second, one]] as const) {
      const id = deviceOf(track);
      if (id) choose(source, { id, label: track.label });
      this.standIns.delete(source);
    }
    this.tell();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.retry);
    this.unwatch?.();
    for (const track of this.tracks.values()) track.stop();
    this.tracks.clear();
  }

  private async look(): Promise<void> {
    const devices = await plugged();
    const before = this.tracks.size;
    for (const [source, track] of [...this.tracks]) {
      const id = deviceOf(track);
      // a loudspeaker may have the same id, "default"
      if (id && !fitting(devices, source).some((device) => device.deviceId === id)) this.lose(source, track);
      else if (this.standIns.has(source) && this.chosen(source, devices)) {
        // the device that another stood in for is back
        this.release(source);
        this.standIns.delete(source);
      }
    }
    // a slow machine takes many seconds to open another: nobody is told of the old one meanwhile
    if (this.tracks.size < before && !this.closed) this.tell();
    await this.open();
  }

  private async fill(): Promise<void> {
    clearTimeout(this.retry);
    const main = this.plan.cameras[0];
    if (this.plan.listens) {
      for (const source of ["mic", ...this.plan.cameras] as const) this.faults.set(source, "off");
      this.tell();
      return;
    }
    if (!navigator.mediaDevices?.getUserMedia) {
      for (const source of ["mic", ...this.plan.cameras] as const) this.faults.set(source, "insecure");
      this.tell();
      return;
    }
    for (const source of ["mic", ...this.plan.cameras] as const) {
      if (choiceOf(source) !== "off") continue;
      this.release(source);
      this.faults.set(source, "off");
    }
    const devices = await plugged();
    if (this.wants("mic") && main && this.wants(main)) {
      // Asked for together first: one question of the browser instead of two.
      const both = await ask({ audio: this.audio(devices), video: this.video(main, devices) });
      if (both instanceof MediaStream) for (const track of both.getTracks()) this.keep(track.kind === "audio" ? "mic" : main, track);
    }
    if (this.wants("mic")) this.take("mic", await this.askTwice({ audio: this.audio(devices) }, { audio: this.audio([]) }));
    if (main && this.wants(main)) await this.openMain(main, devices);
    for (const extra of this.plan.cameras.slice(1)) await this.openExtra(extra);
    if (this.closed) return;
    if ([...this.faults.values()].includes("busy")) this.retry = setTimeout(() => void this.open(), BUSY_AGAIN_MS);
    this.tell();
  }

  private async openMain(main: CameraSource, devices: readonly MediaDeviceInfo[]): Promise<void> {
    const second = this.plan.cameras.slice(1).find((camera) => this.tracks.has(camera));
    const free = fitting(devices, main).some((device) => !this.used().has(device.deviceId));
    const other = second && this.tracks.get(second);
    if (second && other && !free) {
      // the picture that stands for the room comes from the only camera that is left
      this.tracks.delete(second);
      this.keep(main, other, false);
      return;
    }
    this.take(main, await this.askTwice({ video: this.video(main, devices) }, { video: this.video(main, []) }));
  }

  private async openExtra(source: CameraSource): Promise<void> {
    if (!this.wants(source) || (this.camera !== null && this.camera !== "off")) return;
    const devices = await plugged();
    const used = this.used();
    const chosen = this.chosen(source, devices);
    const free = chosen && !used.has(chosen.deviceId) ? chosen : fitting(devices, source).find((d) => !used.has(d.deviceId));
    if (free === undefined) {
      if (this.lost.has(source)) this.faults.set(source, "unplugged");
      return;
    }
    this.take(source, await ask({ video: { ...size(CAMERA), deviceId: { exact: free.deviceId } } }));
  }

  private wants(source: Source): boolean {
    return !this.closed && !this.tracks.has(source) && choiceOf(source) !== "off";
  }

  private used(): Set<string> {
    return new Set([...this.tracks.values()].flatMap((track) => deviceOf(track) ?? []));
  }

  /** The device that was chosen, otherwise the one that was used until it went away. */
  private chosen(source: Source, devices: readonly MediaDeviceInfo[]): MediaDeviceInfo | undefined {
    const before = this.lost.get(source);
    return find(devices, source) ?? (before ? fitting(devices, source).find((device) => device.label === before) : undefined);
  }

  private audio(devices: readonly MediaDeviceInfo[]): MediaTrackConstraints {
    const chosen = this.chosen("mic", devices);
    return { ...this.treatment(), ...(chosen ? { deviceId: { exact: chosen.deviceId } } : {}) };
  }

  /** What the browser does to the sound of a microphone. */
  private treatment(): MediaTrackConstraints {
    return this.plan.raw ? { echoCancellation: false, noiseSuppression: false, autoGainControl: false } : SPEECH;
  }

  private video(source: CameraSource, devices: readonly MediaDeviceInfo[]): MediaTrackConstraints {
    const used = this.used();
    const free = fitting(devices, source).filter((device) => !used.has(device.deviceId));
    const chosen = this.chosen(source, free);
    const choice = choiceOf(source);
    if (chosen) return { ...size(CAMERA), deviceId: { exact: chosen.deviceId } };
    // ids are hidden until the browser was asked once: then the remembered one is a wish
    const wish = choice !== null && choice !== "off" ? choice.id : used.size > 0 ? free[0]?.deviceId : undefined;
    return { ...size(CAMERA), ...(wish ? { deviceId: { ideal: wish } } : {}) };
  }

  /** The chosen device, and where just that one fails, any. */
  private async askTwice(chosen: MediaStreamConstraints, any: MediaStreamConstraints): Promise<MediaStream | Fault> {
    const got = await ask(chosen);
    return got === "missing" || got === "busy" ? better(got, await ask(any)) : got;
  }

  private take(source: Source, got: MediaStream | Fault): void {
    if (got instanceof MediaStream) this.keep(source, got.getTracks()[0]);
    else this.faults.set(source, got === "missing" && this.lost.has(source) ? "unplugged" : got);
  }

  private keep(source: Source, track: MediaStreamTrack | undefined, fresh = true): void {
    if (track === undefined) return;
    if (this.closed) {
      track.stop();
      return;
    }
    this.tracks.set(source, track);
    this.faults.delete(source);
    const choice = choiceOf(source);
    const wanted = choice !== null && choice !== "off" ? choice.label : this.lost.get(source);
    if (wanted && wanted !== track.label) this.standIns.set(source, { lost: wanted, now: track.label });
    else {
      this.standIns.delete(source);
      this.lost.delete(source);
    }
    if (!fresh) return;
    track.addEventListener("ended", () => {
      const held = [...this.tracks].find(([, one]) => one === track)?.[0];
      if (held === undefined) return;
      this.lose(held, track);
      this.tell();
      void this.open();
    });
  }

  /** A device went away by itself. */
  private lose(source: Source, track: MediaStreamTrack): void {
    this.lost.set(source, track.label);
    this.release(source);
    this.faults.set(source, "unplugged");
  }

  private release(source: Source): void {
    const track = this.tracks.get(source);
    this.tracks.delete(source);
    track?.stop();
  }

  private tell(): void {
    this.version.value++;
    this.changed();
  }
}

const SPEECH: MediaTrackConstraints = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };

function deviceOf(track: MediaStreamTrack | undefined): string | undefined {
  return track?.getSettings().deviceId;
}

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

/** What to say when both the chosen device and any other failed: that the chosen one is busy says more. */
function better(first: Fault, second: MediaStream | Fault): MediaStream | Fault {
  return second === "missing" ? first : second;
}
