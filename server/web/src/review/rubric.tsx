/** The 100-point rubric: both sides' means item by item, and one's own score. */
import { useState } from "preact/hooks";
import type { Criterion, NewScore, ReviewView, ScoreView, Side } from "../generated/api";
import { put } from "../ui/api";
import { Button, Failure, Note, useAction } from "../ui/components";
import { has, language, t } from "../ui/i18n";
import { me } from "../ui/session";
import { sideClass } from "./words";

const SIDES: readonly Side[] = ["host", "member"];
/** Least percentages of all but the last band, the best first. */
const BANDS = [90, 80, 70, 60];

export function bandOf(total: number, most: number): string {
  const share = most > 0 ? (total / most) * 100 : 0;
  const place = BANDS.findIndex((least) => share >= least);
  return `band_${place < 0 ? BANDS.length + 1 : place + 1}`;
}

function criterionName(criterion: Criterion): string {
  return language() === "en" ? criterion.titleEn || criterion.titleZh : criterion.titleZh;
}

function mean(scores: readonly ScoreView[], of: (score: ScoreView) => number): number | null {
  return scores.length === 0 ? null : scores.reduce((sum, score) => sum + of(score), 0) / scores.length;
}

const shown = (value: number | null) => (value === null ? "—" : String(Math.round(value * 10) / 10));

export function Rubric({ view, changed }: { view: ReviewView; changed: (view: ReviewView) => void }) {
  const { rubric, scores } = view;
  const most = rubric.criteria.reduce((sum, criterion) => sum + criterion.points, 0);
  const bySide = (side: Side) => scores.filter((score) => score.side === side);
  const widest = rubric.criteria
    .map((criterion) => {
      const [host, far] = SIDES.map((side) => mean(bySide(side), (score) => score.points[criterion.id] ?? 0));
      return { criterion, gap: host == null || far == null ? 0 : Math.abs(host - far) };
    })
    .sort((a, b) => b.gap - a.gap)[0];
  return (
    <div class="pb" role="tabpanel">
      <p>
        <b>{t("review.rubric.title", { most })}</b> <span class="dim sm">{t("review.rubric.version", { version: rubric.version })}</span>
      </p>
      <div class="tot">
        {SIDES.map((side) => {
          const total = mean(bySide(side), (score) => score.total);
          return (
            <div key={side}>
              <b class={`sd ${sideClass(side)}`}>{t(`review.side.${side}`)}</b>
              <p>
                <b>{shown(total)}</b> {total !== null && t(`review.band.${bandOf(total, most)}`)}
              </p>
              <span class="xs dim">{t("review.rubric.raters", { n: bySide(side).length })}</span>
            </div>
          );
        })}
      </div>
      <table class="rt">
        <thead>
          <tr>
            <th scope="col">{t("review.rubric.item")}</th>
            {SIDES.map((side) => (
              <td key={side}>{t(`review.side.${side}`)}</td>
            ))}
          </tr>
        </thead>
        <tbody>
          {rubric.criteria.map((criterion) => (
            <tr key={criterion.id}>
              <th scope="row">
                <span>{criterionName(criterion)}</span>
                <span class="dim"> {criterion.points}</span>
              </th>
              {SIDES.map((side) => {
                const value = mean(bySide(side), (score) => score.points[criterion.id] ?? 0);
                return (
                  <td key={side}>
                    <div class={`rb ${sideClass(side)}`}>
                      <i style={{ width: `${((value ?? 0) / Math.max(1, criterion.points)) * 100}%` }} />
                    </div>
                    <b>{shown(value)}</b>
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
      {widest && widest.gap > 0 && <Note tone="info">{t("review.rubric.widest", { item: criterionName(widest.criterion), points: shown(widest.gap) })}</Note>}
      {scores.length > 0 && (
        <ul class="raters">
          {scores.map((score) => (
            <li key={score.author} class="row sm">
              <b class={`sd ${sideClass(score.side)}`}>{t(`review.group.${score.group}`)}</b>
              <span class="grow ell">{score.authorName}</span>
              {score.rubricVersion !== rubric.version && <span class="chip">{t("review.rubric.version", { version: score.rubricVersion })}</span>}
              <b>{score.total}</b>
              <span class="dim">{has(`review.band.${score.band}`) ? t(`review.band.${score.band}`) : score.band}</span>
            </li>
          ))}
        </ul>
      )}
      {view.may.includes("score") && <MyScore view={view} most={most} changed={changed} />}
    </div>
  );
}

function MyScore({ view, most, changed }: { view: ReviewView; most: number; changed: (view: ReviewView) => void }) {
  const mine = view.scores.find((score) => score.author === me.value?.id);
  const [points, setPoints] = useState<Record<string, number>>(mine?.rubricVersion === view.rubric.version ? mine.points : {});
  const action = useAction();
  const { criteria } = view.rubric;
  const done = criteria.filter((criterion) => points[criterion.id] !== undefined).length;
  const total = criteria.reduce((sum, criterion) => sum + (points[criterion.id] ?? 0), 0);
  const give = (criterion: Criterion, value: number) => {
    if (Number.isNaN(value)) return;
    setPoints({ ...points, [criterion.id]: Math.min(criterion.points, Math.max(0, Math.round(value))) });
  };
  const send = () =>
    action.run(async () => changed(await put<ReviewView>(`/api/reviews/${encodeURIComponent(view.row.id)}/score`, { points } satisfies NewScore)));
  return (
    <form
      class="mine"
      onSubmit={(event) => {
        event.preventDefault();
        if (done === criteria.length && !action.busy) send();
      }}
    >
      <div class="row">
        <b class="grow">{t("review.rubric.mine")}</b>
        <b class="big2">{total}</b>
        <span class="dim">
          / {most} {done === criteria.length && t(`review.band.${bandOf(total, most)}`)}
        </span>
      </div>
      {criteria.map((criterion) => {
        const value = points[criterion.id];
        return (
          <div class="crit" key={criterion.id}>
            <label for={`score-${criterion.id}`} class="sm grow ell">
              {criterionName(criterion)}
            </label>
            <input
              type="range"
              min={0}
              max={criterion.points}
              step={1}
              value={value ?? 0}
              class={value === undefined ? "unset" : ""}
              aria-label={criterionName(criterion)}
              onInput={(event) => give(criterion, event.currentTarget.valueAsNumber)}
            />
            <input
              id={`score-${criterion.id}`}
              name={criterion.id}
              type="number"
              inputMode="numeric"
              min={0}
              max={criterion.points}
              value={value ?? ""}
              onInput={(event) => give(criterion, event.currentTarget.valueAsNumber)}
            />
            <span class="dim sm">/ {criterion.points}</span>
          </div>
        );
      })}
      <Failure error={action.error} />
      <div class="row acts">
        <span class="sm dim grow">{t("review.rubric.done", { n: done, all: criteria.length })}</span>
        <Button kind="pri" submit action="score" busy={action.busy} disabled={done < criteria.length}>
          {t(mine ? "review.rubric.again" : "review.rubric.send")}
        </Button>
      </div>
    </form>
  );
}
