/** The negotiation in the side panel: every school's word on the draft, and saying one's own. */

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { ConsentRow, NegotiationView, Objection, Revision, SlotsView, TimetableView } from "../generated/api";
import { get, post, Problem } from "../ui/api";
import { Button, Dialog, Empty, Failure, Field, Note, StateChip, useAction } from "../ui/components";
import { findingText } from "../ui/findings";
import { Icon, type IconName } from "../ui/icons";
import { t } from "../ui/i18n";
import { useResource } from "../ui/resource";
import { dateTime, weekdayName } from "../ui/time";
import { seek, slotName } from "./carry";
import { Conflict } from "./conflict";
import { tagText } from "./drop-slots";
import { Ledger } from "./ledger";
import { go, openLesson, place } from "./place";
import { isShared, type Table } from "./table";

const ANSWERS: Record<ConsentRow["answer"], { tone: string; icon?: IconName; short: string }> = {
  agreed: { tone: "agreed", icon: "check", short: "a" },
  objected: { tone: "objected", icon: "flag", short: "o" },
  silent: { tone: "silent", icon: "dots", short: "s" },
  unaffected: { tone: "", short: "u" },
};
/** Objections first: they are what has to be solved. */
const OVER: readonly NegotiationView["state"][] = ["draft", "published"];
const ORDER: readonly ConsentRow["answer"][] = ["objected", "silent", "agreed", "unaffected"];

type Action = "propose" | "agree" | "object" | "publish";

interface Tried {
  action: Action;
  body: Revision | Objection;
}

export interface ConsentProps {
  table: Table;
  /** Shows what an action answered. */
  onChange: (view: TimetableView) => void;
  /** Somebody was faster: load what stands now. */
  onStale: () => void;
  /** Shown below every school's word, above it while nobody is asked. */
  children?: ComponentChildren;
}

export function ConsentPanel({ table, onChange, onStale, children }: ConsentProps) {
  const { negotiation, community } = table.view;
  const [asking, setAsking] = useState<"object" | "publish" | null>(null);
  const [tried, setTried] = useState<Tried | null>(null);
  const { busy, error, run, clear } = useAction();
  const looksAt = table.view.status === "published" && negotiation !== null && negotiation.state !== "published";
  if (negotiation === null && table.view.versions.length === 0) return <Empty>{t("nego.none")}</Empty>;
  const warnings = table.view.warnings.map((finding) => (
    <Note tone="warn" key={findingText(finding)}>
      {findingText(finding)}
    </Note>
  ));
  if (negotiation === null) {
    return (
      <div class="pb">
        {warnings}
        {children}
        <Ledger table={table} />
      </div>
    );
  }
  const send = (action: Action, body: Revision | Objection) => {
    setTried({ action, body });
    run(async () => {
      onChange(await post<TimetableView>(`/api/communities/${encodeURIComponent(community.id)}/${action}`, body));
      setAsking(null);
    });
  };
  const revision = table.view.revision;
  const idle = negotiation.state === "draft" || negotiation.state === "published";
  const stale = error instanceof Problem && error.status === 409;
  const conflict = error instanceof Problem && error.code === "stale_version" && table.view.status !== "published";
  const rows = [...negotiation.consents].sort((a, b) => ORDER.indexOf(a.answer) - ORDER.indexOf(b.answer));
  return (
    <div class="pb" data-state={negotiation.state}>
      <div class="pt0">
        <h2>{t(`nego.title.${negotiation.state}`, { draft: negotiation.draft })}</h2>
        <p class="mut sm">{t(`nego.rule.${negotiation.mode}`)}</p>
        {rows.length > 0 && <Meter negotiation={negotiation} />}
      </div>
      {looksAt && (
        <Note tone="info">
          {t("nego.other_shown", { version: table.view.version })}
          <div class="note-act">
            <Button small onClick={() => go({ version: "draft" })}>
              {t("nego.show_draft", { draft: negotiation.draft })}
            </Button>
          </div>
        </Note>
      )}
      {warnings}
      {conflict && tried ? (
        <Conflict
          table={table}
          mine={t(`conflict.mine.${tried.action}`, { reason: "reason" in tried.body ? tried.body.reason : "" })}
          onTake={(view) => {
            clear();
            setAsking(null);
            onChange(view);
          }}
          onAgain={(view) => {
            onChange(view);
            send(tried.action, { ...tried.body, revision: view.revision });
          }}
        />
      ) : (
        <Failure error={error} retry={stale ? onStale : undefined} />
      )}
      {idle && children}
      {rows.length > 0 && (
        <ul>
          {rows.map((row) => (
            <ConsentLine key={row.unit} table={table} row={row} asked={negotiation.state !== "draft"} />
          ))}
        </ul>
      )}
      {!idle && children}
      {table.view.lessons.length > 0 && <Ledger table={table} />}
      <NegotiationActions
        negotiation={negotiation}
        busy={busy}
        propose={() => send("propose", { revision })}
        agree={() => send("agree", { revision })}
        object={() => setAsking("object")}
        publish={() => setAsking("publish")}
      />
      {asking === "publish" && !conflict && (
        <Dialog title={t("nego.publish_title", { draft: negotiation.draft })} onClose={() => setAsking(null)}>
          <p>{t("nego.publish_means", { count: table.view.units.length })}</p>
          <Failure error={error} />
          <div class="dialog-acts">
            <Button onClick={() => setAsking(null)}>{t("act.cancel")}</Button>
            <Button kind="pri" icon="lock" busy={busy} onClick={() => send("publish", { revision })}>
              {t("nego.publish_confirm", { count: table.view.units.length })}
            </Button>
          </div>
        </Dialog>
      )}
      {asking === "object" && !conflict && <ObjectDialog table={table} busy={busy} error={error} close={() => setAsking(null)} send={(objection) => send("object", objection)} />}
    </div>
  );
}

