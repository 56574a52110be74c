/** How large an element is right now. */

import type { RefObject } from "preact";
import { useLayoutEffect, useState } from "preact/hooks";

export interface Size {
  width: number;
  height: number;
}

/** The inner size of the element, kept up to date; zero before it is painted. */
export function useSize(element: RefObject<HTMLElement | null>): Size {
  const [size, setSize] = useState<Size>({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const target = element.current;
    if (target === null) return undefined;
    const measure = () => setSize({ width: target.clientWidth, height: target.clientHeight });
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(target);
    return () => observer.disconnect();
  }, [element]);
  return size;
}

/** Whether the window is as narrow as a phone's. */
export function useNarrow(limit: number): boolean {
  const [narrow, setNarrow] = useState(() => innerWidth < limit);
  useLayoutEffect(() => {
    const measure = () => setNarrow(innerWidth < limit);
    addEventListener("resize", measure);
    return () => removeEventListener("resize", measure);
  }, [limit]);
  return narrow;
}
