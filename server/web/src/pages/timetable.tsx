/** The one table: by the clock or by periods, with its lessons, its negotiation, its solver and its versions. */

import "../timetable/timetable.css";
import "../timetable/carry.css";

import { useEffect, useMemo } from "preact/hooks";
import type { Lesson, TimetableView } from "../generated/api";
import { BuildPanel } from "../timetable/build";
import { AmendmentList, useAmendments } from "../timetable/amendments";
import { carry, dropped, makeReady, putBack } from "../timetable/carry";
import { CarryPanel } from "../timetable/carry-panel";
import { Carrying } from "../timetable/drop-slots";
import { datedTable, useWeek } from "../timetable/dated";
import { ConsentPanel } from "../timetable/consent";
import { ClockDay } from "../timetable/day";
import { resumeExplaining } from "../timetable/explaining";
import { Legend } from "../timetable/legend";
import { LessonPanel } from "../timetable/lesson";
import { Periods } from "../timetable/periods";
import { go, panelOpen, place, type Tab } from "../timetable/place";
import { PrintHead } from "../timetable/print-head";
import { resumeRun, run } from "../timetable/run";
import { isJoint, Table } from "../timetable/table";
import { Tools } from "../timetable/tools";
import { ClockWeek } from "../timetable/week";
import { get } from "../ui/api";
import { Button, Empty, Failure, Segmented, Skeleton, Stale, Tabs } from "../ui/components";
import { t } from "../ui/i18n";
import { later } from "../ui/later";
import { mount } from "../ui/mount";
import { gradeName } from "../ui/names";
import { type Resource, useResource } from "../ui/resource";
import { community, me } from "../ui/session";
import { useNarrow } from "../ui/size";
import { weekdayName, weekdayOf } from "../ui/time";
import { Frame } from "../ui/top";

const VersionsPanel = later(() => import("../timetable/versions").then((module) => module.VersionsPanel));

const PHONE = 760;
/** In the panel of the negotiation; what waits is always shown. */
const MOST_AMENDMENTS = 12;

function TimetablePage() {
  const here = community.value;
  const { version, term } = place.value;
  const query = new URLSearchParams({ ...(version ? { version } : {}), ...(term ? { term } : {}) }).toString();
  const path = here && `/api/communities/${encodeURIComponent(here.id)}/timetable${query ? `?${query}` : ""}`;
  const loaded = useResource<TimetableView>(path, (signal) => get(path ?? "", signal));
  return (
    <Frame here="timetable">
      {here === null ? <Empty>{t("home.no_community")}</Empty> : <Loaded {...loaded} />}
    </Frame>
  );
}

function Loaded(loaded: Resource<TimetableView>) {
  const week = loaded.data ? weekOf(loaded.data, place.value.week) : 1;
  const table = useMemo(() => (loaded.data ? new Table(loaded.data, week) : null), [loaded.data, week]);
  if (table === null) {
    return (
      <div class="sheet-page">
        <Failure error={loaded.error} retry={loaded.reload} />
        {loaded.slow && <Skeleton lines={12} />}
      </div>
    );
  }
  return <Timetable table={table} week={week} loaded={loaded} />;
}

/** What the clock week shows of the community, where it is not all: one school, or one year of all. */
function shownOf(table: Table, show: string): string[] {
  const [what = "", of = ""] = show.split(":");
  return what === "unit" ? [table.unitName(of)] : what === "grade" ? [gradeName(Number(of))] : [];
}

/** The week to look at: the one asked for, else this one; at the weekend people look at the week to come. */
function weekOf({ term, lessons }: TimetableView, asked: number | undefined): number {
  const last = Math.max(5, ...lessons.map((lesson) => lesson.weekday));
  const coming = weekdayOf(term.today) > last ? term.week + 1 : term.week;
  return Math.max(1, Math.min(asked ?? coming, term.weeks));
}

