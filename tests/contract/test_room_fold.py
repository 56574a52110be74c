"""The browser folds a session's events exactly as the server does: a resumed page shows what a fresh one would."""

from __future__ import annotations

import random
from itertools import count
from typing import Any, get_args

import msgspec
import pytest

from signaling.audience import AUDIENCES, seen, told
from signaling.cameras import CameraChanged, CameraWord, RoomCamera
from signaling.chat import Say
from signaling.commands import (
    CallOn,
    EndCall,
    EndLesson,
    LowerHand,
    Mark,
    Mute,
    RaiseHand,
    ReportDevices,
    SetTimer,
    Signal,
    Spotlight,
    StartLesson,
    TakeAttendance,
)
from signaling.errors import Refusal
from signaling.events import Joined, LineMeasured, RecordingChanged, ReviewOpened, TalkMeasured
from signaling.exercises import (
    AddPhoto,
    Answer,
    CloseExercise,
    CountHands,
    Exercise,
    PushExercise,
    PutAwayExercise,
    RemovePhoto,
    ShowResult,
)
from signaling.materials import CloseMaterial, Material, MaterialsShelved, OpenMaterial, TurnPage, parts_of
from signaling.messages import AnyRoomEvent, Event
from signaling.pictures import SelectSource
from signaling.room import Room
from signaling.room_state import ExpectedRoom, LessonInfo
from signaling.rules import arrive, decide, depart, due, vanish
from signaling.strokes import ClearPage, DrawStroke, EraseStroke, ExtendStroke
from signaling.wire import Command, Role
from tests import client_code

OPENS = 1_790_000_000.0
PEOPLE: tuple[tuple[str, Role, str, bool], ...] = (
    ("host", "host", "core", False),
    ("room.a", "endpoint", "a", False),
    ("room.b", "endpoint", "b", False),
    ("helper.a", "assistant", "a", False),
    ("helper.c", "assistant", "c", False),
    ("watcher", "observer", "core", True),
    ("encoder.core", "encoder", "core", False),
    ("encoder.a.camera", "encoder", "a", False),
)
SHELF = tuple(
    Material(
        version=f"v{number}",
        material="m",
        kind="guide_sheet",
        title="导学单",
        number=number,
        pages=((1131, 1600),) * number,
    )
    for number in (1, 2)
)
FOLD = """
    return given.map(({snapshot, events}) => {
        let room = {me: "", role: "", snapshot, tracks: [], links: {}, clockOffset: 0};
        for (const event of events) room = module.next(room, event, 0);
        return room.snapshot;
    });
"""


def lesson() -> LessonInfo:
    return LessonInfo(
        id="lesson",
        title="光的反射",
        subject="科学",
        kind="sync",
        rehearsal=False,
        host_unit="core",
        host_teacher="科学教师A",
        starts=OPENS + 900,
        ends=OPENS + 3300,
        expected=("room.a", "room.b"),
    )


def as_sent(message: object) -> Any:
    """A message as a JSON client reads it."""
    return msgspec.json.decode(msgspec.json.encode(message))


def joined(participant: str) -> Joined:
    _, role, unit, hidden = next(person for person in PEOPLE if person[0] == participant)
    return Joined(
        participant=participant,
        role=role,
        unit=unit,
        unit_name=unit,
        name=participant,
        class_name="五(1)班",
        room=f"r-{unit}",
        phone="0356-0000000",
        hidden=hidden,
    )


def some_command(rng: random.Random, ids: count[int]) -> Command:
    seat = rng.choice([None, 3, 12])
    who = rng.choice(["room.a", "room.b", "host"])
    msg_id = f"m{next(ids)}"
    return rng.choice(
        [
            StartLesson(msg_id=msg_id),
            RaiseHand(msg_id=msg_id, seat=seat),
            RaiseHand(msg_id=msg_id, seat=seat),
            LowerHand(msg_id=msg_id, participant=who),
            *[CallOn(msg_id=msg_id, participant=who)] * 3,
            *[EndCall(msg_id=msg_id)] * 3,
            Spotlight(msg_id=msg_id, participant=rng.choice([None, who])),
            Mute(msg_id=msg_id, muted=rng.random() < 0.5, participant=rng.choice([None, who])),
            Mark(msg_id=msg_id, note="法线"),
            Signal(msg_id=msg_id, kind=rng.choice(["ready", "slower", "no_sound"])),
            SetTimer(msg_id=msg_id, seconds=rng.choice([0, 120])),
            TakeAttendance(msg_id=msg_id, absent=(4,), late=(9, 4)),
            SelectSource(msg_id=msg_id, source=rng.choice(["teacher", "pupils", "screen"])),
        ]
    )


