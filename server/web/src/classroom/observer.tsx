/** A silent observer's screen: everything that is heard and seen, and nothing that could disturb it. */
import { useEffect, useState } from "preact/hooks";
import { t } from "../ui/i18n";
import { Icon } from "../ui/icons";
import type { Classroom } from "./classroom";
import { Header } from "./live-header";
import { ChatPanel, UnreadMark } from "./chat";
import { DeviceDialog } from "./device-dialog";
import { captionOf, Face } from "./parts";
import { host, program, tiles } from "./room";
import { Sounds, SoundUnlock } from "./sound";
import { Sheet } from "./sheet";
import { Tile } from "./tile";

export function ObserverPage({ classroom }: { classroom: Classroom }) {
  const room = classroom.room.value;
  const [devicesOpen, openDevices] = useState(false);
  const [chatOpen, openChat] = useState(false);
  useEffect(() => {
    document.documentElement.dataset.theme = "dark";
    return () => delete document.documentElement.dataset.theme;
  }, []);
  if (room === null) return null;
  const shown = program(room);
  const teacher = host(room);
  const board = room.snapshot.board.shown !== null;
  return (
    <div class="observe" data-session={room.snapshot.session} data-state={room.snapshot.state} data-role={room.role}>
      <Header classroom={classroom} room={room} />
      <section class={board ? "stage boarded" : "stage"} aria-label={t("classroom.program.title")}>
        {board ? (
          <>
            <Sheet classroom={classroom} room={room} surface="desk" />
            {shown && (
              <div class="inset">
                <Face classroom={classroom} participant={shown} />
                <span class="plab">{captionOf(shown)}</span>
              </div>
            )}
          </>
        ) : shown ? (
          <>
            <Face classroom={classroom} participant={shown} />
            <span class="plab">{captionOf(shown)}</span>
          </>
        ) : (
          <span class="ov">
            <Icon name="clock" size="lg" />
            <b>{t("classroom.observer.no_host")}</b>
          </span>
        )}
        {!board && teacher && shown && teacher.id !== shown.id && (
          <div class="inset">
            <Face classroom={classroom} participant={teacher} />
          </div>
        )}
      </section>
      <section class="strip" aria-label={t("classroom.host.rooms")}>
        {tiles(room).map((participant) => (
          <Tile key={participant.id} classroom={classroom} room={room} participant={participant} silent />
        ))}
      </section>
      <div class="dock">
        <span class="sm mut">
          <Icon name="eye" size="sm" /> {t("classroom.observer.silent")}
        </span>
        <span class="grow" />
        {room.role === "observer" && (
          <button type="button" class="dk" data-action="chat" aria-expanded={chatOpen} onClick={() => openChat(!chatOpen)}>
            <Icon name="joint" size="lg" />
            <span>{t("classroom.chat.short")}</span>
            {!chatOpen && <UnreadMark room={room} />}
          </button>
        )}
        <button type="button" class="dk" data-action="choose-devices" onClick={() => openDevices(true)}>
          <Icon name="vol" size="lg" />
          <span>{t("classroom.devices.speaker")}</span>
        </button>
        <button type="button" class="dk" data-action="leave" onClick={() => void classroom.leave()}>
          <Icon name="out" size="lg" />
          <span>{t("classroom.act.leave")}</span>
        </button>
      </div>
      <Sounds classroom={classroom} />
      <SoundUnlock classroom={classroom} />
      {chatOpen && (
        <div class="card drawer">
          <ChatPanel classroom={classroom} room={room} onClose={() => openChat(false)} />
        </div>
      )}
      {devicesOpen && <DeviceDialog capture={null} role="observer" onClose={() => openDevices(false)} />}
    </div>
  );
}
