/** Carrying a lesson by the keyboard: M takes it, arrows lead it from slot to slot, Enter lets it fall, Esc returns.
 * Who may not move it sees its slots all the same. */

import type { TargetedKeyboardEvent } from "preact";
import type { Lesson } from "../generated/api";
import { carry, carryOver, drop, neighbour, pickUp, putBack, slotBelow, slotName } from "./carry";
import { moveThrough } from "./moving";
import type { Table } from "./table";

const ARROWS = new Set(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"]);

/** The key handler of a grid: carrying while a lesson is carried, else moving from lesson to lesson. */
export function gridKeys(table: Table): (event: TargetedKeyboardEvent<HTMLElement>) => void {
  return (event) => {
    if (carry.value === null) {
      const lesson = table.lessons.get((document.activeElement instanceof HTMLElement && document.activeElement.dataset.lesson) || "");
      const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
      if (!plain || lesson === undefined || event.key.toLowerCase() !== "m") {
        moveThrough(event);
        return;
      }
      event.preventDefault();
      // the lesson's own label may go from the page while it is carried
      event.currentTarget.focus();
      takeUp(table, lesson);
    } else if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      const lesson = carry.value.lesson;
      putBack();
      const grid = event.currentTarget;
      requestAnimationFrame(() => grid.querySelector<HTMLElement>(`[data-lesson="${CSS.escape(lesson)}"]`)?.focus());
    } else if (event.key === "Enter") {
      event.preventDefault();
      void drop(slotBelow.value, table.view.revision);
    } else if (ARROWS.has(event.key)) {
      event.preventDefault();
      const next = neighbour(event.key, event.shiftKey);
      if (next !== null) carryOver(slotName(next));
    }
  };
}

/** Into the hand where the person may move it, else to look at its slots. */
export function takeUp(table: Table, lesson: Lesson): void {
  if (table.over) return;
  const { community, status, version } = table.view;
  void pickUp(community.id, table.origin(lesson), table.movable ? "keys" : "look", status === "published" ? String(version) : "draft");
}
