/** How a review closes: what each side writes, who is still missing, and the closing itself. */
import { useState } from "preact/hooks";
import type { CloseReview, ConclusionView, NewConclusion, ReviewView } from "../generated/api";
import { post, Problem, put } from "../ui/api";
import { Button, Failure, Note, StateChip, useAction } from "../ui/components";
import { remember, t } from "../ui/i18n";
import { me } from "../ui/session";
import { addDays, countyTime, dateTime, shortDate } from "../ui/time";
import { sideClass, unitName } from "./words";

export interface ConclusionsProps {
  view: ReviewView;
  changed: (view: ReviewView) => void;
  reload: () => void;
}

export function Conclusions({ view, changed, reload }: ConclusionsProps) {
  const { row } = view;
  const missing = row.missing.map((unit) => unitName(view, unit));
  const mine = view.conclusions.find((one) => one.author === me.value?.id);
  const closed = row.state === "closed";
  const due = shortDate(countyTime(row.dueAt).date);
  return (
    <div class="pb" role="tabpanel">
      {closed ? (
        <Note tone="ok">{t("review.closing.closed")}</Note>
      ) : missing.length > 0 ? (
        <Note tone={row.overdue ? "bad" : "warn"}>{t(row.overdue ? "review.closing.overdue" : "review.closing.missing", { due, units: missing.join(t("classroom.comma")) })}</Note>
      ) : (
        <Note tone="ok">{t("review.closing.complete")}</Note>
      )}
      {view.conclusions
        .filter((one) => closed || one !== mine || !view.may.includes("conclude"))
        .map((one) => (
          <Written key={one.author} conclusion={one} />
        ))}
      {view.may.includes("conclude") && !closed && <Form key={mine?.writtenAt ?? 0} view={view} mine={mine} changed={changed} />}
      {!closed && <Close view={view} missing={missing} changed={changed} reload={reload} />}
    </div>
  );
}

function Written({ conclusion }: { conclusion: ConclusionView }) {
  const follow = [conclusion.followUp, conclusion.owner, conclusion.due].filter(Boolean).join(" · ");
  return (
    <section class="cl" data-unit={conclusion.unit}>
      <div class="row">
        <b class={`sd ${sideClass(conclusion.side)}`}>{t(`review.side.${conclusion.side}`)}</b>
        <b class="grow ell">{[conclusion.unitName, conclusion.authorName].filter(Boolean).join(" · ")}</b>
        <StateChip tone="agreed" icon="check">
          {t("review.closing.written", { time: dateTime(conclusion.writtenAt) })}
        </StateChip>
      </div>
      {conclusion.hidden && <p class="mut sm">{t("review.words_hidden")}</p>}
      <dl hidden={conclusion.hidden}>
        <dt>{t("review.closing.worked")}</dt>
        <dd>{conclusion.worked}</dd>
        <dt>{t("review.closing.change")}</dt>
        <dd>{conclusion.change}</dd>
        {follow && (
          <>
            <dt>{t("review.closing.follow_up")}</dt>
            <dd>{follow}</dd>
          </>
        )}
      </dl>
    </section>
  );
}

const EMPTY: Required<NewConclusion> = { worked: "", change: "", followUp: "", owner: "", due: "" };

