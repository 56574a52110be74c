/** The idle panel: today's table of this class, the next shared lesson, and the check before it. */
import { useEffect, useState } from "preact/hooks";
import type { RoomDay, RoomLesson } from "../generated/api";
import { kindOf } from "../ui/components";
import { t } from "../ui/i18n";
import { Icon, type IconName } from "../ui/icons";
import { clockAt, longDate, shortClock } from "../ui/time";
import { LanguageSwitch } from "../ui/languages";
import { DeviceDialog } from "./device-dialog";
import { WallButton } from "./wall-button";
import { check, type Preflight, report } from "./preflight";
import { lasting, second } from "./ticker";

/** Seconds before a shared lesson when its doors open and the check runs by itself. */
export const CHECK_BEFORE = 15 * 60;
/** A round trip above this makes pictures stutter; sound still works. */
const SLOW_MS = 300;
const ROWS = 8;

export interface DayProps {
  day: RoomDay;
  /** Unix seconds of this page's steady clock when the table arrived; older than a minute is said. */
  at: number;
  stale: boolean;
  /** Told when the panel must stay as it is, and when no more. */
  hold: (on: boolean) => void;
}

export function DayPage({ day, at, stale, hold }: DayProps) {
  const now = second.value + (day.serverTime - at);
  const next = day.lessons.find((lesson) => !lesson.cancelled && lesson.state !== "ended" && lesson.ends > now);
  const [preflight, setPreflight] = useState<Preflight | null>(null);
  const [checking, setChecking] = useState(false);
  /** There from the moment its doors open. */
  const session = next?.session ?? null;
  const [devicesOpen, openDevices] = useState(false);
  const run = (loud: boolean) => {
    if (checking || devicesOpen) return;
    setChecking(true);
    void check(loud, day.listenOnly).then((result) => {
      setPreflight(result);
      setChecking(false);
      if (session !== null) void report(session, result);
    });
  };
  useEffect(() => {
    hold(checking || devicesOpen);
    return () => hold(false);
  }, [checking, devicesOpen]);
  const due = next !== undefined && session !== null && next.starts - now <= CHECK_BEFORE;
  useEffect(() => {
    if (due) run(false);
  }, [due, session]);
  return (
    <div class="panel idle" data-view="idle" data-room={day.room}>
      <header>
        <div>
          <b class="w48 ell">{[day.unitName, day.className].filter(Boolean).join(" · ")}</b>
          <span class="w28 mut">{day.roomName}</span>
        </div>
        <div class="r">
          <b class="clk">{clockAt(now)}</b>
          <span class="w28 mut">{longDate(day.date)}</span>
        </div>
      </header>
      <Table lessons={day.lessons} now={now} next={next} />
      <section class="nx" role="status">
        {next === undefined ? (
          <>
            <p class="w48">{t("classroom.idle.none")}</p>
            <p class="w36 s">{t("classroom.idle.none_text")}</p>
          </>
        ) : (
          <>
            <p class="w36">{t("classroom.idle.next", { subject: next.subject || next.title })}</p>
            <p class={next.starts - now >= 3600 ? "cd long" : "cd"} role="timer">
              {lasting(next.starts - now)}
            </p>
            <p class="w36 s">{t("classroom.idle.joins", { time: shortClock(next.start) })}</p>
          </>
        )}
      </section>
      <Check preflight={preflight} offset={day.serverTime - at} checking={checking} listens={day.listenOnly} />
      <footer>
        <span class="row pv">
          <Icon name="camoff" />
          {t(checking ? "classroom.idle.camera_checks" : "classroom.idle.no_recording")}
        </span>
        {day.phone && (
          <span class="row pv">
            <Icon name="phone" />
            <b>{day.phone}</b>
          </span>
        )}
        {stale && <span class="st warn">{t("load.stale", { time: clockAt(day.serverTime) })}</span>}
        <span class="grow" />
        <WallButton action="choose-devices" onClick={() => openDevices(true)}>
          <Icon name="cam" />
          {t("classroom.device.choose")}
        </WallButton>
        <WallButton action="preflight" onClick={() => run(true)}>
          <Icon name="load" spin={checking} />
          {t(preflight ? "classroom.idle.check_again" : "classroom.idle.check_now")}
        </WallButton>
        <LanguageSwitch />
      </footer>
      {devicesOpen && <DeviceDialog capture={null} role="endpoint" onClose={() => openDevices(false)} />}
    </div>
  );
}

