"""This module owns the step from chosen placements to a table: rooms, lesson ids, supervision of leftover minutes."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from timetable import objective
from timetable.bells import Window, Windows, near
from timetable.commitments import NEVER
from timetable.model import SHARED_KINDS, Lesson, Party, PlacedParty, Table, clock
from timetable.problem import Problem
from timetable.solving.formulation import Choice
from timetable.timing import timed
from timetable.weeks import WeekSet, weeks_of


class NoRoom(Exception):
    """A shared lesson was placed where no remote room of the unit is free: the formulation counted wrongly."""


def table_of(problem: Problem, choices: Iterable[Choice]) -> Table:
    """The priced table of these choices."""
    ordered = sorted(choices, key=lambda c: (c.requirement.id, c.placement.weekday, c.placement.period))
    rooms = _Rooms(problem)
    # Rooms that the search chose are fixed; the more weeks a lesson has, the harder it is to seat.
    by_need = sorted(ordered, key=lambda c: (not c.rooms, -weeks_of(c.requirement).bit_count()))
    seated = {id(choice): rooms.seat(choice) for choice in by_need}
    present = _Presence(problem, ordered)
    counts: dict[str, int] = defaultdict(int)
    lessons = []
    for choice in ordered:
        counts[choice.requirement.id] += 1
        lessons.append(_lesson(problem, choice, counts[choice.requirement.id], seated[id(choice)], present))
    table = Table(community=problem.community.id, term=problem.register.term.id, lessons=tuple(lessons))
    return objective.priced(problem, table)


def _lesson(problem: Problem, choice: Choice, index: int, rooms: Sequence[str | None], present: "_Presence") -> Lesson:
    requirement, placement = choice.requirement, choice.placement
    weeks = weeks_of(requirement)

    def supervisor(party: int, season: int, part: Window) -> str | None:
        return present.supervisor(requirement.parties[party], placement.weekday, part, weeks, season)

    parties = (
        PlacedParty(
            unit=party.unit,
            period=side.periods[0],
            start=clock(side.window.start),
            end=clock(side.window.end),
            room=room,
            classes=party.classes,
            teachers=party.teachers,
        )
        for party, side, room in zip(requirement.parties, placement.sides, rooms, strict=True)
    )
    lesson = Lesson(
        id=f"{requirement.id}.{index}",
        requirement=requirement.id,
        kind=requirement.kind,
        subject=requirement.subject,
        weekday=placement.weekday,
        start=clock(placement.shared.start),
        end=clock(placement.shared.end),
        parties=tuple(parties),
        weeks=requirement.weeks,
        topic=requirement.topic,
        only_weeks=requirement.only_weeks,
        rotation=requirement.rotation,
    )
    return timed(lesson, placement, problem.bells.seasons, supervisor)


class _Rooms:
    """Which room is taken when."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._taken: dict[tuple[str, int], list[tuple[Windows, WeekSet]]] = defaultdict(list)

    def seat(self, choice: Choice) -> list[str | None]:
        """A room for every party: the class's home room for a local lesson, a free remote room for a shared one."""
        requirement, placement = choice.requirement, choice.placement
        weeks = weeks_of(requirement)
        seated: list[str | None] = []
        for index, (party, side) in enumerate(zip(requirement.parties, placement.sides, strict=True)):
            room: str | None = None
            if requirement.kind in SHARED_KINDS:
                room = choice.rooms.get(index) or self._free_remote_room(
                    party.unit, placement.weekday, side.windows, weeks
                )
                self._taken[room, placement.weekday].append((side.windows, weeks))
            elif party.classes:
                room = self._problem.classes[party.classes[0]].room
            seated.append(room)
        return seated

    def _free_remote_room(self, unit: str, weekday: int, windows: Windows, weeks: WeekSet) -> str:
        for room in self._problem.remote_rooms[unit]:
            taken = self._taken[room.id, weekday]
            if self._problem.room_free(room.id, weekday, windows, weeks) and not any(
                weeks & other_weeks and near(windows, other) for other, other_weeks in taken
            ):
                return room.id
        raise NoRoom(f"{unit} on weekday {weekday} at {clock(windows[0].start)}")


class _Presence:
    """Who is where, to find somebody for minutes in which a class waits for the others."""

    def __init__(self, problem: Problem, choices: Iterable[Choice]) -> None:
        self._problem = problem
        self._busy: dict[tuple[str, int], list[tuple[Windows, WeekSet, str]]] = defaultdict(list)
        """(teacher, weekday) -> windows by season, weeks, unit. Supervision holds in its own season only."""
        self._seasons = len(problem.bells.seasons)
        self._teachers_of: dict[tuple[str, str], list[str]] = defaultdict(list)
        for choice in choices:
            requirement, placement = choice.requirement, choice.placement
            for party, side in zip(requirement.parties, placement.sides, strict=True):
                for teacher in party.teachers:
                    self._busy[teacher, placement.weekday].append((side.windows, weeks_of(requirement), party.unit))
                    for school_class in party.classes:
                        known = self._teachers_of[school_class, party.unit]
                        if teacher not in known:
                            known.append(teacher)

    def supervisor(self, party: Party, weekday: int, window: Window, weeks: WeekSet, season: int) -> str | None:
        """The party's own teacher, who is in the room anyway; else the first teacher of the class who is free."""
        if party.teachers:
            return party.teachers[0]
        windows = tuple(window if n == season else NEVER for n in range(self._seasons))
        for school_class in party.classes:
            for teacher in self._teachers_of[school_class, party.unit]:
                if self._free(teacher, party.unit, weekday, windows, weeks):
                    self._busy[teacher, weekday].append((windows, weeks, party.unit))
                    return teacher
        return None

    def _free(self, teacher: str, unit: str, weekday: int, windows: Windows, weeks: WeekSet) -> bool:
        problem = self._problem
        if not problem.teacher_free(teacher, unit, weekday, windows, weeks):
            return False
        campus = problem.units[unit].campus
        for other, other_weeks, other_unit in self._busy[teacher, weekday]:
            way = problem.travel.between(campus, problem.units[other_unit].campus)
            if weeks & other_weeks and near(windows, other, way):
                return False
        return True
