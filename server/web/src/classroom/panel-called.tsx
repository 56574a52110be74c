/** The big panel while everybody sees this room: it was called on, or is in the spotlight. */
import { t } from "../ui/i18n";
import { Icon } from "../ui/icons";
import { LevelMeter } from "./level";
import { Own } from "./panel-own";
import type { ViewProps } from "./panel-view";
import { Face, Undelivered } from "./parts";
import { host, memberRooms } from "./room";
import { PenTools, Sheet, usePens } from "./sheet";

export function PanelCalled({ classroom, room, me, called }: ViewProps & { called: boolean }) {
  const teacher = host(room);
  const watching = memberRooms(room).filter((p) => p.id !== me.id && p.presence === "connected").length + (teacher?.presence === "connected" ? 1 : 0);
  const { calledSeat } = room.snapshot;
  const mic = classroom.media.value.local.get("mic");
  const board = room.snapshot.board.shown !== null;
  const [pens, change] = usePens("pen");
  return (
    <div class={board ? "called withboard" : "called"} role="alert">
      <header>
        <span class="mi">
          <Icon name={me.muted ? "micoff" : "mic"} />
        </span>
        <b class="w96 grow ell">{t(called ? "classroom.panel.your_turn" : "classroom.panel.all_see_you", { unit: me.unitName })}</b>
        {called && calledSeat !== null && <span class="w64 nw">{t("classroom.seat.no", { seat: calledSeat })}</span>}
      </header>
      {board ? (
        <div class="main boarded">
          <Sheet classroom={classroom} room={room} surface="wall" pens={called ? pens : undefined} />
          {called && <PenTools classroom={classroom} room={room} pens={pens} change={change} />}
        </div>
      ) : (
        <div class="main">
          <Own classroom={classroom} me={me} />
          <span class="cap">
            <Icon name="eye" />
            {t("classroom.panel.watching", { n: watching })}
          </span>
          {mic && !me.muted && <LevelMeter stream={mic} />}
        </div>
      )}
      <aside>
        {board && (
          <div class="self">
            <Own classroom={classroom} me={me} />
            <span class="cap s">{t("classroom.panel.us")}</span>
          </div>
        )}
        {teacher && (
          <div class="self">
            <Face classroom={classroom} participant={teacher} />
            <span class="cap s">{t("classroom.panel.teacher_short")}</span>
          </div>
        )}
        <p class="w48 say">
          {mic === undefined && classroom.devices.value !== null
            ? [t("classroom.panel.no_mic"), me.phone].filter(Boolean).join(" ")
            : t(me.muted ? "classroom.panel.mic_is_off" : "classroom.panel.mic_is_on")}
        </p>
        <Undelivered classroom={classroom} />
        <div class="grow" />
        {called && (
          <button
            type="button"
            class="hand done"
            data-action={me.muted ? "speak-again" : "finish-speaking"}
            onClick={() => classroom.ask({ t: "mute", participant: me.id, muted: !me.muted })}
          >
            <Icon name={me.muted ? "mic" : "check"} />
            {t(me.muted ? "classroom.panel.speak_again" : "classroom.panel.done")}
          </button>
        )}
      </aside>
    </div>
  );
}
