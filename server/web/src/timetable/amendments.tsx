/** Changes of a published table: asking for one, where everybody stands on it, and saying one's own word. */

import { useState } from "preact/hooks";
import type { AmendmentCheck, AmendmentView, ConsentRow, Line, NewAmendment } from "../generated/api";
import { get, post, Problem } from "../ui/api";
import { Button, Failure, StateChip, useAction } from "../ui/components";
import { Icon, type IconName } from "../ui/icons";
import { t } from "../ui/i18n";
import { label } from "../ui/names";
import { type Resource, useResource } from "../ui/resource";
import { dateTime, dayDate, span } from "../ui/time";
import { Reasons, Why } from "../ui/why";
import type { Table } from "./table";

const REFRESH_SECONDS = 30;

const address = (community: string) => `/api/communities/${encodeURIComponent(community)}/amendments`;

export const ask = (community: string, wanted: NewAmendment) => post<AmendmentView>(address(community), wanted);
export const check = (community: string, wanted: NewAmendment) => post<AmendmentCheck>(`${address(community)}?check=1`, wanted);

/** The changes of a community, the newest first, kept up to date. */
export function useAmendments(community: string | null): Resource<AmendmentView[]> {
  return useResource<AmendmentView[]>(community && address(community), (signal) => get(address(community ?? ""), signal), REFRESH_SECONDS);
}

/** So many lines are written out; the rest on request. */
const MOST_LINES = 8;

/** What becomes of the lessons, before and after. */
export function Lines({ lines }: { lines: readonly Line[] }) {
  const [all, setAll] = useState(false);
  return (
    <ul class="moves">
      {(all ? lines : lines.slice(0, MOST_LINES)).map((line) => (
        <li key={line.occurrence}>
          <span class="grow ell" title={label(line.title)}>
            {label(line.title)}
          </span>
          {line.before && <s class="dim nw">{standText(line.before)}</s>}
          {line.before && line.after && <Icon name="right" size="sm" />}
          {line.after ? <b class="nw">{standText(line.after)}</b> : <b class="nw">{t("amend.change.cancelled")}</b>}
        </li>
      ))}
      {!all && lines.length > MOST_LINES && (
        <li>
          <Button small kind="quiet" icon="dots" action="all-lines" onClick={() => setAll(true)}>
            {t("amending.more_lines", { count: lines.length - MOST_LINES })}
          </Button>
        </li>
      )}
    </ul>
  );
}

const standText = (stand: { date: string; start: string; end: string }) => `${dayDate(stand.date)} ${span(stand.start, stand.end)}`;

const STATES: Record<AmendmentView["state"], { tone: string; icon?: IconName }> = {
  draft: { tone: "proposed" },
  asked: { tone: "proposed", icon: "send" },
  agreed: { tone: "agreed", icon: "check" },
  applied: { tone: "ok", icon: "check" },
  undone: { tone: "", icon: "undo" },
  refused: { tone: "bad", icon: "flag" },
  withdrawn: { tone: "cancelled" },
};
const ANSWERS: Record<ConsentRow["answer"], { tone: string; icon?: IconName }> = {
  agreed: { tone: "agreed", icon: "check" },
  objected: { tone: "objected", icon: "flag" },
  silent: { tone: "silent", icon: "dots" },
  unaffected: { tone: "" },
};

export interface CardProps {
  table: Table;
  amendment: AmendmentView;
  onChange: () => void;
}

