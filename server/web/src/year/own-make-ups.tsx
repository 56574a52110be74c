/** When the lessons that a closing took of one school alone could be held instead: by class, taken by one press. */

import { useState } from "preact/hooks";
import type { AmendmentView, ClosingView, LostLesson, OwnMakeUpPlanView, UnitLoss } from "../generated/api";
import { get, post, Problem } from "../ui/api";
import { Button, Empty, Failure, Note, Skeleton, useAction } from "../ui/components";
import { t } from "../ui/i18n";
import { label } from "../ui/names";
import { useResource } from "../ui/resource";
import { Why } from "../ui/why";
import { Lost } from "./make-ups";

interface Props {
  community: string;
  unit: string;
  closing: ClosingView;
  onTaken: () => void;
}

/** Several schools, each with what it lost; the plan of one at a time is written out. */
export function OwnBySchool({ schools, community, closing, onTaken }: Omit<Props, "unit"> & { schools: readonly UnitLoss[] }) {
  const [open, setOpen] = useState<string | null>(null);
  return (
    <ul class="own-schools" aria-label={t("make_up.own_schools")}>
      {schools.map(({ unit, own, madeUp }) => (
        <li key={unit} data-unit={unit}>
          <div class="row wrap">
            <b class="grow ell">{unitName(closing, unit)}</b>
            <span class="sm mut nw">{t("make_up.own_counts", { own, made_up: madeUp })}</span>
            <Button small icon={open === unit ? "x" : "plus"} action="plan-own" onClick={() => setOpen(open === unit ? null : unit)}>
              {t(open === unit ? "make_up.hide" : "make_up.own_plan")}
            </Button>
          </div>
          {open === unit && <OwnMakeUps community={community} unit={unit} closing={closing} onTaken={onTaken} />}
        </li>
      ))}
    </ul>
  );
}

export const unitName = (closing: ClosingView, unit: string) => label(closing.unitNames[closing.units.indexOf(unit)] ?? unit);

export function OwnMakeUps({ community, unit, closing, onTaken }: Props) {
  const path = `/api/communities/${encodeURIComponent(community)}/closings/${closing.id}/make-ups/${encodeURIComponent(unit)}`;
  const { data, error, reload } = useResource<OwnMakeUpPlanView>(`${path} ${closing.revision}`, (signal) => get(path, signal));
  const { busy, error: failed, run } = useAction();
  const [picked, setPicked] = useState<ReadonlyMap<string, number>>(new Map());
  if (error !== undefined) return <Failure error={error} retry={reload} />;
  if (data === undefined) return <Skeleton lines={4} />;
  const { lost, daysShort } = data.plan;
  if (lost.length === 0) return <Empty>{t("make_up.own_none")}</Empty>;
  const placed = lost.filter(takeable);
  const without = lost.filter((one) => one.state === "open" && one.choices.length === 0).length;
  const done = lost.filter((one) => one.state === "made_up").length;
  const asked = lost.filter((one) => one.state === "asked").length;
  const heard = data.consent !== "none";
  const take = (some: readonly LostLesson[]) =>
    run(async () => {
      const choices = some.flatMap((one) => {
        const choice = one.choices[picked.get(one.occurrence) ?? 0];
        return choice ? [{ occurrence: one.occurrence, date: choice.date, period: choice.period }] : [];
      });
      await post<AmendmentView>(path, { version: data.version, choices });
      setPicked(new Map());
      reload();
      onTaken();
    });
  return (
    <div class="make-ups" data-unit={unit}>
      <div class="row wrap">
        <span class="grow sm mut">
          {t("make_up.own_lead", { count: lost.length, placed: placed.length })}
          {data.mayAsk && placed.length > 0 && ` ${t(`make_up.own_consent.${data.consent}`)}`}
          {done > 0 && ` ${t("make_up.own_done", { count: done })}`}
          {asked > 0 && (
            <>
              {` ${t("make_up.own_asked", { count: asked })} `}
              <a href="/timetable?tab=nego">{t("make_up.open_amendments")}</a>
            </>
          )}
        </span>
        {data.mayAsk && placed.length > 0 && (
          <Button small kind="pri" icon="check" busy={busy} action="take-all-own" onClick={() => take(placed)}>
            {t(heard ? "make_up.ask_all" : "make_up.take_all", { count: placed.length })}
          </Button>
        )}
      </div>
      {without > 0 && <Note tone="warn">{t("make_up.own_short", { count: without, days: daysShort })}</Note>}
      <Failure error={failed} retry={failed instanceof Problem ? reload : undefined} />
      <Why error={failed} />
      {byClass(lost).map(([name, lessons]) => (
        <OfClass
          key={name}
          name={name}
          lessons={lessons}
          picked={picked}
          pick={(occurrence, index) => setPicked(new Map(picked).set(occurrence, index))}
          take={data.mayAsk ? take : undefined}
          heard={heard}
          busy={busy}
        />
      ))}
    </div>
  );
}

interface ClassProps {
  name: string;
  lessons: readonly LostLesson[];
  picked: ReadonlyMap<string, number>;
  pick: (occurrence: string, index: number) => void;
  take: ((some: readonly LostLesson[]) => void) | undefined;
  /** Whether the school has a say. */
  heard: boolean;
  busy: boolean;
}

/** One class's lessons, which are many: they are written out where somebody opens them. */
function OfClass({ name, lessons, picked, pick, take, heard, busy }: ClassProps) {
  const [open, setOpen] = useState(false);
  const placed = lessons.filter(takeable);
  return (
    <details class="many own-class" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t("make_up.own_class", { school_class: name, count: lessons.length, placed: placed.length })}</summary>
      {open && (
        <>
          {take && placed.length > 0 && (
            <Button small busy={busy} action="take-class" onClick={() => take(placed)}>
              {t(heard ? "make_up.own_ask_class" : "make_up.own_take_class", { count: placed.length })}
            </Button>
          )}
          <ul class="own-lessons">
            {lessons.map((one) => (
              <Lost key={one.occurrence} lost={one} index={picked.get(one.occurrence) ?? 0} pick={(index) => pick(one.occurrence, index)} take={undefined} busy={busy} />
            ))}
          </ul>
        </>
      )}
    </details>
  );
}

const takeable = (lost: LostLesson) => lost.state === "open" && lost.choices.length > 0;

function byClass(lost: readonly LostLesson[]): readonly [string, readonly LostLesson[]][] {
  const found = new Map<string, LostLesson[]>();
  for (const one of lost) {
    const name = one.classes.map(label).join(t("list.comma")) || t("make_up.own_no_class");
    found.set(name, [...(found.get(name) ?? []), one]);
  }
  return [...found];
}
