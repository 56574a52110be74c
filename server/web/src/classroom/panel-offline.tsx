/** The big panel while its line is down: since when, and the telephone instead. */
import { t } from "../ui/i18n";
import { Icon } from "../ui/icons";
import { clockAt } from "../ui/time";
import type { ViewProps } from "./panel-view";
import { WallButton } from "./wall-button";
import { lasting, second, serverNow } from "./ticker";

export function PanelOffline({ classroom, room, phone, since }: ViewProps & { phone: string; since: number }) {
  return (
    <div class="offl" role="alert">
      <header class="ls">
        <b class="w36 grow ell">{room.snapshot.lesson.title}</b>
        <b class="w48">{clockAt(serverNow(room))}</b>
      </header>
      <section>
        <p class="w64 row">
          <Icon name="load" spin />
          <b>{t("classroom.panel.down")}</b>
        </p>
        <p class="w36 mut">{t("classroom.panel.down_text", { time: lasting(second.value - since) })}</p>
      </section>
      {phone ? (
        <section class="ph">
          <p class="w36">{t("classroom.panel.dial")}</p>
          <p class={phone.length > 14 ? "tel long" : "tel"}>{phone}</p>
        </section>
      ) : (
        <section />
      )}
      <footer>
        <span class="w28 mut grow">{t("classroom.panel.phone_online")}</span>
        <WallButton action="retry" onClick={classroom.retry}>
          <Icon name="load" />
          {t("classroom.panel.retry")}
        </WallButton>
      </footer>
    </div>
  );
}
