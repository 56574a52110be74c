/** Somebody was faster: what they changed beside what one was about to do, and doing it on what stands now. */

import { useMemo } from "preact/hooks";
import type { ConsentRow, TimetableView } from "../generated/api";
import { get } from "../ui/api";
import { Button, Failure, Skeleton } from "../ui/components";
import { Icon } from "../ui/icons";
import { t } from "../ui/i18n";
import { useResource } from "../ui/resource";
import { dateTime } from "../ui/time";
import { Table } from "./table";
import { differences, Differences } from "./version-diff";

export interface ConflictProps {
  /** What was looked at. */
  table: Table;
  /** What one was about to do, in words. */
  mine: string;
  /** Shows what stands now, and leaves one's own. */
  onTake: (view: TimetableView) => void;
  /** Does it on what stands now. */
  onAgain: (view: TimetableView) => void;
}

export function Conflict({ table, mine, onTake, onAgain }: ConflictProps) {
  const path = `/api/communities/${encodeURIComponent(table.view.community.id)}/timetable?version=draft`;
  const now = useResource<TimetableView>(`${path}#${table.view.revision}`, (signal) => get(path, signal));
  const view = now.data;
  const found = useMemo(() => (view ? differences(table, new Table(view)) : null), [view]);
  if (view === undefined || found === null) return now.error !== undefined ? <Failure error={now.error} retry={now.reload} /> : <Skeleton lines={3} />;
  const same = found.added.length + found.moved.length + found.cancelled.length === 0;
  const words = view.negotiation?.consents.filter((row) => !table.view.negotiation?.consents.some((old) => old.unit === row.unit && old.answer === row.answer && old.at === row.at)) ?? [];
  return (
    <section class="conflict" role="alert" data-state="conflict">
      <h3 class="row">
        <Icon name="warn" size="sm" />
        {t(same ? "conflict.title_word" : "conflict.title", { name: (same ? lastWord(words)?.by : view.negotiation?.author) ?? "" })}
      </h3>
      <div class="conflict-sides">
        <div>
          <h4 class="h">{t("conflict.theirs")}</h4>
          {words.filter(saidSomething).map((row) => (
            <p class="sm" key={row.unit}>
              {table.unitName(row.unit)} {t(`answer.${row.answer}`)} {row.at !== null && <span class="xs dim">{dateTime(row.at)}</span>}
            </p>
          ))}
          {same ? <p class="sm mut">{t("conflict.no_lesson")}</p> : <Differences found={found} />}
        </div>
        <div>
          <h4 class="h">{t("conflict.mine")}</h4>
          <p class="sm">{mine}</p>
        </div>
      </div>
      <div class="acts">
        <Button small action="take-theirs" onClick={() => onTake(view)}>
          {t("conflict.take")}
        </Button>
        <Button small kind="pri" action="do-again" onClick={() => onAgain(view)}>
          {t("conflict.again")}
        </Button>
      </div>
    </section>
  );
}

const lastWord = (rows: readonly ConsentRow[]) => [...rows].sort((a, b) => (b.at ?? 0) - (a.at ?? 0))[0];
const saidSomething = (row: ConsentRow) => row.answer === "agreed" || row.answer === "objected";
