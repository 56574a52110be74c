/** What a published version changed against the one before: the lessons added, changed and cancelled, one by one. */

import { useMemo, useState } from "preact/hooks";
import type { Lesson, PlacedParty, TimetableView } from "../generated/api";
import { get } from "../ui/api";
import { Failure, Select, Skeleton } from "../ui/components";
import { Icon, type IconName } from "../ui/icons";
import { t } from "../ui/i18n";
import { useResource } from "../ui/resource";
import { span } from "../ui/time";
import { slotTitle } from "./drop-slots";
import { isShared, peopleOf, Table } from "./table";

/** Nobody reads more at once; shared lessons come first. */
const MOST = 60;

interface Line {
  id: string;
  title: string;
  /** The schools that take part, before or after, the host first. */
  units: readonly string[];
  shared: boolean;
  before: string;
  after: string;
}

export interface Difference {
  added: Line[];
  moved: Line[];
  cancelled: Line[];
  /** The short names of the schools that have lessons in it. */
  units: ReadonlyMap<string, string>;
}

const KINDS = ["moved", "added", "cancelled"] as const;
type Kind = (typeof KINDS)[number];
const ICONS: Record<Kind, IconName> = { moved: "swap", added: "plus", cancelled: "ban" };

/** The differences between two tables, whatever week is looked at, in the words of each. */
export function differences(before: Table | null, after: Table): Difference {
  const [old, now] = [lessonsOf(before), lessonsOf(after)];
  const units = new Map<string, string>();
  const line = (lesson: Lesson, table: Table, parties: readonly PlacedParty[], from: string, to: string): Line => {
    for (const { unit } of parties) units.set(unit, table.unitShort(unit));
    return { id: lesson.id, title: table.full(lesson), units: [...new Set(parties.map((party) => party.unit))], shared: isShared(lesson), before: from, after: to };
  };
  const found: Difference = { added: [], moved: [], cancelled: [], units };
  for (const [id, lesson] of now) {
    const then = old.get(id);
    if (then === undefined || before === null) found.added.push(line(lesson, after, lesson.parties, "", slotOf(lesson)));
    else if (JSON.stringify(then) !== JSON.stringify(lesson)) found.moved.push(line(lesson, after, [...lesson.parties, ...then.parties], ...aspects(before, then, after, lesson)));
  }
  if (before !== null) for (const [id, lesson] of old) if (!now.has(id)) found.cancelled.push(line(lesson, before, lesson.parties, slotOf(lesson), ""));
  const order = (a: Line, b: Line) => Number(b.shared) - Number(a.shared) || a.title.localeCompare(b.title);
  for (const kind of KINDS) found[kind].sort(order);
  return found;
}

const lessonsOf = (table: Table | null): ReadonlyMap<string, Lesson> => new Map((table?.whole.lessons ?? []).map((lesson) => [lesson.id, lesson]));
const slotOf = (lesson: Lesson) => slotTitle({ weekday: lesson.weekday, period: lesson.parties[0]?.period ?? 0 });

/** What differs, as it was and as it is: the slot, the schools, who teaches, where, the clock, the weeks, who watches. */
function aspects(before: Table, then: Lesson, after: Table, now: Lesson): [string, string] {
  const both = now.parties.flatMap((party) => then.parties.filter((one) => one.unit === party.unit).map((one) => [one, party] as const));
  const pairs: [string, string][] = [
    [slotOf(then), slotOf(now)],
    [schools(before, then), schools(after, now)],
    ...both.map(([was, is]): [string, string] => [peopleOf(before, was), peopleOf(after, is)]),
    ...both.map(([was, is]): [string, string] => [was.room ? before.name(was.room) : "", is.room ? after.name(is.room) : ""]),
    [weeksOf(then), weeksOf(now)],
  ];
  // several schools may change alike
  const differing = [...new Map(pairs.map((pair) => [pair.join("\n"), pair])).values()].filter(([was, is]) => was !== is);
  if (differing.length === 0) differing.push([span(then.start, then.end), span(now.start, now.end)]);
  if (differing[0]?.[0] === differing[0]?.[1]) return ["", t("diff.details")];
  const said = (side: 0 | 1) => differing.map((pair) => pair[side]).filter(Boolean).join(" · ") || "—";
  return [said(0), said(1)];
}

