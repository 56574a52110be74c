/** A lesson's report: what each room did and got of the lesson, and what it answered; to look at, print and keep. */
import "./report.css";
import "../classroom/exercise.css";

import { useEffect, useMemo, useState } from "preact/hooks";
import type { ClassAnswers, ExerciseReport, LessonReport, LineReport, ReviewShown, RoomReport } from "../generated/api";
import { letter } from "../classroom/exercise";
import { usePhoto } from "../classroom/photo";
import { lasting } from "../classroom/ticker";
import { call } from "../ui/api";
import { Button, Empty, Failure, LinkButton, Skeleton, Stale, StateChip } from "../ui/components";
import { bringTexts, has, language, t } from "../ui/i18n";
import { Icon } from "../ui/icons";
import { mount } from "../ui/mount";
import { label } from "../ui/names";
import { useResource } from "../ui/resource";
import { useShown } from "../ui/shown";
import { clockAt, countyTime, longDate } from "../ui/time";
import { Frame } from "../ui/top";
import { isNowhere, WaysOn } from "../ui/ways-on";

const REFRESH_SECONDS = 20;

const session = decodeURIComponent(location.pathname.split("/").filter(Boolean).pop() ?? "");
const path = `/api/sessions/${encodeURIComponent(session)}/report`;

function ReportPage() {
  const { data: kept, error, slow, at, reload } = useResource<LessonReport>(path, (signal) => call("GET", path, { signal }), REFRESH_SECONDS);
  const shown = useShown(kept?.review ?? null);
  const data = useMemo(() => kept && (shown === null ? kept : masked(kept, shown)), [kept, shown]);
  useEffect(() => {
    if (shown !== null) reload();
  }, [shown]);
  return (
    <Frame here="lessons">
      <main class="sheet-page report" data-report={data?.session} data-state={data?.state}>
        {data === undefined ? <Failure error={error} retry={isNowhere(error) ? undefined : reload} /> : <Stale at={at} error={error} retry={reload} />}
        {data === undefined && isNowhere(error) && <WaysOn session={session} />}
        {slow && <Skeleton lines={10} />}
        {data && <Loaded report={data} />}
      </main>
    </Frame>
  );
}

/** The report without the single answers that may not be shown any more: the next look brings it whole. */
function masked(report: LessonReport, shown: ReviewShown): LessonReport {
  const gone = (unit: string) => shown.watching !== "yes" || shown.hiddenUnits.includes(unit);
  const exercises = report.exercises.map((exercise) => ({
    ...exercise,
    classes: exercise.classes.map((one) => (gone(one.unit) ? { ...one, single: [], pictures: [] } : one)),
  }));
  return { ...report, exercises, hiddenUnits: shown.hiddenUnits };
}

function Loaded({ report }: { report: LessonReport }) {
  const going = report.state === "live" || report.state === "overrun";
  const file = (form: string) => `${path}?form=${form}&lang=${language()}`;
  return (
    <>
      <div class="page-head">
        <h1>{label(report.title)}</h1>
        <span class="mut">
          {longDate(countyTime(report.liveSince ?? report.starts).date)} {clockAt(report.liveSince ?? report.starts)} · {report.hostTeacher}
        </span>
        {report.rehearsal && <StateChip tone="changed">{t("lessons.rehearsal")}</StateChip>}
        {going && (
          <span class="st bad" role="status">
            <i class="live-dot" />
            {t("report.live")}
          </span>
        )}
      </div>
      <div class="list-tools rp-tools">
        <span class="mut sm grow">{t("report.lead")}</span>
        <LinkButton small icon="upload" action="save-csv" href={file("csv")}>
          {t("report.csv")}
        </LinkButton>
        <LinkButton small icon="upload" action="save-xlsx" href={file("xlsx")}>
          {t("report.xlsx")}
        </LinkButton>
        <Button small icon="print" action="print" onClick={() => print()}>
          {t("report.print")}
        </Button>
        {report.review && (
          <LinkButton small kind="pri" icon="joint" action="open-review" href={`/review/${encodeURIComponent(report.review)}`}>
            {t("report.review")}
          </LinkButton>
        )}
      </div>
      {report.liveSince === null ? (
        <section class="card">
          <Empty>{t("report.never")}</Empty>
        </section>
      ) : (
        <>
          <Facts report={report} />
          <Rooms report={report} />
          <Exercises report={report} />
        </>
      )}
    </>
  );
}

