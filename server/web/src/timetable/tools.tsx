/** The bar above the table: how to look at it, which week, which version, and the next step of the draft. */

import type { TimetableView } from "../generated/api";
import { Button, Segmented, Select } from "../ui/components";
import { t } from "../ui/i18n";
import { gradeName } from "../ui/names";
import { parityName, weekdayName } from "../ui/time";
import { go, panelOpen, place, type View } from "./place";
import type { Table } from "./table";
import { TakeAway } from "./take-away";
import { Undo } from "./undo";

export interface ToolsProps {
  table: Table;
  week: number;
  day: number;
  grade: number;
  grades: readonly number[];
  show: string;
  /** Shows what an action answered. */
  onChange: (view: TimetableView) => void;
}

export function Tools({ table, week, day, grade, grades, show, onChange }: ToolsProps) {
  const { view } = place.value;
  const { term, units } = table.view;
  return (
    <div class="tools">
      <Segmented<View>
        label={t("tools.view")}
        value={view}
        choices={[
          { value: "clock", label: t("tools.clock_week"), icon: "clock" },
          { value: "day", label: t("tools.clock_day") },
          { value: "class", label: t("tools.periods") },
        ]}
        onChange={(next) => go({ view: next })}
      />
      <div class="row wk" role="group" aria-label={t("tools.week")}>
        <Button small kind="quiet" icon="left" label={t("tools.week_before")} disabled={week <= 1} onClick={() => go({ week: week - 1 })} />
        <b class="nw">{t("week.short", { week })}</b>
        <span class="dim sm nw">{parityName(week)}</span>
        <Button small kind="quiet" icon="right" label={t("tools.week_after")} disabled={week >= term.weeks} onClick={() => go({ week: week + 1 })} />
        {week !== term.week && (
          <Button small kind="quiet" onClick={() => go({ week: undefined })}>
            {t("tools.this_week")}
          </Button>
        )}
      </div>
      {view === "clock" && (
        <Select
          label={t("tools.show")}
          value={show}
          choices={[
            { value: "all", label: t("tools.all_shared") },
            ...units.map((unit) => ({ value: `unit:${unit.id}`, label: unit.name, group: t("by.unit") })),
            ...grades.map((one) => ({ value: `grade:${one}`, label: gradeName(one), group: t("tools.grade") })),
          ]}
          onChange={(next) => go({ show: next })}
        />
      )}
      {view === "day" && (
        <>
          <Select
            label={t("tools.day")}
            hideLabel
            value={String(day)}
            choices={table.weekdays.map((one) => ({ value: String(one), label: weekdayName(one) }))}
            onChange={(next) => go({ day: Number(next) })}
          />
          <Select
            label={t("tools.grade")}
            hideLabel
            value={String(grade)}
            choices={grades.map((one) => ({ value: String(one), label: gradeName(one) }))}
            onChange={(next) => go({ grade: Number(next) })}
          />
        </>
      )}
      {table.view.terms.length > 1 && (
        <span class="term-choice">
          <Select
            label={t("tools.term")}
            hideLabel
            value={table.view.termId}
            choices={table.view.terms.map((one) => ({ value: one.id, label: one.name }))}
            onChange={(term) => go({ term: term === table.view.terms[0]?.id ? undefined : term, version: undefined, week: undefined, lesson: undefined })}
          />
        </span>
      )}
      {table.view.status === "published" && !table.over && (
        <label class="row sm nw plan-choice">
          <input type="checkbox" data-action="dated" checked={place.value.plan === undefined} onChange={(event) => go({ plan: event.currentTarget.checked ? undefined : "weekly" })} />
          {t("tools.dated")}
        </label>
      )}
      <span class="grow" />
      <VersionChoice view={table.view} />
      {table.movable && <Undo table={table} onDone={onChange} />}
      {table.view.lessons.length > 0 && <TakeAway table={table} />}
      <Button kind="quiet" icon="print" label={t("tools.print")} onClick={() => print()} />
      <NextStep view={table.view} />
      <span class="panel-open">
        <Button onClick={() => (panelOpen.value = !panelOpen.value)}>{t("tools.panel")}</Button>
      </span>
    </div>
  );
}

/** What is looked at: the draft or one of the published versions. */
function VersionChoice({ view }: { view: TimetableView }) {
  const { negotiation, versions, status, version } = view;
  const value = status === "published" ? String(version) : "draft";
  const draft = negotiation === null ? t("tools.draft") : t(`tools.draft.${negotiation.state}`, { draft: negotiation.draft });
  const published = [...versions].sort((a, b) => b.number - a.number).map((row) => ({ value: String(row.number), label: t("tools.published", { number: row.number }) }));
  const choices = [...(negotiation !== null || value === "draft" ? [{ value: "draft", label: draft }] : []), ...published];
  if (!choices.some((choice) => choice.value === value)) choices.push({ value, label: t("tools.published", { number: version }) });
  return (
    <span class={`version is-${value === "draft" ? (negotiation?.state ?? "draft") : "published"}`}>
      <Select label={t("tools.version")} hideLabel value={value} choices={choices} onChange={(next) => go({ version: next })} />
    </span>
  );
}

/** The one thing that brings the draft forward, where the person may do it: it leads to the panel that does it. */
function NextStep({ view }: { view: TimetableView }) {
  const may = view.negotiation?.may ?? [];
  const step = (["publish", "agree", "propose"] as const).find((action) => may.includes(action));
  const open = (tab: "nego" | "build") => {
    go({ tab });
    panelOpen.value = true;
  };
  if (step !== undefined) {
    return (
      <Button kind="pri" onClick={() => open("nego")}>
        {t(`tools.next.${step}`)}
      </Button>
    );
  }
  if (view.status === "none" && view.mayBuild) {
    return (
      <Button kind="pri" onClick={() => open("build")}>
        {t("tools.next.build")}
      </Button>
    );
  }
  return null;
}
