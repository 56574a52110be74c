/** Building the table in the side panel: starting the solver, watching it, stopping it. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { BuildView, RuleCost } from "../generated/api";
import { Button, Empty, Failure, Note, Segmented, useAction } from "../ui/components";
import { findingText } from "../ui/findings";
import { Icon } from "../ui/icons";
import { t } from "../ui/i18n";
import { explanation } from "./explaining";
import { dateTime } from "../ui/time";
import { label } from "../ui/names";
import { discardRun, reachable, type Run, run, startRun, stopRun, takeInterrupted } from "./run";
import type { Table } from "./table";
import { WayOut } from "./way-out";

const LIMITS = ["20", "60", "180"] as const;
type Limit = (typeof LIMITS)[number];
/** Nobody reads more at once. */
const MOST_FINDINGS = 6;
/** Ends of a run that say nothing about the table. */
const TROUBLE = new Set(["solver_stopped", "stale_version", "internal_error"]);
const PHASES: readonly BuildView["phase"][] = ["lints", "first", "improving"];

export function BuildPanel({ table, onDone }: { table: Table; onDone: () => void }) {
  const community = table.view.community.id;
  const may = table.view.mayBuild;
  const [limit, setLimit] = useState<Limit>("20");
  const { busy, error, run: act } = useAction();
  const current = run.value?.view.community === community ? run.value : null;
  const running = current?.view.state === "running";
  const wasRunning = useRef(false);
  const [stuck, setStuck] = useState(false);

  const interrupted = current?.view.state === "interrupted";
  const kept = interrupted ? current.view.cost : null;
  // what stands there may be the better one
  const better = kept !== null && (table.view.lessons.length === 0 || kept < table.view.cost);
  useEffect(() => {
    if (wasRunning.current && !running && !interrupted) {
      const failed = current?.view.state === "failed";
      if (!failed) onDone();
      setStuck(may && failed && !current.view.findings.some((one) => TROUBLE.has(one.code)));
    }
    if (running) setStuck(false);
    wasRunning.current = running;
  }, [running]);
  const revision = table.view.revision;
  const start = () => startRun(community, { revision, seconds: Number(limit) });
  const explained = explanation.value?.community === community;

  return (
    <div class="pb" data-state={current?.view.state ?? "idle"}>
      {current ? <Progress current={current} table={table} /> : <Standing table={table} />}
      {may && !running && (current?.view.state === "failed" || explained) && <WayOut table={table} wanted={stuck} onConceded={start} />}
      {may && !running && (
        <div class="build-start">
          <h3 class="h">{t("build.how_long")}</h3>
          <Segmented<Limit> label={t("build.how_long")} value={limit} choices={LIMITS.map((value) => ({ value, label: t("build.seconds", { seconds: value }) }))} onChange={setLimit} />
          <p class="xs dim">{t("build.draft_only")}</p>
        </div>
      )}
      <Failure error={error} />
      {may && (
        <div class="acts">
          {running ? (
            <Button small kind="pri" icon="stop" busy={busy || current.view.phase === "done"} action="stop-build" onClick={() => act(() => stopRun(current.view.id))}>
              {t(current.view.cost === null ? "build.stop" : "build.stop_keep")}
            </Button>
          ) : (
            <>
              {kept !== null && (
                <Button small kind={better ? "pri" : undefined} icon="check" busy={busy} action="take-build" onClick={() => act(() => takeInterrupted(current?.view.id ?? "", { revision }).then(onDone))}>
                  {t("build.take")}
                </Button>
              )}
              <Button small kind={better ? undefined : "pri"} icon="play" busy={busy} action="build" onClick={() => act(start)}>
                {t(interrupted ? "build.start_again" : "build.start")}
              </Button>
              {interrupted && (
                <Button small kind="quiet" icon="trash" busy={busy} action="discard-build" onClick={() => act(() => discardRun(current.view))}>
                  {t("build.discard")}
                </Button>
              )}
            </>
          )}
        </div>
      )}
    </div>
  );
}

/** No run: what the table shown costs. */
function Standing({ table }: { table: Table }) {
  const { lessons, cost, costByRule } = table.view;
  if (lessons.length === 0) return <Empty>{t("build.no_table")}</Empty>;
  return (
    <>
      <div class="pt0">
        <h2>{t("build.standing", { cost })}</h2>
        <p class="mut sm">{t("build.cost_means")}</p>
      </div>
      <Costs rules={costByRule} total={cost} />
    </>
  );
}

