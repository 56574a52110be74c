/** This module owns who watches a lesson, and which tracks of it. */
import type { Role, Track } from "../generated/live";
import { faceOf, inRoomOf, isMemberCamera, type Room, self } from "./room";

export const ROLES_THAT_WATCH: readonly Role[] = ["host", "endpoint", "observer", "patrol"];

/** Everybody's voice, and one picture of each but oneself: the one that stands for it. */
export function wanted(room: Room): Track[] {
  const me = self(room);
  const others = room.snapshot.participants.filter((p) => p.id !== room.me && !isMemberCamera(room, p));
  const audio = room.tracks.filter((t) => t.kind === "audio" && t.participant !== room.me && !inRoomOf(room, me, t.participant));
  const faces = others.flatMap((p) => faceOf(room, p) ?? []);
  return [...audio, ...faces];
}
