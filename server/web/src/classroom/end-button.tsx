/** Ending the lesson for all rooms. */
import { useState } from "preact/hooks";
import { t } from "../ui/i18n";
import { Icon } from "../ui/icons";
import type { Classroom } from "./classroom";
import { memberRooms, type Room } from "./room";

interface EndButtonProps {
  classroom: Classroom;
  room: Room;
  /** Called when it begins and ceases to ask: it needs more room then. */
  onAsking?: (asking: boolean) => void;
}

/** Asks once more in its own place, and the second label names what follows. */
export function EndButton({ classroom, room, onAsking }: EndButtonProps) {
  const [sure, setAsking] = useState(false);
  const setSure = (asking: boolean) => {
    setAsking(asking);
    onAsking?.(asking);
  };
  const busy = classroom.line.value.pending.some((command) => command.t === "end_lesson");
  const rooms = memberRooms(room).filter((p) => p.presence !== "offline").length;
  const press = (event: MouseEvent) => {
    // The second half of a double click is no decision.
    if (event.detail > 1 || busy) return;
    if (sure) classroom.ask({ t: "end_lesson" });
    setSure(!sure);
  };
  return (
    <>
      {sure && (
        <button type="button" class="dk" data-action="cancel-end" onClick={() => setSure(false)}>
          {t("act.cancel")}
        </button>
      )}
      <button type="button" class={`dk end ${sure ? "sure" : ""}`} data-action="end-lesson" data-confirm={sure} aria-busy={busy || undefined} onClick={press}>
        <Icon name="stop" size="lg" />
        <span>{sure ? t("classroom.act.end_sure", { n: rooms }) : t("classroom.act.end")}</span>
      </button>
    </>
  );
}