function Progress({ current: { view, fall }, table }: { current: Run; table: Table }) {
  const { lessons, cost, status, version } = table.view;
  const running = view.state === "running";
  // all is done while the best table becomes the draft
  const at = view.phase === "done" ? PHASES.length : PHASES.indexOf(view.phase);
  const first = fall[0];
  return (
    <>
      <div class="pt0" role="status">
        <h2 class="row">
          <Icon name={running ? "load" : view.state === "failed" || view.state === "interrupted" ? "warn" : "check"} spin={running} />
          {t(running ? `build.running.${view.phase}` : `build.ended.${view.state}`)}
        </h2>
        <p class="mut sm">{t(meaning(view), { author: label(view.author), at: dateTime(view.at) })}</p>
        {view.state === "interrupted" && view.keptUntil !== null && <p class="xs dim">{t("build.kept_until", { at: dateTime(view.keptUntil) })}</p>}
      </div>
      {running && !reachable.value && <Note tone="warn">{t("build.unreachable")}</Note>}
      {running && (
        <>
          <ol class="steps">
            {PHASES.map((phase, index) => (
              <li class={index < at ? "d" : index === at ? "c" : "dim"} key={phase}>
                <Icon name={index < at ? "check" : index === at ? "load" : "dots"} size="sm" spin={index === at} />
                <span class="grow">{t(phase === "improving" && index > at ? "build.phase.improving_later" : `build.phase.${phase}`, { seconds: Math.floor(view.seconds), limit: Math.round(view.limit) })}</span>
                {phase === "first" && first && <b>{t("build.short_seconds", { seconds: first[0].toFixed(1) })}</b>}
              </li>
            ))}
          </ol>
          <div class="bar">
            <i style={{ width: `${Math.min(100, (view.seconds / view.limit) * 100)}%` }} />
          </div>
        </>
      )}
      {view.cost !== null && (
        <div class="big3">
          <div>
            <b>{view.cost}</b>
            <span>{t(view.state === "interrupted" ? "build.best_kept" : "build.best")}</span>
          </div>
          {view.bound !== null && (view.bound > 0 || view.cost === 0) && (
            <div>
              <b>{view.bound}</b>
              <span>{t("build.bound")}</span>
            </div>
          )}
          {view.state === "interrupted" && lessons.length > 0 && (
            <div data-standing={cost}>
              <b>{cost}</b>
              <span>{t(status === "published" ? "build.published_has" : "build.draft_has", { version })}</span>
            </div>
          )}
          {view.state === "done" && lessons.length > 0 && (
            <div>
              <b>{lessons.length.toLocaleString("en")}</b>
              <span>{t("build.placed")}</span>
            </div>
          )}
        </div>
      )}
      {fall.length > 1 && <Plot fall={fall} view={view} />}
      {view.costByRule.length > 0 && view.cost !== null && <Costs rules={view.costByRule} total={view.cost} />}
      {view.findings.slice(0, MOST_FINDINGS).map((finding) => (
        <Note tone={finding.severity === "warning" ? "warn" : "bad"}>{findingText(finding)}</Note>
      ))}
      {view.findings.length > MOST_FINDINGS && <p class="xs dim">{t("build.more_findings", { count: view.findings.length - MOST_FINDINGS })}</p>}
    </>
  );
}

/** What the state of a run means for the table. */
function meaning(view: BuildView): string {
  if (view.state === "running" && view.phase === "done" && view.cost !== null) return "build.ending";
  if (view.state === "running") return view.cost === null ? "build.no_table_yet" : "build.stop_any_time";
  if (view.state === "interrupted") return view.cost === null ? "build.interrupted_empty" : "build.interrupted_means";
  if (view.state === "cancelled" && view.cost === null) return "build.nothing_kept";
  return view.state === "failed" ? "build.failed_means" : "build.draft_ready";
}

const PLOT = { left: 8, right: 300, top: 16, bottom: 92 };

/** How the cost fell, on the time allowed. */
function Plot({ fall, view }: { fall: Run["fall"]; view: BuildView }) {
  const first = fall[0];
  const last = fall[fall.length - 1];
  if (first === undefined || last === undefined) return null;
  const low = view.bound ?? 0;
  const x = (seconds: number) => PLOT.left + (Math.min(seconds, view.limit) / view.limit) * (PLOT.right - PLOT.left);
  const y = (cost: number) => PLOT.bottom - ((cost - low) / Math.max(1, first[1] - low)) * (PLOT.bottom - PLOT.top);
  const path = fall.map(([seconds, cost], index) => (index === 0 ? `M${x(seconds)} ${y(cost)}` : `H${x(seconds)}V${y(cost)}`)).join("");
  const end = x(view.seconds);
  return (
    <svg class="plot" viewBox="0 0 308 112" role="img" aria-label={t("build.plot", { from: first[1], to: last[1] })}>
      <path class="g" d={`M${PLOT.left} ${PLOT.top}H${PLOT.right}M${PLOT.left} ${PLOT.bottom}H${PLOT.right}`} />
      <path class="l" d={`${path}H${end}`} />
      <circle class="dot" cx={end} cy={y(last[1])} r="3.5" />
      <text x={x(first[0]) + 6} y={PLOT.top + 4}>
        {first[1]}
      </text>
      <text x={Math.min(end + 8, 280)} y={y(last[1]) - 6}>
        {last[1]}
      </text>
      <text x={PLOT.left} y="108">
        0
      </text>
      <text x={PLOT.right} y="108" text-anchor="end">
        {t("build.short_seconds", { seconds: Math.round(view.limit) })}
      </text>
    </svg>
  );
}

function Costs({ rules, total }: { rules: readonly RuleCost[]; total: number }) {
  const paid = rules.filter((rule) => rule.cost > 0).sort((a, b) => b.cost - a.cost);
  const most = paid[0]?.cost ?? 1;
  if (paid.length === 0) return null;
  return (
    <div>
      <h3 class="h costs-head">{t("build.where", { cost: total })}</h3>
      <ul class="brk2">
        {paid.map((rule) => (
          <li key={rule.rule}>
            <span class="grow">{t(`rule.${rule.rule}`)}</span>
            <i style={{ width: `${Math.max(3, (rule.cost / most) * 84)}px` }} />
            <b>{rule.cost}</b>
          </li>
        ))}
      </ul>
    </div>
  );
}
