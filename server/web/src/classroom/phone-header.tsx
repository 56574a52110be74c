/** What stands above every part of the assistant's phone: the class, its line and the time left. */
import type { Participant } from "../generated/live";
import { t } from "../ui/i18n";
import { Icon } from "../ui/icons";
import { LanguageSwitch } from "../ui/languages";
import { progressOf } from "./parts";
import { inLesson, type Room, tileState } from "./room";
import { lasting, serverNow, timerLeft } from "./ticker";

export function PhoneHeader({ room, own }: { room: Room; own: Participant }) {
  const { snapshot } = room;
  const now = serverNow(room);
  const timer = timerLeft(room);
  const state = tileState(room, own);
  const here = own.role === "endpoint" && own.presence === "connected";
  return (
    <header class="ah">
      <div class="row">
        <span class="grow">
          <b class="ell">{[own.unitName, own.role === "endpoint" ? own.className : ""].filter(Boolean).join(" · ")}</b>
          <span class="sm mut ell">{snapshot.lesson.title}</span>
        </span>
        <LanguageSwitch />
      </div>
      <div class="row ln" data-room={own.room || own.id} data-state={own.role === "endpoint" ? state : "offline"} data-hands={own.hands.length}>
        {own.role !== "endpoint" ? (
          <span class="st warn">
            <Icon name="linkoff" size="sm" />
            {t("classroom.phone.no_panel")}
          </span>
        ) : (
          <>
            <span class={`st ${here && state !== "audio_only" ? "ok" : "warn"}`}>
              <Icon name={here && state !== "audio_only" ? "check" : "camoff"} size="sm" />
              {t("classroom.phone.picture")}
            </span>
            <span class={`st ${here ? "ok" : "bad"}`}>
              <Icon name={here ? "check" : "mute"} size="sm" />
              {t("classroom.phone.sound")}
            </span>
            {own.recording === "recording" && (
              <span class="st bad">
                <i class="live-dot" />
                {t("classroom.phone.recorded")}
              </span>
            )}
            {own.recording === "no_consent" && (
              <span class="st">
                <Icon name="camoff" size="sm" />
                {t("classroom.phone.not_recorded")}
              </span>
            )}
          </>
        )}
        {timer !== null && (
          <span class="st warn" role="timer">
            <Icon name="timer" size="sm" />
            {lasting(timer)}
          </span>
        )}
        <b class="left">
          {snapshot.state === "overrun" && snapshot.overrunUntil !== null
            ? t("classroom.host.ends_in", { time: lasting(snapshot.overrunUntil - now) })
            : inLesson(snapshot)
            ? t("classroom.minutes_left", { n: Math.max(0, Math.ceil((snapshot.lesson.ends - now) / 60)) })
            : t(`classroom.state.${snapshot.state}`)}
        </b>
      </div>
      <div class="bar">
        <i style={{ width: `${progressOf(snapshot, now) * 100}%` }} />
      </div>
    </header>
  );
}
