"""This module owns a placed lesson's clock: from where it stands, the times of every season and who supervises what is
left over then."""

from collections.abc import Callable, Sequence

from msgspec import structs

from timetable import bells
from timetable.bells import Window
from timetable.model import Leftover, Lesson, PartyTimes, Times, clock
from timetable.placement import Placement

Supervisor = Callable[[int, int, Window], str | None]
"""Who supervises what is left over to a party (by its index) in a season (by its index); None: nobody is free."""


def timed(lesson: Lesson, placement: Placement, seasons: Sequence[str], supervisor: Supervisor) -> Lesson:
    """The lesson with the weekday, the periods and all times of the placement. `seasons` are their first dates."""
    each = [_times(lesson, placement, index, first, supervisor) for index, first in enumerate(seasons)]
    now = each[0]
    later: list[Times] = []
    for times in each[1:]:
        before = later[-1] if later else now
        if structs.replace(times, first=before.first) != before:
            later.append(times)
    parties = tuple(
        structs.replace(party, period=side.periods[0], start=own.start, end=own.end, leftover=own.leftover)
        for party, side, own in zip(lesson.parties, placement.sides, now.parties, strict=True)
    )
    return structs.replace(
        lesson, weekday=placement.weekday, start=now.start, end=now.end, parties=parties, later=tuple(later)
    )


def _times(lesson: Lesson, placement: Placement, season: int, first: str, supervisor: Supervisor) -> Times:
    shared = placement.shares[season]
    parties = []
    for index, (party, side) in enumerate(zip(lesson.parties, placement.sides, strict=True)):
        window = side.windows[season]
        spare = bells.leftover(window, shared) if party.classes else ()
        leftover = tuple(
            Leftover(start=clock(part.start), end=clock(part.end), teacher=supervisor(index, season, part))
            for part in spare
        )
        parties.append(PartyTimes(start=clock(window.start), end=clock(window.end), leftover=leftover))
    return Times(first=first, start=clock(shared.start), end=clock(shared.end), parties=tuple(parties))
