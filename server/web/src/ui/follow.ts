/** Work of the server, followed live until it ends: by its stream of events, or by asking where a proxy swallows it. */

import { get } from "./api";

const POLL_MS = 1500;

interface Followed {
  state: "running" | "done" | "failed" | "cancelled" | "interrupted";
}

/** Tells every new view of what is at `path`, which streams at `path`/events, and whether the server can be reached.
 * The answer stops following. */
export function follow<V extends Followed>(path: string, take: (view: V) => void, reached: (can: boolean) => void = () => {}): () => void {
  let on = true;
  const source = new EventSource(`${path}/events`);
  const stop = () => {
    on = false;
    source.close();
  };
  const told = (view: V) => {
    if (!on) return;
    reached(true);
    if (view.state !== "running") stop();
    take(view);
  };
  const poll = async () => {
    while (on) {
      try {
        told(await get<V>(path));
      } catch {
        // the server may be on its way up again
        if (on) reached(false);
      }
      await new Promise((done) => setTimeout(done, POLL_MS));
    }
  };
  source.onmessage = (event: MessageEvent<string>) => told(JSON.parse(event.data) as V);
  source.onerror = () => {
    source.close();
    if (on) void poll();
  };
  return stop;
}
