/** What can be brought in: the county's sheets, a school's own table, somebody's calendar, a school from FET. */

import { useState } from "preact/hooks";
import type { CalendarView, ImportView, NameRef, OwnTableView, TakenTime, TimetableView } from "../generated/api";
import { get, save } from "../ui/api";
import { Button, Empty, Failure, Field, Segmented, Select, Skeleton, useAction } from "../ui/components";
import { t } from "../ui/i18n";
import { label } from "../ui/names";
import { useResource } from "../ui/resource";
import { community, reaches } from "../ui/session";
import { span, weekdayName } from "../ui/time";
import { Counts, Importer } from "./importer";

const SHEETS = ".xlsx,.xlsm,.xls,.ods,.csv,.txt";
const UNIT_ID = /^[A-Za-z0-9._-]{1,40}$/;

/** The county's sheets: everything at once, or what changed. */
export function RegisterImport() {
  return (
    <Importer<ImportView>
      lead={t("import_page.lead")}
      accept={`${SHEETS},.json,.zip`}
      multiple
      goodRows
      address="/api/import"
      some={hasRows}
      beside={<EmptyForm />}
      summary={(result) => (
        <>
          <Counts title={t("import_page.rows")} counts={Object.entries(result.counts)} />
          <Counts title={t("import_page.dropped")} counts={Object.entries(result.dropped).filter(([, rows]) => rows > 0)} />
        </>
      )}
    />
  );
}

const hasRows = ({ counts }: ImportView) => Object.values(counts).some((rows) => rows > 0);

function EmptyForm() {
  const { busy, error, run } = useAction();
  return (
    <>
      <Button kind="quiet" icon="download" busy={busy} action="import-form" onClick={() => run(() => save("/api/import/form"))}>
        {t("import_page.form")}
      </Button>
      <Failure error={error} />
    </>
  );
}

/** The schools, teachers and rooms that the person may bring something in for. */
function usePlaces() {
  const here = community.value;
  const path = here && `/api/communities/${encodeURIComponent(here.id)}/timetable`;
  const loaded = useResource<TimetableView>(path, (signal) => get(path ?? "", signal));
  const mine = <R extends { unit: string }>(rows: readonly R[]) => rows.filter((row) => here !== null && reaches(row.unit, here.id));
  const view = loaded.data;
  return {
    loaded,
    none: here === null,
    units: view ? mine(view.units.map((unit) => ({ id: unit.id, name: unit.name, unit: unit.id }))) : [],
    teachers: view ? mine(view.teachers) : [],
    rooms: view ? mine(view.rooms) : [],
    unitName: (id: string) => view?.units.find((unit) => unit.id === id)?.name ?? id,
  };
}

function Waiting({ places }: { places: ReturnType<typeof usePlaces> }) {
  if (places.none) return <Empty>{t("import_page.no_county")}</Empty>;
  if (places.loaded.error === undefined && !places.loaded.slow) return null;
  return (
    <section class="card box">
      <Failure error={places.loaded.error} retry={places.loaded.reload} />
      {places.loaded.slow && <Skeleton lines={3} />}
    </section>
  );
}

const INTO = ["locked", "busy"] as const;

/** A school's own table, as it hangs on the wall or as FET made it. */
export function OwnTableImport() {
  const places = usePlaces();
  const [chosen, setChosen] = useState("");
  const [into, setInto] = useState<(typeof INTO)[number]>("locked");
  if (places.loaded.data === undefined) return <Waiting places={places} />;
  const unit = places.units.find((one) => one.id === chosen) ?? places.units[0];
  if (unit === undefined) return <Empty>{t("import_page.no_school")}</Empty>;
  return (
    <Importer<OwnTableView>
      lead={t("import_page.own.lead")}
      accept={`${SHEETS},.fet`}
      multiple
      goodRows
      address={`/api/units/${encodeURIComponent(unit.id)}/own-table?into=${into}`}
      some={({ lessons }) => lessons > 0}
      fields={
        <>
          <Select label={t("import_page.school")} value={unit.id} choices={places.units.map((one) => ({ value: one.id, label: one.name }))} onChange={setChosen} />
          <Segmented label={t("import_page.own.into")} value={into} choices={INTO.map((value) => ({ value, label: t(`import_page.own.${value}`) }))} onChange={setInto} />
          <span class="dim sm">{t(`import_page.own.${into}_means`)}</span>
        </>
      }
      summary={({ lessons, locked, requirements, busy }) => (
        <p class="sm" data-lessons={lessons}>
          {t(into === "locked" ? "import_page.own.found_locked" : "import_page.own.found_busy", { lessons, locked, requirements, busy })}
        </p>
      )}
    />
  );
}

