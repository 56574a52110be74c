/**
 * The room as a page knows it. This module owns the fold of the server's messages into one immutable value, the same
 * fold as the server's, so that a resumed page and a fresh one show the same.
 */
import { foldBoard, isBoardEvent } from "./board";
import { foldExercise, isExerciseEvent } from "./exercise";
import type { Event, ExpectedRoom, Link, Participant, Receiving, ServerMessage, Snapshot, Track } from "../generated/live";

export interface Room {
  me: string;
  role: string;
  snapshot: Snapshot;
  tracks: Track[];
  links: Record<string, Link>;
  /** What this page gets of each track that it sees. */
  levels: Receiving["levels"];
  /** Server's unix seconds less those of this page's steady clock. */
  clockOffset: number;
}

/** The next state; the same value when the message changes nothing. `localNow` in seconds of the page's steady clock. */
export function next(room: Room | null, message: ServerMessage, localNow: number): Room | null {
  switch (message.t) {
    case "welcome":
      return {
        me: message.participant,
        role: message.role,
        snapshot: message.snapshot,
        tracks: message.tracks,
        links: {},
        levels: {},
        clockOffset: message.serverTime - localNow,
      };
    case "resumed":
      return room && { ...room, tracks: message.tracks, clockOffset: message.serverTime - localNow };
    case "event":
      return room && { ...room, snapshot: fold(room.snapshot, message) };
    case "tracks":
      return room && { ...room, tracks: message.tracks };
    case "links":
      return room && { ...room, links: { ...room.links, ...message.links } };
    case "receiving":
      return room && { ...room, levels: message.levels };
    default:
      return room;
  }
}

/** Is this classroom recorded while the others do not hear it? Its panel says so, and keeps the microphone open. */
export function recordedUnheard(who: Participant): boolean {
  return who.role === "endpoint" && who.muted && who.recording === "recording";
}

/** Messages of the teachers that a page keeps, as many as a snapshot holds. */
const CHAT_KEPT = 100;

export function fold(snapshot: Snapshot, { event, at }: Event): Snapshot {
  if (isBoardEvent(event)) return { ...snapshot, board: foldBoard(snapshot.board, event, at) };
  if (isExerciseEvent(event)) return foldExercise(snapshot, event, at);
  switch (event.type) {
    case "session_opened":
      return { ...snapshot, state: "open" };
    case "session_live":
      return { ...snapshot, state: "live", liveSince: at };
    case "session_overrun":
      return { ...snapshot, state: "overrun", overrunUntil: at + event.endsIn };
    case "session_ended":
      return end(snapshot);
    case "review_opened":
      return { ...snapshot, review: event.review };
    case "joined":
      return join(snapshot, event, at);
    case "reconnecting":
      return change(snapshot, event.participant, { presence: "reconnecting", since: at });
    case "returned":
      return change(snapshot, event.participant, { presence: "connected", since: at });
    case "left":
      return leave(snapshot, event.participant, at);
    case "hand_raised":
      return change(snapshot, event.participant, (p) => ({ hands: [...p.hands, { id: event.hand, at, seat: event.seat }] }));
    case "hand_lowered":
      return change(snapshot, event.participant, (p) => ({ hands: p.hands.filter((h) => h.id !== event.hand) }));
    case "called_on":
      return change({ ...snapshot, called: event.participant, calledSeat: event.seat }, event.participant, {
        turns: event.turn,
      });
    case "call_ended":
      return { ...snapshot, called: null, calledSeat: null };
    case "spotlight_set":
      return { ...snapshot, spotlight: event.participant };
    case "muted":
      return change(snapshot, event.participant, { muted: event.muted });
    case "marked":
      return { ...snapshot, marks: snapshot.marks + 1, lastMark: at };
    case "signalled":
      return change(snapshot, event.participant, { signal: event.kind });
    case "timer_set":
      return { ...snapshot, timerUntil: event.until };
    case "attendance_taken":
      return change(snapshot, event.participant, { absent: event.absent, late: event.late });
    case "recording_changed":
      return change(snapshot, event.participant, { recording: event.state });
    case "devices_reported":
      return change(snapshot, event.participant, { camera: event.camera, microphone: event.microphone });
    case "camera_changed": {
      const { camera } = event;
      const known = snapshot.cameras.some((one) => one.room === camera.room);
      const cameras = known ? snapshot.cameras.map((one) => (one.room === camera.room ? camera : one)) : [...snapshot.cameras, camera];
      return { ...snapshot, cameras: cameras.filter((one) => one.state !== "off") };
    }
    case "said": {
      const { type: _, message: id, ...rest } = event;
      return { ...snapshot, chat: [...snapshot.chat, { id, at, ...rest }].slice(-CHAT_KEPT) };
    }
    case "source_selected":
      return change(snapshot, event.participant, { source: event.source });
    case "talk_measured":
    case "line_measured":
    case "withheld":
      return snapshot;
  }
}

