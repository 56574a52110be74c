/** Taking back the last change of the draft, and doing it again: two buttons, and Ctrl+Z, Ctrl+Y and Ctrl+Shift+Z
 * anywhere on the page. A lesson in the hand, or a repair that is not accepted yet, is what is put back first. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { TimetableView } from "../generated/api";
import { explain, Problem } from "../ui/api";
import { Button, useAction } from "../ui/components";
import { findingText, isFinding } from "../ui/findings";
import { t } from "../ui/i18n";
import { carry, changing, dropped, putBack, redo, undo } from "./carry";
import type { Table } from "./table";

const SAID_MS = 4000;
const STEPS = { undo, redo };
type Step = keyof typeof STEPS;

export function Undo({ table, onDone }: { table: Table; onDone: (view: TimetableView) => void }) {
  const { mayUndo, mayRedo } = table.view;
  const { error, run, clear } = useAction();
  const [done, setDone] = useState<Step | null>(null);
  // what is shown when a key is pressed, which may be more than when its listener was set
  const shown = useRef(table.view);
  shown.current = table.view;
  const inHand = () => carry.value !== null || dropped.value !== null;
  const take = (step: Step) => {
    // asked when it is pressed: a change may have begun since this was drawn
    if (changing.value) return;
    if (inHand()) {
      if (step === "undo") putBack();
      return;
    }
    const { community, revision } = shown.current;
    setDone(null);
    run(async () => {
      onDone(await STEPS[step](community.id, revision));
      setDone(step);
    });
  };
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const typing = event.target instanceof HTMLElement && event.target.closest("input, textarea, select, dialog") !== null;
      const step = typing ? null : stepOf(event);
      if (step === null) return;
      event.preventDefault();
      take(step);
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  });
  useEffect(() => {
    if (done === null && error === undefined) return undefined;
    const timer = setTimeout(() => {
      setDone(null);
      clear();
    }, SAID_MS);
    return () => clearTimeout(timer);
  }, [done, error]);
  return (
    <span class="undo">
      <Button kind="quiet" icon="undo" label={t("undo.undo")} action="undo" busy={changing.value} disabled={!mayUndo && !inHand()} onClick={() => take("undo")} />
      <Button kind="quiet" icon="redo" label={t("undo.redo")} action="redo" busy={changing.value} disabled={!mayRedo || inHand()} onClick={() => take("redo")} />
      <span role="status">
        {error !== undefined ? <span class="undo-said bad">{why(error)}</span> : done !== null && <span class="undo-said">{t(`undo.done.${done}`)}</span>}
      </span>
    </span>
  );
}

function stepOf(event: KeyboardEvent): Step | null {
  if (event.altKey || event.isComposing || !(event.ctrlKey || event.metaKey)) return null;
  const key = event.key.toLowerCase();
  if (key === "z") return event.shiftKey ? "redo" : "undo";
  // with the command key it opens the browser's history
  return key === "y" && event.ctrlKey && !event.shiftKey ? "redo" : null;
}

/** The refusal with its first reason. */
function why(error: unknown): string {
  const reason = error instanceof Problem ? error.errors.find(isFinding) : undefined;
  return [explain(error), reason && findingText(reason)].filter(Boolean).join(" ");
}
