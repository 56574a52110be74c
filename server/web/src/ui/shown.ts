/** How much of a review may be shown, followed as long as a page shows it: a class may withdraw while it plays. */

import { useEffect, useState } from "preact/hooks";
import type { ReviewShown } from "../generated/api";
import { get, seatHeaders } from "./api";

/** The server speaks every 10 s. Where a proxy swallows that, or the stream is cut, the page asks. */
const QUIET_MS = 15_000;
const ASK_MS = 4_000;

/** The newest word of the server; null before the first, and without a review. */
export function useShown(review: string | null): ReviewShown | null {
  const [shown, setShown] = useState<ReviewShown | null>(null);
  useEffect(() => {
    if (review === null) return undefined;
    const path = `/api/reviews/${encodeURIComponent(review)}/shown`;
    const seat = seatHeaders()["X-Tongke-Seat"];
    const address = seat === undefined ? `${path}/events` : `${path}/events?seat=${encodeURIComponent(seat)}`;
    const abort = new AbortController();
    let heardAt = performance.now() - QUIET_MS + ASK_MS;
    let source: EventSource | null = null;
    const take = (next: ReviewShown) => {
      if (abort.signal.aborted) return;
      heardAt = performance.now();
      setShown((old) => (old !== null && JSON.stringify(old) === JSON.stringify(next) ? old : next));
    };
    const follow = () => {
      source = new EventSource(address);
      source.onmessage = (event: MessageEvent<string>) => take(JSON.parse(event.data) as ReviewShown);
    };
    const ask = setInterval(() => {
      if (performance.now() - heardAt < QUIET_MS) return;
      // the server may be on its way up again: the next round asks anew
      get<ReviewShown>(path, abort.signal).then(take, () => undefined);
      if (source?.readyState === EventSource.CLOSED) follow();
    }, ASK_MS);
    follow();
    return () => {
      abort.abort();
      clearInterval(ask);
      source?.close();
    };
  }, [review]);
  return shown;
}
