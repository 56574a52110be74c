"""This module owns the state of one session: what its events add up to, and the snapshot that shows it.

A room changes only by `evolve`, one event at a time, so replaying a journal rebuilds it exactly. What may happen is
decided elsewhere (`signaling.rules`); an event that stands in the journal has happened and is never refused here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from msgspec.structs import replace

from signaling.board import Board
from signaling.cameras import CameraChanged, RoomCamera
from signaling.chat import Chat, Said
from signaling.events import (
    AttendanceTaken,
    CalledOn,
    CallEnded,
    DevicesReported,
    HandLowered,
    HandRaised,
    Joined,
    Left,
    LineMeasured,
    Marked,
    Muted,
    Reconnecting,
    RecordingChanged,
    Returned,
    ReviewOpened,
    SessionEnded,
    SessionLive,
    SessionOpened,
    SessionOverrun,
    Signalled,
    SpotlightSet,
    TalkMeasured,
    TimerSet,
    Withheld,
)
from signaling.exercise_state import Exercises
from signaling.exercises import (
    Answered,
    ExerciseClosed,
    ExercisePushed,
    ExercisePutAway,
    HandsCounted,
    PhotoAdded,
    PhotoRemoved,
    ResultShown,
)
from signaling.materials import MaterialClosed, MaterialOpened, MaterialsShelved, PageTurned
from signaling.messages import AnyRoomEvent
from signaling.pictures import SourceSelected
from signaling.room_state import Hand, LessonInfo, Participant, Snapshot
from signaling.strokes import PageCleared, StrokeDrawn, StrokeErased, StrokeExtended
from signaling.wire import PictureSource, Role, RoomEvent, SessionState

TRANSITIONS: Final[dict[tuple[SessionState, type[RoomEvent]], SessionState]] = {
    ("scheduled", SessionOpened): "open",
    ("scheduled", SessionEnded): "ended",
    ("open", SessionLive): "live",
    ("open", SessionEnded): "ended",
    ("live", SessionOverrun): "overrun",
    ("live", SessionEnded): "ended",
    ("overrun", SessionEnded): "ended",
}
"""The life of a session. Every other event leaves the state as it is."""

FIRST_SOURCE: Final[dict[Role, PictureSource]] = {"host": "teacher", "encoder": "teacher"}
"""Which picture stands for a participant before anybody selects one; for all others it is the pupils'."""

UNMUTED_ROLES = frozenset({"host", "encoder"})
"""Those who are heard from the start, in the host's unit; all others wait until they are called on."""


