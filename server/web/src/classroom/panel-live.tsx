/** The big panel during the lesson: who teaches, the board, this room and the others. */
import type { Participant } from "../generated/live";
import { t } from "../ui/i18n";
import { Qr } from "../ui/qr";
import { Icon } from "../ui/icons";
import { clockAt } from "../ui/time";
import type { Classroom } from "./classroom";
import { Foot } from "./panel-foot";
import { Own } from "./panel-own";
import type { ViewProps } from "./panel-view";
import { captionOf, Face, progressOf, StatePill } from "./parts";
import { host, inLesson, memberRooms, program, tileState, type Room } from "./room";
import { Sheet } from "./sheet";
import { lasting, serverNow, timerLeft } from "./ticker";
import { inFull, shortly, type Why, whyUnsent } from "./unseen";

const MOST_OTHERS = 6;
const MOST_BESIDE_BOARD = 3;
/** Beside a board and the assistant's code, which needs its whole size to be read. */
const MOST_BESIDE_CODE = 1;

export function PanelLive({ classroom, room, me, unseen: why, choose }: ViewProps & { unseen: Why | null; choose: () => void }) {
  const shown = program(room);
  const others = memberRooms(room).filter((p) => p.id !== me.id);
  const teacher = host(room);
  const board = room.snapshot.board.shown !== null;
  const dark = tileState(room, me) === "audio_only" ? whyUnsent(room, me) : null;
  // of our own camera the place of its picture speaks
  const unseen = dark === "their_camera" ? null : dark;
  const code = assistantCode(classroom, room, me);
  const beside = [...(teacher && shown && shown.id !== teacher.id ? [teacher] : []), ...others.filter((p) => p.id !== shown?.id)];
  return (
    <div class={`live ${why ? "aud" : ""}`}>
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
              {why && (
                <div class="heard" role="status" data-why={why}>
                  <Icon name="ear" />
                  <b class="w64">{t("classroom.panel.audio_only")}</b>
                  <span class="w36">{inFull(why, shown)}</span>
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
            {why && (
              <div class="heard" role="status" data-why={why}>
                <Icon name="ear" />
                <b class="w28">{shortly(why, shown)}</b>
              </div>
            )}
            <span class="cap s">{shown.role === "host" ? t("classroom.panel.teacher_short") : captionOf(shown)}</span>
          </div>
        )}
        {!board && (
          <div class="self">
            <Own classroom={classroom} me={me} />
            <span class="cap s" data-unseen={unseen ?? undefined} role={unseen ? "status" : undefined}>
              {t(unseen === null ? "classroom.panel.us" : unseen === "their_line" ? "classroom.panel.unseen_line" : "classroom.panel.unseen")}
            </span>
          </div>
        )}
        <div class="oth">
          {board && (
            <div class="mini">
              <Own classroom={classroom} me={me} />
              <span class="nm ell" data-unseen={unseen ?? undefined} role={unseen ? "status" : undefined}>
                {t(unseen ? "classroom.panel.unseen_short" : "classroom.panel.us")}
              </span>
            </div>
          )}
          {beside.slice(0, !board ? MOST_OTHERS : code ? MOST_BESIDE_CODE : MOST_BESIDE_BOARD).map((p) => (
            <Mini key={p.id} classroom={classroom} room={room} participant={p} />
          ))}
          {!board && others.length > 0 && (
            <div class="mini off n">
              <Icon name="users" />
              <span class="nm">{t("classroom.panel.rooms", { n: others.length + 2 })}</span>
            </div>
          )}
          {code && (
            <div class="helper" data-assistant-url={classroom.joined.value?.assistantUrl}>
              <Qr code={code} label={t("classroom.panel.assistant_code")} />
              <span>{t("classroom.panel.assistant_code")}</span>
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
      {gone ? <span class="nm">{t(`classroom.panel.${state}`, { unit: participant.unitName })}</span> : <span class="nm ell">{participant.unitName}</span>}
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
