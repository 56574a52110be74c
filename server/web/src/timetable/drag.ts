/** Taking a lesson by the pointer: after six pixels of a mouse, or after holding a finger still for a moment. */

import type { TargetedPointerEvent } from "preact";
import { useEffect, useState } from "preact/hooks";
import { carry, carryOver, drop, pickUp, putBack, slotBelow } from "./carry";

const FAR_PX = 6;
const HOLD_MS = 300;
/** The label that follows the pointer. */
export const CARRIED = "carried-label";

interface Grip {
  lesson: string;
  pointer: number;
  x: number;
  y: number;
  timer: number;
  taken: boolean;
}

/** One finger or mouse on a grid whose lessons carry `data-lesson` and whose slots carry `data-slot`. */
class Gesture {
  private grip: Grip | null = null;

  constructor(
    private readonly community: string,
    private readonly revision: number,
  ) {}

  readonly down = (event: TargetedPointerEvent<HTMLElement>): void => {
    if (event.button !== 0 || !event.isPrimary || !(event.target instanceof Element)) return;
    const lesson = event.target.closest<HTMLElement>("[data-lesson]")?.dataset.lesson;
    if (lesson === undefined) return;
    const touch = event.pointerType === "touch";
    const timer = touch ? window.setTimeout(() => this.take(), HOLD_MS) : 0;
    this.grip = { lesson, pointer: event.pointerId, x: event.clientX, y: event.clientY, timer, taken: false };
  };

  listen(): () => void {
    addEventListener("pointermove", this.move);
    addEventListener("pointerup", this.up);
    addEventListener("pointercancel", this.lost);
    addEventListener("touchmove", this.scroll, { passive: false });
    addEventListener("contextmenu", this.menu);
    return () => {
      removeEventListener("pointermove", this.move);
      removeEventListener("pointerup", this.up);
      removeEventListener("pointercancel", this.lost);
      removeEventListener("touchmove", this.scroll);
      removeEventListener("contextmenu", this.menu);
      this.release();
    };
  }

  private take(): void {
    const { grip } = this;
    if (grip === null) return;
    grip.taken = true;
    // the lesson may be painted anew below the pointer: the whole page keeps it
    document.documentElement.setPointerCapture(grip.pointer);
    document.documentElement.classList.add("carrying");
    void pickUp(this.community, grip.lesson, "pointer");
    requestAnimationFrame(() => follow(grip.x, grip.y));
  }

  private release(): Grip | null {
    const { grip } = this;
    this.grip = null;
    if (grip !== null) clearTimeout(grip.timer);
    document.documentElement.classList.remove("carrying");
    return grip;
  }

  private readonly move = (event: PointerEvent): void => {
    const { grip } = this;
    if (grip === null || event.pointerId !== grip.pointer) return;
    if (!grip.taken) {
      if (Math.hypot(event.clientX - grip.x, event.clientY - grip.y) <= FAR_PX) return;
      if (event.pointerType === "touch") {
        // a finger that moves at once scrolls
        this.release();
        return;
      }
      this.take();
    }
    if (carry.value === null) {
      this.release();
      return;
    }
    follow(event.clientX, event.clientY);
    carryOver(slotAt(event.clientX, event.clientY));
  };

  private readonly up = (event: PointerEvent): void => {
    if (this.grip?.pointer !== event.pointerId) return;
    if (!this.release()?.taken) return;
    swallowClick();
    void drop(slotBelow.value, this.revision);
  };

  private readonly lost = (event: PointerEvent): void => {
    if (this.grip?.pointer !== event.pointerId) return;
    if (this.release()?.taken) putBack();
  };

  private readonly scroll = (event: TouchEvent): void => {
    if (this.grip?.taken && event.cancelable) event.preventDefault();
  };

  private readonly menu = (event: Event): void => {
    if (this.grip !== null) event.preventDefault();
  };
}

/** The `onPointerDown` of a grid; nothing where nobody may move its lessons. */
export function useDragging(community: string, revision: number, allowed: boolean): ((event: TargetedPointerEvent<HTMLElement>) => void) | undefined {
  const [gesture, setGesture] = useState<Gesture | null>(null);
  useEffect(() => {
    if (!allowed) return undefined;
    const made = new Gesture(community, revision);
    setGesture(made);
    const stop = made.listen();
    return () => {
      stop();
      setGesture(null);
    };
  }, [community, revision, allowed]);
  return gesture?.down;
}

/** Written straight into the style: following the pointer costs no painting of the page. */
function follow(x: number, y: number): void {
  const label = document.getElementById(CARRIED);
  if (label === null) return;
  label.style.transform = `translate(${x + 10}px, ${y + 10}px)`;
  label.style.visibility = "visible";
}

function slotAt(x: number, y: number): string | null {
  for (const element of document.elementsFromPoint(x, y)) {
    if (element instanceof HTMLElement && element.dataset.slot !== undefined) return element.dataset.slot;
  }
  return null;
}

/** The click that ends a drag is not meant. */
function swallowClick(): void {
  const stop = (event: Event) => {
    event.stopPropagation();
    event.preventDefault();
  };
  addEventListener("click", stop, { capture: true, once: true });
  setTimeout(() => removeEventListener("click", stop, { capture: true }), 0);
}
