/** The assistant's phone in a far classroom: how the class is, hands for pupils, attendance, and the telephone. */
import { useEffect, useState } from "preact/hooks";
import type { Participant, SignalKind } from "../generated/live";
import { t } from "../ui/i18n";
import { Icon, type IconName } from "../ui/icons";
import { LanguageSwitch } from "../ui/top";
import { ChatPanel, UnreadMark } from "./chat";
import type { Classroom } from "./classroom";
import { EndButton } from "./end-button";
import { useKeys } from "./keys";
import { LineState, progressOf, Undelivered } from "./parts";
import { strokesOn } from "./board";
import { PenTools, Sheet, usePens } from "./sheet";
import { titleOf } from "./paper";
import { nextSource, Sources } from "./pictures";
import { host, inLesson, ownRoom, picturesOf, type Room, tileState } from "./room";
import { OverrunWarning } from "./overrun";
import { PhoneExercise } from "./phone-exercise";
import { classSize, LARGEST_CLASS, rememberSize, seatsOf } from "./seats";
import { lasting, serverNow, timerLeft } from "./ticker";

type Tab = "lesson" | "attendance" | "chat" | "phone";
const TABS: readonly { tab: Tab; icon: IconName }[] = [
  { tab: "lesson", icon: "sync" },
  { tab: "attendance", icon: "users" },
  { tab: "chat", icon: "joint" },
  { tab: "phone", icon: "phone" },
];
const SIGNALS: readonly { kind: SignalKind; icon: IconName }[] = [
  { kind: "ready", icon: "check" },
  { kind: "slower", icon: "turtle" },
  { kind: "no_sound", icon: "mute" },
];
/** An assistant may start five minutes after the bell. */
const HOST_IS_LATE = 300;

export function AssistantPage({ classroom }: { classroom: Classroom }) {
  const room = classroom.room.value;
  const [chosen, choose] = useState<Tab>("lesson");
  const own = room && ownRoom(room);
  const down = own?.role === "endpoint" && own.presence !== "connected";
  // The telephone comes forward by itself when the classroom's line falls, and goes when it is back.
  useKeys((key) => {
    const after = room && own && nextSource(room, own);
    if (key !== "c" || !own || !after) return false;
    classroom.selectSource(own, after);
    return true;
  });
  useEffect(() => choose((tab) => (down ? "phone" : tab === "phone" ? "lesson" : tab)), [down]);
  if (room === null || !own) return null;
  return (
    <div class="phone" data-session={room.snapshot.session} data-state={room.snapshot.state} data-role="assistant">
      <PhoneHeader room={room} own={own} />
      <OverrunWarning room={room} />
      {chosen === "lesson" && <Lesson classroom={classroom} room={room} own={own} />}
      {chosen === "attendance" && <Attendance classroom={classroom} room={room} own={own} />}
      {chosen === "chat" && <ChatPanel classroom={classroom} room={room} />}
      {chosen === "phone" && <Telephone room={room} own={own} down={down} />}
      <nav class="tb" aria-label={t("classroom.phone.parts")}>
        {TABS.map(({ tab, icon }) => (
          <button type="button" key={tab} data-tab={tab} aria-pressed={tab === chosen} onClick={() => choose(tab)}>
            <Icon name={icon} />
            {t(`classroom.phone.tab_${tab}`)}
            {tab === "chat" && chosen !== "chat" && <UnreadMark room={room} />}
          </button>
        ))}
      </nav>
    </div>
  );
}