type Change = Partial<Participant> | ((participant: Participant) => Partial<Participant>);

function change(snapshot: Snapshot, id: string, what: Change): Snapshot {
  return {
    ...snapshot,
    participants: snapshot.participants.map((p) =>
      p.id === id ? { ...p, ...(typeof what === "function" ? what(p) : what) } : p,
    ),
  };
}

function end(snapshot: Snapshot): Snapshot {
  const participants = snapshot.participants.map((p) => ({ ...p, hands: [], recording: "off" as const }));
  return { ...snapshot, state: "ended", participants, board: { ...snapshot.board, shown: null }, called: null, calledSeat: null, spotlight: null, timerUntil: null, exercise: null };
}

/** Who comes back later is the same classroom: its turns and its attendance still count. */
function join(snapshot: Snapshot, event: Extract<Event["event"], { type: "joined" }>, at: number): Snapshot {
  const { type: _, participant: id, ...who } = event;
  const known = snapshot.participants.find((p) => p.id === id);
  const fresh: Participant = {
    id,
    ...who,
    presence: "connected",
    since: at,
    muted: (who.role !== "host" && who.role !== "encoder") || who.unit !== snapshot.lesson.hostUnit,
    hands: [],
    turns: known?.turns ?? 0,
    signal: null,
    recording: known?.recording ?? "off",
    absent: known?.absent ?? null,
    late: known?.late ?? [],
    camera: null,
    microphone: null,
    source: known?.source ?? (who.role === "host" || who.role === "encoder" ? "teacher" : "pupils"),
  };
  if (known === undefined) return { ...snapshot, participants: [...snapshot.participants, fresh] };
  return change(snapshot, id, fresh);
}

/** The tile stays, with its telephone number; only those nobody saw vanish. */
function leave(snapshot: Snapshot, id: string, at: number): Snapshot {
  if (snapshot.participants.some((p) => p.id === id && p.hidden)) {
    return { ...snapshot, participants: snapshot.participants.filter((p) => p.id !== id) };
  }
  return change(snapshot, id, { presence: "offline", since: at, hands: [], muted: true, signal: null, recording: "off" });
}

// Views of the room ---------------------------------------------------------------------------------------------------

export function self(room: Room): Participant | undefined {
  return room.snapshot.participants.find((p) => p.id === room.me);
}

export function host(room: Room): Participant | undefined {
  return room.snapshot.participants.find((p) => p.role === "host");
}

/** The member rooms that are or were here, in a fixed order. */
export function memberRooms(room: Room): Participant[] {
  return inOrder(room, room.snapshot.participants.filter((p) => p.role === "endpoint" && !p.hidden));
}

/** The member rooms in a fixed order, those that have not come among them: a missing class must be seen. */
export function lessonRooms(room: Room): Participant[] {
  const here = memberRooms(room);
  const known = new Set(here.map((p) => p.room || p.id));
  return inOrder(room, [...here, ...room.snapshot.lesson.rooms.filter((r) => !known.has(r.room)).map(notCome)]);
}

/** How many of a class are there to answer; 0 where nobody knows. */
export function pupilsOf(room: Room, place: Participant): number {
  const { lesson } = room.snapshot;
  const all = place.role === "host" ? lesson.hostPupils : (lesson.rooms.find((one) => one.unit === place.unit)?.pupils ?? 0);
  return Math.max(0, all - (place.absent?.length ?? 0));
}

/** The places whose classes answer: the host's own where it has one, then the rooms of the lesson. */
export function classes(room: Room): Participant[] {
  const teacher = host(room);
  const own = teacher && room.snapshot.lesson.hostPupils > 0 ? [teacher] : [];
  return [...own, ...lessonRooms(room)];
}

/** Whether a room has neither camera nor microphone, as its school has said. */
export function listensOnly(room: Room, participant: Participant | undefined): boolean {
  return participant?.role === "endpoint" && room.snapshot.lesson.rooms.some((one) => one.room === participant.room && one.listenOnly);
}

/** Whether a room's place is only kept for it: it has not come yet. */
export function hasNotCome(participant: Participant): boolean {
  return participant.presence === "offline" && participant.since === 0;
}

function inOrder(room: Room, rooms: Participant[]): Participant[] {
  const order = new Map(room.snapshot.lesson.expected.map((id, index) => [id, index]));
  const place = (p: Participant) => order.get(p.room || p.id) ?? order.size;
  return rooms.sort((a, b) => place(a) - place(b) || a.unitName.localeCompare(b.unitName) || a.id.localeCompare(b.id));
}