function Meter({ negotiation }: { negotiation: NegotiationView }) {
  const affected = negotiation.consents.filter((row) => row.answer !== "unaffected").sort((a, b) => -ORDER.indexOf(a.answer) + ORDER.indexOf(b.answer));
  const count = (answer: ConsentRow["answer"]) => affected.filter((row) => row.answer === answer).length;
  const words = t(negotiation.state === "draft" ? "nego.counts_draft" : "nego.counts", { agreed: count("agreed"), objected: count("objected"), silent: count("silent") });
  return (
    <>
      <div class="meter" role="img" aria-label={words} style={{ gridTemplateColumns: `repeat(${affected.length}, 1fr)` }}>
        {affected.map((row) => {
          const { short, icon } = ANSWERS[row.answer];
          return (
            <i class={short} key={row.unit}>
              {row.answer !== "agreed" && icon && <Icon name={icon} size="sm" />}
            </i>
          );
        })}
      </div>
      <p class="xs dim row">
        <span class="grow">{words}</span>
        {negotiation.deadline !== null && !OVER.includes(negotiation.state) && <span class="nw">{t("nego.due", { time: dateTime(negotiation.deadline) })}</span>}
      </p>
    </>
  );
}

function ConsentLine({ table, row, asked }: { table: Table; row: ConsentRow; asked: boolean }) {
  const { tone, icon } = ANSWERS[row.answer];
  const lesson = row.lesson === null ? undefined : table.lessons.get(row.lesson);
  const wanted = row.counterWeekday !== null && row.counterPeriod !== null ? { weekday: row.counterWeekday, period: row.counterPeriod } : null;
  const counter = wanted === null ? "" : t("nego.counter", { day: weekdayName(wanted.weekday), period: wanted.period });
  return (
    <li class="ng" data-unit={row.unit} data-state={row.answer}>
      <div class="row">
        <span class="grow ell">
          <b>{table.unitName(row.unit)}</b> {row.at !== null && <span class="xs dim">{dateTime(row.at)}</span>}
        </span>
        <StateChip tone={tone} icon={icon}>
          {t(row.answer === "silent" && !asked ? "answer.not_asked" : `answer.${row.answer}`)}
        </StateChip>
      </div>
      {row.reason && <p class="sm mut">{row.reason}</p>}
      {(lesson || counter) && (
        <div class="ctr">
          <span class="sm grow">{counter}</span>
          {lesson && (
            <Button small onClick={() => openLesson(lesson.id)}>
              {table.title(lesson)}
            </Button>
          )}
        </div>
      )}
      {lesson && row.answer === "objected" && table.movable && (
        <div class="ctr">
          <Button small icon="search" action="seek-place" onClick={() => void seek(table.view.community.id, lesson.id, wanted, table.view.revision)}>
            {t(wanted === null ? "nego.seek" : "nego.seek_counter")}
          </Button>
        </div>
      )}
    </li>
  );
}

interface ActionsProps {
  negotiation: NegotiationView;
  busy: boolean;
  propose: () => void;
  agree: () => void;
  object: () => void;
  publish: () => void;
}

