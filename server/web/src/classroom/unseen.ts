/**
 * Why a picture that should be there is not. This module owns telling what the line of this page fails to carry from what
 * its sender does not send, and the words for either: nobody is told that a line is weak which is not.
 */
import type { Participant } from "../generated/live";
import { t } from "../ui/i18n";
import { faceOf, program, type Room } from "./room";

/** `own_line`: ours carries no picture now; the others are the sender's: its line, its camera, its cut, or no one knows what. */
export type Why = "own_line" | "their_line" | "their_camera" | "reconnecting" | "not_sent";

/** Why this page gets nothing of the picture that stands for somebody; null: it does, or there is none to be had. */
export function whyUnseen(room: Room, participant: Participant): Why | null {
  const track = participant.id === room.me ? undefined : faceOf(room, participant);
  const level = track && room.levels[track.id];
  if (level === "still") return "own_line";
  return level === "unsent" ? whyUnsent(room, participant) : null;
}

/** Why somebody sends no picture. */
export function whyUnsent(room: Room, participant: Participant): Exclude<Why, "own_line"> {
  if (participant.presence !== "connected") return "reconnecting";
  if (room.links[participant.id]?.upStill) return "their_line";
  return darkened(participant) && faceOf(room, participant)?.source !== "screen" ? "their_camera" : "not_sent";
}

/** Why of what all rooms see this one gets sound alone. */
export function whySoundAlone(room: Room): Why | null {
  const shown = program(room);
  return shown === undefined || shown.presence === "offline" ? null : whyUnseen(room, shown);
}

/** Whether a room itself says that its camera gives nothing. */
export function darkened(participant: Participant): boolean {
  return participant.camera !== null && participant.camera !== "ok";
}

/** A few words, to stand over the place of a picture. */
export function shortly(why: Why, participant: Participant): string {
  return t(why === "their_camera" ? `classroom.device.short_${participant.camera}` : `classroom.unseen.${why}`);
}

/** A sentence, for a class to know whether it can do anything. */
export function inFull(why: Why, participant: Participant): string {
  return t(`classroom.unseen.${why}_text`, { unit: participant.unitName, what: why === "their_camera" ? shortly(why, participant) : "" });
}
