/** Words and numbers that the parts of a review share. */
import type { ReviewView, Side, ViewTrack } from "../generated/api";
import { has, t } from "../ui/i18n";

/** Each view with a key of its own: a participant with two cameras has two views. */
export function keyed(view: ReviewView): { key: string; track: ViewTrack }[] {
  return view.views.map((track) => ({ key: `${track.participant}/${track.source}`, track }));
}

/** "18:32" of lesson seconds. */
export function lessonTime(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

export function sideClass(side: Side): "core" | "mem" {
  return side === "host" ? "core" : "mem";
}

export function unitName(view: ReviewView, unit: string): string {
  return view.unitNames[unit] ?? unit;
}

export const LABELS = ["pupils", "question", "board", "exercise", "pace", "sound"];

export function labelWord(label: string): string {
  return has(`review.label.${label}`) ? t(`review.label.${label}`) : label;
}

/** One letter for a person, as the pins have it: the last of a Chinese name, the first of another. */
export function initial(name: string): string {
  const last = name.slice(-1);
  return /[A-Za-z一-鿿]/.test(last) ? last : name.slice(0, 1);
}

/** What a mark says. */
export function markWord(kind: string, label: string): string {
  const words = kind === "signal" && has(`classroom.signal.${label}`) ? t(`classroom.signal.${label}`) : label;
  return [t(`review.mark.${kind}`), words].filter(Boolean).join(" · ");
}
