/** Schools that join or leave the community in mid-term: what it comes to, and putting it before those concerned. */

import type { TargetedMouseEvent } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Join, Leave, MembershipOutcome, MembershipSearchView, MembershipsView } from "../generated/api";
import { call, del, get, post, Problem } from "../ui/api";
import { Button, Empty, Failure, Field, Note, Skeleton, StateChip, useAction } from "../ui/components";
import { follow } from "../ui/follow";
import { t } from "../ui/i18n";
import { Icon } from "../ui/icons";
import { label } from "../ui/names";
import { useResource } from "../ui/resource";
import { community } from "../ui/session";
import { addDays, countyTime, dateTime, longDate, now, weekdayOf } from "../ui/time";
import { Reasons, Why } from "../ui/why";

const nextMonday = () => {
  const today = countyTime(now()).date;
  return addDays(today, 8 - weekdayOf(today));
};

/** A `join` as programs write it; undefined for what the server reads like sheets, and says what is wrong with; null for
 * something else. */
function joinOf(text: string): Join | null | undefined {
  try {
    const given = JSON.parse(text) as Partial<Join> & { format?: string };
    if (given.format !== undefined) return undefined;
    return typeof given.unit === "string" ? ({ ...given, kind: "join" } as Join) : null;
  } catch {
    return undefined;
  }
}

export function Members() {
  const here = community.value;
  const path = here && `/api/communities/${encodeURIComponent(here.id)}/membership`;
  const { data, error, slow, reload } = useResource<MembershipsView>(path, (signal) => get(path ?? "", signal));
  if (here === null) return <Empty>{t("home.no_community")}</Empty>;
  if (data === undefined) {
    return (
      <>
        <Failure error={error} retry={reload} />
        {slow && <Skeleton lines={4} />}
      </>
    );
  }
  return <Community view={data} path={path ?? ""} reload={reload} />;
}

function Community({ view, path, reload }: { view: MembershipsView; path: string; reload: () => void }) {
  const [leaving, setLeaving] = useState("");
  const [joining, setJoining] = useState<Join | null>(null);
  const [unreadable, setUnreadable] = useState(false);
  const [first, setFirst] = useState(nextMonday);
  const { search, watch, forget } = useSearch(view.search ?? null, reload);
  const { busy: asking, error, run } = useAction();
  const searching = search?.state === "running";
  const busy = asking || searching;
  const seen = search?.state === "done" ? search.outcome : null;
  const planned = search?.wanted !== "look";
  useEffect(() => {
    // somebody is looking at it already: the form says what is looked at
    const about = view.search?.wanted === "withdraw" ? null : (view.looked ?? null);
    if (about === null) return;
    if (about.kind === "join") setJoining(about);
    else setLeaving(about.unit);
    setFirst(about.first);
  }, []);
  const change: Join | Leave | null = joining !== null ? { ...joining, first } : leaving !== "" ? ({ kind: "leave", unit: leaving, first } as Leave) : null;
  const send = (look: boolean) =>
    run(async () => {
      forget();
      watch(await post<MembershipSearchView>(look ? `${path}?check=1` : path, { revision: view.revision, change }));
    });
  const withdraw = (id: string) =>
    run(async () => {
      choose("", null);
      watch(await post<MembershipSearchView>(`${path}/${encodeURIComponent(id)}/withdraw`, { revision: view.revision }));
    });
  const choose = (unit: string, join: Join | null) => {
    setLeaving(unit);
    setJoining(join);
    forget();
  };
  const read = (files: readonly File[]) =>
    run(async () => {
      setUnreadable(false);
      choose("", null);
      const [file] = files;
      if (file === undefined) return;
      const written = files.length === 1 && file.name.endsWith(".json") ? joinOf(await file.text()) : undefined;
      if (written === null) setUnreadable(true);
      else if (written !== undefined) choose("", written);
      else {
        const form = new FormData();
        for (const one of files) form.append("file", one, one.name);
        choose("", await call<Join>("POST", `${path}/files?first=${first}`, { form }));
      }
    });
  return (
    <>
      <section class="card box">
        <h2>{t("members.now", { count: view.units.length })}</h2>
        <p class="sm">{view.units.map((unit) => (unit.id === view.core ? t("members.core", { name: unit.name }) : unit.name)).join(t("list.comma"))}</p>
        {!view.mayChange && <p class="sm mut">{t("members.not_yours")}</p>}
        {view.changes.length > 0 && (
          <ul class="member-changes">
            {view.changes.map((one) => (
              <li class="row" key={one.id} data-state={one.state}>
                <b class="grow">
                  {t(`members.${one.kind}_on`, { unit: one.unitName, date: longDate(one.first) })}
                </b>
                <span class="xs mut">
                  {label(one.by)} · {dateTime(one.at)}
                </span>
                <StateChip tone={one.state === "done" ? "ok" : one.state === "planned" ? "proposed" : "draft"} icon={one.state === "done" ? "check" : one.state === "planned" ? "send" : "undo"}>
                  {t(`members.state.${one.state}`)}
                </StateChip>
                {one.mayWithdraw && (
                  <Button small icon="undo" busy={busy} action="withdraw-membership" onClick={() => withdraw(one.id)}>
                    {t("members.withdraw")}
                  </Button>
                )}
              </li>
            ))}
          </ul>
        )}
      </section>
      {view.mayChange && (
        <section class="card box">
          <h2>{t("members.change")}</h2>
          <p class="sm mut">{t("members.lead")}</p>
          <div class="rollover-dates">
            <Field label={t("members.leaves")}>
              <select class="input" name="leaving" value={leaving} disabled={searching} onChange={(event) => choose(event.currentTarget.value, null)}>
                <option value="">{t("amending.choose")}</option>
                {view.units
                  .filter((unit) => unit.id !== view.core)
                  .map((unit) => (
                    <option value={unit.id} key={unit.id}>
                      {unit.name}
                    </option>
                  ))}
              </select>
            </Field>
            <Field wide label={t("members.joins")} hint={joining ? t("members.brings", { unit: joining.unit, lessons: (joining.requirements ?? []).length }) : t("members.file")}>
              <input class="input" type="file" name="joining" multiple disabled={searching} accept=".json,.xlsx,.xls,.ods,.csv,.zip" onClick={anew} onChange={(event) => read([...(event.currentTarget.files ?? [])])} />
            </Field>
            <Field label={t("members.first")} hint={t("members.first_means")}>
              <input class="input" type="date" name="first" value={first} disabled={searching} onInput={(event) => (setFirst(event.currentTarget.value), forget())} />
            </Field>
          </div>
          {searching && <Searching search={search} />}
          {search?.state === "cancelled" && <Note tone="info">{t("members.cancelled")}</Note>}
          {search?.state === "failed" && (
            <Note tone="bad">
              {t(`error.${search.error ?? "internal_error"}`)}
              <Reasons findings={search.findings} />
            </Note>
          )}
          {unreadable && <Note tone="bad">{t("members.unreadable")}</Note>}
          <Failure error={error} retry={error instanceof Problem && error.status === 409 ? reload : undefined} />
          <Why error={error} />
          {seen && <Outcome seen={seen} planned={planned} />}
          <div class="row">
            {searching && (
              <Button icon="stop" busy={asking} action="stop-membership" onClick={() => run(async () => watch(await del<MembershipSearchView>(address(search.id))))}>
                {t("members.stop")}
              </Button>
            )}
            <Button kind={seen ? undefined : "pri"} icon="eye" busy={busy} disabled={change === null} action="look-membership" onClick={() => send(true)}>
              {t("members.look")}
            </Button>
            {seen?.possible && !planned && (
              <Button kind="pri" icon="send" busy={busy} action="plan-membership" onClick={() => send(false)}>
                {t("members.plan")}
              </Button>
            )}
          </div>
        </section>
      )}
    </>
  );
}

