/** One lesson in the side panel: how the bells overlap, and who watches the pupils in the minutes left over. */

import type { AmendmentView, Lesson, SessionRow } from "../generated/api";
import { post } from "../ui/api";
import { Button, Empty, Failure, KindChip, StateChip, useAction } from "../ui/components";
import { Icon } from "../ui/icons";
import { t } from "../ui/i18n";
import { label } from "../ui/names";
import type { Resource } from "../ui/resource";
import { me } from "../ui/session";
import { clockOf, dayDate, longDate, shortClock, span, weekdayName } from "../ui/time";
import { AmendPanel } from "./amend-panel";
import { takeUp } from "./carry-keys";
import { go, panelOpen, place } from "./place";
import { supervisors } from "./day";
import { heldIn } from "./turns";
import { classesOf, isShared, leftoverOf, leftoverText, length, peopleOf, spanOf, STATE_ICONS, type Table } from "./table";

export function LessonPanel({ table, week, amendments }: { table: Table; week: number; amendments: Resource<AmendmentView[]> }) {
  const lesson = table.lessons.get(place.value.lesson ?? "");
  if (lesson === undefined) return <Empty>{t("lesson.pick")}</Empty>;
  const shared = isShared(lesson);
  const state = table.state(lesson);
  const host = lesson.parties[0];
  const taught = lesson.kind === "sync" || lesson.kind === "dedicated";
  const turns = lesson.rotation ?? [];
  const onlyWeeks = lesson.onlyWeeks ?? [];
  const same = table.plain.view.lessons.filter((other) => other.requirement === lesson.requirement);
  return (
    <div class="pb" data-lesson={lesson.id}>
      <div class="pt0">
        <h2>{table.title(lesson)}</h2>
        <div class="row">
          <KindChip kind={lesson.kind} />
          {(shared || table.mark(lesson) !== undefined) && (
            <StateChip tone={state} icon={STATE_ICONS[state]}>
              {t(`state.${state}`)}
            </StateChip>
          )}
          {onlyWeeks.length === 0 && (lesson.weeks ?? "all") !== "all" && <StateChip tone="changed">{t(`parity.${lesson.weeks}`)}</StateChip>}
        </div>
        <p class="mut sm">
          {[
            weekdayName(lesson.weekday),
            span(lesson.start, lesson.end),
            same.length > 1 ? t("lesson.one_of", { count: same.length }) : "",
            lesson.topic ? label(lesson.topic) : "",
          ]
            .filter(Boolean)
            .join(" · ")}
        </p>
        <Became table={table} lesson={lesson} />
        {onlyWeeks.length > 0 && <p class="mut sm">{t("lesson.only_weeks", { weeks: onlyWeeks.join(t("list.comma")) })}</p>}
        {host && turns.length > 0 && <Turns table={table} lesson={lesson} week={week} />}
        {host && turns.length === 0 && <p class="mut sm">{t(shared ? "lesson.host_line" : "lesson.teacher_line", { name: peopleOf(table, host) || t("lesson.nobody"), unit: table.unitName(host.unit) })}</p>}
      </div>
      {shared && lesson.parties.length > 1 && <Lens table={table} lesson={lesson} />}
      {table.view.status === "published" && <AmendPanel table={table} lesson={lesson} week={week} amendments={amendments} />}
      <h3 class="h">{t("lesson.parties")}</h3>
      <ul class="parties">
        {lesson.parties.map((party) => (
          <li key={party.unit}>
            <b>{table.unitShort(party.unit)}</b>
            <span class="grow">
              {[t("lesson.period", { period: party.period }), classesOf(table, party), party.room ? table.name(party.room) : ""].filter(Boolean).join(" · ")}
              {(!taught || party.unit !== host?.unit) && peopleOf(table, party) && <span class="dim"> {taught ? t("lesson.assistant_is", { name: peopleOf(table, party) }) : peopleOf(table, party)}</span>}
            </span>
          </li>
        ))}
      </ul>
      {shared && <Leftovers table={table} lesson={lesson} />}
      <Actions table={table} lesson={lesson} />
    </div>
  );
}

/** What became of the lesson on its date. */
function Became({ table, lesson }: { table: Table; lesson: Lesson }) {
  const mark = table.mark(lesson);
  if (mark === undefined) return null;
  const { row, state } = mark;
  const on = (date: string, start: string) => `${dayDate(date)} ${shortClock(start)}`;
  const lost = row.occurrence.split(".").find((part) => /^\d{4}-\d\d-\d\d$/.test(part));
  const words =
    state === "moved" && row.plannedDate !== null
      ? t("dated.moved_from", { time: on(row.plannedDate, row.plannedStart ?? row.start) })
      : state === "away"
        ? t("dated.moved_to", { time: on(row.date, row.start) })
        : state === "made_up" && lost !== undefined
          ? t("dated.makes_up", { date: longDate(lost) })
          : row.reason
            ? t(state === "cancelled" ? "dated.closed" : "dated.reduced", { reason: row.reason })
            : "";
  if (words === "") return null;
  return <p class="sm became">{words}</p>;
}

