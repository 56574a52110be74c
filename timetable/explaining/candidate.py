"""This module owns one thing that could be conceded: its kind and price, its sentence, and the register with it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from msgspec import Struct

from timetable.model import Finding, Register
from timetable.register.change import RegisterChange

ConcessionKind = Literal[
    "locked",
    "busy_room",
    "unavailable",
    "teacher_day",
    "teacher_week",
    "overlap",
    "link",
    "bells",
    "remote_room",
    "weekly",
    "lessons",
]

PRICES: Mapping[ConcessionKind, int] = {
    "locked": 1,
    "busy_room": 2,
    "unavailable": 2,
    "teacher_day": 3,
    "teacher_week": 3,
    "overlap": 3,
    "link": 5,
    "bells": 6,
    "weekly": 8,
    "lessons": 8,
    "remote_room": 12,
}
"""What each kind costs the people who concede it: a word, a favour, a rule bent, money."""

CODES: Mapping[str, str] = {
    "concede_locked": "without one locked slot a table exists",
    "concede_busy_room": "with a room free at one time a table exists",
    "concede_unavailable": "with a teacher available at one time a table exists",
    "concede_teacher_day": "with more lessons a day for one teacher a table exists",
    "concede_teacher_week": "with more lessons a week for one teacher a table exists",
    "concede_overlap": "with less overlap for one requirement a table exists",
    "concede_link": "with one more shared lesson on a unit's line a table exists",
    "concede_bells_earlier": "with one unit's bells that much earlier a table exists",
    "concede_bells_later": "with one unit's bells that much later a table exists",
    "concede_weekly": "with fewer lessons of one requirement a table exists",
    "concede_lessons": "without these lessons together a table exists",
    "concede_remote_room": "with one more remote room at a unit a table exists",
}


class Concession(Struct, frozen=True, kw_only=True):
    """Something that lets a table exist; `finding` says it in words, `price` ranks it (the lowest is the cheapest),
    `change` makes it in the register."""

    kind: ConcessionKind
    price: int
    finding: Finding
    change: RegisterChange = RegisterChange()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A concession that is not verified yet, without its change. `changed` makes the register with it; `requirements`
    are those that it concerns itself."""

    concession: Concession
    changed: Callable[[], Register]
    requirements: frozenset[str] = frozenset()
    moves_bells: bool = False


def priced(kind: ConcessionKind, code: str = "", price: int | None = None, **values: str | int) -> Concession:
    """A concession of a kind, at the kind's own price where none is given; `values` are what its sentence names."""
    finding = Finding(code=f"concede_{code or kind}", values=values, severity="warning")
    return Concession(kind=kind, price=PRICES[kind] if price is None else price, finding=finding)
