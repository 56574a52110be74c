/** The repair of a drop before it is accepted: which lessons move and in which schools, what it costs, who is touched,
 * and whether another slot needs far fewer moves. Nothing is changed before it is accepted. */

import { useEffect, useRef } from "preact/hooks";
import type { MoveView, RepairView, SlotView, TimetableView } from "../generated/api";
import { Problem } from "../ui/api";
import { Button, Failure, Note, StateChip, useAction } from "../ui/components";
import { Icon } from "../ui/icons";
import { t } from "../ui/i18n";
import { accept, drop, type Elsewhere, MANY_MOVES, putBack, turnTo } from "./carry";
import { Conflict } from "./conflict";
import { slotTitle } from "./drop-slots";
import type { Table } from "./table";

export interface RepairProps {
  table: Table;
  slot: SlotView;
  community: string;
  repair: RepairView;
  elsewhere: Elsewhere | "looking" | undefined;
  onChange: (view: TimetableView) => void;
  onStale: () => void;
}

export function Repair({ table, slot, community, repair, elsewhere, onChange, onStale }: RepairProps) {
  const { busy, error, run } = useAction();
  const head = useRef<HTMLHeadingElement>(null);
  const stale = error instanceof Problem && error.status === 409;
  const change = repair.costAfter - repair.costBefore;
  const count = repair.moves.length;
  const many = count >= MANY_MOVES;
  useEffect(() => head.current?.focus(), []);
  if (error instanceof Problem && error.code === "stale_version") return <Faster table={table} lesson={repair.lesson} slot={slot} onChange={onChange} />;
  const take = () =>
    run(async () => {
      onChange(await accept(community, repair));
    });
  return (
    <>
      <section class="card repair" data-repair={repair.id} data-moves={count}>
        <div class="row">
          <h3 class="row grow" tabIndex={-1} ref={head}>
            {many && <Icon name="warn" size="sm" />}
            {t("repair.title", { count, slot: slotTitle(slot) })}
          </h3>
          <StateChip tone={repair.verified ? "ok" : "warn"} icon={repair.verified ? "check" : "warn"}>
            {t(repair.verified ? "repair.verified" : "repair.unverified")}
          </StateChip>
        </div>
        <Schools table={table} repair={repair} />
        <p class="sm">{t(change === 0 ? "repair.cost_same" : change > 0 ? "repair.cost_more" : "repair.cost_less", { before: repair.costBefore, after: repair.costAfter, change: Math.abs(change) })}</p>
        {elsewhere !== undefined && <Other elsewhere={elsewhere} />}
        {many ? <BySchool table={table} repair={repair} /> : <Moves table={table} moves={repair.moves} />}
      </section>
      <Failure error={error} retry={stale ? onStale : undefined} />
      <div class="acts">
        <Button small onClick={putBack}>
          {t("act.cancel")}
        </Button>
        <Button small kind={typeof elsewhere === "object" ? undefined : "pri"} icon="check" busy={busy} action="accept-repair" onClick={take}>
          {t(many ? "repair.accept_many" : "repair.accept", { count })}
        </Button>
      </div>
    </>
  );
}

/** Whose days change, and how many lessons move in each school; one that several schools share moves in each. */
function Schools({ table, repair }: { table: Table; repair: RepairView }) {
  const moving = (unit: string) => repair.moves.filter((move) => table.lessons.get(move.lesson)?.parties.some((party) => party.unit === unit)).length;
  const named = repair.units.map((unit) => ({ unit, count: moving(unit) })).sort((a, b) => b.count - a.count);
  const words = named.map(({ unit, count }) => (count > 0 ? t("repair.school", { unit: table.unitShort(unit), count }) : table.unitShort(unit)));
  const several = named.reduce((sum, one) => sum + one.count, 0) > repair.moves.length;
  return (
    <p class="sm" data-schools={named.length}>
      {t("repair.asks", { count: named.length, units: words.join(t("list.comma")) })}
      {several && named.length > 1 && <span class="dim"> {t("repair.asks_each")}</span>}
    </p>
  );
}

/** Another slot that needs far fewer moves, to look at; its own repair is shown before it is taken, too. */
function Other({ elsewhere }: { elsewhere: Elsewhere | "looking" }) {
  if (elsewhere === "looking") {
    return (
      <p class="row sm mut" role="status">
        <Icon name="load" size="sm" spin />
        {t("repair.elsewhere_looking")}
      </p>
    );
  }
  const { slot, repair } = elsewhere;
  const [count, change] = [repair.moves.length, repair.costAfter - repair.costBefore];
  return (
    <div data-elsewhere={`${slot.weekday}.${slot.period}`} role="status">
      <Note tone="info">
        <p class="sm">
          {t(count === 1 ? "repair.elsewhere_alone" : "repair.elsewhere", { slot: slotTitle(slot), count })}
          <br />
          {t(change === 0 ? "repair.cost_same" : change > 0 ? "repair.cost_more" : "repair.cost_less", { before: repair.costBefore, after: repair.costAfter, change: Math.abs(change) })}
        </p>
        <Button small kind="pri" action="look-elsewhere" onClick={() => turnTo(elsewhere)}>
          {t("repair.elsewhere_look", { slot: slotTitle(slot) })}
        </Button>
      </Note>
    </div>
  );
}

/** Many moves by the school that hosts them, each to be opened; the lesson that was dragged first. */
function BySchool({ table, repair: { moves } }: { table: Table; repair: RepairView }) {
  const [own, ...others] = moves;
  const groups = new Map<string, MoveView[]>();
  for (const move of others) {
    const host = table.owner(move.lesson)?.unit ?? "";
    groups.set(host, [...(groups.get(host) ?? []), move]);
  }
  const sorted = [...groups].sort(([, a], [, b]) => b.length - a.length);
  return (
    <>
      {own && <Moves table={table} moves={[own]} />}
      {sorted.map(([unit, all]) => (
        <details key={unit} data-school={unit}>
          <summary class="sm">{t("repair.school", { unit: table.unitName(unit), count: all.length })}</summary>
          <Moves table={table} moves={all} />
        </details>
      ))}
    </>
  );
}

function Moves({ table, moves }: { table: Table; moves: readonly MoveView[] }) {
  return (
    <ul class="moves">
      {moves.map((move) => {
        const lesson = table.lessons.get(move.lesson);
        return (
          <li key={move.lesson}>
            <span class="grow ell" title={lesson && table.full(lesson)}>
              {lesson ? table.full(lesson) : move.lesson}
            </span>
            <s class="dim nw">{slotTitle(move.source)}</s>
            <Icon name="right" size="sm" />
            <b class="nw">{slotTitle(move.target)}</b>
          </li>
        );
      })}
    </ul>
  );
}

/** Somebody changed the draft while the lesson was in the hand. */
export function Faster({ table, lesson, slot, onChange }: { table: Table; lesson: string; slot: SlotView; onChange: (view: TimetableView) => void }) {
  const moved = table.lessons.get(lesson);
  return (
    <Conflict
      table={table}
      mine={t("conflict.mine.move", { lesson: moved ? table.full(moved) : "", slot: slotTitle(slot) })}
      onTake={(view) => {
        putBack();
        onChange(view);
      }}
      onAgain={(view) => {
        onChange(view);
        void drop(slot, view.revision);
      }}
    />
  );
}
