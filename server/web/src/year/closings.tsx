/** Schools that are shut for days or hours: declaring it, opening again, and what makes up for the lessons lost. */

import { useEffect, useState } from "preact/hooks";
import type { ClosableCommunity, ClosingsView, ClosingView, Loss, MakeUpDay, NewClosing } from "../generated/api";
import { get, post, Problem, put } from "../ui/api";
import { Button, Dialog, Empty, Failure, Field, Note, Skeleton, Stale, StateChip, useAction } from "../ui/components";
import { t } from "../ui/i18n";
import { label } from "../ui/names";
import { type Resource, useResource } from "../ui/resource";
import { community, me } from "../ui/session";
import { addDays, countyTime, dateTime, dayDate, longDate, now, weekdayName, weekdayOf } from "../ui/time";
import { Why } from "../ui/why";
import { MakeUps } from "./make-ups";
import { OwnBySchool, OwnMakeUps, unitName } from "./own-make-ups";

const REFRESH_SECONDS = 30;
const CHECK_AFTER_MS = 300;
/** So many names are written out. */
const MOST_NAMES = 6;

export function Closings() {
  const loaded = useResource<ClosingsView>(me.value && "closings", (signal) => get("/api/closings", signal), REFRESH_SECONDS);
  const [asking, setAsking] = useState(false);
  const { data, error, slow, at, reload } = loaded;
  return (
    <>
      <div class="list-tools">
        <span class="grow mut sm">{t("closings.lead")}</span>
        {data && data.closable.length > 0 && (
          <Button kind="pri" icon="ban" action="close-schools" onClick={() => setAsking(true)}>
            {t("closings.declare")}
          </Button>
        )}
      </div>
      {data === undefined ? <Failure error={error} retry={reload} /> : <Stale at={at} error={error} retry={reload} />}
      {slow && <Skeleton lines={6} />}
      {data?.closings.length === 0 && <Empty>{t("closings.none")}</Empty>}
      {data?.closings.map((closing) => (
        <Card key={closing.id} closing={closing} weekdays={data.weekdays} loaded={loaded} />
      ))}
      {asking && data && <Declare closable={data.closable} onClose={() => setAsking(false)} onDone={reload} />}
    </>
  );
}

const timesOf = (closing: { first: string; last: string; start?: string | null; end?: string | null }) => {
  const from = `${longDate(closing.first)}${closing.start ? ` ${closing.start}` : ""}`;
  const until = closing.last === closing.first ? (closing.end ?? "") : `${longDate(closing.last)}${closing.end ? ` ${closing.end}` : ""}`;
  return until ? `${from} – ${until}` : from;
};

function names(all: readonly string[]): string {
  const shown = all.slice(0, MOST_NAMES).map(label).join(t("list.comma"));
  return all.length > MOST_NAMES ? t("closings.and_others", { names: shown, count: all.length }) : shown;
}

