"""A lesson to hold in tests: a host classroom and three member classrooms, and who takes part in it."""

from __future__ import annotations

from msgspec import Struct

from server.auth.principal import Principal
from server.shapes.people import Grant
from signaling.events import Joined
from signaling.plan import SessionPlan, UnitPart
from signaling.room_state import LessonInfo
from signaling.wire import Role

HOST_UNIT = "core"
MEMBERS = ("yanli", "gulong", "dongye")
COMMUNITY = "c1"


class Clock(Struct):
    """A time that the test moves by itself."""

    now: float = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def plan(
    session: str = "s1", *, starts: float = 1_000_000.0, lesson: str = "music-1.1", minutes: int = 40
) -> SessionPlan:
    """The plan of a sync lesson of `minutes`, taught by `t-host` to three classes."""
    return SessionPlan(
        session=session,
        community=COMMUNITY,
        occurrence=f"{session}-occurrence",
        lesson=LessonInfo(
            id=lesson,
            title="音乐 · 三年级",
            subject="音乐",
            kind="sync",
            rehearsal=False,
            host_unit=HOST_UNIT,
            host_teacher="音乐教师01",
            starts=starts,
            ends=starts + minutes * 60,
            expected=tuple(f"room-{unit}" for unit in MEMBERS),
        ),
        parts=(part(HOST_UNIT, "t-host"), *(part(unit, f"t-{unit}") for unit in MEMBERS)),
    )


def part(unit: str, teacher: str) -> UnitPart:
    return UnitPart(
        unit=unit,
        unit_name=f"{unit}学校",
        room=f"room-{unit}",
        room_name=f"{unit}远程教室",
        class_name=f"{unit}三（1）班",
        phone="0356-0000000",
        teachers=(teacher,),
    )


def teacher(unit: str, id: str | None = None) -> Principal:
    """A teacher of one unit; of the host's unit: the one who teaches the lesson."""
    name = id or f"t-{'host' if unit == HOST_UNIT else unit}"
    return Principal(
        kind="person", id=f"p-{name}", name=name, unit=unit, teacher=name, grants=(Grant(role="teacher", unit=unit),)
    )


def classroom(unit: str) -> Principal:
    return Principal(kind="room", id=f"room-{unit}", name=f"{unit}远程教室", unit=unit)


def researcher() -> Principal:
    return Principal(
        kind="person",
        id="p-researcher",
        name="教研员",
        unit=None,
        grants=(Grant(role="researcher", community=COMMUNITY),),
    )


def arrival(participant: str, role: Role, unit: str) -> Joined:
    """The event of somebody's coming in."""
    return Joined(
        participant=participant,
        role=role,
        unit=unit,
        unit_name=f"{unit}学校",
        name=participant,
        hidden=role in ("observer", "patrol"),
    )
