/** A part of a page that is seldom wanted and comes when it is: the page itself opens sooner on a village's line. */

import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Problem } from "./api";
import { Failure, Skeleton } from "./components";

/** A component that loads itself when it is first shown; `lines` of a skeleton stand for it until then. */
export function later<P extends object>(load: () => Promise<ComponentType<P>>, lines = 3): ComponentType<P> {
  let loaded: ComponentType<P> | null = null;
  return function Later(props: P) {
    const [lost, setLost] = useState(false);
    const [, setLoaded] = useState(loaded);
    useEffect(() => {
      if (loaded !== null || lost) return;
      load().then(
        (part) => {
          loaded = part;
          setLoaded(() => part);
        },
        () => setLost(true),
      );
    }, [lost]);
    if (lost) return <Failure error={new Problem(0, "unreachable")} retry={() => setLost(false)} />;
    const Part = loaded;
    return Part === null ? <Skeleton lines={lines} /> : <Part {...props} />;
  };
}
