/** The host teacher's screen: all rooms, whom to call next, what all rooms see, and the lesson's beginning and end. */
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Participant } from "../generated/live";
import { Button } from "../ui/components";
import { t } from "../ui/i18n";
import { Icon } from "../ui/icons";
import { clockAt, weekdayName } from "../ui/time";
import { LanguageSwitch } from "../ui/top";
import type { Classroom } from "./classroom";
import { keysOn, switchKeys, useKeys } from "./keys";
import { AccessDialog } from "./access";
import { ChatPanel, UnreadMark } from "./chat";
import { DeviceDialog } from "./device-dialog";
import { DeviceTrouble } from "./device-trouble";
import { EndButton } from "./end-button";
import { ExerciseSheet } from "./exercise-sheet";
import { ExerciseCard } from "./host-exercise";
import { Face, LineState, Picture, progressOf, StatePill, Undelivered } from "./parts";
import { lineWords, nextSource, seenWord, Sources } from "./pictures";
import { hasNotCome, host, inLesson, lessonRooms, memberRooms, nextToCall, program, type Room, self, tiles, tileState } from "./room";
import { canShareScreen } from "./screen";
import { OverrunWarning } from "./overrun";
import { Sounds, SoundUnlock } from "./sound";
import { lasting, second, serverNow, timerLeft } from "./ticker";
import { titleOf } from "./paper";
import { Stage, Tray } from "./stage";
import { CameraMark, Tile } from "./tile";

const TIMES = [60, 120, 180, 300, 600];

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
        {room.snapshot.exercise ? <ExerciseCard classroom={classroom} room={room} run={room.snapshot.exercise} /> : <RoomsTable room={room} />}
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

export function Header({ classroom, room }: { classroom: Classroom; room: Room }) {
  const { snapshot } = room;
  const { lesson } = snapshot;
  const now = serverNow(room);
  const recorded = snapshot.participants.filter((p) => p.recording === "recording").length;
  const recordable = snapshot.participants.filter((p) => p.role === "endpoint" || p.role === "host").length;
  const paused = snapshot.participants.some((p) => p.recording === "paused");
  const left = snapshot.overrunUntil !== null ? snapshot.overrunUntil - now : lesson.ends - now;
  return (
    <header class="hb">
      <StatePill snapshot={snapshot} />
      <div class="tt">
        <b>{lesson.title}</b>
        <span class="sm mut">{lessonLine(room)}</span>
      </div>
      <div class="sw">
        <div class="row">
          <span class="sm mut grow ell">{t("classroom.host.shared", { start: clockAt(lesson.starts), end: clockAt(lesson.ends) })}</span>
          <b class={snapshot.state === "overrun" ? "nw over" : "nw"} role="timer">
            {snapshot.state === "overrun"
              ? t("classroom.host.ends_in", { time: lasting(left) })
              : now < lesson.starts
                ? t("classroom.host.begins_in", { time: lasting(lesson.starts - now) })
                : t("classroom.host.left", { time: lasting(left) })}
          </b>
        </div>
        <div class="bar">
          <i style={{ width: `${progressOf(snapshot, now) * 100}%` }} />
        </div>
      </div>
      <span class={`st rec ${paused ? "warn" : recorded > 0 ? "bad" : ""}`} role="status" data-recording={paused ? "paused" : recorded > 0 ? "recording" : "off"}>
        {recorded > 0 && !paused ? <i class="live-dot" /> : <Icon name={paused ? "warn" : "camoff"} size="sm" />}
        {t(paused ? "classroom.recording.paused" : recorded > 0 ? "classroom.recording.rooms" : "classroom.recording.off", {
          n: recorded,
          all: recordable,
        })}
      </span>
      <LineState classroom={classroom} />
      <b class="ck">{clockAt(now)}</b>
      <LanguageSwitch />
    </header>
  );
}

/** "第 12 周 周四第3节 · 主讲 科学教师A", as far as it is known. */
function lessonLine(room: Room): string {
  const { lesson } = room.snapshot;
  const when = lesson.week > 0 && lesson.period > 0 ? t("classroom.host.when", { week: lesson.week, weekday: weekdayName(lesson.weekday), period: lesson.period }) : "";
  return [when, t("classroom.host.taught_by", { name: lesson.hostTeacher })].filter(Boolean).join(" · ");
}

