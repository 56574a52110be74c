/** The last word before a lesson that overruns ends by itself. */
import { t } from "../ui/i18n";
import { Icon } from "../ui/icons";
import type { Room } from "./room";
import { serverNow } from "./ticker";

const WARNS_BEFORE = 120;

export function OverrunWarning({ room }: { room: Room }) {
  const { state, overrunUntil } = room.snapshot;
  if (state !== "overrun" || overrunUntil === null) return null;
  const left = overrunUntil - serverNow(room);
  if (left > WARNS_BEFORE) return null;
  return (
    <p class="last-word" role="alert" data-overrun>
      <Icon name="clock" />
      {t("classroom.overrun.ends", { n: Math.max(1, Math.ceil(left / 60)) })}
    </p>
  );
}
