/** Taking the table away: sheets for the wall, lists, calendars, and FET with a word on what is lost there. */

import { useState } from "preact/hooks";
import type { ExportView } from "../generated/api";
import { get, print, save } from "../ui/api";
import { Button, Dialog, Failure, Field, Note, Segmented, Skeleton, useAction } from "../ui/components";
import { findingText } from "../ui/findings";
import { language, t } from "../ui/i18n";
import { label } from "../ui/names";
import { useResource } from "../ui/resource";
import type { Table } from "./table";

const FORMS = ["print", "xlsx", "csv", "json", "ics", "fet"] as const;
type Form = (typeof FORMS)[number];
const AUDIENCES = ["community", "unit", "class", "teacher", "room"] as const;
type Audience = (typeof AUDIENCES)[number];
type Fit = "readable" | "one";
type Paper = "any" | "A3" | "A4";

export function TakeAway({ table }: { table: Table }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button kind="quiet" icon="download" label={t("take.open")} action="take-away" onClick={() => setOpen(true)} />
      {open && <TakeDialog table={table} close={() => setOpen(false)} />}
    </>
  );
}

function TakeDialog({ table, close }: { table: Table; close: () => void }) {
  const { community, status, version } = table.view;
  const [form, setForm] = useState<Form>("print");
  const [audience, setAudience] = useState<Audience>("community");
  const [id, setId] = useState("");
  const [fit, setFit] = useState<Fit>("readable");
  const [paper, setPaper] = useState<Paper>("any");
  const { busy, error, run, clear } = useAction();
  const draft = status !== "published";
  // what FET can take is a whole community; what is not published is in no calendar
  const forms = FORMS.filter((one) => !(one === "ics" && draft));
  const whose: Audience = form === "fet" ? "community" : audience;
  const wall = form === "print" || form === "xlsx";
  const query = new URLSearchParams({
    form,
    for: whose,
    version: draft ? "draft" : String(version),
    lang: language(),
    ...(id && whose !== "community" ? { id } : {}),
    ...(wall ? { fit } : {}),
    ...(wall && paper !== "any" ? { paper } : {}),
  });
  const path = `/api/communities/${encodeURIComponent(community.id)}/export?${query}`;
  return (
    <Dialog title={t("take.title", { name: community.name })} onClose={close}>
      <div class="object-form">
        <p class="mut sm">{draft ? t("take.draft") : t("take.version", { version })}</p>
        <Segmented<Form>
          label={t("take.form")}
          value={form}
          choices={forms.map((value) => ({ value, label: t(`take.form.${value}`) }))}
          onChange={(next) => {
            setForm(next);
            clear();
          }}
        />
        <p class="xs dim">{t(`take.form.${form}_means`)}</p>
        {form !== "fet" && (
          <>
            <Segmented<Audience>
              label={t("take.for")}
              value={audience}
              choices={AUDIENCES.map((value) => ({ value, label: value === "community" ? t("take.community") : t(`by.${value}`) }))}
              onChange={(next) => {
                setAudience(next);
                setId("");
              }}
            />
            {audience !== "community" && <Target table={table} audience={audience} value={id} onChange={setId} />}
          </>
        )}
        {wall && (
          <>
            <div class="on-paper">
              <Segmented<Fit> label={t("take.fit")} value={fit} choices={(["readable", "one"] as const).map((value) => ({ value, label: t(`take.fit.${value}`) }))} onChange={setFit} />
              <Segmented<Paper> label={t("take.paper")} value={paper} choices={(["any", "A3", "A4"] as const).map((value) => ({ value, label: value === "any" ? t("take.paper.any") : value }))} onChange={setPaper} />
            </div>
            <p class="xs dim">{t(`take.fit.${fit}_means`)}</p>
            <OnPaper path={`${path}&report=1`} />
          </>
        )}
        {form === "fet" && <Lost path={`${path}&report=1`} />}
        <Failure error={error} />
        <div class="dialog-acts">
          <Button onClick={close}>{t("act.cancel")}</Button>
          {form === "print" ? (
            <Button kind="pri" icon="print" action="print-table" onClick={() => print(path)}>
              {t("take.print")}
            </Button>
          ) : (
            <Button kind="pri" icon="download" busy={busy} action="save-table" onClick={() => run(() => save(path))}>
              {t("take.save")}
            </Button>
          )}
        </div>
      </div>
    </Dialog>
  );
}

interface TargetProps {
  table: Table;
  audience: Exclude<Audience, "community">;
  value: string;
  onChange: (id: string) => void;
}

/** One of them, or all. */
function Target({ table, audience, value, onChange }: TargetProps) {
  const { units, classes, teachers, rooms } = table.view;
  const all = { unit: units.map((unit) => ({ id: unit.id, name: unit.name, unit: "" })), class: classes, teacher: teachers, room: rooms }[audience];
  const groups = [...new Set(all.map((one) => one.unit))];
  const options = (unit: string) => all.filter((one) => one.unit === unit).map((one) => <option value={one.id}>{label(one.name)}</option>);
  return (
    <Field label={t(`by.${audience}`)}>
      <select class="input" name="target" value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        <option value="">{t("take.all", { count: all.length })}</option>
        {groups.map((unit) => (unit === "" ? options(unit) : <optgroup label={table.unitName(unit)}>{options(unit)}</optgroup>))}
      </select>
    </Field>
  );
}

/** How many sheets it takes and how small the type gets, before anybody prints it. */
function OnPaper({ path }: { path: string }) {
  const report = useResource<ExportView>(path, (signal) => get(path, signal));
  if (report.data === undefined) {
    return (
      <>
        <Failure error={report.error} retry={report.reload} />
        {report.slow && <Skeleton lines={1} />}
      </>
    );
  }
  const { sheets, smallest } = report.data;
  const papers = Object.entries(sheets).map(([paper, count]) => t("take.sheets", { paper, count }));
  return (
    <p class="sm" data-sheets={Object.values(sheets).reduce((sum, count) => sum + count, 0)} data-smallest={smallest}>
      {[...papers, t("take.smallest", { points: smallest })].join(" · ")}
    </p>
  );
}

/** What FET cannot say. */
function Lost({ path }: { path: string }) {
  const report = useResource<ExportView>(path, (signal) => get(path, signal));
  if (report.data === undefined) {
    return (
      <>
        <Failure error={report.error} retry={report.reload} />
        {report.slow && <Skeleton lines={4} />}
      </>
    );
  }
  if (report.data.findings.length === 0) return null;
  return (
    <Note tone="warn">
      {t("take.lost")}
      <ul class="why">
        {report.data.findings.map((finding) => (
          <li class="sm" data-finding={finding.code}>
            {findingText(finding)}
          </li>
        ))}
      </ul>
    </Note>
  );
}