function Facts({ report }: { report: LessonReport }) {
  const asked = report.rooms.reduce((sum, room) => sum + room.asked, 0);
  const answered = report.rooms.reduce((sum, room) => sum + room.answered, 0);
  const facts: [string, string][] = [
    ["length", lasting(report.seconds)],
    ["overrun", report.overrun >= 1 ? lasting(report.overrun) : t("report.none")],
    ["exercises", t("report.items", { n: report.exercises.length })],
    ["answered", asked > 0 ? `${Math.round((answered / asked) * 100)}%` : "—"],
    ["marks", t("report.times", { n: report.marks })],
    ["messages", String(report.messages)],
    ["observers", t("report.people", { n: report.observers })],
  ];
  return (
    <dl class="card rp-facts">
      {facts.map(([key, value]) => (
        <div key={key} data-fact={key}>
          <dt class="sm mut">{t(`report.fact.${key}`)}</dt>
          <dd>{value}</dd>
        </div>
      ))}
      {report.endedBy && (
        <div>
          <dt class="sm mut">{t("session.ended")}</dt>
          <dd class="word">{t(`report.ended.${report.endedBy}`)}</dd>
        </div>
      )}
    </dl>
  );
}

function Rooms({ report }: { report: LessonReport }) {
  return (
    <section class="card">
      <h2 class="rp-h">{t("report.rooms")}</h2>
      <table class="list rp-rooms">
        <thead>
          <tr>
            <th>{t("report.column.room")}</th>
            <th>{t("report.group.class")}</th>
            <th>{t("report.group.taking_part")}</th>
            <th>{t("report.group.answers")}</th>
            <th>{t("report.group.line")}</th>
          </tr>
        </thead>
        <tbody>
          {report.rooms.map((room) => (
            <Room key={room.unit} room={room} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Room({ room }: { room: RoomReport }) {
  const faults = (["camera", "microphone"] as const).flatMap((device) => {
    const state = room[device];
    const key = `report.device_state.${state}`;
    return state === null || state === "ok" ? [] : [t(`report.device.${device}`, { state: has(key) ? t(key) : state })];
  });
  return (
    <tr data-room={room.unit} data-side={room.side} data-turns={room.turns} data-reconnects={room.line.reconnects}>
      <td class="wide">
        <b>{room.unitName}</b>
        <span class="sm mut">{[room.className, t(`review.side.${room.side}`)].filter(Boolean).join(" · ")}</span>
        {room.side === "member" && <span class="sm mut">{room.assistants.length > 0 ? t("report.helped", { names: room.assistants.join(t("list.comma")) }) : t("report.no_helper")}</span>}
      </td>
      <td data-label={t("report.group.class")}>
        <Attendance room={room} />
      </td>
      <td class="wide" data-label={t("report.group.taking_part")}>
        <span>{t("report.talk", { time: lasting(room.talkSeconds) })}</span>
        {room.side === "member" && (
          <span class={room.turns === 0 ? "rp-warn" : ""}>
            {[room.turns === 0 ? t("classroom.turns.none") : t("report.turns", { n: room.turns }), t("report.hands", { n: room.hands })].join(" · ")}
          </span>
        )}
        {room.slower + room.noSound > 0 && <span class="sm mut">{t("report.signals", { slower: room.slower, no_sound: room.noSound })}</span>}
      </td>
      <td data-label={t("report.group.answers")}>
        {room.asked > 0 ? t("report.answered", { n: room.answered, all: room.asked }) : room.answered > 0 ? String(room.answered) : "—"}
      </td>
      <td class="wide" data-label={t("report.group.line")}>
        <Line line={room.line} />
        {faults.map((fault) => (
          <span key={fault} class="rp-warn sm">
            {fault}
          </span>
        ))}
      </td>
    </tr>
  );
}

function Attendance({ room }: { room: RoomReport }) {
  if (room.absent === null) return <span class="mut">{room.pupils > 0 ? `${room.pupils} · ${t("report.not_taken")}` : t("report.not_taken")}</span>;
  return (
    <>
      <span>{room.pupils > 0 ? t("report.present", { n: Math.max(0, room.pupils - room.absent), all: room.pupils }) : room.absent === 0 ? t("report.all_present") : ""}</span>
      {(room.absent > 0 || (room.late ?? 0) > 0) && (
        <span class="sm mut">
          {[room.absent > 0 && t("classroom.facts.absent", { n: room.absent }), (room.late ?? 0) > 0 && t("classroom.facts.late", { n: room.late ?? 0 })].filter(Boolean).join(" · ")}
        </span>
      )}
    </>
  );
}

function Line({ line }: { line: LineReport }) {
  if (line.joinedAfter === null) return <span class="rp-warn">{t("report.never_came")}</span>;
  const share = Math.round(line.connected * 100);
  return (
    <>
      <span class={share < 95 ? "rp-warn" : ""}>
        {[t("report.connected", { share }), line.joinedAfter >= 5 && t("report.joined_late", { time: lasting(line.joinedAfter) })].filter(Boolean).join(" · ")}
      </span>
      {line.reconnects > 0 && <span class="sm">{t("report.reconnects", { n: line.reconnects, time: lasting(line.longestOutage) })}</span>}
      <span class="sm mut">
        {line.loss === null
          ? t("report.not_measured")
          : [
              t("report.line", { loss: (line.loss * 100).toFixed(1), worst: ((line.worstLoss ?? 0) * 100).toFixed(0), rtt: Math.round(line.rttMs ?? 0) }),
              (line.weak ?? 0) >= 0.01 && t("report.weak", { share: Math.round((line.weak ?? 0) * 100) }),
              (line.downKbps ?? 0) > 0 && t("report.down", { kbps: Math.round(line.downKbps ?? 0) }),
              (line.still ?? 0) >= 0.01 && t("report.still", { share: Math.round((line.still ?? 0) * 100) }),
              line.freezes > 0 && t("report.freezes", { n: line.freezes }),
            ]
              .filter(Boolean)
              .join(" · ")}
      </span>
    </>
  );
}

function Exercises({ report }: { report: LessonReport }) {
  const names = new Map(report.rooms.map((room) => [room.unit, room.unitName]));
  return (
    <section class="card rp-exercises">
      <h2 class="rp-h">{t("report.exercises")}</h2>
      {report.exercises.length === 0 && <Empty>{t("report.no_exercises")}</Empty>}
      {report.exercises.map((exercise) => (
        <article key={exercise.run} data-exercise={exercise.number}>
          <h3>
            {t("classroom.exercise.number", { n: exercise.number })} · {exercise.prompt}
          </h3>
          <p class="sm mut">
            {t(`classroom.exercise.kind_${exercise.kind}`)} · {t("report.asked_at", { time: lasting(exercise.at), seconds: lasting(exercise.seconds) })}
          </p>
          {exercise.options.length > 0 && (
            <p class="legend sm">
              {exercise.options.map((option, place) => (
                <span key={place}>
                  <i class={place === exercise.right ? "right" : `o${place % 4}`} />
                  {letter(place, language())} {option}
                  {place === exercise.right && <Icon name="check" size="sm" label={t("classroom.exercise.right")} />}
                </span>
              ))}
            </p>
          )}
          <ul class="rp-classes">
            {exercise.classes.map((one) => (
              <Class key={one.unit} exercise={exercise} answers={one} name={names.get(one.unit) ?? one.unit} hidden={report.singleAnswers && report.hiddenUnits.includes(one.unit)} />
            ))}
          </ul>
        </article>
      ))}
      {report.exercises.length > 0 && !report.singleAnswers && <p class="sm mut">{t("report.singles_hidden")}</p>}
    </section>
  );
}

interface ClassProps {
  exercise: ExerciseReport;
  answers: ClassAnswers;
  name: string;
  /** The class does not agree to be recorded: nobody sees what single pupils did. */
  hidden: boolean;
}

function Class({ exercise, answers, name, hidden }: ClassProps) {
  const rest = Math.max(0, answers.pupils - answers.answered);
  const wrong = answers.right === null ? 0 : Math.max(0, answers.answered - answers.right);
  const pieces =
    exercise.kind === "choice"
      ? answers.byOption.map((n, place) => ({ n, tone: place === exercise.right ? "right" : `o${place % 4}`, first: place === exercise.right }))
      : [
          { n: answers.right ?? answers.answered, tone: answers.right === null ? "o1" : "right", first: true },
          { n: wrong, tone: "o0", first: false },
        ];
  const ordered = [...pieces].sort((a, b) => Number(b.first) - Number(a.first)).filter((piece) => piece.n > 0);
  const single = answers.single.length + answers.pictures.length > 0;
  return (
    <li data-class={answers.unit} data-answered={answers.answered}>
      <div class="rp-class">
        <b class="ell">{name}</b>
        <span class="xr-bar">
          {ordered.map((piece) => (
            <i key={piece.tone} class={piece.tone} style={{ flexGrow: piece.n, flexBasis: 0 }}>
              {piece.n}
            </i>
          ))}
          {rest > 0 && <i class="gap" style={{ flexGrow: rest, flexBasis: 0 }} />}
        </span>
        <span class="sm nw">
          {answers.right === null ? t("report.rate_plain", { n: answers.answered, rest }) : t("report.rate", { right: answers.right, n: answers.answered, rest })}
          {answers.photos > 0 && ` · ${t("report.photos", { n: answers.photos })}`}
        </span>
      </div>
      {hidden && <p class="sm mut">{t("report.class_hidden")}</p>}
      {single && (
        <details>
          <summary class="sm">{t("report.singles")}</summary>
          <ul class="xseats">
            {[...answers.single]
              .sort((a, b) => (a.seat ?? 0) - (b.seat ?? 0))
              .map((one) => (
                <li key={one.seat ?? "class"}>
                  <b class="nw">{one.seat === null ? t("classroom.seat.whole") : t("classroom.seat.no", { seat: one.seat })}</b>
                  <span>{one.choice !== null ? `${letter(one.choice, language())} ${exercise.options[one.choice] ?? ""}` : (one.text ?? one.number)}</span>
                </li>
              ))}
          </ul>
          <ul class="xphotos">
            {answers.pictures.map((photo) => (
              <li key={photo.id}>
                <Photo id={photo.id} seat={photo.seat} />
              </li>
            ))}
          </ul>
        </details>
      )}
    </li>
  );
}

function Photo({ id, seat }: { id: string; seat: number | null }) {
  const url = usePhoto(session, id);
  const [large, setLarge] = useState(false);
  const label = seat === null ? t("classroom.exercise.photo") : t("classroom.exercise.photo_of", { seat });
  return (
    <button type="button" class={`xphoto ${large ? "large" : ""}`} aria-label={label} aria-pressed={large} data-photo={id} onClick={() => setLarge(!large)}>
      {url ? <img src={url} alt={label} /> : <Icon name={url === null ? "warn" : "load"} spin={url === ""} size="lg" />}
      {seat !== null && <span class="xs">{t("classroom.seat.no", { seat })}</span>}
    </button>
  );
}

bringTexts({
  "zh-CN": () => import("virtual:locale/report.zh-CN"),
  en: () => import("virtual:locale/report.en"),
});
void mount(ReportPage, "report.title");
