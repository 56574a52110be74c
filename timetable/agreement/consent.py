"""This module owns one unit's word on a draft or an amendment, and why a word does not count."""

from typing import Literal

from msgspec import Struct

from timetable.errors import TimetableError
from timetable.model import Slot


class WrongSide(TimetableError):
    """This unit has no such say: not in the community, not affected, or not the one that proposes or publishes."""

    code = "wrong_side"

    def __init__(self, unit: str, action: str) -> None:
        super().__init__(f"{unit} cannot {action}")
        self.unit, self.action = unit, action


class ReasonMissing(TimetableError):
    """An objection without a reason helps nobody to a better draft."""

    code = "reason_missing"


class Consent(Struct, frozen=True, kw_only=True):
    """One unit's word on what was proposed; `at` is unix seconds."""

    unit: str
    answer: Literal["agreed", "objected"]
    by: str
    at: float
    reason: str = ""
    lesson: str | None = None
    counter: Slot | None = None