function PhoneHeader({ room, own }: { room: Room; own: Participant }) {
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

function Lesson({ classroom, room, own }: { classroom: Classroom; room: Room; own: Participant }) {
  const { snapshot } = room;
  const [pad, setPad] = useState(false);
  const live = inLesson(snapshot);
  const called = snapshot.called === own.id;
  const now = serverNow(room);
  const sending = classroom.line.value.pending.filter((command) => command.t === "raise_hand");
  const raise = (seat: number | null) => {
    classroom.ask({ t: "raise_hand", seat });
    setPad(false);
  };
  const hostIsLate = snapshot.state === "open" && now >= snapshot.lesson.starts + HOST_IS_LATE;
  const hostGone = live && (host(room)?.presence ?? "offline") === "offline";
  return (
    <main>
      <div class="row notices">
        <LineState classroom={classroom} />
        <Undelivered classroom={classroom} />
      </div>
      {picturesOf(room, own).length > 1 && (
        <div class="row cameras">
          <span class="grow mut">{t("classroom.phone.picture_of")}</span>
          <Sources classroom={classroom} room={room} participant={own} />
        </div>
      )}
      {called && (
        <section class="call" role="alert">
          <Icon name="mic" size="lg" />
          <span class="grow">
            <b>{snapshot.calledSeat === null ? t("classroom.phone.called") : t("classroom.phone.called_seat", { seat: snapshot.calledSeat })}</b>
            <span class="sm">{t("classroom.phone.called_text")}</span>
          </span>
        </section>
      )}
      {!live && (
        <section class="wait" role="status">
          <p>{t(snapshot.state === "open" ? "classroom.phone.waiting" : "classroom.phone.early")}</p>
          {hostIsLate && (
            <button type="button" class="big" data-action="start-lesson" onClick={() => classroom.ask({ t: "start_lesson" })}>
              <Icon name="play" size="lg" />
              {t("classroom.phone.start")}
            </button>
          )}
        </section>
      )}
      <BoardCard classroom={classroom} room={room} />
      {snapshot.exercise && <PhoneExercise classroom={classroom} room={room} run={snapshot.exercise} own={own} />}
      <h2 class="h">{t("classroom.phone.how")}</h2>
      <div class="tri" role="radiogroup" aria-label={t("classroom.phone.how")}>
        {SIGNALS.map(({ kind, icon }) => (
          <button
            type="button"
            role="radio"
            key={kind}
            aria-checked={own.signal === kind}
            data-action="signal"
            data-kind={kind}
            onClick={() => classroom.ask({ t: "signal", kind })}
          >
            <Icon name={icon} size="lg" />
            <b>{t(`classroom.signal.${kind}`)}</b>
            {own.signal === kind && <small>{t("classroom.phone.told")}</small>}
          </button>
        ))}
      </div>
      <h2 class="h row">
        <span class="grow">{t("classroom.phone.queue")}</span>
        <span class="dim">{t("classroom.phone.turns", { n: own.turns })}</span>
      </h2>
      <ul class="hands">
        {called && (
          <li class="on">
            <b>{snapshot.calledSeat === null ? t("classroom.seat.whole") : t("classroom.seat.no", { seat: snapshot.calledSeat })}</b>
            <span>{t("classroom.phone.speaking")}</span>
          </li>
        )}
        {own.hands.map((hand) => (
          <li key={hand.id}>
            <b>{hand.seat === null ? t("classroom.seat.whole") : t("classroom.seat.no", { seat: hand.seat })}</b>
            <span>{t("classroom.phone.waits", { time: lasting(now - hand.at) })}</span>
            <button
              type="button"
              data-action="lower-hand"
              aria-label={t("classroom.phone.lower")}
              onClick={() => classroom.ask({ t: "lower_hand", hand: hand.id })}
            >
              <Icon name="x" size="sm" />
            </button>
          </li>
        ))}
        {sending.map((command) => (
          <li key={command.msgId} class="sending">
            <b>{command.t === "raise_hand" && command.seat ? t("classroom.seat.no", { seat: command.seat }) : t("classroom.seat.whole")}</b>
            <span>{t("classroom.phone.sending")}</span>
          </li>
        ))}
        {own.hands.length + sending.length === 0 && !called && <li class="none">{t("classroom.tile.no_hands")}</li>}
      </ul>
      <div class="row raise">
        <button type="button" class="big grow" data-action="raise-hand" aria-disabled={!live || undefined} onClick={() => live && raise(null)}>
          <Icon name="hand" size="lg" />
          {t("classroom.phone.raise")}
        </button>
        <button type="button" class="big seat" aria-expanded={pad} aria-disabled={!live || undefined} onClick={() => live && setPad(!pad)}>
          {t("classroom.phone.by_seat")}
        </button>
      </div>
      {pad && <SeatPad room={room} own={own} raise={raise} />}
      <div class="row two">
        <button type="button" class="big quiet" data-action="mark-point" aria-disabled={!live || undefined} onClick={() => live && classroom.ask({ t: "mark" })}>
          <Icon name="mark" size="lg" />
          {t("classroom.act.mark")}
          {snapshot.marks > 0 && <span class="count">{snapshot.marks}</span>}
        </button>
        {called && (
          <button
            type="button"
            class="big quiet"
            data-action="mute"
            onClick={() => classroom.ask({ t: "mute", participant: own.id, muted: !own.muted })}
          >
            <Icon name={own.muted ? "mic" : "micoff"} size="lg" />
            {t(own.muted ? "classroom.panel.speak_again" : "classroom.panel.done")}
          </button>
        )}
        {hostGone && <EndButton classroom={classroom} room={room} />}
      </div>
    </main>
  );
}

/** What all rooms see now; a touch makes it large, to point and write. */
function BoardCard({ classroom, room }: { classroom: Classroom; room: Room }) {
  const { board } = room.snapshot;
  const [large, setLarge] = useState(false);
  const [pens, change] = usePens("pen");
  const { shown } = board;
  if (shown === null) return null;
  const drawn = strokesOn(board, shown.material.version, shown.page).length;
  return (
    <section class="bcard" aria-label={t("board.title")}>
      <button type="button" data-action="enlarge-page" aria-expanded={large} onClick={() => setLarge(true)}>
        <Sheet classroom={classroom} room={room} surface="phone" />
        <span class="row">
          <b class="grow ell">{titleOf(shown.material)}</b>
          <span class="mut nw">
            {shown.page} / {shown.material.pages.length}
          </span>
          {drawn > 0 && <Icon name="pen" size="sm" label={t("board.drawn")} />}
        </span>
      </button>
      {large && (
        <div class="whole" role="dialog" aria-label={titleOf(shown.material)}>
          <header class="row">
            <b class="grow ell">{titleOf(shown.material)}</b>
            <span class="nw">
              {shown.page} / {shown.material.pages.length}
            </span>
            <button type="button" class="btn" data-action="shrink-page" aria-label={t("act.close")} onClick={() => setLarge(false)}>
              <Icon name="x" size="lg" />
            </button>
          </header>
          <Sheet classroom={classroom} room={room} surface="phone" pens={pens} />
          <Undelivered classroom={classroom} />
          <PenTools classroom={classroom} room={room} pens={pens} change={change} />
        </div>
      )}
    </section>
  );
}

function SeatPad({ room, own, raise }: { room: Room; own: Participant; raise: (seat: number) => void }) {
  const up = new Set(own.hands.map((hand) => hand.seat));
  return (
    <div class="seats pad">
      {seatsOf(room, own).map((seat) => (
        <button
          type="button"
          key={seat}
          data-action="raise-hand"
          data-seat={seat}
          aria-pressed={up.has(seat)}
          aria-disabled={own.absent?.includes(seat) || undefined}
          class={own.absent?.includes(seat) ? "gone" : ""}
          onClick={() => !own.absent?.includes(seat) && raise(seat)}
        >
          {seat}
        </button>
      ))}
    </div>
  );
}

function Attendance({ classroom, room, own }: { classroom: Classroom; room: Room; own: Participant }) {
  const [size, setSize] = useState(() => classSize(room, own));
  const [absent, setAbsent] = useState<readonly number[]>(own.absent ?? []);
  const [late, setLate] = useState<readonly number[]>(own.late);
  const taken = own.absent !== null && same(own.absent, absent) && same(own.late, late);
  const busy = classroom.line.value.pending.some((command) => command.t === "take_attendance");
  const without = (list: readonly number[], seat: number) => list.filter((s) => s !== seat);
  const tap = (seat: number) => {
    if (absent.includes(seat)) {
      setAbsent(without(absent, seat));
      setLate([...late, seat]);
    } else if (late.includes(seat)) setLate(without(late, seat));
    else setAbsent([...absent, seat]);
  };
  const resize = (to: number) => {
    const next = Math.min(LARGEST_CLASS, Math.max(1, to));
    rememberSize(own, next);
    setSize(next);
    setAbsent(absent.filter((seat) => seat <= next));
    setLate(late.filter((seat) => seat <= next));
  };
  return (
    <main>
      <div class="row sum">
        <span class="grow">
          <b class="n">{size - absent.length}</b>
          <span class="mut">
            {" "}
            / {size} {t("classroom.phone.present")}
          </span>
        </span>
        <span class="st bad">
          <Icon name="x" size="sm" />
          {t("classroom.facts.absent", { n: absent.length })}
        </span>
        <span class="st warn">
          <Icon name="clock" size="sm" />
          {t("classroom.facts.late", { n: late.length })}
        </span>
      </div>
      <p class="sm mut">{t("classroom.phone.attendance_hint")}</p>
      <div class="seats">
        {Array.from({ length: size }, (_, index) => index + 1).map((seat) => {
          const state = absent.includes(seat) ? "absent" : late.includes(seat) ? "late" : "present";
          return (
            <button
              type="button"
              key={seat}
              class={state}
              data-seat={seat}
              data-state={state}
              aria-label={t(`classroom.phone.seat_${state}`, { seat })}
              onClick={() => tap(seat)}
            >
              {seat}
              {state !== "present" && <small>{t(`classroom.phone.${state}`)}</small>}
            </button>
          );
        })}
      </div>
      <div class="row size">
        <span class="grow mut">{t("classroom.phone.size")}</span>
        <button type="button" class="btn" aria-label={t("classroom.phone.fewer")} onClick={() => resize(size - 1)}>
          −
        </button>
        <b>{size}</b>
        <button type="button" class="btn" aria-label={t("classroom.phone.more")} onClick={() => resize(size + 1)}>
          +
        </button>
      </div>
      <div class="confirm">
        <Undelivered classroom={classroom} />
        <button
          type="button"
          class="big"
          data-action="take-attendance"
          data-state={taken ? "taken" : "open"}
          aria-busy={busy || undefined}
          onClick={() => classroom.ask({ t: "take_attendance", absent: sorted(absent), late: sorted(late) })}
        >
          <Icon name={busy ? "load" : "check"} size="lg" spin={busy} />
          {t(taken ? "classroom.phone.attendance_done" : "classroom.phone.attendance_confirm")}
        </button>
      </div>
    </main>
  );
}

const sorted = (list: readonly number[]) => [...list].sort((a, b) => a - b);

function same(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((seat) => b.includes(seat));
}

function Telephone({ room, own, down }: { room: Room; own: Participant; down: boolean }) {
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