/** Only what the person may do now; a core school that waits sees what it waits for. */
function NegotiationActions({ negotiation, busy, propose, agree, object, publish }: ActionsProps) {
  const may = (action: NegotiationView["may"][number]) => negotiation.may.includes(action);
  const waits = may("build") && negotiation.state === "proposed";
  if (!may("propose") && !may("agree") && !may("object") && !may("publish") && !waits) return null;
  return (
    <div class="acts">
      {may("object") && (
        <Button small kind="bad" icon="flag" action="object" onClick={object}>
          {t("nego.object")}
        </Button>
      )}
      {may("agree") && (
        <Button small kind="pri" icon="check" action="agree" busy={busy} onClick={agree}>
          {t("nego.agree")}
        </Button>
      )}
      {may("propose") && (
        <Button small kind="pri" icon="send" action="propose" busy={busy} onClick={propose}>
          {t("nego.propose")}
        </Button>
      )}
      {may("publish") && (
        <Button small kind="pri" icon="lock" action="publish" onClick={publish}>
          {t("nego.publish", { draft: negotiation.draft })}
        </Button>
      )}
      {waits && !may("publish") && (
        <Button small kind="pri" icon="lock" action="publish" disabled>
          {t("nego.publish_waits", { draft: negotiation.draft, missing: negotiation.missing })}
        </Button>
      )}
    </div>
  );
}

interface ObjectProps {
  table: Table;
  busy: boolean;
  error: unknown;
  close: () => void;
  send: (objection: Objection) => void;
}

/** An objection says why; where it can, which lesson, and which slot would do. */
function ObjectDialog({ table, busy, error, close, send }: ObjectProps) {
  const shared = table.view.lessons.filter((lesson) => isShared(lesson) && lesson.parties.length > 1);
  const [reason, setReason] = useState("");
  const [lesson, setLesson] = useState(shared.some((one) => one.id === place.value.lesson) ? (place.value.lesson ?? "") : "");
  const [slot, setSlot] = useState("");
  const host = table.units.get(table.owner(lesson)?.unit ?? "");
  const [weekday, period] = slot.split(".").map(Number);
  const path = lesson && `/api/communities/${encodeURIComponent(table.view.community.id)}/slots?lesson=${encodeURIComponent(lesson)}&version=draft`;
  const known = useResource<SlotsView>(path || null, (signal) => get(path, signal));
  const verdicts = new Map(known.data?.slots.map((one) => [slotName(one), one]));
  const submit = () =>
    send({
      revision: table.view.revision,
      reason: reason.trim(),
      lesson: lesson || null,
      counterWeekday: slot ? (weekday ?? null) : null,
      counterPeriod: slot ? (period ?? null) : null,
    });
  return (
    <Dialog title={t("nego.object_title")} onClose={close}>
      <form
        class="object-form"
        onSubmit={(event) => {
          event.preventDefault();
          if (!busy && reason.trim()) submit();
        }}
      >
        <Field label={t("nego.reason")}>
          <textarea class="input" required maxLength={500} value={reason} onInput={(event) => setReason(event.currentTarget.value)} />
        </Field>
        <Field label={t("nego.which_lesson")}>
          <select class="input" value={lesson} onChange={(event) => setLesson(event.currentTarget.value)}>
            <option value="">{t("nego.whole_table")}</option>
            {shared.map((one) => (
              <option value={one.id}>
                {weekdayName(one.weekday)} {one.start} {table.title(one)}
              </option>
            ))}
          </select>
        </Field>
        {host && (
          <Field label={t("nego.counter_slot", { unit: host.shortName })}>
            <select class="input" value={slot} onChange={(event) => setSlot(event.currentTarget.value)}>
              <option value="">{t("nego.no_counter")}</option>
              {table.weekdays.flatMap((day) =>
                host.periods.map((one) => {
                  const known = verdicts.get(`${day}.${one.number}`);
                  return (
                    <option value={`${day}.${one.number}`} data-verdict={known?.verdict}>
                      {weekdayName(day)} {t("lesson.period", { period: one.number })} {one.start} {known && `· ${tagText(known)}`}
                    </option>
                  );
                }),
              )}
            </select>
          </Field>
        )}
        <Failure error={error} />
        <div class="dialog-acts">
          <Button onClick={close}>{t("act.cancel")}</Button>
          <Button kind="pri" submit busy={busy} disabled={!reason.trim()} action="send-objection">
            {t("nego.object_send")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
