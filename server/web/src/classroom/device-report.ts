/** This module owns telling the lesson what camera and microphone are able to give: the host sees why a tile is dark. */
import type { DeviceState } from "../generated/live";
import type { Capture } from "./capture";
import { CommandError, type Connection } from "./connection";

export class DeviceReport {
  private told = "";

  constructor(private readonly connection: Connection) {}

  /** Another server, or the same one again: it has to be told anew. */
  forget(): void {
    this.told = "";
  }

  /** Says it whenever it is news. */
  tell(capture: Capture | null): void {
    if (capture === null || capture.version.value === 0 || this.connection.phase !== "connected") return;
    const main = capture.plan.cameras[0];
    const state = (source: "mic" | "teacher" | "pupils"): DeviceState => (capture.tracks.has(source) ? "ok" : (capture.faults.get(source) ?? "missing"));
    const camera = main ? state(main) : "off";
    const microphone = state("mic");
    if (this.told === `${camera} ${microphone}`) return;
    this.told = `${camera} ${microphone}`;
    this.connection.request({ t: "report_devices", camera, microphone }).catch((error: unknown) => {
      if (!(error instanceof CommandError)) throw error;
      // before the doors open nobody needs to know; the next change or return says it again
      this.told = "";
    });
  }
}
