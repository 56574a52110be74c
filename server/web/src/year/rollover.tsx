/** The turn to the next term: its dates, what becomes of the classes and their teachers, seen first and then taken. */

import { useState } from "preact/hooks";
import type { Assignment, Finding, LeavingClasses, Moved, NewRollover, Rollover, RolloverView, TermsView } from "../generated/api";
import { get, post, Problem } from "../ui/api";
import { Button, Dialog, Failure, Field, LinkButton, Note, Segmented, Skeleton, useAction } from "../ui/components";
import { findingText } from "../ui/findings";
import { t } from "../ui/i18n";
import { label } from "../ui/names";
import { useResource } from "../ui/resource";
import { me } from "../ui/session";
import { longDate } from "../ui/time";
import { Why } from "../ui/why";

/** So many findings of one kind, classes or teachers are written out before one asks for all. */
const MOST = 12;

export function NextTerm() {
  const { data, error, slow, reload } = useResource<TermsView>(me.value && "terms", (signal) => get("/api/terms", signal));
  const [turned, setTurned] = useState<RolloverView | null>(null);
  if (data === undefined) {
    return (
      <>
        <Failure error={error} retry={reload} />
        {slow && <Skeleton lines={6} />}
      </>
    );
  }
  const taken = (view: RolloverView) => {
    setTurned(view);
    reload();
  };
  return (
    <>
      {turned && <Turned view={turned} name={data.terms[0]?.name ?? ""} />}
      <Form key={data.registerVersion} terms={data} reload={reload} onTaken={taken} />
    </>
  );
}

/** What came of the turn, what of it is to be looked after, and where it goes on. */
function Turned({ view, name }: { view: RolloverView; name: string }) {
  // that the old term would have gone on is of no concern any more
  const warnings = view.findings.filter((one) => one.severity === "warning" && one.code !== "rollover_running");
  return (
    <section class="card box" data-turned={view.registerVersion} role="status">
      <Note tone="ok">
        <p>{t("rollover.turned", { name })}</p>
        <p>{t("rollover.turned_next")}</p>
      </Note>
      <FindingGroups findings={warnings} />
      <div class="row">
        <LinkButton href="/timetable" icon="cal">
          {t("rollover.to_table")}
        </LinkButton>
      </div>
    </section>
  );
}

interface Holiday {
  name: string;
  first: string;
  last: string;
}

