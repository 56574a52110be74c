/** The big panel of a paired classroom during a lesson. Nobody needs to touch it; what can be touched is at the bottom. */
import { useEffect, useState } from "preact/hooks";
import type { Classroom } from "./classroom";
import { DeviceDialog } from "./device-dialog";
import { PanelCalled } from "./panel-called";
import { PanelExercise } from "./panel-exercise";
import { PanelLive } from "./panel-live";
import { PanelOffline } from "./panel-offline";
import { self } from "./room";
import { Sounds, SoundUnlock } from "./sound";
import { second, useLasted } from "./ticker";
import { whySoundAlone } from "./unseen";

/** A cut shorter than this is not worth frightening a class. */
const OFFLINE_AFTER = 4;
/** Another picture takes a moment to begin. */
const STILL_AFTER = 2;

export interface PanelProps {
  classroom: Classroom;
  /** The telephone of this room, known from its day even when the line is down. */
  phone?: string;
}

export function PanelPage({ classroom, phone }: PanelProps) {
  const room = classroom.room.value;
  const line = classroom.line.value;
  const [devicesOpen, openDevices] = useState(false);
  const choose = () => openDevices(true);
  useEffect(() => {
    document.documentElement.dataset.theme = "dark";
    return () => delete document.documentElement.dataset.theme;
  }, []);
  const me = room && self(room);
  const why = room && whySoundAlone(room);
  const audioOnly = useLasted(why !== null, STILL_AFTER);
  if (!room || !me) return null;
  const down = line.downSince !== null && second.value - line.downSince >= OFFLINE_AFTER;
  const called = room.snapshot.called === me.id;
  const seen = called || room.snapshot.spotlight === me.id;
  const view = down ? "offline" : seen ? "called" : why && audioOnly ? "audio" : "live";
  return (
    <div
      class="panel"
      data-session={room.snapshot.session}
      data-state={room.snapshot.state}
      data-view={view}
      data-role="endpoint"
      data-room={me.room || me.id}
      data-hands={me.hands.length}
      data-muted={me.muted}
    >
      {view === "offline" ? (
        <PanelOffline classroom={classroom} room={room} me={me} phone={me.phone || phone || ""} since={line.downSince ?? 0} />
      ) : view === "called" ? (
        <PanelCalled classroom={classroom} room={room} me={me} called={called} />
      ) : room.snapshot.exercise ? (
        <PanelExercise classroom={classroom} room={room} run={room.snapshot.exercise} me={me} />
      ) : (
        <PanelLive classroom={classroom} room={room} me={me} unseen={audioOnly ? why : null} choose={choose} />
      )}
      <Sounds classroom={classroom} />
      <SoundUnlock classroom={classroom} />
      {devicesOpen && <DeviceDialog capture={classroom.devices.value} role="endpoint" onClose={() => openDevices(false)} />}
    </div>
  );
}
