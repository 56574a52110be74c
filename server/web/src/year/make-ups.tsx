/** When the shared lessons that a closing took could be held instead: the best slot first, taken one by one or all. */

import { useState } from "preact/hooks";
import type { ClosingView, LostLesson, MakeUpAnswer, MakeUpPlanView } from "../generated/api";
import { get, post } from "../ui/api";
import { Button, Empty, Failure, KindChip, Skeleton, StateChip, useAction } from "../ui/components";
import { t, type Values } from "../ui/i18n";
import { label, subjectName } from "../ui/names";
import { useResource } from "../ui/resource";
import { dayDate, span } from "../ui/time";
import { Reasons } from "../ui/why";

export function MakeUps({ community, closing, onAsked }: { community: string; closing: ClosingView; onAsked: () => void }) {
  const path = `/api/communities/${encodeURIComponent(community)}/closings/${closing.id}/make-ups`;
  const { data, error, reload } = useResource<MakeUpPlanView>(`${path} ${closing.revision}`, (signal) => get(path, signal));
  const { busy, error: failed, run } = useAction();
  const [picked, setPicked] = useState<ReadonlyMap<string, number>>(new Map());
  const [refused, setRefused] = useState<readonly MakeUpAnswer[]>([]);
  if (error !== undefined) return <Failure error={error} retry={reload} />;
  if (data === undefined) return <Skeleton lines={4} />;
  const open = data.plan.lost.filter((one) => one.state === "open" && one.choices.length > 0);
  const choiceOf = (lost: LostLesson) => lost.choices[picked.get(lost.occurrence) ?? 0];
  const ask = (some: readonly LostLesson[]) =>
    run(async () => {
      const choices = some.flatMap((lost) => {
        const choice = choiceOf(lost);
        return choice ? [{ occurrence: lost.occurrence, date: choice.date, period: choice.period }] : [];
      });
      const answers = await post<MakeUpAnswer[]>(path, { version: data.version, choices });
      setRefused(answers.filter((one) => one.amendment === null));
      reload();
      onAsked();
    });
  if (data.plan.lost.length === 0) return <Empty>{t("make_up.none")}</Empty>;
  return (
    <div class="make-ups">
      <div class="row">
        <span class="grow sm mut">{t("make_up.lead", { own: data.plan.own })}</span>
        {data.mayAsk && open.length > 1 && (
          <Button small kind="pri" icon="check" busy={busy} action="take-all" onClick={() => ask(open)}>
            {t("make_up.take_all", { count: open.length })}
          </Button>
        )}
      </div>
      <Failure error={failed} retry={reload} />
      <Reasons findings={refused.flatMap((one) => one.findings)} />
      <ul>
        {data.plan.lost.map((lost) => (
          <Lost
            key={lost.occurrence}
            lost={lost}
            index={picked.get(lost.occurrence) ?? 0}
            pick={(index) => setPicked(new Map(picked).set(lost.occurrence, index))}
            take={data.mayAsk ? () => ask([lost]) : undefined}
            busy={busy}
          />
        ))}
      </ul>
    </div>
  );
}

interface LostProps {
  lost: LostLesson;
  index: number;
  pick: (index: number) => void;
  take: (() => void) | undefined;
  busy: boolean;
}

const slotText = (slot: { date: string; start: string; end: string }) => `${dayDate(slot.date)} ${span(slot.start, slot.end)}`;

export function Lost({ lost, index, pick, take, busy }: LostProps) {
  const choice = lost.choices[index];
  return (
    <li class="lost" data-occurrence={lost.occurrence} data-state={lost.state}>
      <div class="lost-what">
        {lost.units.length > 1 && <KindChip kind={lost.kind} />}
        <b class="ell">{label(lost.title)}</b>
        <s class="dim sm nw">{slotText(lost)}</s>
      </div>
      {lost.state !== "open" && (
        <StateChip tone={lost.state === "made_up" ? "ok" : "proposed"} icon={lost.state === "made_up" ? "check" : "send"}>
          {t(`make_up.state.${lost.state}`)}
        </StateChip>
      )}
      {lost.state === "open" && choice === undefined && (
        <div class="lost-choice">
          <span class="sm">{t("make_up.no_slot")}</span>
          <Reasons findings={lost.findings} />
        </div>
      )}
      {lost.state === "open" && choice !== undefined && (
        <div class="lost-choice">
          <div class="row">
            <select class="input" aria-label={t("make_up.slot_of", { lesson: label(lost.title) })} value={index} onChange={(event) => pick(Number(event.currentTarget.value))}>
              {lost.choices.map((one, number) => (
                <option value={number} key={number}>
                  {slotText(one)}
                </option>
              ))}
            </select>
            {take && (
              <Button small kind="pri" busy={busy} action="take-make-up" onClick={take}>
                {t("make_up.take")}
              </Button>
            )}
          </div>
          <span class="xs mut">{choice.reasons.map((reason) => t(`make_up.reason.${reason.code}`, worded(reason.values ?? {}))).join(" · ")}</span>
        </div>
      )}
    </li>
  );
}

function worded(values: Record<string, string | number>): Values {
  const { subject, name } = values;
  return {
    ...values,
    ...(typeof subject === "string" ? { subject: subjectName(subject) } : {}),
    ...(typeof name === "string" ? { name: label(name) } : {}),
  };
}
