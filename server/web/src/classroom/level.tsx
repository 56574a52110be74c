/** How loud a microphone is: measuring it, and drawing it as seven bars. */
import { useEffect, useState } from "preact/hooks";
import { Icon } from "../ui/icons";

const BARS = [0, 1, 2, 3, 4, 5, 6];
/** dB of full scale at which the first bar is about to light. */
const QUIETEST = -60;

/**
 * Calls `heard` ten times a second with the loudness in dB of full scale, -Infinity for no signal at all; returns what
 * ends it. Says nothing while the browser withholds sound from a page that nobody has touched.
 */
export function listen(stream: MediaStream, heard: (decibels: number) => void): () => void {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 1024;
  const source = context.createMediaStreamSource(stream);
  source.connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    if (context.state !== "running") return;
    analyser.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
    heard(10 * Math.log10(power));
  }, 100);
  return () => {
    clearInterval(timer);
    source.disconnect();
    void context.close();
  };
}

export function LevelMeter({ stream }: { stream: MediaStream }) {
  const [lit, setLit] = useState(0);
  useEffect(() => listen(stream, (decibels) => setLit(Math.round(Math.max(0, 1 - decibels / QUIETEST) * BARS.length))), [stream]);
  return (
    <div class="lvl" aria-hidden>
      <Icon name="mic" />
      {BARS.map((bar) => (
        <i key={bar} class={bar < lit ? "" : "o"} />
      ))}
    </div>
  );
}
