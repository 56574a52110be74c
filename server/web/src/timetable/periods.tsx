/** The classic table, periods by days, of one class, teacher, room or school. */

import type { Lesson, PlacedParty, UnitRef } from "../generated/api";
import { kindOf, Segmented, Select } from "../ui/components";
import { Icon } from "../ui/icons";
import { t } from "../ui/i18n";
import { label, subjectName } from "../ui/names";
import { me, reaches } from "../ui/session";
import { addDays, minutesOf, shortClock, shortDate, span, weekdayName } from "../ui/time";
import { fitOnSheet } from "./one-sheet";
import { carry } from "./carry";
import { gridKeys } from "./carry-keys";
import { useDragging } from "./drag";
import { CellSlot } from "./drop-slots";
import { type By, go, openLesson, place } from "./place";
import { PrintHead } from "./print-head";
import { classesOf, isShared, length, peopleOf, spanOf, STATE_ICONS, type Table } from "./table";
import { Subscribe } from "./subscribe";
import { DayNote } from "./week";

/** A break from this length on gets a line of its own. */
const LONG_BREAK_MINUTES = 20;

interface Entry {
  lesson: Lesson;
  party: PlacedParty;
}

interface Subject {
  id: string;
  name: string;
  unit: string;
}

function subjectsOf(table: Table, by: By): readonly Subject[] {
  if (by === "class") return table.view.classes;
  if (by === "teacher") return table.view.teachers;
  if (by === "room") return table.view.rooms;
  return table.view.units.map((unit) => ({ id: unit.id, name: unit.name, unit: unit.id }));
}

function entriesOf(lessons: readonly Lesson[], by: By, of: string): Entry[] {
  const has = (party: PlacedParty): boolean => {
    if (by === "class") return (party.classes ?? []).includes(of);
    if (by === "teacher") return (party.teachers ?? []).includes(of);
    if (by === "room") return party.room === of;
    return party.unit === of;
  };
  return lessons.filter((lesson) => by !== "unit" || isShared(lesson)).flatMap((lesson) => lesson.parties.filter(has).map((party) => ({ lesson, party })));
}

/** The one to begin with: the person's own where there is one. */
function first(table: Table, by: By, subjects: readonly Subject[]): Subject | undefined {
  const person = me.value;
  const own = by === "teacher" ? subjects.find((one) => one.id === person?.teacher) : undefined;
  return own ?? subjects.find((one) => one.unit === person?.unit) ?? subjects.find((one) => table.units.get(one.unit)?.core) ?? subjects[0];
}

export function Periods({ table, week }: { table: Table; week: number }) {
  const by = place.value.by ?? (me.value?.teacher ? "teacher" : "class");
  const subjects = subjectsOf(table, by);
  const subject = subjects.find((one) => one.id === place.value.of) ?? first(table, by, subjects);
  const unit = table.units.get(subject?.unit ?? "");
  const entries = subject ? entriesOf(table.inWeek(week), by, subject.id) : [];
  const count = (kind: string) => entries.filter(({ lesson }) => lesson.kind === kind).length;
  return (
    <div class="cls">
      <div class="subbar">
        <Segmented<By>
          label={t("periods.by")}
          value={by}
          choices={(["unit", "class", "teacher", "room"] as const).map((value) => ({ value, label: t(`by.${value}`) }))}
          onChange={(value) => go({ by: value, of: undefined })}
        />
        {subject && (
          <Select
            label={t(`by.${by}`)}
            hideLabel
            value={subject.id}
            choices={subjects.map((one) => ({
              value: one.id,
              label: by === "unit" ? one.name : `${table.unitShort(one.unit)} ${label(one.name)}`,
              group: by === "unit" ? undefined : table.unitName(one.unit),
            }))}
            onChange={(of) => go({ by, of })}
          />
        )}
        <span class="dim sm ell grow">
          {by === "unit" ? t("periods.shared_only", { count: entries.length }) : t("periods.count", { count: entries.reduce((sum, { party }) => sum + periodsOf(table, party).length, 0), sync: count("sync"), dedicated: count("dedicated") })}
        </span>
        {subject && reaches(subject.unit, table.view.community.id) && <Subscribe kind={by} target={subject.id} name={by === "unit" ? subject.name : label(subject.name)} />}
      </div>
      {unit && subject && (
        <>
          <PrintHead table={table} week={week} title={by === "unit" ? unit.name : `${unit.name} ${label(subject.name)}`} />
          <Grid table={table} unit={unit} entries={entries} week={week} by={by} />
        </>
      )}
    </div>
  );
}

interface GridProps {
  table: Table;
  unit: UnitRef;
  entries: readonly Entry[];
  week: number;
  by: By;
}

