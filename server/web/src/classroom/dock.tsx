/** The host's buttons: sound, screen, materials, timer, marks, and the lesson's beginning and end. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Button } from "../ui/components";
import { t } from "../ui/i18n";
import { Icon } from "../ui/icons";
import { clockAt } from "../ui/time";
import type { Classroom } from "./classroom";
import { keysOn, switchKeys } from "./keys";
import { EndButton } from "./end-button";
import { Undelivered } from "./parts";
import { inLesson, type Room } from "./room";
import { canShareScreen } from "./screen";
import { lasting, second, timerLeft } from "./ticker";
import { Tray } from "./stage";

const TIMES = [60, 120, 180, 300, 600];

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

export function Dock({ classroom, room, timerOpen, setTimerOpen, trayOpen, setTrayOpen, children }: DockProps) {
  const { snapshot } = room;
  const live = inLesson(snapshot);
  const sharing = classroom.media.value.local.has("screen");
  const waiting = classroom.line.value.pending.filter((command) => command.t === "mark").length;
  const marks = snapshot.marks + waiting;
  const remaining = timerLeft(room);
  const [ending, setEnding] = useState(false);
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
        {timerOpen && <TimerList classroom={classroom} runs={remaining !== null} close={() => setTimerOpen(false)} />}
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
        {!live || ending ? null : marks === 0 ? t("classroom.marks.none") : t("classroom.marks.n", { n: marks, time: clockAt(snapshot.lastMark ?? second.value) })}
      </span>
      {!ending && <Undelivered classroom={classroom} />}
      <span class="grow" />
      {!ending && classroom.refusal.value === null && (
        <button type="button" class="btn s quiet" aria-pressed={keysOn.value} onClick={() => switchKeys(!keysOn.value)}>
          {t(keysOn.value ? "classroom.keys.on" : "classroom.keys.off")}
        </button>
      )}
      {live ? <EndButton classroom={classroom} room={room} onAsking={setEnding} /> : <StartButton classroom={classroom} room={room} />}
    </div>
  );
}

interface TimerListProps {
  classroom: Classroom;
  runs: boolean;
  close: () => void;
}

function TimerList({ classroom, runs, close }: TimerListProps) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    box.current?.querySelector("button")?.focus();
    const away = (event: PointerEvent) => {
      const inside = event.target instanceof Element && event.target.closest(".timer-list, [data-action='timer']");
      if (!inside) close();
    };
    document.addEventListener("pointerdown", away);
    return () => document.removeEventListener("pointerdown", away);
  }, []);
  const leave = () => {
    close();
    document.querySelector<HTMLElement>('[data-action="timer"]')?.focus();
  };
  const set = (seconds: number) => {
    classroom.ask({ t: "set_timer", seconds });
    leave();
  };
  return (
    <div class="timer-list card" ref={box} role="group" aria-label={t("classroom.act.timer")} onKeyDown={(event) => event.key === "Escape" && leave()}>
      {TIMES.map((seconds) => (
        <Button key={seconds} small onClick={() => set(seconds)}>
          {t("classroom.minutes", { n: seconds / 60 })}
        </Button>
      ))}
      {runs && (
        <Button small kind="bad" onClick={() => set(0)}>
          {t("classroom.act.timer_off")}
        </Button>
      )}
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