const schools = (table: Table, lesson: Lesson) => lesson.parties.map((party) => table.unitShort(party.unit)).join(t("list.comma"));

function weeksOf({ weeks, onlyWeeks }: Lesson): string {
  if (onlyWeeks !== undefined && onlyWeeks.length > 0) return t("lesson.only_weeks", { weeks: onlyWeeks.join(t("list.comma")) });
  return weeks === undefined || weeks === "all" ? t("diff.every_week") : t(`parity.${weeks}`);
}

export interface VersionDiffProps {
  community: string;
  term: string;
  number: number;
  /** The version before it in the term; null: it is the first. */
  before: number | null;
}

export function VersionDiff({ community, term, number, before }: VersionDiffProps) {
  const path = (version: number) => `/api/communities/${encodeURIComponent(community)}/timetable?${new URLSearchParams({ version: String(version), term })}`;
  const now = useResource<TimetableView>(path(number), (signal) => get(path(number), signal));
  const then = useResource<TimetableView>(before === null ? null : path(before), (signal) => get(path(before ?? 0), signal));
  const found = useMemo(
    () => (now.data && (before === null || then.data) ? differences(then.data ? new Table(then.data) : null, new Table(now.data)) : null),
    [now.data, then.data],
  );
  if (now.error !== undefined || then.error !== undefined) return <Failure error={now.error ?? then.error} retry={() => (now.reload(), then.reload())} />;
  if (found === null) return now.slow || then.slow ? <Skeleton lines={3} /> : null;
  return (
    <div data-diff={number}>
      <Differences found={found} />
    </div>
  );
}

export function Differences({ found }: { found: Difference }) {
  const [unit, setUnit] = useState("");
  const of = (kind: Kind, school: string) => (school === "" ? found[kind] : found[kind].filter((line) => line.units.includes(school)));
  const count = (school: string) => KINDS.reduce((sum, kind) => sum + of(kind, school).length, 0);
  const schools = [...found.units.keys()].sort((a, b) => count(b) - count(a));
  return (
    <div class="diffs">
      {schools.length > 1 && (
        <Select
          label={t("diff.school")}
          value={unit}
          choices={[
            { value: "", label: t("diff.all_schools", { count: schools.length }) },
            ...schools.map((value) => ({ value, label: t("diff.of_school", { unit: found.units.get(value) ?? value, count: count(value) }) })),
          ]}
          onChange={setUnit}
        />
      )}
      {KINDS.map((kind) => (
        <Lines key={kind} what={kind} lines={of(kind, unit)} names={found.units} />
      ))}
    </div>
  );
}

function Lines({ what, lines, names }: { what: Kind; lines: readonly Line[]; names: ReadonlyMap<string, string> }) {
  if (lines.length === 0) return null;
  return (
    <>
      <h4 class="h">{t(`diff.${what}`, { count: lines.length })}</h4>
      <ul class="diff">
        {lines.slice(0, MOST).map((line) => (
          <li key={line.id} data-change={what} data-lesson={line.id}>
            <Icon name={ICONS[what]} size="sm" />
            <span class="grow ell" title={line.title}>
              {line.title}
            </span>
            <span class="dim xs ell">{line.units.map((unit) => names.get(unit)).join(t("list.comma"))}</span>
            <span class="diff-what">
              {line.before && <s class="dim">{line.before}</s>}
              {line.before && line.after && <Icon name="right" size="sm" />}
              {line.after && <b>{line.after}</b>}
            </span>
          </li>
        ))}
      </ul>
      {lines.length > MOST && <p class="xs dim">{t("diff.more", { count: lines.length - MOST })}</p>}
    </>
  );
}
