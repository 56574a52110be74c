"""This module owns how an occurrence stands on its date: where it takes place, or why it does not."""

from collections.abc import Sequence
from datetime import date
from typing import Literal, TypeGuard

from msgspec import Struct

from timetable.days.closings import Closing
from timetable.days.effects import Taught
from timetable.model import PlacedParty, Term
from timetable.term import Occurrence, teaching_day

Change = Literal["none", "moved", "substituted", "cancelled", "made_up"]


class Standing(Struct, frozen=True, kw_only=True):
    """One occurrence as it stands: where it takes place, or would have, and what the table alone says of it."""

    uid: str
    community: str
    occurrence: Occurrence
    planned: Occurrence | None
    cancelled: bool = False
    made_up: bool = False
    taught: tuple[Taught, ...] = ()
    closing: Closing | None = None
    """What keeps it, or some of its schools, from taking place."""

    @property
    def starts(self) -> float:
        return self.occurrence.starts

    @property
    def moved(self) -> bool:
        """Whether it stands at another time than the table says."""
        return self.planned is not None and _slot(self.planned) != _slot(self.occurrence)

    @property
    def change(self) -> Change:
        """What was done to it; of several things the one that people must know first."""
        if self.cancelled:
            return "cancelled"
        if self.made_up:
            return "made_up"
        if self.moved:
            return "moved"
        return "substituted" if self.taught else "none"


def held(standing: Standing | None) -> TypeGuard[Standing]:
    """Whether it takes place."""
    return standing is not None and not standing.cancelled


def attending(term: Term, parties: Sequence[PlacedParty], day: date) -> tuple[PlacedParty, ...]:
    """Those whose unit is open that day; nobody where the host is closed or nobody is left to share with."""
    present = tuple(party for party in parties if teaching_day(term, day, party.unit) is not None)
    if not present or present[0] != parties[0] or len(present) < min(2, len(parties)):
        return ()
    return present


def _slot(occurrence: Occurrence) -> tuple[date, str, str]:
    return occurrence.day.date, occurrence.lesson.start, occurrence.lesson.end