class Room:
    """One session's state. Read it freely; change it by `evolve` only."""

    def __init__(self, session: str, lesson: LessonInfo) -> None:
        self.session = session
        self.lesson = lesson
        self.forget()

    def forget(self) -> None:
        """Be as before the first event."""
        self.state: SessionState = "scheduled"
        self.participants: dict[str, Participant] = {}
        self.away_until: dict[str, float] = {}
        """Until when a participant whose socket is gone keeps its place, unix seconds."""
        self.spotlight: str | None = None
        self.called: str | None = None
        self.called_seat: int | None = None
        self.timer_until: float | None = None
        self.live_since: float | None = None
        self.live_by: str | None = None
        self.overrun_until: float | None = None
        self.marks = 0
        self.last_mark: float | None = None
        self.board = Board()
        self.exercises = Exercises()
        self.chat = Chat()
        self.cameras: dict[str, RoomCamera] = {}
        """By room."""
        self.review: str | None = None

    def evolve(self, event: AnyRoomEvent, at: float) -> None:
        """Let one event have happened at `at` (unix seconds)."""
        self.state = TRANSITIONS.get((self.state, type(event)), self.state)
        _FOLDS[type(event)](self, event, at)

    def present(self, participant: str) -> bool:
        """Whether the participant's socket is open now."""
        found = self.participants.get(participant)
        return found is not None and found.presence == "connected"

    def endpoint_of(self, unit: str) -> Participant | None:
        """The classroom of a unit, once it has joined."""
        return next((p for p in self.participants.values() if p.role == "endpoint" and p.unit == unit), None)

    def snapshot(self) -> Snapshot:
        """The whole state, as a client that has just come needs it."""
        return Snapshot(
            session=self.session,
            state=self.state,
            lesson=self.lesson,
            participants=tuple(self.participants.values()),
            spotlight=self.spotlight,
            called=self.called,
            called_seat=self.called_seat,
            timer_until=self.timer_until,
            live_since=self.live_since,
            overrun_until=self.overrun_until,
            marks=self.marks,
            last_mark=self.last_mark,
            board=self.board.state(),
            exercise=self.exercises.run,
            exercises=self.exercises.pushed,
            chat=self.chat.messages,
            cameras=tuple(self.cameras.values()),
            review=self.review,
        )

    def _change(self, participant: str, **fields: Any) -> None:
        known = self.participants.get(participant)
        if known is not None:
            self.participants[participant] = replace(known, **fields)

    def _opened(self, event: SessionOpened, at: float) -> None:
        pass

    def _live(self, event: SessionLive, at: float) -> None:
        self.live_since = at
        self.live_by = event.by

    def _overrun(self, event: SessionOverrun, at: float) -> None:
        self.overrun_until = at + event.ends_in

    def _ended(self, event: SessionEnded, at: float) -> None:
        self.called = self.called_seat = self.spotlight = self.timer_until = None
        self.board.closed()
        self.exercises.put_away()
        for participant in self.participants:
            self._change(participant, hands=(), recording="off")

    def _review_opened(self, event: ReviewOpened, at: float) -> None:
        self.review = event.review

    def _joined(self, event: Joined, at: float) -> None:
        known = self.participants.get(event.participant)
        fresh = Participant(
            id=event.participant,
            role=event.role,
            unit=event.unit,
            unit_name=event.unit_name,
            name=event.name,
            class_name=event.class_name,
            room=event.room,
            phone=event.phone,
            hidden=event.hidden,
            since=at,
            muted=event.role not in UNMUTED_ROLES or event.unit != self.lesson.host_unit,
            source=FIRST_SOURCE.get(event.role, "pupils"),
        )
        if known is not None:
            # who comes back later is the same classroom: its turns and its attendance still count
            fresh = replace(
                fresh,
                turns=known.turns,
                absent=known.absent,
                late=known.late,
                recording=known.recording,
                source=known.source,
            )
        self.participants[event.participant] = fresh
        self.away_until.pop(event.participant, None)

    def _reconnecting(self, event: Reconnecting, at: float) -> None:
        self._change(event.participant, presence="reconnecting", since=at)
        if event.participant in self.participants:
            self.away_until[event.participant] = event.until

    def _returned(self, event: Returned, at: float) -> None:
        self._change(event.participant, presence="connected", since=at)
        self.away_until.pop(event.participant, None)

    def _left(self, event: Left, at: float) -> None:
        self.away_until.pop(event.participant, None)
        known = self.participants.get(event.participant)
        if known is not None and known.hidden:
            del self.participants[event.participant]
            return
        # the tile stays: an empty place with a telephone number says more than no place
        self._change(
            event.participant, presence="offline", since=at, hands=(), muted=True, signal=None, recording="off"
        )

    def _hand_raised(self, event: HandRaised, at: float) -> None:
        known = self.participants.get(event.participant)
        if known is not None:
            self._change(event.participant, hands=(*known.hands, Hand(id=event.hand, at=at, seat=event.seat)))

    def _hand_lowered(self, event: HandLowered, at: float) -> None:
        known = self.participants.get(event.participant)
        if known is not None:
            self._change(event.participant, hands=tuple(hand for hand in known.hands if hand.id != event.hand))

    def _called_on(self, event: CalledOn, at: float) -> None:
        self.called = event.participant
        self.called_seat = event.seat
        self._change(event.participant, turns=event.turn)

    def _call_ended(self, event: CallEnded, at: float) -> None:
        self.called = self.called_seat = None

    def _spotlight_set(self, event: SpotlightSet, at: float) -> None:
        self.spotlight = event.participant

    def _muted(self, event: Muted, at: float) -> None:
        self._change(event.participant, muted=event.muted)

    def _source_selected(self, event: SourceSelected, at: float) -> None:
        self._change(event.participant, source=event.source)

    def _marked(self, event: Marked, at: float) -> None:
        self.marks += 1
        self.last_mark = at

    def _signalled(self, event: Signalled, at: float) -> None:
        self._change(event.participant, signal=event.kind)

    def _timer_set(self, event: TimerSet, at: float) -> None:
        self.timer_until = event.until

    def _attendance_taken(self, event: AttendanceTaken, at: float) -> None:
        self._change(event.participant, absent=event.absent, late=event.late)

    def _recording_changed(self, event: RecordingChanged, at: float) -> None:
        self._change(event.participant, recording=event.state)

    def _devices_reported(self, event: DevicesReported, at: float) -> None:
        self._change(event.participant, camera=event.camera, microphone=event.microphone)

    def _camera_changed(self, event: CameraChanged, at: float) -> None:
        if event.camera.state == "off":
            self.cameras.pop(event.camera.room, None)
        else:
            self.cameras[event.camera.room] = event.camera

    def _told_only(self, event: TalkMeasured | LineMeasured | Withheld, at: float) -> None:
        """What only reports and reviews need changes nothing in the room."""


