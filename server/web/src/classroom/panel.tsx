/** The big panel of a paired classroom during a lesson. Nobody needs to touch it; what can be touched is at the bottom. */
import { useEffect, useState } from "preact/hooks";
import type { Participant } from "../generated/live";
import { t } from "../ui/i18n";
import { Qr } from "../ui/qr";
import { Icon } from "../ui/icons";
import { clockAt } from "../ui/time";
import type { Classroom } from "./classroom";
import { DeviceDialog } from "./device-dialog";
import { DeviceTrouble, troubleOf } from "./device-trouble";
import { LevelMeter } from "./level";
import { captionOf, Face, LineState, Picture, progressOf, StatePill, Undelivered } from "./parts";
import { host, inLesson, memberRooms, program, recordedUnheard, type Room, self, soundAlone, tileState } from "./room";
import { PanelExercise } from "./panel-exercise";
import { Sounds, SoundUnlock } from "./sound";
import { PenTools, Sheet, usePens } from "./sheet";
import { WallButton } from "./wall-button";
import { lasting, second, serverNow, timerLeft, useLasted } from "./ticker";

/** A cut shorter than this is not worth frightening a class. */
const OFFLINE_AFTER = 4;
/** Another picture takes a moment to begin. */
const STILL_AFTER = 2;
const MOST_OTHERS = 6;
const MOST_BESIDE_BOARD = 3;
/** Beside a board and the assistant's code, which needs its whole size to be read. */
const MOST_BESIDE_CODE = 1;

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
  const audioOnly = useLasted(room !== null && soundAlone(room), STILL_AFTER);
  if (!room || !me) return null;
  const down = line.downSince !== null && second.value - line.downSince >= OFFLINE_AFTER;
  const called = room.snapshot.called === me.id;
  const seen = called || room.snapshot.spotlight === me.id;
  const view = down ? "offline" : seen ? "called" : audioOnly ? "audio" : "live";
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
        <Offline classroom={classroom} room={room} me={me} phone={me.phone || phone || ""} since={line.downSince ?? 0} />
      ) : view === "called" ? (
        <Called classroom={classroom} room={room} me={me} called={called} />
      ) : room.snapshot.exercise ? (
        <PanelExercise classroom={classroom} room={room} run={room.snapshot.exercise} me={me} />
      ) : (
        <Live classroom={classroom} room={room} me={me} audioOnly={audioOnly} choose={choose} />
      )}
      <Sounds classroom={classroom} />
      <SoundUnlock classroom={classroom} />
      {devicesOpen && <DeviceDialog capture={classroom.devices.value} role="endpoint" onClose={() => openDevices(false)} />}
    </div>
  );
}

function TopLine({ room }: { room: Room }) {
  const { snapshot } = room;
  const now = serverNow(room);
  const left = snapshot.lesson.ends - now;
  const timer = timerLeft(room);
  return (
    <header class="ls">
      <StatePill snapshot={snapshot} />
      <b class="w36 grow ell">{snapshot.lesson.title}</b>
      {timer !== null && (
        <b class="w48 count-down" role="timer">
          <Icon name="timer" /> {lasting(timer)}
        </b>
      )}
      <span class={`w28 nw ${snapshot.state === "overrun" ? "over" : "mut"}`} role={snapshot.state === "overrun" ? "status" : undefined}>
        {snapshot.state === "overrun" && snapshot.overrunUntil !== null
          ? t("classroom.host.ends_in", { time: lasting(snapshot.overrunUntil - now) })
          : inLesson(snapshot)
          ? t("classroom.minutes_left", { n: Math.max(0, Math.ceil(left / 60)) })
          : now < snapshot.lesson.starts
            ? t("classroom.panel.begins", { time: clockAt(snapshot.lesson.starts) })
            : t("classroom.panel.any_moment")}
      </span>
      <div class="bar">
        <i style={{ width: `${progressOf(snapshot, now) * 100}%` }} />
      </div>
      <b class="w48">{clockAt(now)}</b>
    </header>
  );
}

interface ViewProps {
  classroom: Classroom;
  room: Room;
  me: Participant;
}

