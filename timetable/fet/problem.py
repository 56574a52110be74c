"""This module owns a community as FET sees it: activities over one grid of hours, and who could be where when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from timetable.fet.format import FetSlot, Names
from timetable.fet.grid import Grid
from timetable.model import SHARED_KINDS, Requirement, clock
from timetable.placement import Demand, Placement
from timetable.problem import Problem
from timetable.weeks import EVERY_WEEK


@dataclass(frozen=True, slots=True)
class Activity:
    """What FET places at once: one lesson, or one of odd weeks together with one of even weeks."""

    id: int
    demands: tuple[Demand, ...]
    slots: Mapping[FetSlot, tuple[Placement, ...]]
    """Where it may begin, each with a placement for every demand."""

    @property
    def requirements(self) -> Iterator[Requirement]:
        return (demand.requirement for demand in self.demands)

    @property
    def is_shared(self) -> bool:
        """Whether it is taught through remote rooms, which FET knows as one virtual room outside all buildings."""
        return self.demands[0].requirement.kind in SHARED_KINDS

    @property
    def block(self) -> int:
        return self.demands[0].requirement.block

    @property
    def teachers(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(t for r in self.requirements for party in r.parties for t in party.teachers))

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(c for r in self.requirements for party in r.parties for c in party.classes))


class FetProblem:
    """The problem over FET's grid, with the names that go into the file."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        parties = [party for requirement in problem.requirements for party in requirement.parties]
        self.units = tuple(dict.fromkeys((*problem.community.units, *(party.unit for party in parties))))
        days = [(unit, day, problem.bells.day(unit, day)) for unit in self.units for day in problem.weekdays]
        self.grid = Grid(days, problem.slack)
        windows = [self.grid.window(hour) for hour in range(self.grid.size)]
        self.hours = tuple(f"{n} {clock(w.start)}-{clock(w.end)}" for n, w in enumerate(windows, 1))
        self.units_of: dict[str, set[str]] = defaultdict(set)
        for party in parties:
            for teacher in party.teachers:
                self.units_of[teacher].add(party.unit)
        self.teachers, self.classes = Names(), Names()
        for teacher in self.units_of:
            self.teachers.add(teacher, problem.teachers[teacher].name)
        for school_class in problem.classes.values():
            if school_class.unit in self.units:
                unit = problem.units[school_class.unit].short_name
                self.classes.add(school_class.id, f"{unit} {school_class.name}")

    # Activities -----------------------------------------------------------------------------------------------------

    @cached_property
    def groups(self) -> tuple[tuple[Demand, ...], ...]:
        """The demands, those of one class in odd and in even weeks together where there is one of each."""
        return tuple(_grouped(self.problem.demands))

    @cached_property
    def activities(self) -> tuple[Activity, ...]:
        found: list[Activity] = []
        for demands in self.groups:
            if self.holds(demands):
                slots = self._slots_of[demands[0].requirement.id]
                first, weekly = len(found) + 1, demands[0].requirement.weekly
                found += [Activity(number, demands, slots) for number in range(first, first + weekly)]
        return tuple(found)

    def holds(self, demands: Sequence[Demand]) -> bool:
        """Whether the grid has as many hours for the demands as they need."""
        return len(self._slots_of[demands[0].requirement.id]) >= demands[0].requirement.weekly

    def lost(self, demands: Sequence[Demand]) -> int:
        """How many placements of the first demand the grid cannot hold."""
        return len(demands[0].placements) - len(self._slots_of[demands[0].requirement.id])

    @cached_property
    def _slots_of(self) -> dict[str, dict[FetSlot, tuple[Placement, ...]]]:
        return {demands[0].requirement.id: self._slots(demands) for demands in self.groups}

    def _slots(self, demands: Sequence[Demand]) -> dict[FetSlot, tuple[Placement, ...]]:
        found: dict[FetSlot, tuple[Placement, ...]] = {}
        for index, demand in enumerate(demands):
            units = [party.unit for party in demand.requirement.parties]
            here: dict[FetSlot, Placement] = {}
            for placement in demand.placements:
                hour = self.grid.hour_of(units, placement)
                if hour is not None:
                    here[placement.weekday, hour] = placement
            found = {at: (*found.get(at, ()), here[at]) for at in here if index == 0 or at in found}
        return found

    # Slots ----------------------------------------------------------------------------------------------------------

    @cached_property
    def all_slots(self) -> frozenset[FetSlot]:
        return frozenset((day, hour) for day in self.problem.weekdays for hour in range(self.grid.size))

    def rung(self, unit: str) -> set[FetSlot]:
        """The slots in which the unit has a period."""
        return {(day, hour) for day in self.problem.weekdays for hour in self.grid.hours_of(unit, day).values()}

    @cached_property
    def free(self) -> dict[str, set[FetSlot]]:
        """The slots in which each teacher could be at one of their units."""
        problem = self.problem
        found: dict[str, set[FetSlot]] = {teacher: set() for teacher in self.units_of}
        for teacher, units in self.units_of.items():
            for unit, day in ((unit, day) for unit in units for day in problem.weekdays):
                for period, hour in self.grid.hours_of(unit, day).items():
                    windows = problem.bells.windows(unit, day, period)
                    if problem.teacher_free(teacher, unit, day, windows, EVERY_WEEK):
                        found[teacher].add((day, hour))
        return found

    def open_to(self, activity: Activity) -> set[FetSlot]:
        """Where the free times of its teachers and classes let the activity begin."""
        free = set(self.all_slots)
        for school_class in activity.classes:
            free &= self.rung(self.problem.classes[school_class].unit)
        for teacher in activity.teachers:
            free &= self.free[teacher]
        return {(day, hour) for day, hour in free if all((day, hour + k) in free for k in range(activity.block))}

    def campuses(self, teacher: str) -> set[str]:
        return {self.problem.units[unit].campus for unit in self.units_of[teacher]}


def _grouped(demands: Iterable[Demand]) -> Iterator[tuple[Demand, ...]]:
    waiting: dict[tuple[object, ...], list[Demand]] = defaultdict(list)
    for demand in demands:
        requirement = demand.requirement
        if requirement.weeks == "all" or requirement.kind != "local":
            yield (demand,)
            continue
        classes = requirement.parties[0].classes
        other = "even" if requirement.weeks == "odd" else "odd"
        alike = (classes, requirement.weekly, requirement.block)
        if waiting[*alike, other]:
            yield waiting[*alike, other].pop(), demand
        else:
            waiting[*alike, requirement.weeks].append(demand)
    yield from ((demand,) for left in waiting.values() for demand in left)