_FOLDS: Final[dict[type[RoomEvent], Callable[[Room, Any, float], None]]] = {
    SessionOpened: Room._opened,
    SessionLive: Room._live,
    SessionOverrun: Room._overrun,
    SessionEnded: Room._ended,
    ReviewOpened: Room._review_opened,
    Joined: Room._joined,
    Reconnecting: Room._reconnecting,
    Returned: Room._returned,
    Left: Room._left,
    HandRaised: Room._hand_raised,
    HandLowered: Room._hand_lowered,
    CalledOn: Room._called_on,
    CallEnded: Room._call_ended,
    SpotlightSet: Room._spotlight_set,
    Muted: Room._muted,
    Marked: Room._marked,
    Signalled: Room._signalled,
    TimerSet: Room._timer_set,
    AttendanceTaken: Room._attendance_taken,
    RecordingChanged: Room._recording_changed,
    TalkMeasured: Room._told_only,
    SourceSelected: Room._source_selected,
    MaterialsShelved: lambda room, event, at: room.board.shelved(event),
    MaterialOpened: lambda room, event, at: room.board.opened(event, at),
    PageTurned: lambda room, event, at: room.board.turned(event),
    MaterialClosed: lambda room, event, at: room.board.closed(event),
    StrokeDrawn: lambda room, event, at: room.board.drawn(event),
    StrokeExtended: lambda room, event, at: room.board.extended(event),
    StrokeErased: lambda room, event, at: room.board.erased(event),
    PageCleared: lambda room, event, at: room.board.cleared(event),
    LineMeasured: Room._told_only,
    Withheld: Room._told_only,
    DevicesReported: Room._devices_reported,
    CameraChanged: Room._camera_changed,
    ExercisePushed: lambda room, event, at: room.exercises.begun(event, at),
    ExerciseClosed: lambda room, event, at: room.exercises.closed(event),
    ResultShown: lambda room, event, at: room.exercises.shown(event),
    ExercisePutAway: lambda room, event, at: room.exercises.put_away(event),
    Answered: lambda room, event, at: room.exercises.answered(event, at),
    HandsCounted: lambda room, event, at: room.exercises.counted(event),
    PhotoAdded: lambda room, event, at: room.exercises.photo_added(event, at),
    PhotoRemoved: lambda room, event, at: room.exercises.photo_removed(event),
    Said: lambda room, event, at: room.chat.said(event, at),
}
