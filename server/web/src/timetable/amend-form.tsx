/** Asking for a change of a published lesson: moving, swapping or cancelling it on one date, or from a date on. What
 * it comes to, and whom it asks, is worked out by the server while the form is filled in. */

import { useEffect, useState } from "preact/hooks";
import type { AmendmentCheck, Change, Lesson, Opening, OpeningsView } from "../generated/api";
import { get } from "../ui/api";
import { Button, Dialog, Empty, Failure, Field, Note, Segmented, useAction } from "../ui/components";
import { t } from "../ui/i18n";
import { useResource } from "../ui/resource";
import { addDays, dayDate, longDate, span, weekdayName, weekdayOf } from "../ui/time";
import { Reasons, Why } from "../ui/why";
import { ask, check, Lines } from "./amendments";
import { slotTitle } from "./drop-slots";
import { isShared, type Table } from "./table";

export type Amending = "move" | "swap" | "cancel" | "make_up";
type Scope = "once" | "weekly";

const LOOK_AHEAD_DAYS = 13;
const MAKE_UP_DAYS = 27;
/** Where no period is free, the reasons of so many are read out. */
const MOST_REASONS = 5;
const CHECK_AFTER_MS = 250;

export interface AmendFormProps {
  table: Table;
  lesson: Lesson;
  week: number;
  what: Amending;
  onClose: () => void;
  onAsked: () => void;
}