function Timetable({ table: plain, week, loaded }: { table: Table; week: number; loaded: Resource<TimetableView> }) {
  const { term, classes, status } = plain.view;
  const narrow = useNarrow(PHONE);
  const { view } = place.value;
  const today = weekdayOf(term.today);
  const dates = useWeek(plain, week, place.value.plan === undefined);
  const table = useMemo(() => (dates.data?.week === week ? datedTable(plain, dates.data) : plain), [plain, dates.data, week]);
  const days = table.weekdays;
  const grades = useMemo(() => [...new Set(classes.map((one) => one.grade))].sort((a, b) => a - b), [plain]);
  const picked = table.lessons.get(place.value.lesson ?? "");
  const day = [place.value.day, today, picked?.weekday, ...days].find((one) => one !== undefined && days.includes(one)) ?? 1;
  const grade = place.value.grade ?? (picked && table.grade(picked)) ?? grades[0] ?? 1;
  const show = place.value.show ?? "all";

  useEffect(() => {
    if (picked === undefined && plain.lessons.get(place.value.lesson ?? "") === undefined) go({ lesson: suggested(plain, week, today > Math.max(...plain.weekdays) ? 0 : today) });
  }, [plain]);

  useEffect(() => {
    const any = plain.view.lessons[0];
    if (plain.movable && any !== undefined) makeReady(plain.view.community.id, any.id);
  }, [plain.movable, plain.view.revision]);

  useEffect(() => {
    const closeSheet = (event: KeyboardEvent) => {
      if (event.key !== "Escape" || document.querySelector("dialog[open]")) return;
      if (carry.value !== null || dropped.value !== null) putBack();
      else panelOpen.value = false;
    };
    addEventListener("keydown", closeSheet);
    return () => removeEventListener("keydown", closeSheet);
  }, []);

  const empty = plain.view.lessons.length === 0;
  return (
    <div class={`table-page view-${view}`} data-status={status} data-movable={table.movable}>
      <Tools table={plain} week={week} day={day} grade={grade} grades={grades} show={show} onChange={loaded.set} />
      <main class="table-main">
        <Stale at={loaded.at} error={loaded.error} retry={loaded.reload} />
        {view !== "class" && !empty && <PrintHead table={table} week={week} title={[table.view.community.name, ...(view === "day" ? [weekdayName(day), gradeName(grade)] : shownOf(table, show))].join(" ")} />}
        {empty ? (
          <Empty action={table.view.mayBuild && <Button onClick={() => openTab("build")}>{t("tools.next.build")}</Button>}>{t("table.empty")}</Empty>
        ) : view === "clock" ? (
          <>
            {narrow && <Segmented label={t("tools.day")} value={String(day)} choices={days.map((one) => ({ value: String(one), label: weekdayName(one) }))} onChange={(next) => go({ day: Number(next) })} />}
            <ClockWeek table={table} week={week} days={narrow ? [day] : days} show={show} />
          </>
        ) : view === "day" ? (
          <ClockDay table={table} week={week} day={day} grade={grade} />
        ) : (
          <Periods table={table} week={week} />
        )}
      </main>
      <Legend dated={table.dated !== null} />
      <Carrying table={plain} />
      <Panel table={plain} dated={table} week={week} loaded={loaded} onDated={dates.reload} />
    </div>
  );
}

/** The lesson to begin with: the next shared one of the week that the person's school takes part in. */
function suggested(table: Table, week: number, today: number): string | undefined {
  const unit = me.value?.unit;
  const joint = table.inWeek(week).filter(isJoint);
  const own = joint.filter((lesson) => lesson.parties.some((party) => party.unit === unit));
  const fromToday = (lesson: Lesson) => (lesson.weekday - today + 7) % 7;
  return [...(own.length > 0 ? own : joint)].sort((a, b) => fromToday(a) - fromToday(b) || a.start.localeCompare(b.start))[0]?.id;
}

function openTab(tab: Tab): void {
  go({ tab });
  panelOpen.value = true;
}

interface PanelProps {
  table: Table;
  /** The same on the dates of the week. */
  dated: Table;
  week: number;
  loaded: Resource<TimetableView>;
  onDated: () => void;
}

function Panel({ table, dated, week, loaded, onDated }: PanelProps) {
  const { negotiation } = table.view;
  const tab = place.value.tab ?? (negotiation && negotiation.state !== "published" ? "nego" : "lesson");
  const show = (view: TimetableView) => {
    loaded.set(view);
    if (view.status === "published") go({ version: undefined });
  };
  const reload = () => {
    putBack();
    loaded.reload();
  };
  const moving = carry.value !== null || dropped.value !== null;
  const asked = useAmendments(table.view.versions.length > 0 ? table.view.community.id : null);
  const amendments = { ...asked, reload: () => (asked.reload(), onDated()) };
  const community = table.view.community.id;
  useEffect(() => {
    const later = (error: unknown) => console.warn("what is under way is not known", error);
    resumeRun(community).catch(later);
    resumeExplaining(community).catch(later);
  }, [community]);
  const interrupted = table.view.mayBuild && run.value?.view.community === community && run.value.view.state === "interrupted";
  const waiting = (amendments.data ?? []).filter((one) => one.may.includes("agree")).length;
  const objections = negotiation?.consents.filter((row) => row.answer === "objected").length ?? 0;
  return (
    <aside class={`panel ${panelOpen.value || dropped.value !== null ? "open" : ""}`}>
      <div class="panel-head">
        <Tabs<Tab>
          label={t("panel.label")}
          value={tab}
          choices={[
            { value: "lesson", label: t("panel.lesson") },
            { value: "nego", label: t("panel.nego"), count: objections + waiting || undefined },
            { value: "build", label: t("panel.build"), count: interrupted ? 1 : undefined },
            { value: "versions", label: t("panel.versions") },
          ]}
          onChange={openTab}
        />
        <span class="panel-close">
          <Button kind="quiet" icon="x" label={t("act.close")} onClick={() => (panelOpen.value = false)} />
        </span>
      </div>
      {moving && <CarryPanel table={table} onChange={loaded.set} onStale={reload} />}
      {!moving && tab === "lesson" && <LessonPanel table={dated} week={week} amendments={amendments} />}
      {!moving && tab === "nego" && (
        <ConsentPanel table={table} onChange={show} onStale={loaded.reload}>
          <AmendmentList table={table} amendments={amendments.data ?? []} onChange={amendments.reload} most={MOST_AMENDMENTS} />
        </ConsentPanel>
      )}
      {!moving && tab === "build" && (
        <BuildPanel
          table={table}
          onDone={() => {
            if (table.view.status === "published") go({ version: "draft" });
            else loaded.reload();
          }}
        />
      )}
      {!moving && tab === "versions" && <VersionsPanel table={table} />}
    </aside>
  );
}

void mount(TimetablePage, "nav.timetable");