/** Whose turn it is in the week shown, and who follows whom. */
function Turns({ table, lesson, week }: { table: Table; lesson: Lesson; week: number }) {
  const [host] = lesson.parties;
  const role = lesson.kind === "joint_meeting" ? "chair" : lesson.kind === "sync" ? "host" : "lead";
  if (host === undefined) return null;
  const held = heldIn(lesson, week);
  return (
    <div class="turns" data-turn={held ? host.unit : ""}>
      {held && (
        <p class="sm">
          <b>{t(`lesson.turn.${role}`, { week, name: peopleOf(table, host) || t("lesson.nobody"), unit: table.unitName(host.unit) })}</b>
        </p>
      )}
      <p class="xs dim">{t(`lesson.round.${role}`)}</p>
      <ol class="round">
        {(lesson.rotation ?? []).map((unit) => (
          <li key={unit} aria-current={held && unit === host.unit ? "step" : undefined}>
            {table.unitShort(unit)}
          </li>
        ))}
      </ol>
    </div>
  );
}

/** The windows of all schools under each other; what they share is solid. */
function Lens({ table, lesson }: { table: Table; lesson: Lesson }) {
  const spans = lesson.parties.map(spanOf);
  const start = Math.min(...spans.map((one) => one.start)) - 5;
  const end = Math.max(...spans.map((one) => one.end)) + 5;
  const window = spanOf(lesson);
  const at = (minute: number) => `${(((minute - start) / (end - start)) * 100).toFixed(2)}%`;
  const wide = (from: number, to: number) => `${(((to - from) / (end - start)) * 100).toFixed(2)}%`;
  return (
    <figure class="lens">
      <figcaption class="row">
        <span class="h grow">{t("lesson.overlap", { count: lesson.parties.length })}</span>
        <b class="sm">{t("lesson.overlap_minutes", { minutes: length(window) })}</b>
      </figcaption>
      <div class="lr hd" aria-hidden="true">
        <span />
        <div class="lx">
          {[window.start, window.end].map((minute) => (
            <em style={{ left: at(minute) }}>{clockOf(minute)}</em>
          ))}
        </div>
      </div>
      {lesson.parties.map((party) => {
        const own = spanOf(party);
        return (
          <div class="lr" key={party.unit}>
            <span class="ell">{table.unitShort(party.unit)}</span>
            <div class="lx">
              <i class="lb" style={{ left: at(own.start), width: wide(own.start, own.end) }} />
              <i class="lw" style={{ left: at(window.start), width: wide(window.start, window.end) }}>
                {span(party.start, party.end)}
              </i>
            </div>
          </div>
        );
      })}
    </figure>
  );
}

function Leftovers({ table, lesson }: { table: Table; lesson: Lesson }) {
  const rows = lesson.parties.filter((party) => {
    const { before, after } = leftoverOf(lesson, party);
    return (before > 0 || after > 0) && (party.classes ?? []).length > 0;
  });
  if (rows.length === 0) return null;
  return (
    <>
      <h3 class="h">{t("lesson.leftover")}</h3>
      <ul class="sup">
        {rows.map((party) => {
          const open = (party.leftover ?? []).some((rest) => rest.teacher === null) || (party.leftover ?? []).length === 0;
          return (
            <li class={open ? "wn" : ""} key={party.unit}>
              <span class="u ell">{table.unitShort(party.unit)}</span>
              <span class="m">{leftoverText(lesson, party)}</span>
              <span class="grow ell">
                {open && <Icon name="warn" size="sm" />}
                <span>{supervisors(table, party)}</span>
              </span>
            </li>
          );
        })}
      </ul>
    </>
  );
}

function Actions({ table, lesson }: { table: Table; lesson: Lesson }) {
  const { busy, error, run } = useAction();
  const teaches = (lesson.parties[0]?.teachers ?? []).includes(me.value?.teacher ?? "-");
  const rehearse = () =>
    run(async () => {
      const opened = await post<SessionRow>("/api/sessions", { lesson: table.origin(lesson) });
      location.assign(`/classroom/${opened.id}`);
    });
  const grade = table.grade(lesson);
  const move = () => {
    panelOpen.value = false;
    document.querySelector<HTMLElement>('.table-main [role="grid"]')?.focus();
    takeUp(table, lesson);
  };
  return (
    <div class="acts-block">
      <Failure error={error} />
      <div class="acts">
        {!table.over && (
          <Button small icon={table.movable ? "grip" : "search"} action={table.movable ? "move-lesson" : "look-slots"} onClick={move}>
            {t(table.movable ? "carry.move" : "carry.look")}
          </Button>
        )}
        {isShared(lesson) && place.value.view !== "day" && grade !== undefined && (
          <Button small icon="clock" onClick={() => go({ view: "day", day: lesson.weekday, grade })}>
            {t("lesson.in_the_day")}
          </Button>
        )}
        {!table.over && table.view.status === "published" && teaches && table.plain.lessons.has(table.origin(lesson)) && (
          <Button small icon="cam" busy={busy} onClick={rehearse}>
            {t("lesson.rehearse")}
          </Button>
        )}
      </div>
    </div>
  );
}
