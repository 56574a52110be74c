"""A session by its rules: what may happen when, and that the events alone rebuild it."""

from __future__ import annotations

from itertools import count
from typing import Any

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from signaling.cameras import CameraChanged
from signaling.commands import (
    CallOn,
    EndCall,
    EndLesson,
    Leave,
    LowerHand,
    Mark,
    Mute,
    RaiseHand,
    SetTimer,
    Signal,
    Spotlight,
    StartLesson,
    TakeAttendance,
)
from signaling.errors import Refusal
from signaling.events import (
    AttendanceTaken,
    CalledOn,
    CallEnded,
    HandLowered,
    HandRaised,
    Left,
    Muted,
    Reconnecting,
    Returned,
    SessionEnded,
    SessionLive,
    SessionOpened,
    SessionOverrun,
    Signalled,
    SpotlightSet,
    TimerSet,
)
from signaling.messages import AnyRoomEvent
from signaling.pictures import SelectSource, SourceSelected
from signaling.room import TRANSITIONS, Room
from signaling.room_state import Participant
from signaling.rules import (
    ASSISTANT_STARTS_AFTER,
    ENDS_AFTER,
    GRACE,
    OPENS_BEFORE,
    arrive,
    decide,
    depart,
    due,
    vanish,
)
from signaling.wire import Command
from tests.live_lessons import HOST_UNIT, MEMBERS, arrival, plan

STARTS = 1_000_000.0
ENDS = STARTS + 2400.0
HOST, ASSISTANT, OBSERVER = "host.p", "assistant.a", "observer.r"
YANLI, GULONG, DONGYE = (f"room-{unit}" for unit in MEMBERS)


class Lesson:
    """A room with its history: what a session does with the rules, without journal and sockets."""

    def __init__(self, now: float = STARTS) -> None:
        self.room = Room("s1", plan("s1", starts=STARTS).lesson)
        self.history: list[tuple[AnyRoomEvent, float]] = []
        self.now = now
        self._ids = count(1)

    def happen(self, events: list[AnyRoomEvent]) -> list[AnyRoomEvent]:
        for event in events:
            self.room.evolve(event, self.now)
            self.history.append((event, self.now))
        return events

    def do(self, sender: str, command: Command) -> list[AnyRoomEvent]:
        return self.happen(decide(self.room, command, sender, self.now, lambda: f"h{next(self._ids)}"))

    def wait_until(self, now: float) -> list[AnyRoomEvent]:
        self.now = now
        seen: list[AnyRoomEvent] = []
        while events := due(self.room, now):
            seen += self.happen(events)
        return seen

    def refusal(self, sender: str, command: Command) -> str:
        with pytest.raises(Refusal) as caught:
            self.do(sender, command)
        return caught.value.reason

    def of(self, participant: str) -> Participant:
        return self.room.participants[participant]


@pytest.fixture
def lesson() -> Lesson:
    """Live, with the host, three classrooms, an assistant in the first of them, and an observer."""
    lesson = gathered()
    lesson.do(HOST, StartLesson(msg_id="start"))
    return lesson


def gathered() -> Lesson:
    lesson = Lesson()
    lesson.wait_until(STARTS)
    lesson.happen(arrive(lesson.room, arrival(HOST, "host", HOST_UNIT)))
    for unit in MEMBERS:
        lesson.happen(arrive(lesson.room, arrival(f"room-{unit}", "endpoint", unit)))
    lesson.happen(arrive(lesson.room, arrival(ASSISTANT, "assistant", MEMBERS[0])))
    lesson.happen(arrive(lesson.room, arrival(OBSERVER, "observer", "")))
    return lesson


# the life of a session


def test_doors_open_a_quarter_of_an_hour_before_the_lesson() -> None:
    lesson = Lesson()
    assert lesson.wait_until(STARTS - OPENS_BEFORE - 1) == []
    assert lesson.wait_until(STARTS - OPENS_BEFORE) == [SessionOpened()]
    assert lesson.room.state == "open"