function Live({ classroom, room, me, audioOnly, choose }: ViewProps & { audioOnly: boolean; choose: () => void }) {
  const shown = program(room);
  const others = memberRooms(room).filter((p) => p.id !== me.id);
  const teacher = host(room);
  const board = room.snapshot.board.shown !== null;
  const unseen = tileState(room, me) === "audio_only";
  const code = assistantCode(classroom, room, me);
  const beside = [...(teacher && shown && shown.id !== teacher.id ? [teacher] : []), ...others.filter((p) => p.id !== shown?.id)];
  return (
    <div class={`live ${audioOnly ? "aud" : ""}`}>
      <TopLine room={room} />
      {board ? (
        <div class="main boarded" data-program={shown?.id}>
          <Sheet classroom={classroom} room={room} surface="wall" />
        </div>
      ) : (
        <div class="main" data-program={shown?.id}>
          {shown && shown.presence !== "offline" ? (
            <>
              <Face classroom={classroom} participant={shown} />
              <span class="cap">
                <Icon name="vol" />
                {shown.role === "host" ? t("classroom.panel.teacher", { name: shown.name, unit: shown.unitName }) : captionOf(shown)}
              </span>
              {audioOnly && (
                <div class="heard" role="status">
                  <Icon name="ear" />
                  <b class="w64">{t("classroom.panel.audio_only")}</b>
                  <span class="w36">{t("classroom.panel.audio_only_text")}</span>
                </div>
              )}
            </>
          ) : (
            <div class="calm">
              <Icon name="clock" />
              <b class="w64">{t("classroom.panel.wait_host")}</b>
              <span class="w36">{t("classroom.panel.wait_host_text")}</span>
            </div>
          )}
        </div>
      )}
      <aside>
        {board && shown && shown.presence !== "offline" && (
          <div class="self">
            <Face classroom={classroom} participant={shown} />
            {audioOnly && (
              <div class="heard" role="status">
                <Icon name="ear" />
                <b class="w28">{t("classroom.panel.audio_only")}</b>
              </div>
            )}
            <span class="cap s">{shown.role === "host" ? t("classroom.panel.teacher_short") : captionOf(shown)}</span>
          </div>
        )}
        {!board && (
          <div class="self">
            <Own classroom={classroom} me={me} />
            <span class="cap s" data-unseen={unseen || undefined} role={unseen ? "status" : undefined}>
              {t(unseen ? "classroom.panel.unseen" : "classroom.panel.us")}
            </span>
          </div>
        )}
        <div class="oth">
          {board && (
            <div class="mini">
              <Own classroom={classroom} me={me} />
              <span class="nm ell" data-unseen={unseen || undefined} role={unseen ? "status" : undefined}>
                {t(unseen ? "classroom.panel.unseen" : "classroom.panel.us")}
              </span>
            </div>
          )}
          {beside.slice(0, !board ? MOST_OTHERS : code ? MOST_BESIDE_CODE : MOST_BESIDE_BOARD).map((p) => (
            <Mini key={p.id} classroom={classroom} room={room} participant={p} />
          ))}
          {code && (
            <div class="helper" data-assistant-url={classroom.joined.value?.assistantUrl}>
              <Qr code={code} label={t("classroom.panel.assistant_code")} />
              <span>{t("classroom.panel.assistant_code")}</span>
            </div>
          )}
          {!board && others.length > 0 && (
            <div class="mini off n">
              <Icon name="users" />
              <span class="nm">{t("classroom.panel.rooms", { n: others.length + 2 })}</span>
            </div>
          )}
        </div>
      </aside>
      <Foot classroom={classroom} room={room} me={me} choose={choose} />
    </div>
  );
}

/** For the assistant's phone: the way into this room's lesson, as long as none is in. */
function assistantCode(classroom: Classroom, room: Room, me: Participant) {
  const helped = room.snapshot.participants.some((p) => p.role === "assistant" && p.unit === me.unit && p.presence !== "offline");
  return helped ? null : (classroom.joined.value?.assistantQr ?? null);
}

function Mini({ classroom, room, participant }: { classroom: Classroom; room: Room; participant: Participant }) {
  const state = tileState(room, participant);
  const gone = state === "offline" || state === "reconnecting";
  return (
    <div class={`mini ${gone ? "off" : ""}`} data-room={participant.room || participant.id} data-state={state} data-hands={participant.hands.length}>
      {gone ? <Icon name={state === "offline" ? "linkoff" : "load"} spin={state === "reconnecting"} /> : <Face classroom={classroom} participant={participant} />}
      <span class="nm ell">{gone ? t(`classroom.panel.${state}`, { unit: participant.unitName }) : participant.unitName}</span>
    </div>
  );
}

