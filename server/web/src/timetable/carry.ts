/** A lesson that is being carried to another slot: where it may go, what it is over, and the repair of its drop. */

import { computed, signal } from "@preact/signals";
import type { NewRepair, RepairView, Revision, SlotsView, SlotView, TimetableView } from "../generated/api";
import { call, get, post, Problem } from "../ui/api";

export interface Carry {
  community: string;
  lesson: string;
  /** By pointer it falls where it is let go, by keys it waits for Enter; who only looks leaves it where it is. */
  how: "pointer" | "keys" | "look";
  slots: readonly SlotView[];
  /** The name of the slot below it, of `slotName`. */
  over: string | null;
  loading: boolean;
  error?: unknown;
}

/** What came of a drop: on its way, refused, or found. */
export interface Drop {
  community: string;
  lesson: string;
  slot: SlotView;
  /** Those that were known when it was dropped. */
  slots: readonly SlotView[];
  repair?: RepairView;
  error?: unknown;
  /** Where many would have to move: another slot that needs far fewer, or that one is looked for. */
  elsewhere?: Elsewhere | "looking";
}

/** Another slot for the lesson, with its repair. */
export interface Elsewhere {
  slot: SlotView;
  repair: RepairView;
}

/** From so many lessons on that have to move, other slots are looked at too. */
export const MANY_MOVES = 4;
/** So many of them, each a search of its own. */
const OTHERS_TRIED = 3;

export const carry = signal<Carry | null>(null);
export const dropped = signal<Drop | null>(null);
/** Whether the draft is about to be another one: a repair is accepted, a change undone or redone. */
export const changing = signal(false);

export const slotName = (slot: { weekday: number; period: number }) => `${slot.weekday}.${slot.period}`;
export const isOpen = (slot: SlotView) => slot.verdict === "fits" || slot.verdict === "costs";

/** The slots where the lesson may stand, the cheapest first. */
export const openSlots = computed(() =>
  ((carry.value ?? dropped.value)?.slots ?? []).filter(isOpen).sort((a, b) => a.delta - b.delta || a.weekday - b.weekday || a.period - b.period),
);
/** Those that others would have to leave for it, the fewest first. */
export const repairableSlots = computed(() => ((carry.value ?? dropped.value)?.slots ?? []).filter((slot) => slot.repairable).sort((a, b) => a.lessons.length - b.lessons.length || a.weekday - b.weekday || a.period - b.period));
export const bestSlot = computed(() => openSlots.value[0] ?? null);
export const looking = computed(() => carry.value?.how === "look");
export const slotBelow = computed(() => carry.value?.slots.find((slot) => slotName(slot) === carry.value?.over) ?? null);

const address = (community: string) => `/api/communities/${encodeURIComponent(community)}`;
let asked: AbortController | null = null;
/** The searches for the drop that is shown, its own and those elsewhere; the server ends what nobody waits for. */
let searching: AbortController | null = null;

/** Takes a lesson of the draft (to look: of any version) into the hand, and asks once for all its slots. */
export async function pickUp(community: string, lesson: string, how: Carry["how"], version = "draft"): Promise<void> {
  asked?.abort();
  searching?.abort();
  asked = new AbortController();
  const { signal: stopped } = asked;
  dropped.value = null;
  carry.value = { community, lesson, how, slots: [], over: null, loading: true };
  try {
    const { slots } = await get<SlotsView>(`${address(community)}/slots?lesson=${encodeURIComponent(lesson)}&version=${version}`, stopped);
    const here = slots.find((slot) => slot.verdict === "here");
    if (carry.value?.lesson === lesson) carry.value = { ...carry.value, slots, over: carry.value.over ?? (here ? slotName(here) : null), loading: false };
  } catch (error) {
    if (!stopped.aborted && carry.value?.lesson === lesson) carry.value = { ...carry.value, loading: false, error };
  }
}

/** Lets the server set out the table, so that the first lesson that is taken has its slots at once. */
export function makeReady(community: string, lesson: string): void {
  // whoever takes a lesson hears of what is wrong
  get(`${address(community)}/slots?lesson=${encodeURIComponent(lesson)}&version=draft`).catch(() => undefined);
}

export function carryOver(name: string | null): void {
  if (carry.value !== null && carry.value.over !== name) carry.value = { ...carry.value, over: name };
}

/** Puts everything back as it was. */
export function putBack(): void {
  asked?.abort();
  searching?.abort();
  carry.value = null;
  dropped.value = null;
}

/** Lets the lesson go over a slot: the server repairs what is in its way. Over nothing, or over its own place, it
 * returns. */