def test_host_starts_and_ends() -> None:
    lesson = gathered()
    assert lesson.do(HOST, StartLesson(msg_id="1")) == [SessionLive(by=HOST)]
    assert (lesson.room.state, lesson.room.live_since) == ("live", STARTS)
    assert lesson.do(HOST, EndLesson(msg_id="2")) == [SessionEnded(reason="host", by=HOST)]
    assert lesson.room.state == "ended"


def test_assistant_starts_only_after_five_minutes_without_a_start() -> None:
    lesson = gathered()
    lesson.now = STARTS + ASSISTANT_STARTS_AFTER - 1
    assert lesson.refusal(ASSISTANT, StartLesson(msg_id="1")) == "host_starts"
    lesson.now += 1
    assert lesson.do(ASSISTANT, StartLesson(msg_id="2")) == [SessionLive(by=ASSISTANT)]


def test_assistant_ends_only_without_a_host(lesson: Lesson) -> None:
    lesson.happen(vanish(lesson.room, HOST, lesson.now))
    assert lesson.refusal(ASSISTANT, EndLesson(msg_id="1")) == "host_ends"
    lesson.wait_until(lesson.now + GRACE)
    assert lesson.do(ASSISTANT, EndLesson(msg_id="2")) == [SessionEnded(reason="assistant", by=ASSISTANT)]


def test_session_overruns_then_ends_by_itself(lesson: Lesson) -> None:
    assert lesson.wait_until(ENDS) == [SessionOverrun(ends_in=ENDS_AFTER)]
    assert (lesson.room.state, lesson.room.overrun_until) == ("overrun", ENDS + ENDS_AFTER)
    assert lesson.wait_until(ENDS + ENDS_AFTER) == [SessionEnded(reason="time")]


def test_session_that_nobody_starts_ends_by_itself() -> None:
    lesson = gathered()
    assert lesson.wait_until(ENDS + ENDS_AFTER) == [SessionEnded(reason="time")]


def test_session_stays_live_without_its_host(lesson: Lesson) -> None:
    lesson.happen(vanish(lesson.room, HOST, lesson.now))
    lesson.wait_until(lesson.now + GRACE)
    assert (lesson.room.state, lesson.of(HOST).presence) == ("live", "offline")


def test_no_transition_leads_out_of_ended() -> None:
    assert [pair for pair in TRANSITIONS if pair[0] == "ended"] == []


# coming and going


def test_vanished_participant_keeps_its_place_for_a_minute(lesson: Lesson) -> None:
    assert lesson.happen(vanish(lesson.room, YANLI, lesson.now)) == [
        Reconnecting(participant=YANLI, until=lesson.now + GRACE)
    ]
    assert lesson.of(YANLI).presence == "reconnecting"
    lesson.now += GRACE - 1
    assert lesson.happen(arrive(lesson.room, arrival(YANLI, "endpoint", MEMBERS[0]))) == [Returned(participant=YANLI)]
    assert lesson.wait_until(lesson.now + GRACE) == []


def test_place_is_given_up_after_a_minute_but_the_tile_and_its_turns_stay(lesson: Lesson) -> None:
    lesson.do(HOST, CallOn(msg_id="1", participant=YANLI))
    lesson.happen(vanish(lesson.room, YANLI, lesson.now))
    assert lesson.wait_until(lesson.now + GRACE) == [
        CallEnded(participant=YANLI),
        SpotlightSet(participant=None),
        Left(participant=YANLI, reason="lost"),
    ]
    assert (lesson.of(YANLI).presence, lesson.of(YANLI).turns) == ("offline", 1)
    joined = arrival(YANLI, "endpoint", MEMBERS[0])
    assert lesson.happen(arrive(lesson.room, joined)) == [joined]
    assert (lesson.of(YANLI).presence, lesson.of(YANLI).turns) == ("connected", 1)
    assert len([p for p in lesson.room.participants.values() if p.unit == MEMBERS[0] and p.role == "endpoint"]) == 1


