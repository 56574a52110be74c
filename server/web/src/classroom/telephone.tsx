/** The telephone on the assistant's phone, for when the classroom's line is down. */
import type { Participant } from "../generated/live";
import { t } from "../ui/i18n";
import { Icon } from "../ui/icons";
import type { Room } from "./room";
import { lasting, serverNow } from "./ticker";

export function Telephone({ room, own, down }: { room: Room; own: Participant; down: boolean }) {
  const away = Math.max(0, serverNow(room) - own.since);
  return (
    <main>
      {down && (
        <section class="cut" role="alert">
          <Icon name="linkoff" />
          <h1>{t("classroom.phone.down")}</h1>
          <p>{t("classroom.phone.down_text", { time: lasting(away) })}</p>
        </section>
      )}
      {own.phone ? (
        <a class="tel" href={`tel:${own.phone.replace(/[^\d+,]/g, "")}`}>
          <Icon name="phone" size="lg" />
          <span>
            <b>{own.phone}</b>
            <span>{t("classroom.phone.dial")}</span>
          </span>
        </a>
      ) : (
        <p class="note">{t("classroom.phone.no_number")}</p>
      )}
      <ol class="do">
        {[1, 2, 3].map((step) => (
          <li key={step}>
            <b>{step}</b>
            <span>{t(`classroom.phone.step_${step}`)}</span>
          </li>
        ))}
      </ol>
      <div class="grow" />
      <p class="note">
        <Icon name="info" />
        <span>{t("classroom.phone.still_online")}</span>
      </p>
    </main>
  );
}
