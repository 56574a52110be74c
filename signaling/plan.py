"""This module owns what a session is planned to be: the lesson, the units that take part, and their rooms.

A plan is made from the table when the session is created and does not change with the table afterwards: who may join
a running lesson must not depend on a timetable that somebody edits meanwhile.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from signaling.room_state import LessonInfo
from signaling.wire import SessionState


class UnitPart(Struct, frozen=True, kw_only=True, rename="camel"):
    """One unit's side of the session. `teachers` (ids of the register) host in the first part, assist in the others."""

    unit: str
    unit_name: str
    room: str = ""
    """Id of the remote room; empty where a host teaches without one."""
    room_name: str = ""
    class_name: str = ""
    phone: str = ""
    teachers: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    """Ids of the classes in the room, whose consent decides about recording."""
    listen_only: bool = False
    """The room has neither camera nor microphone."""

    @property
    def camera(self) -> str:
        """The participant as which the classroom's own camera publishes, where the server pulls one."""
        return f"encoder.{self.unit}.camera"


class SessionPlan(Struct, frozen=True, kw_only=True, rename="camel"):
    """Everything that the session needs to know of the table."""

    session: str
    lesson: LessonInfo
    community: str
    parts: tuple[UnitPart, ...]
    """The host's part first."""
    occurrence: str = ""
    """The lesson on its date; empty for a rehearsal."""

    @property
    def host(self) -> UnitPart:
        return self.parts[0]

    @property
    def members(self) -> tuple[UnitPart, ...]:
        return self.parts[1:]

    @property
    def units(self) -> tuple[str, ...]:
        return tuple(part.unit for part in self.parts)

    def part_of(self, unit: str) -> UnitPart | None:
        """The part of a unit that takes part."""
        return next((part for part in self.parts if part.unit == unit), None)

    def part_in(self, room: str) -> UnitPart | None:
        """The part whose classroom is `room`."""
        return next((part for part in self.parts if part.room == room), None)


class SessionRecord(Struct, frozen=True, kw_only=True):
    """A session as the store keeps it; the journal is the truth about what happened in it."""

    plan: SessionPlan
    kind: Literal["lesson", "rehearsal"]
    state: SessionState
    journal: str
    review: str | None = None
    ended_at: float | None = None

    @property
    def id(self) -> str:
        return self.plan.session