/** The host's own classroom: what its pupils' camera sends, or the teacher's where there is but one. */
function OwnTile({ classroom, room, choose }: { classroom: Classroom; room: Room; choose: () => void }) {
  const me = self(room);
  const media = classroom.media.value;
  if (me === undefined) return null;
  const source = media.local.has("pupils") ? "pupils" : "teacher";
  const state = classroom.line.value.phase === "connected" ? tileState(room, me) : "reconnecting";
  return (
    <article class="tile own" data-room={me.room || me.id} data-participant-id={me.id} data-state={state} data-hands={me.hands.length} data-muted={me.muted}>
      <div class="v">
        <Picture stream={media.local.get(source)} participant={me.id} source={source} />
        <span class="ttl">
          <b class="own">{t("classroom.tile.here")}</b>
          <b class="ell">{me.unitName}</b>
          <span class="ell">{me.className}</span>
        </span>
        {!media.local.has(source) && (
          <span class="ov">
            <Icon name="camoff" size="lg" />
            <b>{t(media.camera === "off" ? "classroom.tile.camera_off" : media.camera ? "classroom.tile.no_camera" : "classroom.tile.opening_camera")}</b>
          </span>
        )}
        <span class="mi">
          <Icon name={me.muted ? "micoff" : "mic"} size="sm" label={t(me.muted ? "classroom.mic.off" : "classroom.mic.on")} />
        </span>
      </div>
      <div class="ft">
        <div class="row r1">
          <DeviceTrouble classroom={classroom} choose={choose} />
          <CameraMark room={room} place={me.room} />
          {media.microphone === null && media.camera === null && (
            <span class="sm dim ell">
              {t(`classroom.sending.${media.publishing}`, { n: [...media.local.keys()].filter((s) => s !== "mic" && s !== "screen").length })}
            </span>
          )}
        </div>
        <div class="row r2">
          <span class="grow" />
          <button type="button" class="btn s icon2" data-action="choose-devices" aria-label={t("classroom.devices.title")} title={t("classroom.devices.title")} onClick={choose}>
            <Icon name="cam" size="sm" />
          </button>
          {media.local.has("teacher") && media.local.has("pupils") && (
            <Button small icon="swap" action="swap-cameras" onClick={() => classroom.swapCameras()}>
              {t("classroom.act.swap_cameras")}
            </Button>
          )}
          <Button small icon={me.muted ? "micoff" : "mic"} action="mute-self" onClick={() => classroom.ask({ t: "mute", participant: me.id, muted: !me.muted })}>
            {t(me.muted ? "classroom.act.unmute_me" : "classroom.act.mute_me")}
          </Button>
        </div>
      </div>
    </article>
  );
}

function Program({ classroom, room }: { classroom: Classroom; room: Room }) {
  const { snapshot } = room;
  const shown = program(room);
  const teacher = host(room);
  const others = memberRooms(room).filter((p) => p.presence !== "offline").length;
  const onAir = snapshot.participants.filter((p) => !p.muted && !p.hidden && p.presence === "connected");
  const away = shown !== undefined && shown.id !== teacher?.id;
  const other = away ? shown : snapshot.participants.find((p) => p.id === snapshot.called);
  return (
    <section class="card sec" aria-label={t("classroom.program.title")}>
      <div class="row hd">
        <h2 class="grow ell">{t("classroom.program.title")}</h2>
        <div class="seg-ctl" role="group" aria-label={t("classroom.program.title")}>
          <button type="button" aria-pressed={!away} data-action="spotlight" onClick={() => classroom.ask({ t: "spotlight", participant: null })}>
            {t("classroom.program.me")}
          </button>
          {other && (
            <button type="button" aria-pressed={away} data-action="spotlight" onClick={() => classroom.ask({ t: "spotlight", participant: other.id })}>
              {other.unitName}
            </button>
          )}
        </div>
      </div>
      <div class={away ? "prog" : "prog one"}>
        {shown && (
          <div class="pg" data-program={shown.id}>
            <Face classroom={classroom} participant={shown} />
            <span class="plab">
              <Icon name="eye" size="sm" />
              {t("classroom.program.rooms", { n: others })}
            </span>
          </div>
        )}
        {away && teacher && (
          <div class="pg small">
            <Face classroom={classroom} participant={teacher} />
            <span class="plab">{t("classroom.program.me")}</span>
          </div>
        )}
        {snapshot.board.shown && (
          <p class="sm mut au ell">
            <Icon name="doc" size="sm" />
            {t("board.large", { title: titleOf(snapshot.board.shown.material), page: snapshot.board.shown.page })}
          </p>
        )}
        {shown && <Sources classroom={classroom} room={room} participant={shown} />}
        <p class="sm mut au">
          <Icon name="vol" size="sm" />
          {onAir.length === 0
            ? t("classroom.program.nobody")
            : t("classroom.program.on_air", { names: onAir.map((p) => (p.id === room.me ? t("classroom.program.me") : p.unitName)).join(t("classroom.comma")) })}
        </p>
      </div>
    </section>
  );
}