def some_board_command(rng: random.Random, msg_id: str) -> Command:
    version, page, stroke = rng.choice(["blank", "blank", "v1", "v2"]), rng.choice([1, 1, 2]), f"s{rng.randrange(8)}"
    points = tuple(rng.choice([0, 5, 300, -5]) for _ in range(4))
    return rng.choice(
        [
            OpenMaterial(msg_id=msg_id, version=version, page=page),
            OpenMaterial(msg_id=msg_id, version="blank"),
            TurnPage(msg_id=msg_id, version=version, page=page, part=rng.choice([0, 0, 2])),
            CloseMaterial(msg_id=msg_id),
            *[
                DrawStroke(
                    msg_id=msg_id,
                    version=version,
                    page=page,
                    stroke=stroke,
                    colour="red",
                    width=16,
                    points=(2000, 2000, *points),
                )
            ]
            * 4,
            ExtendStroke(msg_id=msg_id, stroke=stroke, points=points),
            EraseStroke(msg_id=msg_id, stroke=stroke),
            ClearPage(msg_id=msg_id, version=version, page=page),
        ]
    )


def some_exercise_command(rng: random.Random, room: Room, msg_id: str) -> Command:
    run = room.exercises.run
    exercise, seat, photo = run.id if run else "x", rng.choice([None, 3, 12]), f"p{rng.randrange(4)}"
    return rng.choice(
        [
            PushExercise(msg_id=msg_id, exercise=rng.choice(EXERCISES)),
            CloseExercise(msg_id=msg_id, exercise=exercise),
            ShowResult(msg_id=msg_id, exercise=exercise),
            PutAwayExercise(msg_id=msg_id, exercise=exercise),
            *[Answer(msg_id=msg_id, exercise=exercise, seat=seat, choice=rng.choice([None, 0, 1]))] * 3,
            *[Answer(msg_id=msg_id, exercise=exercise, seat=seat, text=rng.choice([None, "", "光"]))] * 2,
            *[Answer(msg_id=msg_id, exercise=exercise, seat=seat, number=rng.choice([None, 35.0]))] * 2,
            *[CountHands(msg_id=msg_id, exercise=exercise, hands=(rng.randrange(9), 2))] * 3,
            *[AddPhoto(msg_id=msg_id, exercise=exercise, photo=photo, seat=seat)] * 3,
            *[RemovePhoto(msg_id=msg_id, photo=photo)] * 3,
            ReportDevices(msg_id=msg_id, camera=rng.choice(["ok", "unplugged"]), microphone="ok"),
            Say(msg_id=msg_id, text="慢一点"),
        ]
    )


def some_events(rng: random.Random, room: Room, now: float, ids: count[int]) -> list[AnyRoomEvent]:
    """What may happen next: a command, somebody coming or going, the clock, or the recorder."""
    participant = rng.choice(PEOPLE)[0]
    kind = rng.random()
    if kind < 0.15:
        return arrive(room, joined(participant))
    if kind < 0.2:
        return vanish(room, participant, now)
    if kind < 0.25:
        return depart(room, participant, rng.choice(["left", "lost"]))
    if kind < 0.3:
        return [RecordingChanged(participant=participant, state=rng.choice(["recording", "no_consent", "paused"]))]
    if kind < 0.31:
        return [MaterialsShelved(materials=rng.choice([(), SHELF[:1], SHELF]))]
    if kind < 0.32:
        return [LINE]
    if kind < 0.33:
        return [TalkMeasured(participant=participant, since=now - 5, seconds=2.5)]
    if kind < 0.36:
        state: CameraWord = rng.choice(["live", "failed", "off"])
        return [CameraChanged(camera=RoomCamera(room=rng.choice(["room.a", "room.b"]), state=state, video="h264"))]
    if kind < 0.45:
        return due(room, now)
    noun = "board" if kind < 0.65 else "exercise" if kind < 0.85 else ""
    if noun:
        participant = rng.choice(["host", "host", "host", "helper.a", "helper.a", "room.a", "room.b"])
    try:
        msg_id = f"m{next(ids)}"
        if noun == "board":
            command = some_board_command(rng, msg_id)
        elif noun == "exercise":
            command = some_exercise_command(rng, room, msg_id)
        else:
            command = some_command(rng, ids)
        return decide(room, command, participant, now, lambda: f"h{next(ids)}")
    except Refusal:
        return []


EXERCISES = (
    Exercise(kind="choice", prompt="反射角是多少度？", options=("35°", "55°"), right=0),
    Exercise(kind="choice", prompt="反射角是多少度？", options=("35°", "55°"), right=0),
    Exercise(kind="text", prompt="什么是法线？"),
    Exercise(kind="number", prompt="入射角", number=35.0),
    Exercise(kind="photo", prompt="画光路"),
)
LINE = LineMeasured(
    participant="room.a",
    since=1.0,
    seconds=60.0,
    loss=0.01,
    worst_loss=0.1,
    rtt_ms=40.0,
    kbps=250.0,
    weak=0.0,
    freezes=1,
)


