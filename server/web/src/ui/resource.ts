/** Data of the server in a component: loading, keeping the old while the new comes, and saying what went wrong. */

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { now } from "./time";

/** A skeleton shown for a blink is worse than nothing. */
const SKELETON_AFTER_MS = 300;

export interface Resource<T> {
  data: T | undefined;
  /** Why the newest attempt failed; the older data stays. */
  error: unknown;
  /** Nothing there yet, and it takes long enough to show a skeleton. */
  slow: boolean;
  /** When `data` arrived, in seconds since 1970. */
  at: number;
  reload: () => void;
  /** Puts in what an action answered. */
  set: (data: T) => void;
}

/** Loads again whenever `key` changes; a key of null loads nothing. `every`: seconds between refreshes. */
export function useResource<T>(key: string | null, load: (signal: AbortSignal) => Promise<T>, every?: number): Resource<T> {
  const [state, setState] = useState<{ key: string | null; data?: T; error?: unknown; at: number }>({ key: null, at: 0 });
  const [slow, setSlow] = useState(false);
  const [turn, setTurn] = useState(0);
  const newest = useRef(load);
  newest.current = load;

  useEffect(() => {
    if (key === null) return undefined;
    const abort = new AbortController();
    const timer = setTimeout(() => setSlow(true), SKELETON_AFTER_MS);
    newest
      .current(abort.signal)
      .then(
        (data) => setState({ key, data, at: now() }),
        (error: unknown) => {
          if (abort.signal.aborted) return;
          setState((old) => (old.key === key ? { ...old, error } : { key, error, at: 0 }));
        },
      )
      .finally(() => {
        clearTimeout(timer);
        setSlow(false);
      });
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [key, turn]);

  useEffect(() => {
    if (every === undefined) return undefined;
    const timer = setInterval(() => {
      if (!document.hidden) setTurn((n) => n + 1);
    }, every * 1000);
    return () => clearInterval(timer);
  }, [every]);

  const reload = useCallback(() => setTurn((n) => n + 1), []);
  const set = useCallback((data: T) => setState({ key, data, at: now() }), [key]);
  const data = state.key === key ? state.data : undefined;
  return { data, error: state.key === key ? state.error : undefined, slow: slow && data === undefined, at: state.at, reload, set };
}
