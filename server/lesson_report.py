"""What a lesson came to, room by room: folded from its plan and its journal, and nothing else.

Pure: the same journal gives the same report. Only what happened while the lesson was live counts, but for attendance
and devices, which are taken before the bell too.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import pairwise

import msgspec
from msgspec import Struct

from recordings.journal import Record
from server.shapes.report import ClassAnswers, ExerciseReport, LessonReport, LineReport, RoomReport
from signaling.chat import Said
from signaling.events import (
    AttendanceTaken,
    CalledOn,
    DevicesReported,
    HandRaised,
    Joined,
    Left,
    LineMeasured,
    Marked,
    Reconnecting,
    Returned,
    SessionEnded,
    SessionLive,
    Signalled,
    TalkMeasured,
)
from signaling.exercise_state import Exercises, answered, by_option
from signaling.exercises import (
    Answered,
    ExerciseClosed,
    ExercisePushed,
    ExercisePutAway,
    ExerciseRun,
    HandsCounted,
    PhotoAdded,
    PhotoRemoved,
    ResultShown,
    RoomAnswers,
)
from signaling.messages import AnyRoomEvent
from signaling.plan import SessionPlan, UnitPart
from signaling.wire import EndReason, SessionState

Happened = tuple[float, AnyRoomEvent]


def lesson_report(
    plan: SessionPlan,
    records: Iterable[Record],
    *,
    state: SessionState,
    review: str | None,
    now: float,
    single_answers: bool,
    hidden: Collection[str] = (),
) -> LessonReport:
    """The report as of `now` (unix seconds). Events of a newer program are passed over. Of the units `hidden` there are
    counts only: their classes do not agree to be recorded, or have withdrawn."""
    events = _known(records)
    live_since = next((at for at, event in events if isinstance(event, SessionLive)), None)
    ended = next(((at, event) for at, event in reversed(events) if isinstance(event, SessionEnded)), None)
    ends_at = ended[0] if ended else now
    window = (live_since, ends_at) if live_since is not None else (ends_at, ends_at)
    exercises = _exercises(events, window)
    rooms = tuple(_room(plan, part, events, window, exercises) for part in plan.parts)
    reason: EndReason | None = ended[1].reason if ended else None
    lesson = plan.lesson
    shown = frozenset(part.unit for part in plan.parts if single_answers and part.unit not in hidden)
    return LessonReport(
        session=plan.session,
        title=lesson.title,
        subject=lesson.subject,
        rehearsal=lesson.rehearsal,
        state=state,
        host_teacher=lesson.host_teacher,
        starts=lesson.starts,
        ends=lesson.ends,
        live_since=live_since,
        seconds=window[1] - window[0],
        overrun=max(0.0, ends_at - lesson.ends) if live_since is not None else 0.0,
        ended_by=reason,
        marks=sum(isinstance(event, Marked) for _, event in events),
        messages=sum(isinstance(event, Said) for _, event in events),
        observers=len({e.participant for _, e in events if isinstance(e, Joined) and e.role == "observer"}),
        rooms=rooms,
        exercises=tuple(_exercise(rooms, asked, window[0], shown) for asked in exercises),
        review=review,
        single_answers=single_answers,
        hidden_units=tuple(part.unit for part in plan.parts if part.unit in hidden),
    )


class _Asked(Struct, frozen=True):
    """One exercise as it stood when it gave way: when it was pushed, and when answers were no longer taken."""

    run: ExerciseRun
    since: float
    until: float


def _known(records: Iterable[Record]) -> list[Happened]:
    found: list[Happened] = []
    for record in records:
        try:
            event: AnyRoomEvent = msgspec.convert(record.event, AnyRoomEvent)
        except msgspec.ValidationError:
            continue
        found.append((record.at, event))
    return found


def _exercises(events: Sequence[Happened], window: tuple[float, float]) -> list[_Asked]:
    state, asked = Exercises(), list[_Asked]()
    since = until = 0.0
    closed = False

    def note() -> None:
        if state.run is not None:
            asked.append(_Asked(state.run, since, until if closed else window[1]))

    for at, event in events:
        match event:
            case ExercisePushed():
                state.begun(event, at)
                since, closed = at, False
            case ExerciseClosed():
                state.closed(event)
                until, closed = at, True
            case ResultShown():
                state.shown(event)
            case ExercisePutAway():
                note()
                state.put_away(event)
            case Answered():
                state.answered(event, at)
            case HandsCounted():
                state.counted(event)
            case PhotoAdded():
                state.photo_added(event, at)
            case PhotoRemoved():
                state.photo_removed(event)
            case SessionEnded():
                note()
                state.put_away()
    note()
    return asked


def _exercise(rooms: Sequence[RoomReport], asked: _Asked, zero: float, shown: Collection[str]) -> ExerciseReport:
    """`shown`: the units whose single answers may be seen."""
    run, exercise = asked.run, asked.run.exercise
    return ExerciseReport(
        run=run.id,
        number=run.number,
        kind=exercise.kind,
        prompt=exercise.prompt,
        options=exercise.options,
        right=exercise.right,
        right_number=exercise.number,
        at=asked.since - zero,
        seconds=asked.until - asked.since,
        shown=run.state == "shown",
        classes=tuple(
            _class(room, run, room.unit in shown) for room in rooms if room.pupils or _of(run, room.unit) is not None
        ),
    )


def _class(room: RoomReport, run: ExerciseRun, single: bool) -> ClassAnswers:
    answers = _of(run, room.unit) or RoomAnswers(unit=room.unit)
    exercise = run.exercise
    options = by_option(answers, len(exercise.options))
    right: int | None = None
    if exercise.right is not None:
        right = options[exercise.right]
    elif exercise.number is not None:
        right = sum(one.number == exercise.number for one in answers.seats)
    return ClassAnswers(
        unit=room.unit,
        pupils=max(0, room.pupils - (room.absent or 0)),
        answered=answered(answers, len(exercise.options)),
        right=right,
        by_option=options,
        photos=len(answers.photos),
        single=answers.seats if single else (),
        pictures=answers.photos if single else (),
    )


def _of(run: ExerciseRun, unit: str) -> RoomAnswers | None:
    return next((one for one in run.answers if one.unit == unit), None)


def _room(
    plan: SessionPlan,
    part: UnitPart,
    events: Sequence[Happened],
    window: tuple[float, float],
    exercises: Sequence[_Asked],
) -> RoomReport:
    host = part == plan.host
    role = "host" if host else "endpoint"
    arrivals = [event for _, event in events if isinstance(event, Joined) and event.unit == part.unit]
    places = {event.participant for event in arrivals if event.role == role}
    # before its panel is there, an assistant stands for the room
    speaking = places | {event.participant for event in arrivals if event.role == "assistant"}
    own = [(at, event) for at, event in events if getattr(event, "participant", None) in speaking]
    taught = [(at, event) for at, event in own if window[0] <= at <= window[1]]
    roll = next((event for _, event in reversed(own) if isinstance(event, AttendanceTaken)), None)
    devices = next((event for _, event in reversed(own) if isinstance(event, DevicesReported)), None)
    expected = next((one.pupils for one in plan.lesson.rooms if one.unit == part.unit), 0)
    pupils = plan.lesson.host_pupils if host else expected
    present = max(0, pupils - (len(roll.absent) if roll else 0))
    signals = [event.kind for _, event in taught if isinstance(event, Signalled)]
    handed_in = ((asked.run, _of(asked.run, part.unit)) for asked in exercises)
    given = sum(answered(one, len(run.exercise.options)) for run, one in handed_in if one is not None)
    return RoomReport(
        unit=part.unit,
        unit_name=part.unit_name,
        class_name=part.class_name,
        side="host" if host else "member",
        pupils=pupils,
        absent=len(roll.absent) if roll else None,
        late=len(roll.late) if roll else None,
        assistants=tuple(dict.fromkeys(event.name for event in arrivals if event.role == "assistant")),
        talk_seconds=round(sum(event.seconds for _, event in own if isinstance(event, TalkMeasured)), 1),
        turns=sum(isinstance(event, CalledOn) for _, event in taught),
        hands=sum(isinstance(event, HandRaised) for _, event in taught),
        slower=signals.count("slower"),
        no_sound=signals.count("no_sound"),
        camera=devices.camera if devices else None,
        microphone=devices.microphone if devices else None,
        answered=given,
        asked=present * len(exercises),
        line=_line([(at, event) for at, event in own if getattr(event, "participant", None) in places], window),
    )


def _line(events: Sequence[Happened], window: tuple[float, float]) -> LineReport:
    spans = _spans(events, window)
    measured = [event for _, event in events if isinstance(event, LineMeasured) and event.seconds > 0]
    seconds = sum(event.seconds for event in measured)
    taught = window[1] - window[0]
    gaps = [after[0] - before[1] for before, after in pairwise(spans)]
    if spans and window[1] - spans[-1][1] > 0:
        gaps.append(window[1] - spans[-1][1])

    def mean(of: Callable[[LineMeasured], float]) -> float | None:
        return round(sum(of(event) * event.seconds for event in measured) / seconds, 4) if seconds else None

    return LineReport(
        connected=round(sum(end - start for start, end in spans) / taught, 4) if taught > 0 else 0.0,
        reconnects=max(0, len(spans) - 1),
        longest_outage=round(max(gaps, default=0.0), 1),
        joined_after=round(spans[0][0] - window[0], 1) if spans else None,
        loss=mean(lambda event: event.loss),
        worst_loss=max((event.worst_loss for event in measured), default=None),
        rtt_ms=mean(lambda event: event.rtt_ms),
        kbps=mean(lambda event: event.kbps),
        down_kbps=mean(lambda event: event.down_kbps),
        weak=mean(lambda event: event.weak),
        still=mean(lambda event: event.still),
        freezes=sum(event.freezes for event in measured),
    )


def _spans(events: Sequence[Happened], window: tuple[float, float]) -> list[tuple[float, float]]:
    """When at least one of the room's places was there, within the lesson; never overlapping."""
    here: set[str] = set()
    since: float | None = None
    spans: list[tuple[float, float]] = []

    def until(at: float) -> None:
        start, end = max(since or 0.0, window[0]), min(at, window[1])
        if since is not None and end > start:
            spans.append((start, end))

    for at, event in events:
        if isinstance(event, Joined | Returned):
            since = at if not here else since
            here.add(event.participant)
        elif isinstance(event, Reconnecting | Left) and event.participant in here:
            here.discard(event.participant)
            if not here:
                until(at)
                since = None
    if here:
        until(window[1])
    return spans