const WHOSE = ["teacher", "room"] as const;

/** The weekly times that a calendar takes of a teacher or a room. */
export function CalendarImport() {
  const places = usePlaces();
  const [whose, setWhose] = useState<(typeof WHOSE)[number]>("teacher");
  const [chosen, setChosen] = useState("");
  if (places.loaded.data === undefined) return <Waiting places={places} />;
  const all: readonly NameRef[] = whose === "teacher" ? places.teachers : places.rooms;
  const one = all.find((row) => row.id === chosen) ?? all[0];
  return (
    <Importer<CalendarView>
      lead={t("import_page.calendar.lead")}
      accept=".ics"
      multiple
      goodRows={false}
      some={({ times }) => times.length > 0}
      address={one ? `/api/${whose}s/${encodeURIComponent(one.id)}/calendar` : null}
      fields={
        <>
          <Segmented label={t("import_page.calendar.whose")} value={whose} choices={WHOSE.map((value) => ({ value, label: t(`by.${value}`) }))} onChange={setWhose} />
          {one && (
            <Select
              label={t(`by.${whose}`)}
              hideLabel
              value={one.id}
              choices={all.map((row) => ({ value: row.id, label: label(row.name), group: places.unitName(row.unit) }))}
              onChange={setChosen}
            />
          )}
        </>
      }
      summary={(result) => <Times times={result.times} />}
    />
  );
}

function Times({ times }: { times: readonly TakenTime[] }) {
  if (times.length === 0) return <p class="sm mut">{t("import_page.calendar.none")}</p>;
  return (
    <ul class="taken-times">
      {times.map((time) => (
        <li class="sm">
          <b>
            {weekdayName(time.weekday)} {span(time.start, time.end)}
          </b>{" "}
          {time.weeks !== "all" && t(`parity.${time.weeks}`)} <span class="mut">{time.reason}</span>{" "}
          <span class="dim">{t("import_page.calendar.held", { held: time.held, possible: time.possible })}</span>
        </li>
      ))}
    </ul>
  );
}

const STAGES = ["primary", "junior"] as const;

/** A school that uses FET, as one of the county. */
export function FetImport() {
  const first = isFirst();
  const [unit, setUnit] = useState("");
  const [stage, setStage] = useState<(typeof STAGES)[number]>("primary");
  const [monday, setMonday] = useState("");
  const ready = UNIT_ID.test(unit) && (!first || monday !== "");
  const query = new URLSearchParams({ unit, stage, ...(first ? { first_day: monday } : {}) });
  return (
    <Importer<ImportView>
      lead={t("import_page.fet.lead")}
      accept=".fet"
      multiple={false}
      goodRows={false}
      some={hasRows}
      address={ready ? `/api/import/fet?${query}` : null}
      fields={
        <>
          <Field label={t("import_page.fet.unit")} hint={t("import_page.fet.unit_means")}>
            <input class="input" name="unit" value={unit} pattern={UNIT_ID.source} onInput={(event) => setUnit(event.currentTarget.value.trim())} />
          </Field>
          {first && (
            <Field label={t("import_page.fet.first_day")}>
              <input class="input" name="first_day" type="date" value={monday} onInput={(event) => setMonday(event.currentTarget.value)} />
            </Field>
          )}
          <Segmented label={t("import_page.fet.stage")} value={stage} choices={STAGES.map((value) => ({ value, label: t(`stage.${value}`) }))} onChange={setStage} />
        </>
      }
      summary={(result) => <Counts title={t("import_page.rows")} counts={Object.entries(result.counts)} />}
    />
  );
}

/** Before the first import there is no community, and no term either. */
const isFirst = () => community.value === null;
