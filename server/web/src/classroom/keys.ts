/** Single-letter keys: they can be switched off, and never fire while somebody writes or holds a modifier. */
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { remember } from "../ui/i18n";

const KEY = "tongke.keys";

export const keysOn = signal(remember(KEY) !== "off");

export function switchKeys(on: boolean): void {
  remember(KEY, on ? "on" : "off");
  keysOn.value = on;
}

/** `handle` gets the key in lower case and says whether it used it. */
export function useKeys(handle: (key: string) => boolean): void {
  const newest = useRef(handle);
  newest.current = handle;
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || event.repeat || !keysOn.value) return;
      if (event.target instanceof HTMLElement && event.target.closest("input, textarea, select, dialog, [contenteditable]")) return;
      const onButton = event.target instanceof HTMLElement && event.target.closest("button, a, [role=slider]") !== null;
      // Space and Enter belong to the button that has the focus.
      if (onButton && (event.key === " " || event.key === "Enter")) return;
      if (newest.current(event.key.toLowerCase())) event.preventDefault();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);
}
