/** The loudspeaker of this machine: sending sound to the chosen one, and trying it with a short tone. */
import { find, plugged } from "./devices";

/** `ok`: our own microphone heard the tone. `played`: it went out, and people must say whether they heard it. */
export type SpeakerState = "ok" | "played" | "ready" | "missing" | "blocked";

const TONE_HZ = 880;
const TONE_MS = 900;
/** dB by which the tone must stand out from silence before and from the sounds beside it. */
const CLEARLY = 12;

/** Whether a page may choose where its sound comes out. */
export const canChoose = "setSinkId" in HTMLMediaElement.prototype;

/** Let an element sound on the chosen loudspeaker, or on the system's where that is gone. */
export async function route(element: HTMLMediaElement): Promise<void> {
  if (!canChoose) return;
  const id = find(await plugged(), "speaker")?.deviceId ?? "";
  if (element.sinkId === id) return;
  // a loudspeaker pulled out in between: the system's own goes on
  await element.setSinkId(id).catch(() => undefined);
}

/** What can be known without a sound: whether there is a loudspeaker, and whether the browser lets it speak. */
export async function quietly(): Promise<SpeakerState> {
  const devices = await plugged();
  const named = devices.some((device) => device.label !== "");
  // Firefox lists no loudspeakers of its own accord
  const lists = devices.some((device) => device.kind === "audiooutput") || /Chrome\//.test(navigator.userAgent);
  if (named && lists && !devices.some((device) => device.kind === "audiooutput")) return "missing";
  const context = new AudioContext();
  const running = await runs(context);
  void context.close();
  return running ? "ready" : "blocked";
}

/** Sound a tone on the chosen loudspeaker and listen for it. */
export async function aloud(mic: MediaStreamTrack | undefined): Promise<SpeakerState> {
  const silent = await quietly();
  if (silent !== "ready") return silent;
  const context = new AudioContext();
  try {
    if (!(await runs(context))) return "blocked";
    const analyser = context.createAnalyser();
    analyser.fftSize = 4096;
    analyser.smoothingTimeConstant = 0;
    if (mic) context.createMediaStreamSource(new MediaStream([mic])).connect(analyser);
    const level = () => {
      const bins = new Float32Array(analyser.frequencyBinCount);
      analyser.getFloatFrequencyData(bins);
      const at = Math.round((TONE_HZ * analyser.fftSize) / context.sampleRate);
      const beside = [...bins.slice(at - 24, at - 8), ...bins.slice(at + 9, at + 25)];
      return Math.max(...bins.slice(at - 2, at + 3)) - beside.reduce((sum, bin) => sum + bin, 0) / beside.length;
    };
    await wait(200);
    const before = Math.max(0, level());
    const out = context.createMediaStreamDestination();
    const tone = context.createOscillator();
    const gain = context.createGain();
    tone.frequency.value = TONE_HZ;
    gain.gain.value = 0.25;
    tone.connect(gain).connect(out);
    const element = new Audio();
    element.srcObject = out.stream;
    await route(element);
    await element.play();
    tone.start();
    let loudest = -Infinity;
    const end = performance.now() + TONE_MS;
    while (performance.now() < end) {
      await wait(50);
      loudest = Math.max(loudest, level());
    }
    tone.stop();
    element.pause();
    return mic && Number.isFinite(loudest) && loudest - before > CLEARLY ? "ok" : "played";
  } catch {
    // play() is refused where nobody has touched the page
    return "blocked";
  } finally {
    void context.close();
  }
}

async function runs(context: AudioContext): Promise<boolean> {
  if (context.state === "running") return true;
  await Promise.race([context.resume(), wait(400)]);
  return (context.state as AudioContextState) === "running";
}

function wait(milliseconds: number): Promise<void> {
  return new Promise((done) => setTimeout(done, milliseconds));
}