export async function drop(slot: SlotView | null, revision: number): Promise<void> {
  const held = carry.value ?? dropped.value;
  if (held === null) return;
  if (looking.value) {
    if (slot !== null) carryOver(slotName(slot));
    return;
  }
  carry.value = null;
  dropped.value = null;
  searching?.abort();
  if (slot === null || slot.verdict === "here") return;
  searching = new AbortController();
  const own: Drop = { community: held.community, lesson: held.lesson, slot, slots: held.slots };
  dropped.value = own;
  try {
    const repair = await repairFor(own, slot, revision);
    if (dropped.value !== own) return;
    const many = repair.moves.length >= MANY_MOVES;
    dropped.value = { ...own, repair, elsewhere: many ? "looking" : undefined };
    if (many) void lookElsewhere(dropped.value, repair, revision);
  } catch (error) {
    if (dropped.value === own) dropped.value = { ...own, error };
  }
}

function repairFor({ community, lesson }: Drop, slot: SlotView, revision: number): Promise<RepairView> {
  const wanted: NewRepair = { revision, lesson, weekday: slot.weekday, period: slot.period };
  return call<RepairView>("POST", `${address(community)}/repairs`, { body: wanted, signal: searching?.signal });
}

/** The slots that promise the fewest moves are tried one by one: a free one, else those with the fewest in the way. */
async function lookElsewhere(shown: Drop, repair: RepairView, revision: number): Promise<void> {
  const others = (openSlots.value.length > 0 ? openSlots.value.slice(0, 1) : repairableSlots.value).filter((one) => slotName(one) !== slotName(shown.slot));
  let best: Elsewhere | undefined;
  for (const slot of others.slice(0, OTHERS_TRIED)) {
    const found = await repairFor(shown, slot, revision).catch((refusal: unknown) => {
      // a slot that cannot be had is none that needs fewer, and who gave up looking wants none
      if (refusal instanceof Problem || dropped.value !== shown) return null;
      throw refusal;
    });
    if (dropped.value !== shown) return;
    if (found !== null && 2 * found.moves.length <= repair.moves.length && found.moves.length < (best?.repair.moves.length ?? Infinity)) best = { slot, repair: found };
    if (best?.repair.moves.length === 1) break;
  }
  dropped.value = { ...shown, elsewhere: best };
}

/** Looks at the other slot's repair instead; it is not taken yet. */
export function turnTo({ slot, repair }: Elsewhere): void {
  searching?.abort();
  if (dropped.value !== null) dropped.value = { ...dropped.value, slot, repair, elsewhere: undefined };
}

/**
 * Another place for a lesson, all else as far as possible where it is: the slot that somebody asks for, else the
 * cheapest. Where there is none the lesson stays in the hand, and the panel says why.
 */
export async function seek(community: string, lesson: string, wanted: { weekday: number; period: number } | null, revision: number): Promise<void> {
  await pickUp(community, lesson, "keys");
  const slot = wanted === null ? bestSlot.value : (carry.value?.slots.find((one) => slotName(one) === slotName(wanted)) ?? null);
  if (slot !== null) await drop(slot, revision);
}

async function change(path: string, body?: Revision): Promise<TimetableView> {
  changing.value = true;
  searching?.abort();
  if (dropped.value?.elsewhere === "looking") dropped.value = { ...dropped.value, elsewhere: undefined };
  try {
    const view = await post<TimetableView>(path, body);
    putBack();
    return view;
  } finally {
    changing.value = false;
  }
}

/** Makes the repair's table the draft. */
export const accept = (community: string, repair: RepairView) => change(`${address(community)}/repairs/${encodeURIComponent(repair.id)}/accept`);

/** Takes back the last change of the draft. */
export const undo = (community: string, revision: number) => change(`${address(community)}/undo`, { revision });

/** Does again what was taken back last. */
export const redo = (community: string, revision: number) => change(`${address(community)}/redo`, { revision });

/** The slot that an arrow key leads to: up and down in the day, left and right to the nearest hour of another day. */
export function neighbour(key: string, any: boolean): SlotView | null {
  const held = carry.value;
  if (held === null) return null;
  const from = slotBelow.value;
  const all = held.slots.filter((slot) => any || looking.value || isOpen(slot) || slot.verdict === "here");
  if (from === null) return all[0] ?? null;
  const sideways = { ArrowLeft: -1, ArrowRight: 1 }[key];
  const updown = { ArrowUp: -1, ArrowDown: 1 }[key] ?? 0;
  const ahead =
    sideways !== undefined
      ? all.filter((slot) => (slot.weekday - from.weekday) * sideways > 0)
      : all.filter((slot) => slot.weekday === from.weekday && (slot.period - from.period) * updown > 0);
  const far = (slot: SlotView) => Math.abs(slot.weekday - from.weekday) * 100 + Math.abs(slot.period - from.period);
  return ahead.reduce<SlotView | null>((best, slot) => (best === null || far(slot) < far(best) ? slot : best), null);
}
