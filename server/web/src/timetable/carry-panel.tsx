/** The side panel while a lesson is moved: the best places, why the others are none, and what comes of its drop. */

import type { SlotView, TimetableView } from "../generated/api";
import { Problem } from "../ui/api";
import { Button, Failure, KindChip, Note } from "../ui/components";
import { findingText, isFinding } from "../ui/findings";
import { Icon } from "../ui/icons";
import { has, t } from "../ui/i18n";
import { carry, type Drop, dropped, drop, looking, openSlots, putBack, repairableSlots, slotBelow, slotName } from "./carry";
import { slotTitle, verdictText } from "./drop-slots";
import { Faster, Repair } from "./repair";
import type { Table } from "./table";

const BEST = 3;

export function CarryPanel({ table, onChange, onStale }: { table: Table; onChange: (view: TimetableView) => void; onStale: () => void }) {
  const lesson = table.lessons.get(carry.value?.lesson ?? dropped.value?.lesson ?? "");
  const host = table.owner(lesson?.id);
  if (lesson === undefined || host === undefined) return null;
  return (
    <div class="pb carry" data-lesson={lesson.id} data-state={carry.value ? "carrying" : dropped.value?.repair ? "proposed" : "repairing"}>
      <div class="pt0">
        <span class="dim xs">{t(looking.value ? "carry.looking_at" : carry.value ? "carry.moving" : "repair.moving")}</span>
        <h2>{table.title(lesson)}</h2>
        <div class="row">
          <KindChip kind={lesson.kind} />
        </div>
        <p class="mut sm">
          {t("carry.from", { slot: slotTitle({ weekday: lesson.weekday, period: host.period }), units: lesson.parties.map((party) => table.unitShort(party.unit)).join(t("list.comma")) })}
        </p>
      </div>
      {carry.value ? <Places table={table} /> : dropped.value && <Dropped table={table} dropped={dropped.value} onChange={onChange} onStale={onStale} />}
    </div>
  );
}

function Places({ table }: { table: Table }) {
  const held = carry.value;
  if (held === null) return null;
  const none = held.slots.filter((slot) => slot.verdict === "impossible");
  return (
    <>
      <Failure error={held.error} />
      {!held.loading && held.error === undefined && openSlots.value.length === 0 && <Note tone="warn">{t(looking.value ? "carry.no_place_look" : "carry.no_place")}</Note>}
      <Below table={table} />
      <Best table={table} />
      {none.length > 0 && <Reasons slots={none} />}
      <div class="acts">
        <Button small onClick={putBack}>
          {t(looking.value ? "act.close" : "carry.put_back")} <kbd class="kbd">Esc</kbd>
        </Button>
      </div>
    </>
  );
}

/** The slot that is pointed at: whether it would do, everything that stands against it, what it would cost. */
function Below({ table }: { table: Table }) {
  const slot = slotBelow.value;
  if (slot === null || slot.verdict === "here") return null;
  const inTheWay = slot.lessons.map((id) => table.lessons.get(id)).filter((lesson) => lesson !== undefined);
  return (
    <section class="below" data-slot-verdict={slot.verdict} aria-live="polite">
      <h3 class="h">{t(`slot.said.${slot.verdict}`, { slot: slotTitle(slot) })}</h3>
      <ul class="why">
        {slot.reasons.map((reason) => (
          <li class="sm" key={findingText(reason)}>
            {findingText(reason)}
          </li>
        ))}
        {inTheWay.length > 0 && <li class="sm mut">{t("carry.in_the_way", { lessons: inTheWay.map((lesson) => table.full(lesson)).join(t("list.comma")) })}</li>}
        {slot.rules.map((rule) => (
          <li class="sm row" key={rule.rule}>
            <span class="grow">{t(`rule.${rule.rule}`)}</span>
            <b>{rule.cost > 0 ? `+${rule.cost}` : rule.cost}</b>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The cheapest places, to choose by a press; where there is none, those for which the fewest others have to move. */
function Best({ table, refused }: { table: Table; refused?: SlotView }) {
  const free = openSlots.value.slice(0, BEST);
  const best = free.length > 0 ? free : repairableSlots.value.filter((slot) => refused === undefined || slotName(slot) !== slotName(refused)).slice(0, BEST);
  if (best.length === 0) return null;
  return (
    <div>
      <h3 class="h costs-head">{t(free.length > 0 ? "carry.places" : "carry.tries", { count: best.length })}</h3>
      <ol class="places">
        {best.map((slot, index) => (
          <li key={slotName(slot)} data-place={slotName(slot)}>
            <b class="num">{index + 1}</b>
            <span class="grow">
              <b>{slotTitle(slot)}</b>
              <span class="sm mut">{slot.repairable ? t("carry.others_move", { count: slot.lessons.length }) : verdictText(slot)}</span>
            </span>
            {!looking.value && (
              <Button small kind={index === 0 ? "pri" : undefined} onClick={() => void drop(slot, table.view.revision)}>
                {t(slot.repairable ? "carry.try_here" : "carry.put_here")}
              </Button>
            )}
          </li>
        ))}
      </ol>
    </div>
  );
}

/** Why the other slots are none, by reason. */
function Reasons({ slots }: { slots: readonly SlotView[] }) {
  const counts = new Map<string, number>();
  for (const slot of slots) {
    const code = slot.reasons[0]?.code ?? "other";
    counts.set(code, (counts.get(code) ?? 0) + 1);
  }
  const sorted = [...counts].sort((a, b) => b[1] - a[1]);
  const most = sorted[0]?.[1] ?? 1;
  return (
    <div>
      <h3 class="h costs-head">{t("carry.others", { count: slots.length })}</h3>
      <ul class="brk2">
        {sorted.map(([code, count]) => (
          <li key={code}>
            <span class="grow">{has(`slot.why.${code}`) ? t(`slot.why.${code}`) : t("slot.impossible")}</span>
            <i style={{ width: `${Math.max(3, (count / most) * 84)}px` }} />
            <b>{count}</b>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Dropped({ table, dropped: { lesson, slot, repair, error, community, elsewhere }, onChange, onStale }: { table: Table; dropped: Drop; onChange: (view: TimetableView) => void; onStale: () => void }) {
  if (repair) return <Repair key={repair.id} table={table} slot={slot} community={community} repair={repair} elsewhere={elsewhere} onChange={onChange} onStale={onStale} />;
  const stale = error instanceof Problem && error.status === 409;
  if (error instanceof Problem && error.code === "stale_version") return <Faster table={table} lesson={lesson} slot={slot} onChange={onChange} />;
  const reasons = error instanceof Problem ? error.errors.filter(isFinding) : slot.reasons;
  return (
    <>
      {error === undefined && (
        <p class="row" role="status">
          <Icon name="load" size="sm" spin />
          {t("repair.looking", { slot: slotTitle(slot) })}
        </p>
      )}
      {error !== undefined && (
        <>
          <Failure error={error} retry={stale ? onStale : undefined} />
          <ul class="why">
            {reasons.map((reason) => (
              <li class="sm" key={findingText(reason)}>
                {findingText(reason)}
              </li>
            ))}
          </ul>
          {!stale && <Best table={table} refused={slot} />}
        </>
      )}
      <div class="acts">
        <Button small onClick={putBack}>
          {t(error === undefined ? "act.cancel" : "carry.put_back")}
        </Button>
      </div>
    </>
  );
}
