/** How loud a microphone is, as seven bars, and whether it hears anything at all. */
import { useEffect, useState } from "preact/hooks";
import { Icon } from "../ui/icons";

const BARS = [0, 1, 2, 3, 4, 5, 6];
const QUIETEST = -60;

/** Calls `heard` ten times a second with 0 (silence) to 1; returns what ends it. */
export function listen(stream: MediaStream, heard: (level: number) => void): () => void {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 1024;
  const source = context.createMediaStreamSource(stream);
  source.connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
    const decibels = power > 0 ? 10 * Math.log10(power) : QUIETEST;
    heard(Math.min(1, Math.max(0, 1 - decibels / QUIETEST)));
  }, 100);
  return () => {
    clearInterval(timer);
    source.disconnect();
    void context.close();
  };
}

export function LevelMeter({ stream }: { stream: MediaStream }) {
  const [lit, setLit] = useState(0);
  useEffect(() => listen(stream, (level) => setLit(Math.round(level * BARS.length))), [stream]);
  return (
    <div class="lvl" aria-hidden>
      <Icon name="mic" />
      {BARS.map((bar) => (
        <i key={bar} class={bar < lit ? "" : "o"} />
      ))}
    </div>
  );
}
