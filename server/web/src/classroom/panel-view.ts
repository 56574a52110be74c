/** What each view of the big panel is given. */
import type { Participant } from "../generated/live";
import type { Classroom } from "./classroom";
import type { Room } from "./room";

export interface ViewProps {
  classroom: Classroom;
  room: Room;
  me: Participant;
}
