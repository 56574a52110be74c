/** The seats of a class: as many as somebody counted on this phone, otherwise as the register says. */
import type { Participant } from "../generated/live";
import { remember } from "../ui/i18n";
import type { Room } from "./room";

const SIZE = "tongke.seats.";
const USUAL_CLASS = 40;
export const LARGEST_CLASS = 99;

export function classSize(room: Room, own: Participant): number {
  const remembered = Number(remember(SIZE + (own.room || own.unit)));
  if (remembered >= 1 && remembered <= LARGEST_CLASS) return remembered;
  const registered = room.snapshot.lesson.rooms.find((one) => one.unit === own.unit)?.pupils ?? 0;
  return registered > 0 ? Math.min(LARGEST_CLASS, registered) : USUAL_CLASS;
}

export function rememberSize(own: Participant, size: number): void {
  remember(SIZE + (own.room || own.unit), String(size));
}

export function seatsOf(room: Room, own: Participant): number[] {
  return Array.from({ length: classSize(room, own) }, (_, index) => index + 1);
}