function Suggestion({ classroom, room, next }: { classroom: Classroom; room: Room; next: Participant }) {
  const oldest = Math.min(...next.hands.map((hand) => hand.at));
  const reasons = [
    next.turns === 0 ? t("classroom.turns.none") : t("classroom.turns.n", { n: next.turns }),
    next.hands.length > 0 && t("classroom.tile.hands", { n: next.hands.length }),
    next.hands.length > 0 && t("classroom.next.waited", { time: lasting(serverNow(room) - oldest) }),
  ];
  return (
    <section class="card sec next" data-next={next.id}>
      <div class="row">
        <span class="grow">
          <b class="ell">{t("classroom.next.title", { unit: next.unitName })}</b>
          <span class="sm">{reasons.filter(Boolean).join(" · ")}</span>
        </span>
        <Button kind="pri" action="call-on" onClick={() => classroom.ask({ t: "call_on", participant: next.id })}>
          {t("classroom.act.call")}
        </Button>
      </div>
    </section>
  );
}

/** Facts of every room that the tiles have no place for: who is absent, and what the assistant says. */
function RoomsTable({ room }: { room: Room }) {
  const [accessOpen, openAccess] = useState(false);
  const watching = room.snapshot.participants.filter((p) => p.hidden && p.presence !== "offline").map((p) => p.name);
  return (
    <section class="card sec facts">
      <div class="row hd-act">
        <h2 class="grow">{t("classroom.facts.title")}</h2>
        {watching.length > 0 && (
          <span class="sm mut nw" title={watching.join(t("classroom.comma"))} data-watching={watching.length}>
            <Icon name="eye" size="sm" /> {watching.length}
          </span>
        )}
        <Button small icon="link" action="open-access" onClick={() => openAccess(true)}>
          {t("access.open")}
        </Button>
      </div>
      {accessOpen && <AccessDialog session={room.snapshot.session} watching={watching} close={() => openAccess(false)} />}
      <table>
        <thead>
          <tr>
            <th scope="col">{t("classroom.facts.room")}</th>
            <th scope="col">{t("classroom.facts.attendance")}</th>
            <th scope="col">{t("classroom.facts.assistant")}</th>
            <th scope="col">{t("classroom.facts.sees")}</th>
          </tr>
        </thead>
        <tbody>
          {lessonRooms(room).map((p) => (
            <tr key={p.id}>
              <th scope="row">{p.unitName}</th>
              <td class={p.absent && p.absent.length > 0 ? "z" : ""}>
                {hasNotCome(p)
                  ? t("classroom.facts.not_come")
                  : p.absent === null
                    ? t("classroom.facts.not_taken")
                    : p.absent.length + p.late.length === 0
                      ? t("classroom.facts.all_present")
                      : [p.absent.length > 0 && t("classroom.facts.absent", { n: p.absent.length }), p.late.length > 0 && t("classroom.facts.late", { n: p.late.length })]
                          .filter(Boolean)
                          .join(" · ")}
              </td>
              <td class={p.signal && p.signal !== "ready" ? "z" : ""}>{p.signal ? t(`classroom.signal.${p.signal}`) : "—"}</td>
              <Sees room={room} participant={p} />
            </tr>
          ))}
        </tbody>
      </table>
      {memberRooms(room).length === 0 && <p class="dim sm">{t("classroom.facts.nobody")}</p>}
    </section>
  );
}

/** What really arrives at a far room of the picture that is shown to all. */
function Sees({ room, participant }: { room: Room; participant: Participant }) {
  const seen = seenWord(room, participant);
  return (
    <td class={seen?.poor ? "z" : ""} data-sees={room.links[participant.id]?.sees ?? ""} title={lineWords(room, participant)}>
      {seen?.word ?? "—"}
    </td>
  );
}

interface DockProps {
  classroom: Classroom;
  room: Room;
  timerOpen: boolean;
  setTimerOpen: (open: boolean) => void;
  trayOpen: boolean;
  setTrayOpen: (open: boolean) => void;
  /** Buttons of the lesson's other tools, before the timer. */
  children: ComponentChildren;
}

