/** Where a carried lesson may fall: every slot of the grid with its verdict, the label in the hand, and the reason. */

import type { SlotView } from "../generated/api";
import type { Span } from "../clock/axis";
import { Button, kindOf } from "../ui/components";
import { findingText } from "../ui/findings";
import { Icon, type IconName } from "../ui/icons";
import { has, t } from "../ui/i18n";
import { minutesOf, weekdayName } from "../ui/time";
import { bestSlot, carry, drop, isOpen, putBack, slotBelow, slotName } from "./carry";
import { inside } from "./clock-frame";
import { CARRIED } from "./drag";
import { length, spanOf, type Table } from "./table";

const ICONS: Record<SlotView["verdict"], IconName> = { fits: "check", costs: "check", here: "undo", impossible: "x" };
/** A slot's icon, gap and edges beside its words, and its two lines of them. */
const BESIDE_PX = 36;
const LINES = 2;
const CHINESE_PX = 12;
const LATIN_PX = 6.6;

/** "周四第2节" of its host's day. */
export const slotTitle = (slot: { weekday: number; period: number }) => t("slot.title", { day: weekdayName(slot.weekday), period: slot.period });

/** What the verdict means in a few words; the first reason where it is impossible. */
export function verdictText(slot: SlotView): string {
  if (slot.verdict === "impossible") return slot.reasons[0] ? findingText(slot.reasons[0]) : t("slot.impossible");
  if (slot.verdict === "costs") return t("slot.costs", { delta: slot.delta });
  return t(slot.verdict === "here" ? "slot.here" : slot.delta < 0 ? "slot.cheaper" : "slot.fits", { delta: -slot.delta });
}

/** The same in the few words that a slot has room for; the sentence is said where it is pointed at. */
export function tagText(slot: SlotView): string {
  if (slot.verdict !== "impossible") return verdictText(slot);
  const why = `slot.why.${slot.reasons[0]?.code ?? ""}`;
  return has(why) ? t(why) : t("slot.impossible");
}

/** Whether words stand uncut in a slot of that width: a line holds whole Latin words, and any part of Chinese ones. */
function wordsFit(text: string, width: number): boolean {
  const room = width - BESIDE_PX;
  let lines = 1;
  let used = 0;
  for (const word of text.match(/[\u2e80-\uffef]|[^\s\u2e80-\uffef]+\s*/g) ?? []) {
    const takes = word.charCodeAt(0) >= 0x2e80 ? CHINESE_PX : word.length * LATIN_PX;
    if (takes > room) return false;
    if (used + takes > room) {
      lines += 1;
      used = 0;
    }
    used += takes;
  }
  return lines <= LINES;
}

function slotClass(slot: SlotView): string {
  const name = slotName(slot);
  return [
    "cd",
    slot.verdict,
    bestSlot.value !== null && slotName(bestSlot.value) === name && "best",
    carry.value?.over === name && "over",
  ]
    .filter(Boolean)
    .join(" ");
}

/** The host's minutes of a slot. */
function hostSpan(table: Table, lesson: string, slot: SlotView): Span {
  const host = table.owner(lesson);
  const period = table.units.get(host?.unit ?? "")?.periods.find((one) => one.number === slot.period);
  if (period) return spanOf(period);
  const start = minutesOf(slot.start);
  return { start, end: start + (host ? length(spanOf(host)) : 40) };
}

export interface HalfSlotsProps {
  table: Table;
  half: Span;
  day: number;
  /** How wide one lane is, and which lanes the slots cover; absent: those of the lesson's schools. */
  laneWidth: number;
  lanes?: { first: number; count: number };
}

/** The slots of one day in one stretch of a clock grid. */
export function HalfSlots({ table, half, day, laneWidth, lanes }: HalfSlotsProps) {
  const held = carry.value;
  if (held === null) return null;
  const { first, count } = lanes ?? lanesOf(table, held.lesson);
  return (
    <>
      {held.slots
        .filter((slot) => slot.weekday === day)
        .map((slot) => ({ slot, own: hostSpan(table, held.lesson, slot) }))
        .filter(({ own }) => inside(half, own.start))
        .map(({ slot, own }) => (
          <DropSlot key={slotName(slot)} table={table} slot={slot} width={count * laneWidth} style={{ "--l": first, "--n": count, "--s": own.start, "--e": own.end }} />
        ))}
    </>
  );
}

