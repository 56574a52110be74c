"""Bodies about moving lessons of a draft: the slots of a lesson, a proposed repair, and what came of it."""

from typing import Annotated, Literal

from msgspec import Meta

from server.shapes.base import Body
from timetable.model import Finding, Id, RuleCost, Slot, Weekday


class SlotView(Body, frozen=True, kw_only=True):
    """What moving the lesson to one period of its host would mean. `costs`: possible, but the table gets worse by
    `delta`, by the rules in `rules`. `impossible`: for `reasons`, where `lessons` are those in the way; `repairable`:
    nothing but those is, and a repair may lead them away."""

    weekday: int
    period: int
    start: str
    verdict: Literal["here", "fits", "costs", "impossible"]
    delta: int
    rules: tuple[RuleCost, ...]
    reasons: tuple[Finding, ...]
    lessons: tuple[str, ...]
    repairable: bool


class SlotsView(Body, frozen=True, kw_only=True):
    """`revision` is the draft's that the slots are of; 0: there is none, they are of the newest version."""

    lesson: str
    revision: int
    slots: tuple[SlotView, ...]


class NewRepair(Body, frozen=True, kw_only=True):
    """Put the lesson into this period of its host's week."""

    revision: int
    lesson: Id
    weekday: Weekday
    period: Annotated[int, Meta(ge=1, le=16)]


class MoveView(Body, frozen=True, kw_only=True):
    """One lesson's way from slot to slot, in periods of its host."""

    lesson: str
    source: Slot
    target: Slot


class RepairView(Body, frozen=True, kw_only=True):
    """A repair that waits to be accepted; the first move is the lesson's own."""

    id: str
    revision: int
    lesson: str
    moves: tuple[MoveView, ...]
    cost_before: int
    cost_after: int
    units: tuple[str, ...]
    rung: Literal["alone", "lessons", "classes", "teachers", "all"]
    seconds: float
    verified: bool