/** The same file, mended, may be chosen again. */
const anew = (event: TargetedMouseEvent<HTMLInputElement>) => (event.currentTarget.value = "");

const address = (id: string) => `/api/membership-searches/${encodeURIComponent(id)}`;

/** The search that runs, or ran last, for this page; `done` is called when it has changed what the page shows. */
function useSearch(running: MembershipSearchView | null, done: () => void) {
  const [search, setSearch] = useState<MembershipSearchView | null>(running);
  const unfollow = useRef(() => {});
  const forget = () => {
    unfollow.current();
    setSearch(null);
  };
  const watch = (begun: MembershipSearchView) => {
    unfollow.current();
    const take = (next: MembershipSearchView) => {
      setSearch(next);
      if (next.state !== "running" && next.wanted !== "look") done();
    };
    take(begun);
    if (begun.state === "running") unfollow.current = follow<MembershipSearchView>(address(begun.id), take);
  };
  useEffect(() => {
    if (running !== null) watch(running);
    return () => unfollow.current();
  }, []);
  return { search, watch, forget };
}

/** How far the search is: which date's table, which lessons may move for it, and for how long at most. */
function Searching({ search }: { search: MembershipSearchView }) {
  return (
    <div class="membership-search" data-state={search.state}>
      <p class="row sm" role="status">
        <Icon name="load" size="sm" spin />
        <span>
          {search.of > 1 && t("members.step", { step: search.step, of: search.of })}
          {search.rung === null ? t("members.working") : t(`members.rung.${search.rung}`)}
          {search.found && t("members.found")}
        </span>
      </p>
      <div class="bar">
        <i style={{ width: `${Math.min(100, (search.seconds / search.limit) * 100)}%` }} />
      </div>
      <p class="xs mut">{t("members.seconds", { seconds: Math.round(search.seconds), limit: search.limit, by: label(search.by) })}</p>
    </div>
  );
}

function Outcome({ seen, planned }: { seen: MembershipOutcome; planned: boolean }) {
  if (!seen.possible) {
    return (
      <Note tone="bad">
        {t("members.impossible")}
        <Reasons findings={seen.findings} />
      </Note>
    );
  }
  const counts = [
    ["kept", seen.kept],
    ["moved", seen.moves.length],
    ["changed", seen.changed.length],
    ["added", seen.added.length],
    ["dropped", seen.dropped.length],
  ] as const;
  return (
    <div role="status">
      <Note tone={planned ? "ok" : "info"}>
        {planned && <p>{t("members.planned")}</p>}
        <p class="counts">
          {counts.map(([what, count]) => (
            <span key={what}>
              {t(`members.count.${what}`)} <b>{count}</b>
            </span>
          ))}
        </p>
        {planned && <a href="/timetable?tab=nego&version=draft">{t("members.open_draft")}</a>}
      </Note>
      <Reasons findings={seen.findings} />
    </div>
  );
}