function Dock({ classroom, room, timerOpen, setTimerOpen, trayOpen, setTrayOpen, children }: DockProps) {
  const { snapshot } = room;
  const live = inLesson(snapshot);
  const sharing = classroom.media.value.local.has("screen");
  const waiting = classroom.line.value.pending.filter((command) => command.t === "mark").length;
  const marks = snapshot.marks + waiting;
  const remaining = timerLeft(room);
  return (
    <div class="dock" role="toolbar" aria-label={t("classroom.host.actions")}>
      <button type="button" class="dk" data-action="mute" onClick={() => classroom.ask({ t: "mute", muted: true })}>
        <Icon name="micoff" size="lg" />
        <span>{t("classroom.act.mute_all")}</span>
        <kbd class="kbd">0</kbd>
      </button>
      {canShareScreen() && (
        <button type="button" class="dk" data-action="share-screen" aria-pressed={sharing} onClick={() => void classroom.shareScreen()}>
          <Icon name="panel" size="lg" />
          <span>{t(sharing ? "classroom.act.screen_stop" : "classroom.act.screen")}</span>
          <kbd class="kbd">S</kbd>
        </button>
      )}
      {children}
      <div class="timer">
        <button type="button" class="dk" data-action="push-material" aria-expanded={trayOpen} onClick={() => setTrayOpen(!trayOpen)}>
          <Icon name="doc" size="lg" />
          <span>{t("board.push")}</span>
          <kbd class="kbd">R</kbd>
        </button>
        {trayOpen && <Tray classroom={classroom} room={room} close={() => setTrayOpen(false)} />}
      </div>
      <div class="timer">
        <button type="button" class="dk" data-action="timer" aria-expanded={timerOpen} onClick={() => setTimerOpen(!timerOpen)}>
          <Icon name="timer" size="lg" />
          <span role={remaining === null ? undefined : "timer"}>{remaining === null ? t("classroom.act.timer") : lasting(remaining)}</span>
          <kbd class="kbd">T</kbd>
        </button>
        {timerOpen && (
          <div class="timer-list card" role="group" aria-label={t("classroom.act.timer")}>
            {TIMES.map((seconds) => (
              <Button
                key={seconds}
                small
                onClick={() => {
                  classroom.ask({ t: "set_timer", seconds });
                  setTimerOpen(false);
                }}
              >
                {t("classroom.minutes", { n: seconds / 60 })}
              </Button>
            ))}
            {remaining !== null && (
              <Button
                small
                kind="bad"
                onClick={() => {
                  classroom.ask({ t: "set_timer", seconds: 0 });
                  setTimerOpen(false);
                }}
              >
                {t("classroom.act.timer_off")}
              </Button>
            )}
          </div>
        )}
      </div>
      <button
        type="button"
        class="dk mk"
        data-action="mark-point"
        data-marks={snapshot.marks}
        aria-disabled={!live || undefined}
        onClick={() => live && classroom.ask({ t: "mark" })}
      >
        <Icon name="mark" size="lg" />
        <span>{t("classroom.act.mark")}</span>
        <kbd class="kbd">M</kbd>
      </button>
      <span class="marks sm mut" role="status">
        {!live ? null : marks === 0 ? t("classroom.marks.none") : t("classroom.marks.n", { n: marks, time: clockAt(snapshot.lastMark ?? second.value) })}
      </span>
      <Undelivered classroom={classroom} />
      <span class="grow" />
      <button type="button" class="btn s quiet" aria-pressed={keysOn.value} onClick={() => switchKeys(!keysOn.value)}>
        {t(keysOn.value ? "classroom.keys.on" : "classroom.keys.off")}
      </button>
      {live ? <EndButton classroom={classroom} room={room} /> : <StartButton classroom={classroom} room={room} />}
    </div>
  );
}

function StartButton({ classroom, room }: { classroom: Classroom; room: Room }) {
  const { state } = room.snapshot;
  const busy = classroom.line.value.pending.some((command) => command.t === "start_lesson");
  return (
    <>
      <button type="button" class="dk" data-action="leave" onClick={() => void classroom.leave()}>
        <Icon name="out" size="lg" />
        <span>{t("classroom.act.leave")}</span>
      </button>
      <button
        type="button"
        class="dk go"
        data-action="start-lesson"
        aria-busy={busy || undefined}
        aria-disabled={state !== "open" || undefined}
        onClick={() => state === "open" && !busy && classroom.ask({ t: "start_lesson" })}
      >
        <Icon name="play" size="lg" />
        <span>{t(state === "scheduled" ? "classroom.act.start_later" : "classroom.act.start")}</span>
      </button>
    </>
  );
}