function Form({ terms, reload, onTaken }: { terms: TermsView; reload: () => void; onTaken: (view: RolloverView) => void }) {
  const { proposed } = terms;
  const [term, setTerm] = useState(proposed.term);
  const [promote, setPromote] = useState(proposed.promote ?? false);
  const [teachers, setTeachers] = useState<"follow" | "stay">("follow");
  const [ending, setEnding] = useState(false);
  const [holidays, setHolidays] = useState<readonly Holiday[]>([]);
  const [begun, setBegun] = useState<ReadonlyMap<string, number>>(new Map(terms.leaving.map((one) => [one.unit, one.pupils.length])));
  const [seen, setSeen] = useState<RolloverView | null>(null);
  const [confirming, setConfirming] = useState(false);
  const { busy, error, run } = useAction();
  const now = terms.terms[0];
  const change = <K extends keyof Rollover["term"]>(name: K, value: Rollover["term"][K]) => {
    setTerm({ ...term, [name]: value });
    setSeen(null);
  };
  const wanted = (): NewRollover => ({
    registerVersion: terms.registerVersion,
    plan: {
      ...proposed,
      term: {
        ...term,
        closures: holidays.filter((one) => one.name && one.first && one.last).map((one) => ({ ...one, units: [] })),
        provisionalFrom: holidays.length > 0 ? undefined : term.firstDay,
      } as Rollover["term"],
      promote,
      teachers,
      endRunning: ending,
      entries: promote ? terms.leaving.map((one) => ({ unit: one.unit, pupils: pupilsOf(one, begun.get(one.unit) ?? 0) })) : [],
    },
  });
  const look = () => run(async () => setSeen(await post<RolloverView>("/api/rollover?check=1", wanted())));
  const take = () =>
    run(async () => {
      const view = await post<RolloverView>("/api/rollover", wanted());
      setConfirming(false);
      onTaken(view);
    });
  const retry = error instanceof Problem && error.status === 409 ? reload : undefined;
  return (
    <>
      <section class="card box">
        <p>
          {t("rollover.now", { name: now?.name ?? "", first: longDate(now?.firstDay ?? ""), last: longDate(now?.lastDay ?? "") })}
          {terms.terms.length > 1 && <span class="dim"> {t("rollover.earlier", { count: terms.terms.length - 1 })}</span>}
        </p>
        <div class="rollover-dates">
          <Field label={t("rollover.name")}>
            <input class="input" name="name" value={term.name} onInput={(event) => change("name", event.currentTarget.value)} />
          </Field>
          <Field label={t("rollover.id")}>
            <input class="input" name="id" value={term.id} onInput={(event) => change("id", event.currentTarget.value)} />
          </Field>
          <Field label={t("rollover.first")}>
            <input class="input" type="date" name="first" value={term.firstDay} onInput={(event) => change("firstDay", event.currentTarget.value)} />
          </Field>
          <Field label={t("rollover.last")}>
            <input class="input" type="date" name="last" value={term.lastDay} onInput={(event) => change("lastDay", event.currentTarget.value)} />
          </Field>
          <Field label={t("rollover.week_one")}>
            <input class="input" type="date" name="week-one" value={term.weekOne} onInput={(event) => change("weekOne", event.currentTarget.value)} />
          </Field>
        </div>
        <Holidays holidays={holidays} onChange={(next) => (setHolidays(next), setSeen(null))} />
        <label class="row wrap">
          <input type="checkbox" name="promote" checked={promote} onChange={(event) => (setPromote(event.currentTarget.checked), setSeen(null))} />
          <b>{t("rollover.promote")}</b>
          <span class="sm mut">{t("rollover.promote_means")}</span>
        </label>
        {promote && (
          <>
            <span class="row">
              <span class="sm mut">{t("rollover.teachers")}</span>
              <Segmented<"follow" | "stay">
                label={t("rollover.teachers")}
                value={teachers}
                choices={[
                  { value: "follow", label: t("rollover.follow") },
                  { value: "stay", label: t("rollover.stay") },
                ]}
                onChange={(next) => (setTeachers(next), setSeen(null))}
              />
            </span>
            <Entries leaving={terms.leaving} begun={begun} onChange={(next) => (setBegun(next), setSeen(null))} />
          </>
        )}
        <label class="row sm">
          <input type="checkbox" name="end-running" checked={ending} onChange={(event) => (setEnding(event.currentTarget.checked), setSeen(null))} />
          {t("rollover.end_running")}
        </label>
        <Failure error={error} retry={retry} />
        <Why error={error} />
        <div class="row">
          <Button kind={seen ? undefined : "pri"} icon="eye" busy={busy} action="look-rollover" onClick={look}>
            {t("rollover.look")}
          </Button>
          {seen && terms.mayTurn && (
            <Button kind="pri" icon="check" disabled={!seen.possible} action="take-rollover" onClick={() => setConfirming(true)}>
              {t("rollover.take")}
            </Button>
          )}
          {seen && !terms.mayTurn && <span class="sm mut">{t("rollover.bureau_takes")}</span>}
        </div>
      </section>
      {seen && <Preview view={seen} />}
      {confirming && (
        <Dialog title={t("rollover.take")} onClose={() => setConfirming(false)}>
          <p>{t("rollover.take_means", { name: term.name })}</p>
          {ending && <Note tone="warn">{t("rollover.take_ends", { name: now?.name ?? "", last: longDate(now?.lastDay ?? "") })}</Note>}
          <p>
            <b>{t("rollover.no_way_back")}</b>
          </p>
          <Failure error={error} retry={retry} />
          <div class="dialog-acts">
            <Button onClick={() => setConfirming(false)}>{t("act.cancel")}</Button>
            <Button kind="pri" icon="check" busy={busy} action="confirm-rollover" onClick={take}>
              {t("rollover.confirm")}
            </Button>
          </div>
        </Dialog>
      )}
    </>
  );
}

/** As many classes as wanted, as large as those that leave. */
function pupilsOf(leaving: LeavingClasses, classes: number): number[] {
  const usual = leaving.pupils.length > 0 ? Math.round(leaving.pupils.reduce((a, b) => a + b, 0) / leaving.pupils.length) : 0;
  return Array.from({ length: classes }, (_, index) => leaving.pupils[index] ?? usual);
}

function Holidays({ holidays, onChange }: { holidays: readonly Holiday[]; onChange: (next: readonly Holiday[]) => void }) {
  const set = (index: number, change: Partial<Holiday>) => onChange(holidays.map((one, at) => (at === index ? { ...one, ...change } : one)));
  return (
    <div class="holidays">
      {holidays.map((one, index) => (
        <div class="row wrap" key={index}>
          <input class="input" aria-label={t("rollover.holiday")} placeholder={t("rollover.holiday")} value={one.name} onInput={(event) => set(index, { name: event.currentTarget.value })} />
          <input class="input" type="date" aria-label={t("closings.first")} value={one.first} onInput={(event) => set(index, { first: event.currentTarget.value, last: one.last || event.currentTarget.value })} />
          <input class="input" type="date" aria-label={t("closings.last")} value={one.last} onInput={(event) => set(index, { last: event.currentTarget.value })} />
          <Button small kind="quiet" icon="x" label={t("rollover.remove_holiday")} onClick={() => onChange(holidays.filter((_, at) => at !== index))} />
        </div>
      ))}
      <Button small icon="plus" action="add-holiday" onClick={() => onChange([...holidays, { name: "", first: "", last: "" }])}>
        {t("rollover.add_holiday")}
      </Button>
    </div>
  );
}

