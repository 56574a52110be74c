/** Taking back the last change of the draft: a button, and Ctrl+Z anywhere on the page. A lesson in the hand, or a repair
 * that is not accepted yet, is what is put back first. */

import { useEffect, useState } from "preact/hooks";
import type { TimetableView } from "../generated/api";
import { explain } from "../ui/api";
import { Button, useAction } from "../ui/components";
import { t } from "../ui/i18n";
import { accepting, carry, dropped, putBack, undo } from "./carry";
import type { Table } from "./table";

const SAID_MS = 4000;

export function Undo({ table, onDone }: { table: Table; onDone: (view: TimetableView) => void }) {
  const { community, revision } = table.view;
  const { busy, error, run, clear } = useAction();
  const [done, setDone] = useState(false);
  // asked when it is pressed: an acceptance may have begun since this was drawn
  const waits = () => busy || accepting.value;
  const back = () => {
    if (waits()) return;
    if (carry.value !== null || dropped.value !== null) {
      putBack();
      return;
    }
    run(async () => {
      onDone(await undo(community.id, revision));
      setDone(true);
    });
  };
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const typing = event.target instanceof HTMLElement && event.target.closest("input, textarea, select, dialog") !== null;
      if (typing || event.key.toLowerCase() !== "z" || !(event.ctrlKey || event.metaKey) || event.shiftKey) return;
      event.preventDefault();
      back();
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, [community.id, revision, busy]);
  useEffect(() => {
    if (!done && error === undefined) return undefined;
    const timer = setTimeout(() => {
      setDone(false);
      clear();
    }, SAID_MS);
    return () => clearTimeout(timer);
  }, [done, error]);
  return (
    <span class="undo">
      <Button kind="quiet" icon="undo" label={t("undo.undo")} action="undo" busy={waits()} onClick={back} />
      <span role="status">{(done || error !== undefined) && <span class={`undo-said ${error === undefined ? "" : "bad"}`}>{error === undefined ? t("undo.done") : explain(error)}</span>}</span>
    </span>
  );
}