function lanesOf(table: Table, lesson: string): { first: number; count: number } {
  const units = (table.lessons.get(lesson)?.parties ?? []).map((party) => table.view.units.findIndex((unit) => unit.id === party.unit)).filter((lane) => lane >= 0);
  const first = Math.min(...units);
  return { first, count: Math.max(...units) - first + 1 };
}

interface DropSlotProps {
  table: Table;
  slot: SlotView;
  /** In px; absent: as wide as words need. */
  width?: number;
  style?: Record<string, number>;
}

function DropSlot({ table, slot, width, style }: DropSlotProps) {
  const tag = tagText(slot);
  const text = verdictText(slot);
  return (
    <i
      class={slotClass(slot)}
      style={style}
      title={`${slotTitle(slot)} ${text}`}
      data-slot={slotName(slot)}
      data-verdict={slot.verdict}
      onClick={() => void drop(slot, table.view.revision)}
    >
      <Icon name={ICONS[slot.verdict]} size="sm" />
      {(width === undefined || wordsFit(tag, width)) && <span>{tag}</span>}
    </i>
  );
}

/** The slot that falls into a period of a classic grid: the host's periods are laid onto the school's own. */
export function CellSlot({ table, unit, day, period }: { table: Table; unit: string; day: number; period: number }) {
  const held = carry.value;
  if (held === null) return null;
  const own = table.units.get(unit)?.periods ?? [];
  const shared = (a: Span, b: Span) => Math.min(a.end, b.end) - Math.max(a.start, b.start);
  const slot = held.slots.find((one) => {
    if (one.weekday !== day) return false;
    const span = hostSpan(table, held.lesson, one);
    const met = [...own].sort((a, b) => shared(spanOf(b), span) - shared(spanOf(a), span))[0];
    return met !== undefined && met.number === period && shared(spanOf(met), span) > 0;
  });
  return slot ? <DropSlot table={table} slot={slot} /> : null;
}

/** The label in the hand of the pointer, and what the slot below means. */
export function Carrying({ table }: { table: Table }) {
  const held = carry.value;
  const lesson = table.lessons.get(held?.lesson ?? "");
  if (held === null || lesson === undefined) return null;
  const { tone, icon } = kindOf(lesson.kind);
  const below = slotBelow.value;
  const best = bestSlot.value;
  return (
    <>
      {held.how === "pointer" && (
        <div class={`carried ${tone}`} id={CARRIED} aria-hidden="true">
          <b>
            <Icon name="grip" size="sm" />
            <Icon name={icon} size="sm" />
            {table.title(lesson)}
          </b>
          <small>{lesson.parties.map((party) => table.unitShort(party.unit)).join(" · ")}</small>
        </div>
      )}
      <div data-how={held.how} class={`carry-hint ${below !== null && minutesOf(below.start) >= 12 * 60 ? "up" : ""}`} role="status">
        {held.how !== "pointer" && (
          <span class="carry-close">
            <Button small kind="quiet" icon="x" label={t("act.close")} onClick={putBack} />
          </span>
        )}
        <b class="row">
          <Icon name={held.loading ? "load" : below === null ? "info" : ICONS[below.verdict]} size="sm" spin={held.loading} />
          {held.loading ? t("carry.looking") : below ? t(`slot.said.${below.verdict}`, { slot: slotTitle(below) }) : t(held.how === "look" ? "carry.look_lead" : "carry.lead", { lesson: table.title(lesson) })}
        </b>
        {below?.verdict === "impossible" && below.reasons.slice(0, 3).map((reason) => <p key={reason.code}>{findingText(reason)}</p>)}
        {below?.repairable && held.how !== "look" && <p class="mut may">{t("slot.may_repair", { count: below.lessons.length })}</p>}
        {below?.verdict === "costs" && <p>{verdictText(below)}</p>}
        {best !== null && (below === null || !isOpen(below)) && <p class="way">{t("carry.best", { slot: slotTitle(best), text: verdictText(best) })}</p>}
        {held.how !== "pointer" && (
          <p class="mut keys">
            <kbd class="kbd">← ↑ ↓ →</kbd> {t(held.how === "look" ? "carry.key_any" : "carry.key_next")}{" "}
            {held.how === "keys" && (
              <>
                <kbd class="kbd">Shift</kbd> {t("carry.key_any")} <kbd class="kbd">Enter</kbd> {t("carry.key_drop")}{" "}
              </>
            )}
            <kbd class="kbd">Esc</kbd> {t("carry.key_back")}
          </p>
        )}
      </div>
    </>
  );
}
