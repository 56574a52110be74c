/** The host teacher's screen: all rooms, whom to call next, what all rooms see, and the lesson's beginning and end. */
import { useEffect, useState } from "preact/hooks";
import { t } from "../ui/i18n";
import { Icon } from "../ui/icons";
import type { Classroom } from "./classroom";
import { useKeys } from "./keys";
import { ChatPanel, UnreadMark } from "./chat";
import { DeviceDialog } from "./device-dialog";
import { ExerciseSheet } from "./exercise-sheet";
import { ExerciseCard } from "./host-exercise";
import { nextSource } from "./pictures";
import { inLesson, lessonRooms, nextToCall, program, type Room, tiles } from "./room";
import { canShareScreen } from "./screen";
import { OverrunWarning } from "./overrun";
import { Sounds, SoundUnlock } from "./sound";
import { Stage } from "./stage";
import { Tile } from "./tile";
import { Header } from "./live-header";
import { OwnTile } from "./own-tile";
import { Program, Suggestion } from "./program";
import { RoomsTable } from "./rooms-table";
import { Dock } from "./dock";

/** The rooms in words; while an exercise is out its answers come first, and the rooms are one press away. */
function Rest({ classroom, room }: { classroom: Classroom; room: Room }) {
  const run = room.snapshot.exercise;
  /** The exercise beside which the rooms were asked for: the next one comes first again. */
  const [left, leave] = useState("");
  if (run === null) return <RoomsTable room={room} />;
  const rooms = left === run.id;
  return (
    <div class="rest">
      <div class="seg-ctl two" role="group" aria-label={t("classroom.host.beside")}>
        <button type="button" aria-pressed={!rooms} data-action="show-answers" onClick={() => leave("")}>
          {t("classroom.exercise.number", { n: run.number })}
        </button>
        <button type="button" aria-pressed={rooms} data-action="show-rooms" onClick={() => leave(run.id)}>
          {t("classroom.facts.title")}
        </button>
      </div>
      {rooms ? <RoomsTable room={room} /> : <ExerciseCard classroom={classroom} room={room} run={run} />}
    </div>
  );
}

export function HostPage({ classroom }: { classroom: Classroom }) {
  const room = classroom.room.value;
  const [timerOpen, setTimerOpen] = useState(false);
  const [trayOpen, setTrayOpen] = useState(false);
  const [devicesOpen, openDevices] = useState(false);
  const [sheetOpen, openSheet] = useState(false);
  const [chatOpen, openChat] = useState(false);
  useEffect(() => {
    document.documentElement.dataset.theme = "dark";
    return () => delete document.documentElement.dataset.theme;
  }, []);
  useKeys((key) => {
    if (room === null) return false;
    const called = lessonRooms(room)[Number(key) - 1];
    if (key >= "1" && key <= "8" && called?.presence === "connected" && inLesson(room.snapshot)) classroom.ask({ t: "call_on", participant: called.id });
    else if (key === "0") classroom.ask({ t: "mute", muted: true });
    else if (key === "m" && inLesson(room.snapshot)) classroom.ask({ t: "mark" });
    else if (key === "r") setTrayOpen((open) => !open);
    else if (key === "t") setTimerOpen((open) => !open);
    else if (key === "s" && canShareScreen()) void classroom.shareScreen();
    else if (key === "c") {
      const shown = program(room);
      const after = shown && nextSource(room, shown);
      if (!shown || !after) return false;
      classroom.selectSource(shown, after);
    }
    else if (key === "e" && inLesson(room.snapshot)) openSheet(true);
    else return false;
    return true;
  });
  if (room === null) return null;
  const shown = tiles(room);
  const next = inLesson(room.snapshot) ? nextToCall(room) : undefined;
  return (
    <div class="host" data-session={room.snapshot.session} data-state={room.snapshot.state} data-role="host">
      <Header classroom={classroom} room={room} />
      <div class={room.snapshot.board.shown ? "teach boarded" : "teach"}>
      <Stage classroom={classroom} room={room} />
      <main key="rooms" class={`rooms n${Math.min(9, shown.length + 1)}`} aria-label={t("classroom.host.rooms")}>
        <OwnTile classroom={classroom} room={room} choose={() => openDevices(true)} />
        {shown.map((participant, index) => (
          <Tile
            key={participant.id}
            classroom={classroom}
            room={room}
            participant={participant}
            next={participant.id === next?.id}
            shortcut={index + 1}
          />
        ))}
      </main>
      </div>
      <aside class="side">
        <Program classroom={classroom} room={room} />
        {next && <Suggestion classroom={classroom} room={room} next={next} />}
        <Rest classroom={classroom} room={room} />
      </aside>
      <Dock classroom={classroom} room={room} timerOpen={timerOpen} setTimerOpen={setTimerOpen} trayOpen={trayOpen} setTrayOpen={setTrayOpen}>
        <button type="button" class="dk" data-action="exercises" aria-disabled={!inLesson(room.snapshot) || undefined} onClick={() => inLesson(room.snapshot) && openSheet(true)}>
          <Icon name="quiz" size="lg" />
          <span>{t("classroom.exercise.push")}</span>
          <kbd class="kbd">E</kbd>
        </button>
        <button type="button" class="dk" data-action="chat" aria-expanded={chatOpen} onClick={() => openChat(!chatOpen)}>
          <Icon name="joint" size="lg" />
          <span>{t("classroom.chat.short")}</span>
          {!chatOpen && <UnreadMark room={room} />}
        </button>
      </Dock>
      <Sounds classroom={classroom} />
      <SoundUnlock classroom={classroom} />
      <OverrunWarning room={room} />
      {sheetOpen && <ExerciseSheet classroom={classroom} room={room} onClose={() => openSheet(false)} />}
      {chatOpen && (
        <div class="card drawer">
          <ChatPanel classroom={classroom} room={room} onClose={() => openChat(false)} />
        </div>
      )}
      {devicesOpen && <DeviceDialog capture={classroom.devices.value} role="host" onClose={() => openDevices(false)} />}
    </div>
  );
}