function Entries({ leaving, begun, onChange }: { leaving: readonly LeavingClasses[]; begun: ReadonlyMap<string, number>; onChange: (next: ReadonlyMap<string, number>) => void }) {
  return (
    <details class="entries">
      <summary>{t("rollover.entries", { count: [...begun.values()].reduce((a, b) => a + b, 0) })}</summary>
      <div class="entry-list">
        {leaving.map((one) => (
          <label class="row sm" key={one.unit}>
            <span class="grow ell" title={one.unitName}>
              {one.unitName}
            </span>
            <span class="dim nw">{t("rollover.leaving", { count: one.pupils.length })}</span>
            <input
              class="input count"
              type="number"
              name={`entry-${one.unit}`}
              min={0}
              max={60}
              value={begun.get(one.unit) ?? 0}
              onInput={(event) => onChange(new Map(begun).set(one.unit, Math.max(0, Math.min(60, Number(event.currentTarget.value) || 0))))}
            />
          </label>
        ))}
      </div>
    </details>
  );
}

function Preview({ view }: { view: RolloverView }) {
  const errors = view.findings.filter((one) => one.severity !== "warning");
  const warnings = view.findings.filter((one) => one.severity === "warning");
  const begin = view.classes.filter((one) => !one.before);
  const leave = view.classes.filter((one) => !one.after);
  const counts = Object.entries(view.requirements);
  return (
    <section class="card box" data-possible={view.possible}>
      <h2>{t("rollover.preview")}</h2>
      {errors.length > 0 ? <Note tone="bad">{t("rollover.impossible", { count: errors.length })}</Note> : <Note tone="ok">{t("rollover.possible", { count: warnings.length })}</Note>}
      <p class="counts">
        <span>
          {t("rollover.begin")} <b>{begin.length}</b>
        </span>
        <span>
          {t("rollover.leave")} <b>{leave.length}</b>
        </span>
        <span>
          {t("rollover.move_up")} <b>{view.classes.length - begin.length - leave.length}</b>
        </span>
        {counts.map(([what, count]) => (
          <span key={what}>
            {t(`rollover.requirements.${what}`)} <b>{count}</b>
          </span>
        ))}
      </p>
      <FindingGroups findings={[...errors, ...warnings]} />
      {errors.some((one) => one.code === "rollover_running") && <p class="sm">{t("rollover.running_means")}</p>}
      <Many title={t("rollover.classes", { count: view.classes.length })} rows={view.classes.map((one: Moved) => `${one.before ? label(one.before) : t("rollover.enters")} → ${one.after ? label(one.after) : t("rollover.graduates")}`)} names={view.classes.map((one) => one.id)} />
      <Many title={t("rollover.teacher_changes", { count: view.teachers.length })} rows={view.teachers.map(assignment)} names={view.teachers.map((one, index) => `${one.unit} ${index}`)} />
    </section>
  );
}

const assignment = (one: Assignment) => `${label(one.teacher)}: ${one.before.map(label).join(t("list.comma")) || "—"} → ${one.after.map(label).join(t("list.comma")) || "—"}`;

/** Findings by what they are about: hundreds of one kind are one line until one asks. */
function FindingGroups({ findings }: { findings: readonly Finding[] }) {
  const groups = new Map<string, Finding[]>();
  for (const one of findings) groups.set(one.code, [...(groups.get(one.code) ?? []), one]);
  return (
    <>
      {[...groups.entries()].map(([code, all]) => (
        <Many key={code} title={all.length > 1 ? t("rollover.alike", { count: all.length }) : ""} rows={all.map(findingText)} names={all.map((_, index) => `${code} ${index}`)} open={all.length <= 3} />
      ))}
    </>
  );
}

function Many({ title, rows, names, open = false }: { title: string; rows: readonly string[]; names: readonly string[]; open?: boolean }) {
  const [all, setAll] = useState(false);
  if (rows.length === 0) return null;
  if (rows.length === 1) return <p class="many sm">{rows[0]}</p>;
  const shown = all ? rows : rows.slice(0, MOST);
  return (
    <details open={open} class="many">
      <summary>{title ? `${title} ${rows[0]}` : rows[0]}</summary>
      <ul>
        {shown.map((row, index) => (
          <li class="sm" key={names[index]}>
            {row}
          </li>
        ))}
      </ul>
      {!all && rows.length > MOST && (
        <button type="button" class="link xs" onClick={() => setAll(true)}>
          {t("rollover.show_all", { count: rows.length })}
        </button>
      )}
    </details>
  );
}