export function AmendForm({ table, lesson, week, what, onClose, onAsked }: AmendFormProps) {
  const [scope, setScope] = useState<Scope>("once");
  const [target, setTarget] = useState("");
  const [reason, setReason] = useState("");
  const { busy, error, run } = useAction();
  const occurrence = table.occurrence(lesson, week);
  const { date } = occurrence;
  const change = changeOf(table.origin(lesson), occurrence, what, scope, target);
  const wanted = change && { version: table.newest, change, reason: reason.trim() };
  const { looked, failed } = useCheck(table.view.community.id, table.newest, change);
  const send = () =>
    run(async () => {
      if (wanted === null) return;
      await ask(table.view.community.id, wanted);
      onAsked();
    });
  const choose = (next: Scope) => {
    setScope(next);
    setTarget("");
  };
  const ready = wanted !== null && reason.trim() !== "" && looked?.possible === true;
  return (
    <Dialog title={t(`amending.${what}_title`, { lesson: table.full(lesson) })} onClose={onClose}>
      <form
        class="amend-form"
        onSubmit={(event) => {
          event.preventDefault();
          if (!busy && ready) send();
        }}
      >
        <p class="sm mut">
          {longDate(date)} {span(lesson.start, lesson.end)} · {lesson.parties.map((party) => table.unitShort(party.unit)).join(t("list.comma"))}
        </p>
        {(what === "move" || what === "swap") && (
          <Segmented<Scope>
            label={t("amending.scope")}
            value={scope}
            choices={[
              { value: "once", label: t("amending.once") },
              { value: "weekly", label: t("amending.weekly") },
            ]}
            onChange={choose}
          />
        )}
        {(what === "make_up" || (what === "move" && scope === "once")) && <OnceTarget table={table} occurrence={occurrence.id} date={occurrence.date} days={what === "make_up" ? MAKE_UP_DAYS : LOOK_AHEAD_DAYS} value={target} onChange={setTarget} />}
        {what === "move" && scope === "weekly" && <WeeklyTarget table={table} lesson={lesson} value={target} onChange={setTarget} />}
        {what === "swap" && <Partner table={table} lesson={lesson} week={week} scope={scope} value={target} onChange={setTarget} />}
        <Field label={t("amending.reason")}>
          <textarea class="input" name="reason" required maxLength={500} value={reason} onInput={(event) => setReason(event.currentTarget.value)} />
        </Field>
        <Failure error={failed} />
        <Why error={failed} />
        {looked && <Outcome table={table} looked={looked} />}
        <Failure error={error} />
        <Why error={error} />
        <div class="dialog-acts">
          <Button onClick={onClose}>{t("act.cancel")}</Button>
          <Button kind={what === "cancel" ? "bad" : "pri"} submit busy={busy} disabled={!ready} action="send-amendment">
            {what === "cancel" ? t("amending.cancel_confirm", { count: lesson.parties.length }) : t("amending.send")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function changeOf(lesson: string, { id, date }: { id: string; date: string }, what: Amending, scope: Scope, target: string): Change | null {
  if (what === "cancel") return { kind: "cancel", occurrence: id };
  if (target === "") return null;
  if (what === "swap") {
    return scope === "once" ? { kind: "swap", occurrence: id, other: target } : { kind: "swap_weekly", lesson, other: target, first: date };
  }
  const [day = "", period = ""] = target.split("/");
  if (what === "make_up") return { kind: "make_up", occurrence: id, date: day, period: Number(period) };
  return scope === "once"
    ? { kind: "move", occurrence: id, date: day, period: Number(period) }
    : { kind: "move_weekly", lesson, first: date, weekday: Number(day), period: Number(period) };
}

/** What the change would come to, asked again whenever it is another one. */
function useCheck(community: string, version: number, change: Change | null): { looked: AmendmentCheck | null; failed: unknown } {
  const [state, setState] = useState<{ looked: AmendmentCheck | null; failed: unknown }>({ looked: null, failed: undefined });
  const key = change && JSON.stringify(change);
  useEffect(() => {
    setState({ looked: null, failed: undefined });
    if (change === null) return undefined;
    let current = true;
    const timer = setTimeout(() => {
      check(community, { version, change, reason: "" }).then(
        (looked) => current && setState({ looked, failed: undefined }),
        (failed: unknown) => current && setState({ looked: null, failed }),
      );
    }, CHECK_AFTER_MS);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [community, version, key]);
  return state;
}

/** What becomes of which lessons, and whose consent it needs. */
export function Outcome({ table, looked }: { table: Table; looked: AmendmentCheck }) {
  if (!looked.possible) {
    return (
      <Note tone="bad">
        {t("amending.impossible")}
        <Reasons findings={looked.findings} />
      </Note>
    );
  }
  const names = (units: readonly string[]) => units.map((unit) => table.unitShort(unit)).join(t("list.comma"));
  return (
    <div class="outcome" role="status">
      <Lines lines={looked.lines} />
      <p class="sm">{looked.asked.length > 0 ? t("amending.asks", { units: names(looked.asked) }) : t("amending.asks_nobody")}</p>
      <Reasons findings={looked.findings} />
    </div>
  );
}

interface TargetProps {
  table: Table;
  value: string;
  onChange: (value: string) => void;
}

/** The free periods from the lesson's week on, as far as it is to come. */
function OnceTarget({ table, occurrence, date, days: ahead, value, onChange }: TargetProps & { occurrence: string; date: string; days: number }) {
  const { community, term } = table.view;
  const monday = addDays(date, 1 - weekdayOf(date));
  const first = monday > term.today ? monday : term.today;
  const query = `occurrence=${encodeURIComponent(occurrence)}&first=${first}&last=${addDays(first, ahead)}`;
  const path = `/api/communities/${encodeURIComponent(community.id)}/openings?${query}`;
  const { data, error } = useResource<OpeningsView>(path, (signal) => get(path, signal));
  if (error !== undefined) return <Failure error={error} />;
  if (data === undefined) return <p class="sm dim">{t("load.loading")}</p>;
  const free = data.openings.filter((one) => one.findings.length === 0);
  const days = [...new Set(free.map((one) => one.date))];
  const words = (one: Opening) => `${dayDate(one.date)} ${t("lesson.period", { period: one.period })} ${span(one.start, one.end)}`;
  if (free.length === 0) {
    return (
      <Note tone="warn">
        {t("amending.no_opening", { weeks: (ahead + 1) / 7 })}
        {ahead === LOOK_AHEAD_DAYS && ` ${t("amending.try_swap")}`}
        <Reasons findings={nearest(data.openings)} />
      </Note>
    );
  }
  return (
    <Field label={t("amending.to")} hint={t("amending.openings", { free: free.length, all: data.openings.length, weeks: (ahead + 1) / 7 })}>
      <select class="input" name="target" required value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        <option value="">{t("amending.choose")}</option>
        {days.map((day) => (
          <optgroup label={dayDate(day)} key={day}>
            {free
              .filter((one) => one.date === day)
              .map((one) => (
                <option value={`${one.date}/${one.period}`} key={one.period}>
                  {words(one)}
                </option>
              ))}
          </optgroup>
        ))}
      </select>
    </Field>
  );
}

/** What stands against the periods that come nearest. */
const nearest = (openings: readonly Opening[]) =>
  [...openings]
    .sort((a, b) => a.findings.length - b.findings.length)
    .slice(0, MOST_REASONS)
    .flatMap((one) => one.findings.slice(0, 1));

/** Every period of the host's week. */
function WeeklyTarget({ table, lesson, value, onChange }: TargetProps & { lesson: Lesson }) {
  const host = table.owner(lesson.id);
  const periods = table.units.get(host?.unit ?? "")?.periods ?? [];
  return (
    <Field label={t("amending.to")} hint={t("amending.from_monday")}>
      <select class="input" name="target" required value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        <option value="">{t("amending.choose")}</option>
        {table.weekdays.map((day) => (
          <optgroup label={weekdayName(day)} key={day}>
            {periods
              .filter((period) => day !== lesson.weekday || period.number !== host?.period)
              .map((period) => (
                <option value={`${day}/${period.number}`} key={period.number}>
                  {slotTitle({ weekday: day, period: period.number })} {span(period.start, period.end)}
                </option>
              ))}
          </optgroup>
        ))}
      </select>
    </Field>
  );
}

const sameWeeks = (a: Lesson, b: Lesson) => (a.weeks ?? "all") === (b.weeks ?? "all") && String(a.onlyWeeks ?? []) === String(b.onlyWeeks ?? []);

/** The lessons it could change places with: those of the same classes that week, shared ones first. */
function Partner({ table, lesson, week, scope, value, onChange }: TargetProps & { lesson: Lesson; week: number; scope: Scope }) {
  const classes = new Set(lesson.parties.flatMap((party) => party.classes ?? []));
  const weekly = table.plain.lessons.get(table.origin(lesson)) ?? lesson;
  const those = scope === "weekly" ? table.plain : table;
  const others = those.view.lessons
    .filter((other) => other.requirement !== lesson.requirement)
    .filter((other) => (scope === "weekly" ? sameWeeks(other, weekly) : !["cancelled", "away"].includes(table.state(other))))
    .filter((other) => other.parties.some((party) => (party.classes ?? []).some((id) => classes.has(id))))
    .filter((other) => scope === "weekly" || those.toCome(other, week))
    .map((other) => ({ other, ...those.occurrence(other, week) }))
    .sort((a, b) => Number(isShared(b.other)) - Number(isShared(a.other)) || a.other.weekday - b.other.weekday || a.other.start.localeCompare(b.other.start));
  if (others.length === 0) return <Empty>{t("amending.no_partner")}</Empty>;
  return (
    <Field label={t("amending.with")}>
      <select class="input" name="target" required value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        <option value="">{t("amending.choose")}</option>
        {others.map(({ other, id }) => (
          <option value={scope === "weekly" ? other.id : id} key={other.id}>
            {slotTitle({ weekday: other.weekday, period: table.owner(other.id)?.period ?? 0 })} {table.full(other)}
          </option>
        ))}
      </select>
    </Field>
  );
}
