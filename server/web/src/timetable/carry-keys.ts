/** Carrying a lesson by the keyboard: M takes it, arrows lead it from slot to slot, Enter lets it fall, Esc returns. */

import type { TargetedKeyboardEvent } from "preact";
import { carry, carryOver, drop, neighbour, pickUp, putBack, slotBelow, slotName } from "./carry";
import { moveThrough } from "./moving";

const ARROWS = new Set(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"]);

/** The key handler of a grid: carrying while a lesson is carried, else moving from lesson to lesson. */
export function gridKeys(community: string, revision: number, allowed: boolean): (event: TargetedKeyboardEvent<HTMLElement>) => void {
  return (event) => {
    if (carry.value === null) {
      const lesson = document.activeElement instanceof HTMLElement ? document.activeElement.dataset.lesson : undefined;
      const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
      if (!allowed || !plain || lesson === undefined || event.key.toLowerCase() !== "m") {
        moveThrough(event);
        return;
      }
      event.preventDefault();
      // the lesson's own label may go from the page while it is carried
      event.currentTarget.focus();
      void pickUp(community, lesson, "keys");
    } else if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      const lesson = carry.value.lesson;
      putBack();
      const grid = event.currentTarget;
      requestAnimationFrame(() => grid.querySelector<HTMLElement>(`[data-lesson="${CSS.escape(lesson)}"]`)?.focus());
    } else if (event.key === "Enter") {
      event.preventDefault();
      void drop(slotBelow.value, revision);
    } else if (ARROWS.has(event.key)) {
      event.preventDefault();
      const next = neighbour(event.key, event.shiftKey);
      if (next !== null) carryOver(slotName(next));
    }
  };
}
