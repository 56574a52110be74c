/** Cover for an absent teacher: who could stand in for each of their lessons, the best first, and why. */

import { useState } from "preact/hooks";
import type { AmendmentView, CoverNeed, CoverView } from "../generated/api";
import { post } from "../ui/api";
import { Button, Dialog, Empty, Failure, Field, StateChip, useAction } from "../ui/components";
import { t, type Values } from "../ui/i18n";
import { label, subjectName } from "../ui/names";
import { useResource } from "../ui/resource";
import { dayDate, span } from "../ui/time";
import { Why } from "../ui/why";
import { ask } from "./amendments";
import type { Table } from "./table";

const MOST = 3;

export interface CoverProps {
  table: Table;
  /** For whom the person may look. */
  teachers: string[];
  date: string;
  onClose: () => void;
  onAsked: () => void;
}

export function Cover({ table, teachers, date, onClose, onAsked }: CoverProps) {
  const [absent, setAbsent] = useState(teachers[0] ?? "");
  const [first, setFirst] = useState(date);
  const [last, setLast] = useState(date);
  const [reason, setReason] = useState("");
  const key = absent && first && last >= first ? `${absent} ${first} ${last}` : null;
  const { data, error } = useResource<CoverView>(key, () => post("/api/cover", { teacher: absent, first, last }));
  const names = new Map((data?.teachers ?? []).map((one) => [one.id, one.name]));
  return (
    <Dialog title={t("amending.cover_title")} onClose={onClose}>
      <div class="amend-form">
        <Field label={t("amending.absent")}>
          <select class="input" name="absent" value={absent} onChange={(event) => setAbsent(event.currentTarget.value)}>
            {teachers.map((id) => (
              <option value={id} key={id}>
                {table.name(id)}
              </option>
            ))}
          </select>
        </Field>
        <div class="amend-slot">
          <Field label={t("amending.first")}>
            <input class="input" type="date" name="first" required min={table.view.term.today} value={first} onInput={(event) => setFirst(event.currentTarget.value)} />
          </Field>
          <Field label={t("amending.last")}>
            <input class="input" type="date" name="last" required min={first} value={last} onInput={(event) => setLast(event.currentTarget.value)} />
          </Field>
        </div>
        <Field label={t("amending.reason")}>
          <input class="input" name="reason" maxLength={500} value={reason} onInput={(event) => setReason(event.currentTarget.value)} />
        </Field>
        <Failure error={error} />
        {key !== null && data === undefined && error === undefined && <p class="sm dim">{t("load.loading")}</p>}
        {data?.needs.length === 0 && <Empty>{t("amending.no_need")}</Empty>}
        <ul class="cover-list">
          {data?.needs.map((need) => (
            <Need
              key={`${need.occurrence} ${need.role}`}
              need={need}
              nameOf={(id) => label(names.get(id) ?? table.name(id))}
              send={(substitute) =>
                ask(table.view.community.id, {
                  version: table.newest,
                  change: { kind: "substitute", lesson: need.lesson, absent: data.teacher, substitute, first: need.date, last: need.date },
                  reason: reason.trim(),
                })
              }
              onAsked={onAsked}
            />
          ))}
        </ul>
      </div>
    </Dialog>
  );
}

interface NeedProps {
  need: CoverNeed;
  nameOf: (teacher: string) => string;
  send: (substitute: string) => Promise<AmendmentView>;
  onAsked: () => void;
}

function Need({ need, nameOf, send, onAsked }: NeedProps) {
  const { busy, error, run } = useAction();
  const [asked, setAsked] = useState<AmendmentView | null>(null);
  const [all, setAll] = useState(false);
  const suggestedFirst = [...need.candidates].sort((a, b) => Number(b.teacher === need.suggested) - Number(a.teacher === need.suggested));
  const shown = all ? suggestedFirst : suggestedFirst.slice(0, MOST);
  const choose = (teacher: string) =>
    run(async () => {
      setAsked(await send(teacher));
      onAsked();
    });
  return (
    <li data-need={need.occurrence}>
      <div class="row">
        <b class="grow ell">{label(need.title)}</b>
        {asked && <StateChip tone={asked.state === "applied" ? "ok" : "proposed"}>{t(`amend.state.${asked.state}`)}</StateChip>}
      </div>
      <span class="xs mut">
        {dayDate(need.date)} {span(need.start, need.end)} · {t(`cover.role.${need.role}`)}
      </span>
      {need.candidates.length === 0 && <p class="sm">{t("cover.nobody")}</p>}
      {asked === null && (
        <ol class="places">
          {shown.map((one, index) => (
            <li key={one.teacher} data-candidate={one.teacher}>
              <b class="num">{index + 1}</b>
              <span class="grow">
                <b>{nameOf(one.teacher)}</b>
                <span class="xs mut">{one.reasons.map((reason) => t(`cover.reason.${reason.code}`, worded(reason.values ?? {}))).join(" · ")}</span>
              </span>
              <Button small kind={index === 0 ? "pri" : undefined} busy={busy} action="ask-substitute" onClick={() => choose(one.teacher)}>
                {t("amending.take")}
              </Button>
            </li>
          ))}
        </ol>
      )}
      {asked === null && !all && need.candidates.length > MOST && (
        <button type="button" class="link xs" onClick={() => setAll(true)}>
          {t("amending.more_candidates", { count: need.candidates.length - MOST })}
        </button>
      )}
      <Failure error={error} />
      <Why error={error} />
    </li>
  );
}

function worded(values: Record<string, string | number>): Values {
  const { subject } = values;
  return typeof subject === "string" ? { ...values, subject: subjectName(subject) } : values;
}