def test_observer_leaves_no_tile(lesson: Lesson) -> None:
    assert lesson.of(OBSERVER).hidden
    lesson.do(OBSERVER, Leave(msg_id="1"))
    assert OBSERVER not in lesson.room.participants


def test_arriving_twice_changes_nothing(lesson: Lesson) -> None:
    assert arrive(lesson.room, arrival(YANLI, "endpoint", MEMBERS[0])) == []


# hands, calls, microphones


def test_hands_queue_in_their_room(lesson: Lesson) -> None:
    assert lesson.do(YANLI, RaiseHand(msg_id="1", seat=7)) == [HandRaised(participant=YANLI, hand="h1", seat=7)]
    lesson.do(GULONG, RaiseHand(msg_id="2"))
    lesson.do(YANLI, RaiseHand(msg_id="3", seat=3))
    assert lesson.do(YANLI, RaiseHand(msg_id="4", seat=7)) == []
    assert [hand.seat for hand in lesson.of(YANLI).hands] == [7, 3]
    assert [hand.seat for hand in lesson.of(GULONG).hands] == [None]


def test_assistant_raises_the_hand_of_its_own_classroom(lesson: Lesson) -> None:
    assert lesson.do(ASSISTANT, RaiseHand(msg_id="1", seat=2)) == [HandRaised(participant=YANLI, hand="h1", seat=2)]


def test_assistant_without_a_classroom_raises_no_hand(lesson: Lesson) -> None:
    lesson.happen(depart(lesson.room, YANLI, "left"))
    assert lesson.refusal(ASSISTANT, RaiseHand(msg_id="1")) == "room_away"


def test_lowering_takes_the_oldest_hand_or_the_named_one(lesson: Lesson) -> None:
    for seat in (1, 2, 3):
        lesson.do(YANLI, RaiseHand(msg_id=str(seat), seat=seat))
    assert lesson.do(YANLI, LowerHand(msg_id="4")) == [HandLowered(participant=YANLI, hand="h1")]
    assert lesson.do(HOST, LowerHand(msg_id="5", participant=YANLI, hand="h3")) == [
        HandLowered(participant=YANLI, hand="h3")
    ]
    assert lesson.do(HOST, LowerHand(msg_id="6", participant=YANLI, hand="h3")) == []


def test_calling_on_a_room_opens_its_microphone_shows_it_and_counts_the_turn(lesson: Lesson) -> None:
    lesson.do(YANLI, RaiseHand(msg_id="1", seat=7))
    assert lesson.do(HOST, CallOn(msg_id="2", participant=YANLI)) == [
        HandLowered(participant=YANLI, hand="h1"),
        CalledOn(participant=YANLI, turn=1, seat=7),
        Muted(participant=YANLI, muted=False, by=HOST),
        SpotlightSet(participant=YANLI),
    ]
    assert (lesson.room.called, lesson.room.called_seat, lesson.room.spotlight) == (YANLI, 7, YANLI)


def test_calling_on_another_room_closes_the_first(lesson: Lesson) -> None:
    lesson.do(HOST, CallOn(msg_id="1", participant=YANLI))
    assert lesson.do(HOST, CallOn(msg_id="2", participant=GULONG)) == [
        CallEnded(participant=YANLI),
        Muted(participant=YANLI, muted=True, by=HOST),
        CalledOn(participant=GULONG, turn=1),
        Muted(participant=GULONG, muted=False, by=HOST),
        SpotlightSet(participant=GULONG),
    ]


def test_calling_on_a_room_twice_is_one_turn_and_its_next_hand_another(lesson: Lesson) -> None:
    lesson.do(HOST, CallOn(msg_id="1", participant=YANLI))
    assert lesson.do(HOST, CallOn(msg_id="2", participant=YANLI)) == []
    lesson.do(YANLI, Mute(msg_id="3", participant=YANLI, muted=True))
    assert lesson.do(HOST, CallOn(msg_id="4", participant=YANLI)) == [Muted(participant=YANLI, muted=False, by=HOST)]
    lesson.do(YANLI, RaiseHand(msg_id="5", seat=7))
    assert lesson.do(HOST, CallOn(msg_id="6", participant=YANLI))[1:] == [CalledOn(participant=YANLI, turn=2, seat=7)]