function Card({ closing, weekdays, loaded }: { closing: ClosingView; weekdays: readonly number[]; loaded: Resource<ClosingsView> }) {
  const here = community.value;
  const [open, setOpen] = useState(false);
  const [confirming, setConfirming] = useState(false);
  const [ownOpen, setOwnOpen] = useState(false);
  const over = closing.reopenedAt !== null;
  const today = countyTime(now()).date;
  const state = over ? "reopened" : closing.last < today ? "past" : closing.first <= today ? "now" : "coming";
  const own = closing.losses.find((loss) => loss.community === here?.id);
  const schools = (own?.units ?? []).filter((loss) => loss.own > 0 && closing.plansFor.includes(loss.unit)).sort((a, b) => closing.units.indexOf(a.unit) - closing.units.indexOf(b.unit));
  const alone = schools.length === 1 ? schools[0] : undefined;
  return (
    <section class="card box closing" data-closing={closing.id} data-state={state}>
      <div class="row">
        <h2 class="grow">{label(closing.reason)}</h2>
        <StateChip tone={state === "now" ? "bad" : state === "coming" ? "warn" : ""} icon={over ? "undo" : "ban"}>
          {t(`closings.state.${state}`)}
        </StateChip>
      </div>
      <p>
        <b>{timesOf(closing)}</b> · {names(closing.unitNames)}
      </p>
      <p class="xs mut">
        {label(closing.by)} · {dateTime(closing.at)}
        {closing.reopenedAt !== null && ` · ${t("closings.reopened_by", { name: label(closing.reopenedBy), time: dateTime(closing.reopenedAt) })}`}
      </p>
      <Losses losses={closing.losses} none={over ? "closings.nothing_lost" : undefined} />
      {!over && <GivenDays closing={closing} weekdays={weekdays} onDone={loaded.reload} />}
      <div class="row">
        {own !== undefined && own.shared > 0 && (
          <Button small kind={open ? undefined : "pri"} icon={open ? "x" : "plus"} action="plan-make-ups" onClick={() => setOpen(!open)}>
            {open ? t("make_up.hide") : t("make_up.show", { count: own.shared - own.madeUp })}
          </Button>
        )}
        {alone && (
          <Button small kind={ownOpen ? undefined : "pri"} icon={ownOpen ? "x" : "plus"} action="plan-own" onClick={() => setOwnOpen(!ownOpen)}>
            {ownOpen ? t("make_up.hide") : t("make_up.own", { unit: unitName(closing, alone.unit), count: alone.own - alone.madeUp })}
          </Button>
        )}
        {closing.mayReopen && state !== "past" && (
          <Button small icon="undo" action="reopen" onClick={() => setConfirming(true)}>
            {t("closings.reopen")}
          </Button>
        )}
      </div>
      {open && here && <MakeUps community={here.id} closing={closing} onAsked={loaded.reload} />}
      {ownOpen && alone && here && <OwnMakeUps community={here.id} unit={alone.unit} closing={closing} onTaken={loaded.reload} />}
      {schools.length > 1 && here && <OwnBySchool schools={schools} community={here.id} closing={closing} onTaken={loaded.reload} />}
      {confirming && <Reopen closing={closing} onClose={() => setConfirming(false)} onDone={loaded.reload} />}
    </section>
  );
}

function Losses({ losses, none = "closings.no_loss" }: { losses: readonly Loss[]; none?: string }) {
  const sum = (of: (loss: Loss) => number) => losses.reduce((total, loss) => total + of(loss), 0);
  const counts = [
    ["shared", sum((loss) => loss.shared)],
    ["own", sum((loss) => loss.own)],
    ["own_made_up", sum((loss) => loss.ownMadeUp ?? 0)],
    ["reduced", sum((loss) => loss.reduced)],
    ["made_up", sum((loss) => loss.madeUp)],
  ] as const;
  const there = counts.filter(([, count]) => count > 0);
  if (there.length === 0) return <p class="sm dim">{t(none)}</p>;
  return (
    <p class="counts">
      {there.map(([what, count]) => (
        <span key={what}>
          {t(`closings.loss.${what}`)} <b>{count}</b>
        </span>
      ))}
    </p>
  );
}

