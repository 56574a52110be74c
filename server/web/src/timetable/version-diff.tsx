/** What a published version changed against the one before: the lessons added, changed and cancelled, one by one. */

import { useMemo } from "preact/hooks";
import type { Lesson, TimetableView } from "../generated/api";
import { get } from "../ui/api";
import { Failure, Skeleton } from "../ui/components";
import { Icon, type IconName } from "../ui/icons";
import { t } from "../ui/i18n";
import { useResource } from "../ui/resource";
import { slotTitle } from "./drop-slots";
import { isShared, peopleOf, Table } from "./table";

/** Nobody reads more at once; shared lessons come first. */
const MOST = 60;

interface Line {
  id: string;
  title: string;
  shared: boolean;
  before: string;
  after: string;
}

export interface Difference {
  added: Line[];
  moved: Line[];
  cancelled: Line[];
}

const ICONS: Record<keyof Difference, IconName> = { moved: "swap", added: "plus", cancelled: "ban" };

/** The differences between two tables, in the words of each. */
export function differences(before: Table | null, after: Table): Difference {
  const line = (now: Lesson | undefined, then: Lesson | undefined): Line => {
    const [lesson, table] = now ? [now, after] : [then, before];
    if (lesson === undefined || table === null) throw new RangeError("a line without a lesson");
    const [from, to] = [then && before ? slotOf(then) : "", now ? slotOf(now) : ""];
    const same = from === to && now && then && before;
    return {
      id: lesson.id,
      title: table.full(lesson),
      shared: isShared(lesson),
      before: same ? whoIs(before, then) : from,
      after: same ? whoIs(after, now) : to,
    };
  };
  const old = before?.lessons ?? new Map<string, Lesson>();
  const found: Difference = { added: [], moved: [], cancelled: [] };
  for (const [id, lesson] of after.lessons) {
    const then = old.get(id);
    if (then === undefined) found.added.push(line(lesson, undefined));
    else if (JSON.stringify(then) !== JSON.stringify(lesson)) found.moved.push(line(lesson, then));
  }
  for (const [id, lesson] of old) if (!after.lessons.has(id)) found.cancelled.push(line(undefined, lesson));
  const order = (a: Line, b: Line) => Number(b.shared) - Number(a.shared) || a.title.localeCompare(b.title);
  for (const lines of Object.values(found)) lines.sort(order);
  return found;
}

const slotOf = (lesson: Lesson) => slotTitle({ weekday: lesson.weekday, period: lesson.parties[0]?.period ?? 0 });

/** Where only people or rooms differ: who, and where. */
function whoIs(table: Table, lesson: Lesson): string {
  return lesson.parties
    .map((party) => [peopleOf(table, party), party.room ? table.name(party.room) : ""].filter(Boolean).join(" "))
    .filter(Boolean)
    .join(t("list.comma"));
}

export function VersionDiff({ community, number }: { community: string; number: number }) {
  const path = (version: number) => `/api/communities/${encodeURIComponent(community)}/timetable?version=${version}`;
  const now = useResource<TimetableView>(path(number), (signal) => get(path(number), signal));
  const then = useResource<TimetableView>(number > 1 ? path(number - 1) : null, (signal) => get(path(number - 1), signal));
  const found = useMemo(
    () => (now.data && (number === 1 || then.data) ? differences(then.data ? new Table(then.data) : null, new Table(now.data)) : null),
    [now.data, then.data],
  );
  if (now.error !== undefined || then.error !== undefined) return <Failure error={now.error ?? then.error} />;
  if (found === null) return now.slow || then.slow ? <Skeleton lines={3} /> : null;
  return (
    <div data-diff={number}>
      <Differences found={found} />
    </div>
  );
}

export function Differences({ found }: { found: Difference }) {
  return (
    <div class="diffs">
      {(["moved", "added", "cancelled"] as const).map((what) => (
        <Lines key={what} what={what} lines={found[what]} />
      ))}
    </div>
  );
}

function Lines({ what, lines }: { what: keyof Difference; lines: readonly Line[] }) {
  if (lines.length === 0) return null;
  return (
    <>
      <h4 class="h">{t(`diff.${what}`, { count: lines.length })}</h4>
      <ul class="diff">
        {lines.slice(0, MOST).map((line) => (
          <li key={line.id} data-change={what}>
            <Icon name={ICONS[what]} size="sm" />
            <span class="grow ell" title={line.title}>
              {line.title}
            </span>
            {line.before && <s class="dim ell">{line.before}</s>}
            {line.before && line.after && <Icon name="right" size="sm" />}
            {line.after && <b class="ell">{line.after}</b>}
          </li>
        ))}
      </ul>
      {lines.length > MOST && <p class="xs dim">{t("diff.more", { count: lines.length - MOST })}</p>}
    </>
  );
}