def test_ending_the_call_closes_the_microphone(lesson: Lesson) -> None:
    lesson.do(HOST, CallOn(msg_id="1", participant=YANLI))
    assert lesson.do(HOST, EndCall(msg_id="2")) == [
        CallEnded(participant=YANLI),
        Muted(participant=YANLI, muted=True, by=HOST),
        SpotlightSet(participant=None),
    ]
    assert lesson.do(HOST, EndCall(msg_id="3")) == []


def test_a_room_that_is_away_cannot_be_called_on(lesson: Lesson) -> None:
    lesson.happen(vanish(lesson.room, YANLI, lesson.now))
    assert lesson.refusal(HOST, CallOn(msg_id="1", participant=YANLI)) == "room_away"
    assert lesson.refusal(HOST, CallOn(msg_id="2", participant=ASSISTANT)) == "not_a_classroom"
    assert lesson.refusal(HOST, CallOn(msg_id="3", participant=OBSERVER)) == "no_such_participant"


def test_classroom_opens_its_microphone_only_when_called_on(lesson: Lesson) -> None:
    assert lesson.refusal(YANLI, Mute(msg_id="1", muted=False)) == "not_called"
    lesson.do(HOST, CallOn(msg_id="2", participant=YANLI))
    assert lesson.do(YANLI, Mute(msg_id="3", muted=True)) == [Muted(participant=YANLI, muted=True, by=YANLI)]
    assert lesson.do(YANLI, Mute(msg_id="4", muted=False)) == [Muted(participant=YANLI, muted=False, by=YANLI)]
    assert lesson.refusal(YANLI, Mute(msg_id="5", muted=True, participant=GULONG)) == "not_your_room"


def test_host_mutes_all_classrooms_and_not_itself(lesson: Lesson) -> None:
    assert lesson.do(HOST, Mute(msg_id="1", muted=False)) == [
        Muted(participant=room, muted=False, by=HOST) for room in (YANLI, GULONG, DONGYE)
    ]
    assert lesson.do(HOST, Mute(msg_id="2", muted=True)) == [
        Muted(participant=room, muted=True, by=HOST) for room in (YANLI, GULONG, DONGYE)
    ]
    assert not lesson.of(HOST).muted


# the rest of what a lesson needs


def test_spotlight_goes_to_anybody_who_is_there_and_back(lesson: Lesson) -> None:
    assert lesson.do(HOST, Spotlight(msg_id="1", participant=GULONG)) == [SpotlightSet(participant=GULONG)]
    assert lesson.do(HOST, Spotlight(msg_id="2", participant=GULONG)) == []
    assert lesson.do(HOST, Spotlight(msg_id="3")) == [SpotlightSet(participant=None)]


def test_the_host_selects_the_picture_of_any_room_and_an_assistant_of_its_own(lesson: Lesson) -> None:
    assert lesson.of(HOST).source == "teacher"
    assert lesson.of(YANLI).source == "pupils"
    assert lesson.do(HOST, SelectSource(msg_id="1", source="screen")) == [
        SourceSelected(participant=HOST, source="screen", by=HOST)
    ]
    assert lesson.do(HOST, SelectSource(msg_id="2", participant=YANLI, source="teacher")) == [
        SourceSelected(participant=YANLI, source="teacher", by=HOST)
    ]
    assert lesson.do(ASSISTANT, SelectSource(msg_id="3", source="pupils")) == [
        SourceSelected(participant=YANLI, source="pupils", by=ASSISTANT)
    ]
    assert lesson.do(YANLI, SelectSource(msg_id="4", source="pupils")) == []
    with pytest.raises(Refusal, match="not_your_room"):
        lesson.do(ASSISTANT, SelectSource(msg_id="5", participant=GULONG, source="pupils"))