function Table({ lessons, now, next }: { lessons: readonly RoomLesson[]; now: number; next: RoomLesson | undefined }) {
  // The day is longer than the panel where a school has many periods: keep the next lesson in sight.
  const at = Math.max(0, lessons.findIndex((lesson) => lesson.ends > now));
  const from = Math.max(0, Math.min(at - 2, lessons.length - ROWS));
  if (lessons.length === 0) {
    return (
      <section class="tbl none">
        <p class="w36 mut">{t("classroom.idle.empty")}</p>
      </section>
    );
  }
  return (
    <section class="tbl" aria-label={t("classroom.idle.table")}>
      <ul class={lessons.length > 6 ? "dense" : ""}>
        {lessons.slice(from, from + ROWS).map((lesson) => {
          const { tone, icon } = kindOf(lesson.kind);
          const state = lesson.cancelled ? "cancelled" : lesson.ends <= now ? "past" : lesson === next ? "next" : "";
          return (
            <li key={lesson.occurrence} class={state} data-lesson={lesson.occurrence}>
              <time>{shortClock(lesson.start)}</time>
              <b class="grow ell">{lesson.subject || lesson.title}</b>
              <span class="from ell">{lesson.cancelled ? t("classroom.idle.cancelled") : lesson.hostName}</span>
              <span class={`kd ${tone}`}>
                <Icon name={icon} />
                {t(`kind.${lesson.kind}`)}
              </span>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function Check({ preflight, offset, checking, listens }: { preflight: Preflight | null; offset: number; checking: boolean; listens: boolean }) {
  return (
    <section class="pf">
      <div class="row">
        <h2 class="grow w28">{t("classroom.idle.check")}</h2>
        <span class="w28 mut">
          {checking ? t("classroom.idle.checking") : preflight ? t("classroom.idle.checked", { time: clockAt(preflight.at + offset) }) : t("classroom.idle.not_checked")}
        </span>
      </div>
      <ul>
        {listens ? (
          <CheckRow icon="ear" word="listens" value="ok" />
        ) : (
          <>
            <CheckRow icon="cam" word="camera" value={preflight?.camera} values={{ n: preflight?.cameras ?? 0 }} />
            <CheckRow icon="mic" word="microphone" value={preflight?.microphone} />
          </>
        )}
        <CheckRow icon="vol" word="speaker" value={preflight?.speaker} good={["ok", "played", "ready"]} />
        <CheckRow icon="net" word="line" value={preflight && (preflight.rttMs === 0 ? "down" : preflight.rttMs > SLOW_MS ? "slow" : "ok")} values={{ ms: preflight?.rttMs ?? 0 }} />
      </ul>
    </section>
  );
}

interface CheckRowProps {
  icon: IconName;
  word: string;
  value: string | null | undefined;
  values?: Record<string, number>;
  good?: readonly string[];
}

function CheckRow({ icon, word, value, values, good = ["ok", "off"] }: CheckRowProps) {
  const known = value !== null && value !== undefined;
  const fine = known && good.includes(value);
  return (
    <li class={known ? (fine ? "ok" : "wn") : "unknown"} data-check={word} data-state={value ?? "unknown"}>
      <span class="bub">
        <Icon name={known ? (fine ? "check" : "warn") : "dots"} />
      </span>
      <Icon name={icon} />
      <b>{t(`classroom.idle.${word}`)}</b>
      <span class="grow ell">{known ? t(`classroom.idle.${word}_${value}`, values) : "—"}</span>
    </li>
  );
}
