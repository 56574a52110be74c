/** What this machine sees of its line. This module turns WebRTC statistics into the differences a link report carries. */
import type { LinkReport } from "../generated/live";

interface Totals {
  freezes: number;
  lost: number;
  packets: number;
  frames: number;
  samples: number;
  concealed: number;
}

const NOTHING: Totals = { freezes: 0, lost: 0, packets: 0, frames: 0, samples: 0, concealed: 0 };

export class LineReport {
  private before: Totals = NOTHING;

  /** Freezes, frames and the share of packets lost since the last report; the round trip as it is now. */
  next(received: RTCStatsReport | null, sent: RTCStatsReport | null): LinkReport {
    const totals = { ...NOTHING };
    let rttMs = 0;
    let height = 0;
    let fps = 0;
    for (const report of [received, sent]) {
      report?.forEach((entry: Record<string, unknown>) => {
        if (entry.type === "candidate-pair" && entry.nominated && typeof entry.currentRoundTripTime === "number") {
          rttMs = Math.max(rttMs, entry.currentRoundTripTime * 1000);
        }
        if (report !== received || entry.type !== "inbound-rtp") return;
        totals.lost += number(entry.packetsLost);
        totals.packets += number(entry.packetsReceived);
        totals.freezes += number(entry.freezeCount);
        totals.frames += number(entry.framesDecoded);
        totals.samples += number(entry.totalSamplesReceived);
        totals.concealed += number(entry.concealedSamples);
        if (number(entry.frameHeight) > height && number(entry.framesPerSecond) > 0) {
          height = number(entry.frameHeight);
          fps = number(entry.framesPerSecond);
        }
      });
    }
    const since = (name: keyof Totals) => Math.max(0, totals[name] - this.before[name]);
    const lost = since("lost");
    const report: LinkReport = {
      t: "link_report",
      freezes: since("freezes"),
      lost: lost === 0 ? 0 : lost / (lost + since("packets")),
      rttMs: Math.round(rttMs * 10) / 10,
      frames: since("frames"),
      height,
      fps,
      concealed: since("concealed") / Math.max(1, since("samples")),
    };
    this.before = totals;
    return report;
  }
}

function number(value: unknown): number {
  return typeof value === "number" ? value : 0;
}
