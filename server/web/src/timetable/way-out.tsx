/** The way out where no table exists: concessions as they are verified, the cheapest first, each made by one press. */

import { useEffect } from "preact/hooks";
import type { ConcessionView, ExplanationView } from "../generated/api";
import { Problem } from "../ui/api";
import { Button, Failure, Note, StateChip, useAction } from "../ui/components";
import { findingText } from "../ui/findings";
import { Icon } from "../ui/icons";
import { t } from "../ui/i18n";
import { label } from "../ui/names";
import { concede, explanation, startExplaining, stopExplaining } from "./explaining";
import type { Table } from "./table";

const MOST_MISSING = 4;

export interface WayOutProps {
  table: Table;
  /** Whether a run has just ended without a table: then it is looked for at once. */
  wanted: boolean;
  /** Builds again, with what was conceded. */
  onConceded: () => Promise<void>;
}

export function WayOut({ table, wanted, onConceded }: WayOutProps) {
  const community = table.view.community.id;
  const { busy, error, run } = useAction();
  const view = explanation.value?.community === community ? explanation.value : null;
  useEffect(() => {
    if (wanted) run(() => startExplaining(community));
  }, [wanted, community]);
  const again = () => run(() => startExplaining(community));
  const stale = error instanceof Problem && error.code === "stale_version";
  return (
    <section class="way-out" data-state={view?.state ?? "idle"} aria-label={t("way_out.title")}>
      {view === null ? (
        <Button small icon="search" busy={busy} action="explain" onClick={again}>
          {t("way_out.start")}
        </Button>
      ) : (
        <Found table={table} view={view} busy={busy} take={(one) => run(() => concede(view, one.number).then(onConceded))} />
      )}
      <Failure error={error} retry={stale ? again : undefined} />
      {view !== null && (
        <div class="acts">
          {view.state === "running" ? (
            <Button small icon="stop" busy={busy} action="stop-explaining" onClick={() => run(() => stopExplaining(view.id))}>
              {t("way_out.stop")}
            </Button>
          ) : (
            <Button small icon="search" busy={busy} action="explain" onClick={again}>
              {t("way_out.again")}
            </Button>
          )}
        </div>
      )}
    </section>
  );
}

interface FoundProps {
  table: Table;
  view: ExplanationView;
  busy: boolean;
  take: (concession: ConcessionView) => void;
}

function Found({ table, view, busy, take }: FoundProps) {
  const running = view.state === "running";
  return (
    <>
      <h3 class="h row" aria-live="polite">
        <Icon name={running ? "load" : view.concessions.length > 0 ? "check" : "info"} size="sm" spin={running} />
        {running ? t(`way_out.running.${view.phase}`, { tried: view.tried, of: view.of }) : ended(view)}
      </h3>
      {running && (
        <div class="bar">
          <i style={{ width: `${Math.min(100, view.of > 0 ? (view.tried / view.of) * 100 : (view.seconds / view.limit) * 100)}%` }} />
        </div>
      )}
      {view.state === "failed" && view.findings.map((finding) => <Note tone="bad">{findingText(finding)}</Note>)}
      <ol class="places">
        {view.concessions.map((one, index) => (
          <li key={one.number} data-concession={one.kind} data-price={one.price}>
            <b class="num">{index + 1}</b>
            <div class="grow">
              <p class="sm">{findingText(one.finding)}</p>
              <p class="row xs dim">
                <StateChip tone="ok" icon="check">
                  {t("way_out.verified")}
                </StateChip>
                {t("way_out.price", { price: one.price })}
              </p>
              {one.may ? (
                <Button small kind={index === 0 ? "pri" : undefined} busy={busy} action="concede" onClick={() => take(one)}>
                  {t("way_out.concede")}
                </Button>
              ) : (
                <p class="xs mut">{t("way_out.not_yours", { units: one.units.map((unit) => table.unitName(unit)).join(t("list.comma")) || t("way_out.county") })}</p>
              )}
            </div>
          </li>
        ))}
      </ol>
      {view.missing.length > 0 && <Missing lessons={view.missing} />}
    </>
  );
}

/** What the largest table lacks; below the ways out, which are what is looked for. */
function Missing({ lessons }: { lessons: ExplanationView["missing"] }) {
  const said = lessons.slice(0, MOST_MISSING).map((one) => t("way_out.lessons", { title: label(one.title), count: one.lessons }));
  const more = lessons.length - said.length;
  return <p class="sm mut">{t("way_out.missing", { lessons: [...said, ...(more > 0 ? [t("way_out.more", { count: more })] : [])].join(t("list.comma")) })}</p>;
}

function ended(view: ExplanationView): string {
  if (view.feasible === true) return t("way_out.feasible");
  if (view.state === "failed") return t("way_out.failed");
  if (view.state === "interrupted") return t("way_out.interrupted");
  if (view.concessions.length === 0) return t(view.complete ? "way_out.none" : "way_out.none_yet");
  return t(view.complete ? "way_out.all" : "way_out.some", { count: view.concessions.length });
}
