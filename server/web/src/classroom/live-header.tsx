/** What stands above every view of a lesson for teachers: which it is, how long it goes on, what is recorded. */
import { t } from "../ui/i18n";
import { Icon } from "../ui/icons";
import { clockAt, weekdayName } from "../ui/time";
import { LanguageSwitch } from "../ui/languages";
import type { Classroom } from "./classroom";
import { LineState, progressOf, StatePill } from "./parts";
import type { Room } from "./room";
import { lasting, serverNow } from "./ticker";

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