def test_mark_tells_the_side_it_comes_from(lesson: Lesson) -> None:
    sides = [lesson.do(sender, Mark(msg_id=sender)) for sender in (HOST, YANLI, ASSISTANT)]
    assert [getattr(events[0], "side", None) for events in sides] == ["host", "member", "member"]
    assert lesson.room.marks == 3


def test_signal_of_the_assistant_stands_at_its_classroom(lesson: Lesson) -> None:
    assert lesson.do(ASSISTANT, Signal(msg_id="1", kind="no_sound")) == [Signalled(participant=YANLI, kind="no_sound")]
    assert lesson.of(YANLI).signal == "no_sound"
    assert lesson.do(ASSISTANT, Signal(msg_id="2", kind="no_sound")) == []


def test_timer_runs_from_now_and_is_taken_away_by_zero(lesson: Lesson) -> None:
    assert lesson.do(HOST, SetTimer(msg_id="1", seconds=90)) == [TimerSet(until=STARTS + 90)]
    assert lesson.do(HOST, SetTimer(msg_id="2", seconds=0)) == [TimerSet(until=None)]


def test_attendance_is_sorted_and_a_seat_is_absent_or_late(lesson: Lesson) -> None:
    taken = AttendanceTaken(participant=YANLI, absent=(3, 9), late=(4,))
    command = TakeAttendance(msg_id="1", absent=(9, 3, 9), late=(4, 3))
    assert lesson.do(ASSISTANT, command) == [taken]
    assert (lesson.of(YANLI).absent, lesson.of(YANLI).late) == ((3, 9), (4,))


@pytest.mark.parametrize(
    ("sender", "command", "code"),
    [
        (OBSERVER, RaiseHand(msg_id="1"), "role_may_not"),
        (YANLI, StartLesson(msg_id="1"), "role_may_not"),
        (ASSISTANT, CallOn(msg_id="1", participant=YANLI), "role_may_not"),
        ("nobody", RaiseHand(msg_id="1"), "not_in_session"),
        (HOST, StartLesson(msg_id="1"), "wrong_state"),
        (HOST, Spotlight(msg_id="1", participant="nobody"), "no_such_participant"),
    ],
)
def test_what_is_not_allowed_is_refused_by_a_code(lesson: Lesson, sender: str, command: Command, code: str) -> None:
    assert lesson.refusal(sender, command) == code


# all of it, in any order

COMMANDS = st.one_of(
    st.builds(StartLesson, msg_id=st.just("m")),
    st.builds(RaiseHand, msg_id=st.just("m"), seat=st.none() | st.integers(1, 4)),
    st.builds(LowerHand, msg_id=st.just("m"), participant=st.none() | st.sampled_from([YANLI, GULONG])),
    st.builds(CallOn, msg_id=st.just("m"), participant=st.sampled_from([YANLI, GULONG, DONGYE, ASSISTANT, "x"])),
    st.builds(EndCall, msg_id=st.just("m")),
    st.builds(Spotlight, msg_id=st.just("m"), participant=st.none() | st.sampled_from([YANLI, OBSERVER, HOST])),
    st.builds(
        Mute, msg_id=st.just("m"), muted=st.booleans(), participant=st.none() | st.sampled_from([YANLI, GULONG, HOST])
    ),
    st.builds(Mark, msg_id=st.just("m")),
    st.builds(
        SelectSource,
        msg_id=st.just("m"),
        source=st.sampled_from(["teacher", "pupils", "screen"]),
        participant=st.none() | st.sampled_from([YANLI, HOST, "x"]),
    ),
    st.builds(Signal, msg_id=st.just("m"), kind=st.sampled_from(["ready", "slower", "no_sound"])),
    st.builds(SetTimer, msg_id=st.just("m"), seconds=st.integers(0, 60)),
    st.builds(TakeAttendance, msg_id=st.just("m"), absent=st.tuples(st.integers(1, 5)), late=st.just((2,))),
    st.builds(Leave, msg_id=st.just("m")),
)
ARRIVALS = [
    arrival(HOST, "host", HOST_UNIT),
    *(arrival(f"room-{unit}", "endpoint", unit) for unit in MEMBERS),
    arrival(ASSISTANT, "assistant", MEMBERS[0]),
    arrival(OBSERVER, "observer", ""),
]
SENDERS = st.sampled_from([joined.participant for joined in ARRIVALS])