export function AmendmentCard({ table, amendment, onChange }: CardProps) {
  const { busy, error, run } = useAction();
  const [objecting, setObjecting] = useState(false);
  const [reason, setReason] = useState("");
  const { may, revision, state } = amendment;
  const answer = (action: "agree" | "withdraw" | "object", body: object) =>
    run(async () => {
      await post(`${address(amendment.community)}/${amendment.number}/${action}`, { revision, ...body });
      setObjecting(false);
      onChange();
    });
  const takeBack = () =>
    run(async () => {
      await ask(amendment.community, { version: table.newest, change: { kind: "undo", amendment: amendment.number }, reason: "" });
      onChange();
    });
  const says = STATES[state];
  return (
    <li class="amend" data-amendment={amendment.number} data-state={state}>
      <div class="row">
        <b class="grow">{t(`amend.kind.${amendment.change.kind}`)}</b>
        <StateChip tone={says.tone} icon={says.icon}>
          {t(`amend.state.${state}`)}
        </StateChip>
      </div>
      <Lines lines={amendment.lines} />
      <p class="xs mut">
        {table.unitShort(amendment.unit)} {label(amendment.by)} · {dateTime(amendment.at)}
        {amendment.reason && ` · ${amendment.reason}`}
      </p>
      {amendment.cause && <p class="sm">{t(`amend.cause.${amendment.cause}`)}</p>}
      {state === "refused" && <Reasons findings={amendment.findings} />}
      {amendment.consents.length > 0 && (
        <div class="says">
          {amendment.consents.map((row) => {
            const word = ANSWERS[row.answer];
            return (
              <span key={row.unit} data-unit={row.unit} data-state={row.answer} title={row.reason}>
                <StateChip tone={word.tone} icon={word.icon}>
                  {table.unitShort(row.unit)} {t(`answer.${row.answer}`)}
                </StateChip>
              </span>
            );
          })}
        </div>
      )}
      {amendment.consents.map((row) => row.reason && <p class="sm mut" key={row.unit}>{`${table.unitShort(row.unit)}: ${row.reason}`}</p>)}
      {state === "asked" && <p class="xs dim">{t("amending.until", { time: dateTime(amendment.deadline) })}</p>}
      <Failure error={error} retry={error instanceof Problem && error.status === 409 ? onChange : undefined} />
      <Why error={error} />
      {objecting && (
        <form
          class="amend-form"
          onSubmit={(event) => {
            event.preventDefault();
            if (!busy && reason.trim()) answer("object", { reason: reason.trim() });
          }}
        >
          <textarea class="input" required maxLength={500} aria-label={t("nego.reason")} placeholder={t("nego.reason")} value={reason} onInput={(event) => setReason(event.currentTarget.value)} />
          <div class="row">
            <Button small onClick={() => setObjecting(false)}>
              {t("act.cancel")}
            </Button>
            <Button small kind="bad" submit busy={busy} disabled={!reason.trim()} action="send-objection">
              {t("nego.object_send")}
            </Button>
          </div>
        </form>
      )}
      {!objecting && may.length > 0 && (
        <div class="row">
          {may.includes("object") && (
            <Button small kind="bad" icon="flag" action="object-amendment" onClick={() => setObjecting(true)}>
              {t("nego.object")}
            </Button>
          )}
          {may.includes("agree") && (
            <Button small kind="pri" icon="check" busy={busy} action="agree-amendment" onClick={() => answer("agree", {})}>
              {t("nego.agree")}
            </Button>
          )}
          {may.includes("withdraw") && (
            <Button small icon="x" busy={busy} action="withdraw-amendment" onClick={() => answer("withdraw", {})}>
              {t("amending.withdraw")}
            </Button>
          )}
          {may.includes("undo") && (
            <Button small icon="undo" busy={busy} action="undo-amendment" onClick={takeBack}>
              {t("amend.kind.undo")}
            </Button>
          )}
        </div>
      )}
    </li>
  );
}

/** The changes that wait for somebody, and the last of the others. */
export function AmendmentList({ table, amendments, onChange, most }: { table: Table; amendments: readonly AmendmentView[]; onChange: () => void; most: number }) {
  const waiting = amendments.filter((one) => one.state === "asked" || one.state === "agreed");
  const others = amendments.filter((one) => !waiting.includes(one));
  const shown = [...waiting, ...others.slice(0, Math.max(0, most - waiting.length))];
  if (shown.length === 0) return null;
  return (
    <div>
      <h3 class="h">{t("amending.list", { count: amendments.length })}</h3>
      <ul>
        {shown.map((one) => (
          <AmendmentCard key={one.number} table={table} amendment={one} onChange={onChange} />
        ))}
      </ul>
    </div>
  );
}