function Form({ view, mine, changed }: { view: ReviewView; mine: ConclusionView | undefined; changed: (view: ReviewView) => void }) {
  const key = `tongke.conclusion.${view.row.id}.${me.value?.id ?? ""}`;
  const [text, setText] = useState<Required<NewConclusion>>(() => draftOf(key) ?? (mine ? pick(mine) : { ...EMPTY, due: addDays(countyTime(view.row.heldAt).date, 7) }));
  const [saved, setSaved] = useState(draftOf(key) !== null);
  const action = useAction();
  const empty = (name: keyof NewConclusion) => text[name].trim() === "";
  // A follow-up that nobody owns and that is never due is none.
  const asked: (keyof NewConclusion)[] = empty("followUp") ? ["worked", "change"] : ["worked", "change", "owner", "due"];
  const needed = asked.filter(empty);
  const write = (part: Partial<NewConclusion>) => {
    const next = { ...text, ...part };
    setText(next);
    remember(key, JSON.stringify(next));
    setSaved(true);
  };
  const send = () =>
    action.run(async () => {
      const next = await put<ReviewView>(`/api/reviews/${encodeURIComponent(view.row.id)}/conclusion`, empty("followUp") ? { ...text, owner: "", due: "" } : text);
      remember(key, "");
      setSaved(false);
      changed(next);
    });
  const area = (name: "worked" | "change" | "followUp", word: string, rows: number) => (
    <label>
      <span>{t(word)}</span>
      <textarea
        name={name}
        rows={rows}
        value={text[name]}
        maxLength={2000}
        placeholder={name === "followUp" ? t("review.closing.follow_up_hint") : t("review.closing.one_sentence")}
        onInput={(event) => write({ [name]: event.currentTarget.value })}
      />
    </label>
  );
  return (
    <form
      class="cl edit"
      onSubmit={(event) => {
        event.preventDefault();
        if (needed.length === 0 && !action.busy) send();
      }}
    >
      <div class="row">
        {view.mySide && <b class={`sd ${sideClass(view.mySide)}`}>{t(`review.side.${view.mySide}`)}</b>}
        <b class="grow ell">{t("review.closing.mine", { unit: me.value?.unitName ?? "" })}</b>
        {saved ? <span class="st">{t("review.closing.draft")}</span> : mine && <StateChip tone="agreed" icon="check">{t("review.closing.sent")}</StateChip>}
      </div>
      {area("worked", "review.closing.worked", 2)}
      {area("change", "review.closing.change", 2)}
      {area("followUp", "review.closing.follow_up", 1)}
      <div class="two">
        <label>
          <span>{t("review.closing.owner")}</span>
          <input name="owner" value={text.owner} maxLength={60} onInput={(event) => write({ owner: event.currentTarget.value })} />
        </label>
        <label>
          <span>{t("review.closing.due")}</span>
          <input name="due" type="date" value={text.due} onInput={(event) => write({ due: event.currentTarget.value })} />
        </label>
      </div>
      <Failure error={action.error} />
      <div class="row">
        <span class="sm dim grow">
          {needed.length > 0 ? t("review.closing.needed", { parts: needed.map((name) => t(`review.closing.${name}`)).join(t("classroom.comma")) }) : ""}
        </span>
        <Button kind="pri" submit action="conclude" busy={action.busy} disabled={needed.length > 0 || (!saved && mine !== undefined)}>
          {t(mine ? "review.closing.again" : "review.closing.send")}
        </Button>
      </div>
    </form>
  );
}

function draftOf(key: string): Required<NewConclusion> | null {
  const kept = remember(key);
  if (!kept) return null;
  try {
    return { ...EMPTY, ...(JSON.parse(kept) as Partial<NewConclusion>) };
  } catch {
    return null;
  }
}

function pick({ worked, change, followUp, owner, due }: ConclusionView): Required<NewConclusion> {
  return { worked, change, followUp, owner, due };
}

interface CloseProps {
  view: ReviewView;
  missing: string[];
  changed: (view: ReviewView) => void;
  reload: () => void;
}

/** Names what closing means; where it cannot be, who is missing. */
function Close({ view, missing, changed, reload }: CloseProps) {
  const action = useAction();
  const may = view.may.includes("close");
  const stale = action.error instanceof Problem && action.error.status === 409;
  const close = () =>
    action.run(async () =>
      changed(await post<ReviewView>(`/api/reviews/${encodeURIComponent(view.row.id)}/close`, { revision: view.revision } satisfies CloseReview)),
    );
  return (
    <div class="acts close">
      {stale ? (
        <Note tone="warn">
          {t("review.closing.stale")}{" "}
          <Button
            small
            action="reload"
            onClick={() => {
              action.clear();
              reload();
            }}
          >
            {t("review.closing.look")}
          </Button>
        </Note>
      ) : (
        <Failure error={action.error} />
      )}
      <div class="row">
        <span class="sm dim grow">{may ? t("review.closing.final") : missing.length > 0 ? t("review.closing.wait", { units: missing.join(t("classroom.comma")) }) : t("review.closing.not_you")}</span>
        <Button kind={may ? "pri" : undefined} action="close-review" busy={action.busy} disabled={!may} onClick={close}>
          {t("review.closing.close")}
        </Button>
      </div>
    </div>
  );
}