class AnyLesson(RuleBasedStateMachine):
    """Whatever people, lines and clocks do."""

    def __init__(self) -> None:
        super().__init__()
        self.lesson = Lesson(STARTS - OPENS_BEFORE)

    @initialize()
    def open_doors(self) -> None:
        self.lesson.wait_until(self.lesson.now)
        self.lesson.happen(arrive(self.lesson.room, ARRIVALS[0]))

    @rule(joined=st.sampled_from(ARRIVALS))
    def come(self, joined: Any) -> None:
        self.lesson.happen(arrive(self.lesson.room, joined))

    @rule(participant=SENDERS)
    def lose(self, participant: str) -> None:
        self.lesson.happen(vanish(self.lesson.room, participant, self.lesson.now))

    @rule(sender=SENDERS, command=COMMANDS)
    def command(self, sender: str, command: Command) -> None:
        before = self.lesson.room.snapshot()
        try:
            self.lesson.do(sender, command)
        except Refusal:
            assert self.lesson.room.snapshot() == before

    @precondition(lambda self: self.lesson.room.state == "live")
    @rule()
    def end(self) -> None:
        if self.lesson.room.present(HOST):
            self.lesson.do(HOST, EndLesson(msg_id="m"))

    @rule(seconds=st.sampled_from([0.5, 20.0, GRACE, 600.0, 2400.0]))
    def wait(self, seconds: float) -> None:
        self.lesson.wait_until(self.lesson.now + seconds)

    @invariant()
    def events_rebuild_the_room(self) -> None:
        rebuilt = Room("s1", self.lesson.room.lesson)
        for event, at in self.lesson.history:
            stored = msgspec.msgpack.decode(msgspec.msgpack.encode(event))
            rebuilt.evolve(msgspec.convert(stored, AnyRoomEvent), at)
        assert rebuilt.snapshot() == self.lesson.room.snapshot()
        assert rebuilt.away_until == self.lesson.room.away_until

    @invariant()
    def only_a_classroom_that_is_there_is_called_on(self) -> None:
        room = self.lesson.room
        if room.called is not None:
            called = room.participants[room.called]
            assert (called.role, called.presence != "offline") == ("endpoint", True)
            assert room.state in ("live", "overrun")

    @invariant()
    def places_are_kept_exactly_for_those_who_reconnect(self) -> None:
        room = self.lesson.room
        away = {p.id for p in room.participants.values() if p.presence == "reconnecting"}
        assert away == set(room.away_until)

    @invariant()
    def who_is_gone_has_no_hand_up_and_no_open_microphone(self) -> None:
        for who in self.lesson.room.participants.values():
            if who.presence == "offline":
                assert (who.hands, who.muted) == ((), True)
            assert len({hand.id for hand in who.hands}) == len(who.hands)
            assert len({hand.seat for hand in who.hands}) == len(who.hands)


AnyLesson.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
test_any_lesson = AnyLesson.TestCase


def test_a_word_that_an_earlier_version_wrote_is_still_read() -> None:
    before = {"state": "failed", "room": "r1", "problem": "not_baseline"}
    written = msgspec.json.encode({"type": "camera_changed", "camera": before})
    event = msgspec.json.decode(written, type=AnyRoomEvent)
    assert isinstance(event, CameraChanged)
    assert event.camera.problem == "not_baseline"