def a_session(seed: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """A random session: what the browser of a teacher or of a classroom is told, and its snapshot at the end."""
    audience = AUDIENCES[seed % len(AUDIENCES)]
    rng, ids, sequence = random.Random(seed), count(), count(1)
    room = Room("session", lesson())
    before = as_sent(room.snapshot())
    events: list[Any] = []
    now = OPENS

    def happen(happening: list[AnyRoomEvent]) -> None:
        for event in happening:
            room.evolve(event, now)
            events.append(as_sent(told(Event(epoch=1, seq=next(sequence), at=now, event=event), audience)))

    happen(due(room, now))
    for name, *_ in PEOPLE:
        happen(arrive(room, joined(name)))
    happen(decide(room, StartLesson(msg_id="start"), "host", now, lambda: "h"))
    for _ in range(rng.randrange(450)):
        now += rng.choice([0.5, 3.0, 90.0])
        happen(some_events(rng, room, now, ids))
    if seed % 3 == 0 and room.state in ("live", "overrun") and room.present("host"):
        happen(decide(room, EndLesson(msg_id="end"), "host", now, lambda: "h"))
        happen([ReviewOpened(review="review")])
    return {"snapshot": before, "events": events}, as_sent(seen(room.snapshot(), audience))


@pytest.fixture(scope="module")
def sessions() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    return [a_session(seed) for seed in range(90)]


def test_browser_folds_events_as_the_server_does(sessions: list[tuple[dict[str, Any], dict[str, Any]]]) -> None:
    folded = client_code.run("classroom/room.ts", FOLD, [given for given, _ in sessions])
    for seed, ((_, expected), found) in enumerate(zip(sessions, folded, strict=True)):
        assert found == expected, f"seed {seed}"


def test_sessions_reach_every_kind_of_event(sessions: list[tuple[dict[str, Any], dict[str, Any]]]) -> None:
    """The sequences above are no smaller than the protocol."""
    reached = {event["event"]["type"] for given, _ in sessions for event in given["events"]}
    tags = {kind.__struct_config__.tag for kind in get_args(AnyRoomEvent)}
    assert tags - reached == set()


def test_browser_shows_the_rooms_that_have_not_come() -> None:
    """The host must see whom to ring: a class that is missing has its place among the others."""
    about = msgspec.structs.replace(
        lesson(),
        expected=("r-a", "r-b"),
        rooms=tuple(
            ExpectedRoom(room=f"r-{unit}", unit=unit, unit_name=unit, phone="0356-0000000") for unit in ("a", "b")
        ),
    )
    room = Room("session", about)
    for event in arrive(room, joined("room.b")):
        room.evolve(event, OPENS)
    script = """return module.lessonRooms({snapshot: given, links: {}}).map(
        (p) => [p.room, p.presence, module.hasNotCome(p), p.phone])"""
    shown = client_code.run("classroom/room.ts", script, as_sent(room.snapshot()))
    assert shown == [["r-a", "offline", True, "0356-0000000"], ["r-b", "connected", False, "0356-0000000"]]
    for event in depart(room, "room.b", "lost"):
        room.evolve(event, OPENS + 60)
    shown = client_code.run("classroom/room.ts", script, as_sent(room.snapshot()))
    assert [entry[1:3] for entry in shown] == [["offline", True], ["offline", False]]


def test_browser_counts_the_bands_of_a_page_as_the_server_does() -> None:
    sizes = [(1600, height) for height in range(200, 1601, 25)] + [(width, 1600) for width in range(40, 1600, 20)]
    pages = Material(version="v", material="m", kind="exercise", title="", number=1, pages=tuple(sizes))
    script = """return given.pages.map((_, index) => {
        const parts = module.partsOf(given, index + 1);
        const last = module.frameOf(given, index + 1, parts);
        const steps = [];
        let at = { material: given, page: index + 1, part: parts > 1 ? 1 : 0 };
        while (at && at.page === index + 1) {
            steps.push(at.part);
            const next = module.stepFrom(at, 1);
            at = next && { material: given, ...next };
        }
        return [parts, last.top + last.height === module.unitsOf(given, index + 1).height, steps];
    });"""
    found = client_code.run("classroom/board.ts", script, as_sent(pages))
    expected = [parts_of(pages, page) for page in range(1, len(sizes) + 1)]
    assert [parts for parts, _, _ in found] == expected
    assert all(reaches_the_end for _, reaches_the_end, _ in found)
    assert [steps for _, _, steps in found] == [[0] if parts == 1 else list(range(1, parts + 1)) for parts in expected]