function Own({ classroom, me }: { classroom: Classroom; me: Participant }) {
  const { local, camera } = classroom.media.value;
  const source = local.has("pupils") ? "pupils" : "teacher";
  if (!local.has(source)) {
    return (
      <div class="calm small">
        <Icon name={camera ? "camoff" : "load"} spin={!camera} />
        <span class="w28">{camera ? t(`classroom.device.short_${camera}`) : t("classroom.tile.opening_camera")}</span>
      </div>
    );
  }
  return <Picture stream={local.get(source)} participant={me.id} source={source} />;
}

function Foot({ classroom, room, me, choose }: ViewProps & { choose: () => void }) {
  const live = inLesson(room.snapshot);
  const sending = classroom.line.value.pending.some((command) => command.t === "raise_hand");
  const whole = me.hands.find((hand) => hand.seat === null);
  const up = whole !== undefined || sending;
  const capture = classroom.devices.value;
  const troubled = capture !== null && capture.version.value > 0 && troubleOf(capture) !== "";
  return (
    <footer class={live ? "" : "early"}>
      <button
        type="button"
        class={`hand ${up ? "up" : ""}`}
        data-action={whole ? "lower-hand" : "raise-hand"}
        aria-pressed={up}
        aria-disabled={!live || undefined}
        onClick={() => {
          if (!live || sending) return;
          classroom.ask(whole ? { t: "lower_hand", hand: whole.id } : { t: "raise_hand" });
        }}
      >
        <Icon name="hand" />
        {t(whole ? "classroom.panel.lower" : sending ? "classroom.panel.raising" : "classroom.panel.raise")}
        {me.hands.length > 1 && <b class="w48">{me.hands.length}</b>}
      </button>
      <div class="inf">
        {troubled ? (
          <DeviceTrouble classroom={classroom} />
        ) : (
          <span class="row">
            <Icon name={me.muted ? "micoff" : "mic"} />
            <span class="ell">{t(capture?.microphone === "off" ? "classroom.panel.listens" : recordedUnheard(me) ? "classroom.panel.mic_recorded" : me.muted ? "classroom.panel.mic_off" : "classroom.panel.mic_on")}</span>
          </span>
        )}
        <span class="row mut">
          <RecordingWord me={me} live={live} />
          <LineState classroom={classroom} />
          <Undelivered classroom={classroom} />
        </span>
      </div>
      {(!live || troubled) && (
        <WallButton action="choose-devices" onClick={choose}>
          <Icon name="cam" />
          {t("classroom.device.choose")}
        </WallButton>
      )}
      {!live && classroom.media.value.local.has("teacher") && (
        <WallButton action="swap-cameras" onClick={() => classroom.swapCameras()}>
          <Icon name="swap" />
          {t("classroom.act.swap_cameras")}
        </WallButton>
      )}
      {live && (
        <WallButton action="mark-point" onClick={() => classroom.ask({ t: "mark" })}>
          <Icon name="mark" />
          {t("classroom.act.mark")}
        </WallButton>
      )}
      <button
        type="button"
        class="wb"
        data-action="signal"
        data-kind="no_sound"
        aria-pressed={me.signal === "no_sound"}
        onClick={() => classroom.ask({ t: "signal", kind: me.signal === "no_sound" ? "ready" : "no_sound" })}
      >
        <Icon name={me.signal === "no_sound" ? "check" : "vol"} />
        {t(me.signal === "no_sound" ? "classroom.panel.sound_back" : "classroom.signal.no_sound")}
      </button>
    </footer>
  );
}

function RecordingWord({ me, live }: { me: Participant; live: boolean }) {
  const state = me.recording;
  if (state === "recording") {
    return (
      <>
        <i class="live-dot" />
        <span class="ell">{t("classroom.panel.recorded")}</span>
      </>
    );
  }
  return (
    <>
      <Icon name="camoff" />
      <span class="ell">{t(state === "no_consent" ? "classroom.panel.no_consent" : live && state === "paused" ? "classroom.recording.paused" : "classroom.panel.not_recorded")}</span>
    </>
  );
}

function Called({ classroom, room, me, called }: ViewProps & { called: boolean }) {
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

function Offline({ classroom, room, phone, since }: ViewProps & { phone: string; since: number }) {
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