/** Free days on which lost lessons may be made up, each by the bells of a weekday. */
function GivenDays({ closing, weekdays, onDone }: { closing: ClosingView; weekdays: readonly number[]; onDone: () => void }) {
  const { busy, error, run } = useAction();
  const [day, setDay] = useState("");
  const [bells, setBells] = useState(String(weekdayOf(closing.first)));
  const save = (days: readonly MakeUpDay[]) =>
    run(async () => {
      await put(`/api/closings/${closing.id}/make-up-days`, { revision: closing.revision, makeUpDays: days });
      setDay("");
      onDone();
    });
  if (!closing.mayReopen && closing.makeUpDays.length === 0) return null;
  return (
    <div class="given">
      <div class="row wrap">
        <span class="sm">{t("make_up.days")}</span>
        {closing.makeUpDays.map((one) => (
          <span class="chip" key={one.date}>
            {dayDate(one.date)} · {t("dated.follows", { day: weekdayName(one.followsWeekday) })}
            {closing.mayReopen && <Button small kind="quiet" icon="x" label={t("make_up.remove_day", { date: longDate(one.date) })} disabled={busy} onClick={() => save(closing.makeUpDays.filter((other) => other.date !== one.date))} />}
          </span>
        ))}
        {closing.makeUpDays.length === 0 && <span class="sm dim">{t("make_up.no_days")}</span>}
        {closing.mayReopen && (
          <form
            class="row given-form"
            onSubmit={(event) => {
              event.preventDefault();
              if (day && !busy) save([...closing.makeUpDays, { date: day, followsWeekday: Number(bells), followsWeek: null }]);
            }}
          >
            <input class="input" type="date" required aria-label={t("make_up.day")} value={day} onInput={(event) => setDay(event.currentTarget.value)} />
            <select class="input" aria-label={t("make_up.bells")} value={bells} onChange={(event) => setBells(event.currentTarget.value)}>
              {weekdays.map((one) => (
                <option value={one} key={one}>
                  {t("dated.follows", { day: weekdayName(one) })}
                </option>
              ))}
            </select>
            <Button small submit busy={busy} disabled={!day} action="give-day">
              {t("make_up.give_day")}
            </Button>
          </form>
        )}
      </div>
      <Failure error={error} />
      <Why error={error} />
    </div>
  );
}

function Reopen({ closing, onClose, onDone }: { closing: ClosingView; onClose: () => void; onDone: () => void }) {
  const { busy, error, run } = useAction();
  const madeUp = closing.losses.reduce((total, loss) => total + loss.madeUp, 0);
  const send = () =>
    run(async () => {
      await post(`/api/closings/${closing.id}/reopen`, { revision: closing.revision });
      onDone();
      onClose();
    });
  return (
    <Dialog title={t("closings.reopen_title", { reason: label(closing.reason) })} onClose={onClose}>
      <p>{t("closings.reopen_means")}</p>
      {madeUp > 0 && <p>{t("closings.reopen_made_up", { count: madeUp })}</p>}
      <Failure error={error} retry={error instanceof Problem && error.status === 409 ? onDone : undefined} />
      <div class="dialog-acts">
        <Button onClick={onClose}>{t("act.cancel")}</Button>
        <Button kind="pri" icon="undo" busy={busy} action="confirm-reopen" onClick={send}>
          {t("closings.reopen_confirm", { count: closing.units.length })}
        </Button>
      </div>
    </Dialog>
  );
}