function Grid({ table, unit, entries, week, by }: GridProps) {
  const days = table.weekdays;
  const at = (day: number, number: number) => entries.filter(({ lesson, party }) => lesson.weekday === day && periodsOf(table, party).includes(number));
  const picked = entries.find(({ lesson }) => lesson.id === place.value.lesson) ?? entries[0];
  const { community, revision } = table.view;
  const take = useDragging(community.id, revision, table.movable);
  const restBefore = (index: number) => {
    const [previous, period] = [unit.periods[index - 1], unit.periods[index]];
    return previous && period ? minutesOf(period.start) - minutesOf(previous.end) : 0;
  };
  const stacks = unit.periods.map(({ number }) => Math.max(...days.map((day) => at(day, number).length)));
  const breaks = unit.periods.filter((_, index) => restBefore(index) >= LONG_BREAK_MINUTES).length;
  return (
    <table class="pt" style={{ "--fit": fitOnSheet(stacks, breaks).toFixed(3) }} role="grid" tabIndex={-1} onKeyDown={gridKeys(table)} onPointerDown={take} data-carrying={carry.value !== null}>
      <thead>
        <tr>
          <th />
          {days.map((day) => (
            <th scope="col" key={day}>
              {weekdayName(day)} <span class="dim">{shortDate(addDays(table.view.term.weekOne, 7 * (week - 1) + day - 1))}</span>
              {table.dated?.days.has(day) && <DayNote day={table.dated.days.get(day)!} />}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {unit.periods.map((period, index) => {
          const previous = unit.periods[index - 1];
          const rest = restBefore(index);
          return (
            <>
              {previous && rest >= LONG_BREAK_MINUTES && (
                <tr class="brk">
                  <td colSpan={days.length + 1}>
                    {rest > 60 ? t("periods.noon", { time: span(previous.end, period.start) }) : t("periods.break", { minutes: rest })}
                  </td>
                </tr>
              )}
              <tr key={period.number}>
                <th scope="row">
                  <b>{period.number}</b>
                  {shortClock(period.start)}
                  <br />
                  {shortClock(period.end)}
                </th>
                {days.map((day) => (
                  <td key={day} role="gridcell">
                    {at(day, period.number).map((entry) => (
                      <Cell
                        key={entry.lesson.id}
                        table={table}
                        entry={entry}
                        day={day}
                        period={period.number}
                        own={{ start: period.start, end: period.end }}
                        by={by}
                        dense={at(day, period.number).length > 1}
                        focusable={entry === picked}
                      />
                    ))}
                    <CellSlot table={table} unit={unit.id} day={day} period={period.number} />
                  </td>
                ))}
              </tr>
            </>
          );
        })}
      </tbody>
    </table>
  );
}

/** The periods of its unit that a party's side takes: several of a block (连堂). */
function periodsOf(table: Table, party: PlacedParty): number[] {
  const rung = table.units.get(party.unit)?.periods ?? [];
  const taken = rung.filter((one) => party.start <= one.start && one.end <= party.end).map((one) => one.number);
  return taken.includes(party.period) ? taken : [party.period];
}

interface CellProps {
  table: Table;
  entry: Entry;
  day: number;
  /** The row's bell; a party with another one says so. */
  period: number;
  own: { start: string; end: string };
  by: By;
  dense: boolean;
  focusable: boolean;
}

/** A lesson in one of its periods; a block is drawn in each, and stands in the first. */
function Cell({ table, entry: { lesson, party }, day, period, own, by, dense, focusable }: CellProps) {
  const begins = period === party.period;
  const shared = isShared(lesson);
  const { tone, icon } = kindOf(lesson.kind);
  const state = table.state(lesson);
  const marked = table.mark(lesson) !== undefined;
  const stateIcon = STATE_ICONS[state];
  const host = lesson.parties[0];
  const who = by === "teacher" || by === "room" ? [classesOf(table, party), by === "room" ? peopleOf(table, party) : ""].filter(Boolean).join(" · ") : peopleOf(table, party);
  const hosted = host && host.unit === party.unit ? t("lesson.hosted_here", { name: peopleOf(table, party) }) : host ? `${table.unitShort(host.unit)} ${peopleOf(table, host)}` : "";
  return (
    <button
      type="button"
      class={`cc ${shared ? `${tone} is-${state}` : marked ? `is-${state}` : ""} ${dense ? "dense" : ""}`}
      data-lesson={begins ? lesson.id : undefined}
      data-block={begins ? undefined : lesson.id}
      data-column={day}
      data-row={period}
      aria-pressed={place.value.lesson === lesson.id}
      tabIndex={focusable && begins ? 0 : -1}
      onClick={() => openLesson(lesson.id)}
    >
      <b>
        {shared && <Icon name={icon} size="sm" />}
        <span class="ell">{shared ? table.subject(lesson) : subjectName(lesson.subject)}</span>
        {by === "unit" && table.grade(lesson) !== undefined && <span class="cc-grade">{table.subtitle(lesson, true)}</span>}
        {(shared || marked) && stateIcon && (
          <em class="sti">
            <Icon name={stateIcon} size="sm" label={t(`state.${state}`)} />
          </em>
        )}
      </b>
      {!dense && <span class="ell">{shared && by !== "room" && by !== "teacher" ? hosted : who}</span>}
      {!dense && shared && (
        <span class="ell">
          {span(lesson.start, lesson.end)} · {t("lesson.shared_minutes", { minutes: length(spanOf(lesson)) })}
        </span>
      )}
      {!dense && !shared && (party.start !== own.start || party.end !== own.end) && <span class="ell">{span(party.start, party.end)}</span>}
    </button>
  );
}