function notCome(expected: ExpectedRoom): Participant {
  return {
    ...expected,
    id: expected.room,
    role: "endpoint",
    name: "",
    hidden: false,
    presence: "offline",
    since: 0,
    muted: true,
    hands: [],
    turns: 0,
    signal: null,
    recording: "off",
    absent: null,
    late: [],
    camera: null,
    microphone: null,
    source: "pupils",
  };
}

/** The room that an assistant looks after: the endpoint of the same unit; before it has joined, the assistant's own place. */
export function ownRoom(room: Room): Participant | undefined {
  const me = self(room);
  return me?.role === "endpoint" ? me : (memberRooms(room).find((p) => p.unit === me?.unit) ?? me);
}

/** Tiles of a room view: the rooms of the lesson, and recording hosts that publish by themselves. A member's own camera
 * is one more picture of its room. */
export function tiles(room: Room): Participant[] {
  const encoders = room.snapshot.participants.filter((p) => p.role === "encoder" && p.presence !== "offline");
  return [...lessonRooms(room), ...encoders.filter((p) => !isMemberCamera(room, p))];
}

/** Whether this is no place of its own, but one more picture of a far room. */
export function isMemberCamera(room: Room, participant: Participant): boolean {
  return participant.role === "encoder" && participant.unit !== room.snapshot.lesson.hostUnit;
}

/** The camera or recording host of a room, as the participant that the server pulls it in as. */
function ownCamera(room: Room, place: Participant): Participant | undefined {
  if (!place.room) return undefined;
  return room.snapshot.participants.find((p) => p.role === "encoder" && p.room === place.room && p.presence !== "offline");
}

/** Whether what a participant sends is filmed in this room: its sound must not come out of this room's loudspeakers. */
export function inRoomOf(room: Room, me: Participant | undefined, participant: string): boolean {
  return participant === me?.id || (me !== undefined && ownCamera(room, me)?.id === participant);
}

export type TileState = "connected" | "weak" | "audio_only" | "reconnecting" | "offline";

/** What a tile says of its room: presence is the journal's word, the rest the link's. */
export function tileState(room: Room, participant: Participant): TileState {
  if (participant.presence !== "connected") return participant.presence;
  const link = room.links[participant.id]?.state;
  return link === "weak" || link === "audio_only" ? link : "connected";
}

/** 0 to 4, for the drawn bars. */
export function linkBars(room: Room, participant: Participant): number {
  const state = tileState(room, participant);
  if (state === "offline" || state === "reconnecting") return 0;
  const link = room.links[participant.id];
  if (link?.upStill) return 1;
  if (state === "weak") return 2;
  return link && (link.loss > 0.02 || link.rttMs > 250) ? 3 : 4;
}

export function inLesson(snapshot: Snapshot): boolean {
  return snapshot.state === "live" || snapshot.state === "overrun";
}

/**
 * Whom to call next: a room not called yet outranks every other, then more hands waiting longest, then fewer turns.
 * Rooms that cannot answer now are left out, and so is the one speaking.
 */
export function nextToCall(room: Room): Participant | undefined {
  const able = memberRooms(room).filter(
    (p) => p.presence === "connected" && p.id !== room.snapshot.called && !listensOnly(room, p),
  );
  const oldest = (p: Participant) => Math.min(...p.hands.map((h) => h.at), Infinity);
  return able
    .filter((p) => p.hands.length > 0 || p.turns === 0)
    .sort(
      (a, b) =>
        Number(a.turns > 0) - Number(b.turns > 0) ||
        Number(b.hands.length > 0) - Number(a.hands.length > 0) ||
        a.turns - b.turns ||
        oldest(a) - oldest(b) ||
        a.id.localeCompare(b.id),
    )[0];
}

/** The video track that stands for a participant: the selected one, and while it is not there another. */
export function faceOf(room: Room, participant: Participant): Track | undefined {
  const own = picturesOf(room, participant);
  return own.find((t) => t.source === participant.source) ?? own[0];
}

/** Everything of a participant that can be seen, always in the same order. */
export function picturesOf(room: Room, participant: Participant): Track[] {
  const order = ["teacher", "pupils", "room", "screen"];
  const camera = participant.role === "endpoint" ? ownCamera(room, participant)?.id : undefined;
  return room.tracks
    .filter((t) => (t.participant === participant.id || t.participant === camera) && t.kind === "video")
    .sort((a, b) => order.indexOf(a.source) - order.indexOf(b.source));
}

/** What every room sees large: the spotlight, or the host. */
export function program(room: Room): Participant | undefined {
  return room.snapshot.participants.find((p) => p.id === room.snapshot.spotlight) ?? host(room);
}