function Declare({ closable, onClose, onDone }: { closable: readonly ClosableCommunity[]; onClose: () => void; onDone: () => void }) {
  const { busy, error, run } = useAction();
  const all = closable.flatMap((one) => one.units);
  const tomorrow = addDays(countyTime(now()).date, 1);
  const [first, setFirst] = useState(tomorrow);
  const [last, setLast] = useState(tomorrow);
  const [start, setStart] = useState("");
  const [end, setEnd] = useState("");
  const [reason, setReason] = useState("");
  const [units, setUnits] = useState<ReadonlySet<string>>(new Set(all.length === 1 ? all.map((unit) => unit.id) : []));
  const wanted: NewClosing | null =
    first && last >= first && units.size > 0
      ? { first, last, reason: reason.trim() || "-", units: all.map((unit) => unit.id).filter((id) => units.has(id)), start: start || null, end: end || null, makeUpDays: [] }
      : null;
  const { looked, failed } = useLook(wanted);
  const toggle = (ids: readonly string[], on: boolean) => {
    const next = new Set(units);
    for (const id of ids) on ? next.add(id) : next.delete(id);
    setUnits(next);
  };
  const ready = wanted !== null && reason.trim() !== "" && looked !== null;
  const send = () =>
    run(async () => {
      await post("/api/closings", { ...wanted, reason: reason.trim() });
      onDone();
      onClose();
    });
  return (
    <Dialog title={t("closings.declare_title")} onClose={onClose}>
      <form
        class="amend-form"
        onSubmit={(event) => {
          event.preventDefault();
          if (ready && !busy) send();
        }}
      >
        <Field label={t("closings.reason")}>
          <input class="input" name="reason" required maxLength={200} placeholder={t("closings.reason_hint")} value={reason} onInput={(event) => setReason(event.currentTarget.value)} />
        </Field>
        <div class="closing-times">
          <Field label={t("closings.first")}>
            <input class="input" type="date" name="first" required value={first} onInput={(event) => setFirst(event.currentTarget.value)} />
          </Field>
          <Field label={t("closings.start")}>
            <input class="input" type="time" name="start" value={start} onInput={(event) => setStart(event.currentTarget.value)} />
          </Field>
          <Field label={t("closings.last")}>
            <input class="input" type="date" name="last" required min={first} value={last} onInput={(event) => setLast(event.currentTarget.value)} />
          </Field>
          <Field label={t("closings.end")}>
            <input class="input" type="time" name="end" value={end} onInput={(event) => setEnd(event.currentTarget.value)} />
          </Field>
        </div>
        <fieldset class="closing-units">
          <legend class="field-label">{t("closings.units", { count: units.size, all: all.length })}</legend>
          {all.length > 1 && (
            <label class="row sm">
              <input type="checkbox" name="all" checked={units.size === all.length} onChange={(event) => toggle(all.map((unit) => unit.id), event.currentTarget.checked)} />
              <b>{t("closings.all_units")}</b>
            </label>
          )}
          {closable.map((one) => {
            const ids = one.units.map((unit) => unit.id);
            return (
              <div key={one.community}>
                {closable.length > 1 && (
                  <label class="row sm">
                    <input type="checkbox" checked={ids.every((id) => units.has(id))} onChange={(event) => toggle(ids, event.currentTarget.checked)} />
                    <b>{one.name}</b>
                  </label>
                )}
                <div class="unit-checks">
                  {one.units.map((unit) => (
                    <label class="row sm" key={unit.id}>
                      <input type="checkbox" name={unit.id} checked={units.has(unit.id)} onChange={(event) => toggle([unit.id], event.currentTarget.checked)} />
                      <span class="ell">{unit.name}</span>
                    </label>
                  ))}
                </div>
              </div>
            );
          })}
        </fieldset>
        <Failure error={failed} />
        <Why error={failed} />
        {looked && (
          <Note tone="warn">
            <Losses losses={looked.losses} />
          </Note>
        )}
        <Failure error={error} />
        <Why error={error} />
        <div class="dialog-acts">
          <Button onClick={onClose}>{t("act.cancel")}</Button>
          <Button kind="bad" icon="ban" submit busy={busy} disabled={!ready} action="confirm-closing">
            {t("closings.confirm", { count: units.size })}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** What the closing would take, asked again whenever it is another one. */
function useLook(wanted: NewClosing | null): { looked: ClosingView | null; failed: unknown } {
  const [state, setState] = useState<{ looked: ClosingView | null; failed: unknown }>({ looked: null, failed: undefined });
  const key = wanted && JSON.stringify({ ...wanted, reason: "" });
  useEffect(() => {
    setState({ looked: null, failed: undefined });
    if (wanted === null) return undefined;
    let current = true;
    const timer = setTimeout(() => {
      post<ClosingView>("/api/closings?check=1", wanted).then(
        (looked) => current && setState({ looked, failed: undefined }),
        (failed: unknown) => current && setState({ looked: null, failed }),
      );
    }, CHECK_AFTER_MS);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [key]);
  return state;
}
