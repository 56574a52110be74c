/** The lesson on the assistant's phone: what is asked of the class, how it is, and hands for its pupils. */
import { useState } from "preact/hooks";
import type { Participant, SignalKind } from "../generated/live";
import { t } from "../ui/i18n";
import { Icon, type IconName } from "../ui/icons";
import type { Classroom } from "./classroom";
import { EndButton } from "./end-button";
import { LineState, Undelivered } from "./parts";
import { strokesOn } from "./board";
import { PenTools, Sheet, usePens } from "./sheet";
import { titleOf } from "./paper";
import { Sources } from "./pictures";
import { host, inLesson, picturesOf, type Room } from "./room";
import { PhoneExercise } from "./phone-exercise";
import { seatsOf } from "./seats";
import { lasting, serverNow } from "./ticker";

const SIGNALS: readonly { kind: SignalKind; icon: IconName }[] = [
  { kind: "ready", icon: "check" },
  { kind: "slower", icon: "turtle" },
  { kind: "no_sound", icon: "mute" },
];

/** An assistant may start five minutes after the bell. */
const HOST_IS_LATE = 300;

export function Lesson({ classroom, room, own }: { classroom: Classroom; room: Room; own: Participant }) {
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
