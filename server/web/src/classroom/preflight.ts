/** The check before a lesson: this module owns trying a panel's camera, microphone, loudspeaker and line, and reporting them. */
import type { PreflightReport } from "../generated/api";
import { get, post, Problem } from "../ui/api";
import { Capture, type Fault, PLANS } from "./capture";
import { listen } from "./level";
import { aloud, quietly, type SpeakerState } from "./speaker";
import { steadyNow } from "./steady";

export interface Preflight {
  camera: PreflightReport["camera"];
  microphone: PreflightReport["microphone"];
  speaker: SpeakerState;
  rttMs: number;
  cameras: number;
  /** Unix seconds of this page's steady clock. */
  at: number;
}

const LISTEN_MS = 1_500;
/** dB of full scale that every working microphone exceeds. */
const DEAD = -85;
const ROUNDS = 3;

/** Opens the devices for a moment and lets them go again. `loud`: with a tone, where no class is disturbed by it.
 * `listens`: the room has neither camera nor microphone. */
export async function check(loud: boolean, listens: boolean): Promise<Preflight> {
  const plan = PLANS.endpoint;
  if (plan === undefined) throw new Error("no plan for endpoints");
  // Without processing: suppressed noise and a dead microphone would look the same.
  const capture = new Capture({ ...plan, raw: true, listens }, () => undefined);
  await capture.open();
  const mic = capture.tracks.get("mic");
  const silent = mic !== undefined && (await isSilent(mic));
  const cameras = [...capture.tracks.keys()].filter((source) => source !== "mic").length;
  const result: Preflight = {
    camera: capture.camera === null ? "ok" : reported(capture.camera),
    microphone: capture.microphone !== null ? reported(capture.microphone) : silent ? "silent" : "ok",
    speaker: await (loud ? aloud(mic) : quietly()),
    rttMs: await roundTrip(),
    cameras,
    at: steadyNow(),
  };
  capture.close();
  return result;
}

/** A report that cannot be delivered is shown on the panel all the same. */
export async function report(session: string, { camera, microphone, speaker, rttMs }: Preflight): Promise<void> {
  try {
    await post("/api/room/preflight", { session, camera, microphone, speaker, rttMs } satisfies PreflightReport);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
  }
}

function reported(fault: Fault): "missing" | "denied" | "busy" | "off" {
  if (fault === "denied" || fault === "insecure") return "denied";
  return fault === "unplugged" ? "missing" : fault;
}

/** Whether not even the noise of an empty room was heard; a browser that lets nothing be measured leaves it open. */
function isSilent(mic: MediaStreamTrack): Promise<boolean> {
  return new Promise((resolve) => {
    const heard: number[] = [];
    const end = listen(new MediaStream([mic]), (decibels) => heard.push(decibels));
    setTimeout(() => {
      end();
      resolve(heard.length > 0 && Math.max(...heard) < DEAD);
    }, LISTEN_MS);
  });
}

/** The best of a few small requests, in milliseconds. */
async function roundTrip(): Promise<number> {
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const before = performance.now();
    try {
      await get("/api/me");
    } catch (error) {
      if (!(error instanceof Problem) || error.status === 0) continue;
    }
    best = Math.min(best, performance.now() - before);
  }
  return Number.isFinite(best) ? Math.round(best) : 0;
}
