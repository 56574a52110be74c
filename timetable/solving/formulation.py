"""This module owns the CP-SAT formulation of a problem: its variables and its hard rules.

One boolean says "a lesson of this requirement stands here", with their sum fixed per requirement: lessons of one
requirement are alike, so nothing has to break that symmetry. The priced rules are added by `pricing`.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from ortools.sat.python import cp_model

from timetable.bells import Windows, near
from timetable.model import SHARED_KINDS, Requirement, Table
from timetable.placement import Demand, Placement
from timetable.problem import Problem
from timetable.weeks import EVEN_WEEKS, EVERY_WEEK, ODD_WEEKS, WeekSet, crowded, parted, weeks_of

Family = Literal[
    "counts", "day_without_gaps", "subject_spread", "teacher_day", "travel", "remote_rooms", "link_capacity", "locked"
]
"""A family of hard rules that can be left out as a whole, to find out what makes a table impossible. Without `counts`
a requirement may get fewer lessons than it needs, never more."""

HABITS: tuple[Family, ...] = ("day_without_gaps", "subject_spread")
"""Kept strictly where that is possible. Without one the table is still free of clashes, so it is then priced."""


class Use(NamedTuple):
    """A variable that takes something for that many periods, in certain weeks."""

    variable: cp_model.IntVar
    weeks: WeekSet
    periods: int = 1


class Seat(NamedTuple):
    """A variable that takes a room from minute to minute of a weekday."""

    windows: Windows
    use: Use


@dataclass(frozen=True, slots=True)
class Choice:
    """One lesson of a solution: its requirement, where it stands, and the rooms that the search chose by party."""

    requirement: Requirement
    placement: Placement
    rooms: dict[int, str]


def by_weeks(uses: Sequence[Use]) -> list[tuple[WeekSet, Sequence[Use]]]:
    """Weeks with the uses that meet in each of them: one group when all are for the same weeks."""
    return _grouped(uses, parted)


def meeting(uses: Sequence[Use]) -> list[Sequence[Use]]:
    """The uses that meet in one week, without the groups that are within another."""
    return [together for _, together in _grouped(uses, crowded)]


def _grouped(
    uses: Sequence[Use], parts: Callable[[frozenset[WeekSet]], tuple[WeekSet, ...]]
) -> list[tuple[WeekSet, Sequence[Use]]]:
    sets = frozenset([use.weeks for use in uses])
    if len(sets) == 1:
        return [(uses[0].weeks, uses)]
    return [(part, [use for use in uses if use.weeks & part]) for part in parts(sets)]


def total(uses: Iterable[Use]) -> cp_model.LinearExprT:
    """The periods that the chosen ones among the uses take together."""
    pairs = list(uses)
    return cp_model.LinearExpr.weighted_sum([use.variable for use in pairs], [use.periods for use in pairs])


class Formulation:
    """The hard model of one problem, with the uses of every class, teacher and room kept for the priced rules."""

    def __init__(self, problem: Problem, without: frozenset[Family] = frozenset()) -> None:
        self.problem = problem
        self.without = without
        self.cp = cp_model.CpModel()
        self.placed: list[tuple[Demand, list[cp_model.IntVar]]] = []
        self.class_cells: dict[tuple[str, int, int], list[Use]] = defaultdict(list)
        """(class, weekday, period) -> what may take it."""
        self.subject_days: dict[tuple[str, str, int], list[Use]] = defaultdict(list)
        """(class, subject, weekday) -> its lessons."""
        self.teacher_cells: dict[tuple[str, int], dict[tuple[str, int], list[Use]]] = defaultdict(dict)
        """(teacher, weekday) -> (unit, period) -> what may take it."""
        self.teacher_days: dict[tuple[str, int], list[Use]] = defaultdict(list)
        self.taken: dict[tuple[str, int, int], cp_model.IntVar] = {}
        """(full class, weekday, period) -> whether a lesson stands there."""
        self._unit_cells: dict[tuple[str, int, int], list[Use]] = defaultdict(list)
        self._seats: dict[tuple[str, int], list[Seat]] = defaultdict(list)
        self._chosen_rooms: dict[int, list[tuple[int, str, cp_model.IntVar]]] = defaultdict(list)
        self._contested = _contested_rooms(problem)
        self._choose_room = _units_choosing_rooms(problem, self._contested)
        for demand in problem.demands:
            self._place(demand)
        self._keep_classes()
        self._keep_teachers()
        self._keep_units()
        self._keep_rooms()

    @property
    def variables(self) -> int:
        return len(self.cp.proto.variables)

    # Variables ------------------------------------------------------------------------------------------------------

    def _place(self, demand: Demand) -> None:
        requirement = demand.requirement
        variables = [self.cp.new_bool_var("") for _ in demand.placements]
        self.placed.append((demand, variables))
        count = cp_model.LinearExpr.sum(variables)
        self.cp.add(count <= requirement.weekly if "counts" in self.without else count == requirement.weekly)
        shared = requirement.kind in SHARED_KINDS
        weeks = weeks_of(requirement)
        classes = {c: index for index, party in enumerate(requirement.parties) for c in party.classes}
        teachers = {(t, party.unit): index for index, party in enumerate(requirement.parties) for t in party.teachers}
        locked = {(slot.weekday, slot.period) for slot in requirement.locked} if "locked" not in self.without else ()
        for variable, placement in zip(variables, demand.placements, strict=True):
            weekday, sides = placement.weekday, placement.sides
            one = Use(variable, weeks)
            whole = Use(variable, weeks, requirement.block)
            for school_class, index in classes.items():
                for period in sides[index].periods:
                    self.class_cells[school_class, weekday, period].append(one)
                self.subject_days[school_class, requirement.subject, weekday].append(whole)
            for (teacher, unit), index in teachers.items():
                cells = self.teacher_cells[teacher, weekday]
                for period in sides[index].periods:
                    cells.setdefault((unit, period), []).append(one)
                self.teacher_days[teacher, weekday].append(whole)
            if shared:
                self._take_remote_rooms(requirement, placement, one)
            elif classes:
                self._take_home_rooms(requirement, placement, one)
            if (weekday, placement.period) in locked:
                self.cp.add(variable == 1)

    def _take_remote_rooms(self, requirement: Requirement, placement: Placement, use: Use) -> None:
        for index, party in enumerate(requirement.parties):
            side = placement.sides[index]
            for period in side.periods:
                self._unit_cells[party.unit, placement.weekday, period].append(use)
            if party.unit in self._choose_room:
                choices: list[cp_model.IntVar] = []
                for room in self.problem.remote_rooms[party.unit]:
                    if self.problem.room_free(room.id, placement.weekday, side.windows, use.weeks):
                        chosen = self.cp.new_bool_var("")
                        choices.append(chosen)
                        seat = Seat(side.windows, Use(chosen, use.weeks))
                        self._seats[room.id, placement.weekday].append(seat)
                        self._chosen_rooms[use.variable.index].append((index, room.id, chosen))
                if "remote_rooms" not in self.without:
                    self.cp.add(cp_model.LinearExpr.sum(choices) == use.variable)

    def _take_home_rooms(self, requirement: Requirement, placement: Placement, use: Use) -> None:
        for party, side in zip(requirement.parties, placement.sides, strict=True):
            for room in self.problem.home_rooms(requirement, party):
                if room in self._contested:
                    self._seats[room, placement.weekday].append(Seat(side.windows, use))

    # Classes --------------------------------------------------------------------------------------------------------

    def _keep_classes(self) -> None:
        full = self.problem.full_classes
        for (school_class, _, _), uses in self.class_cells.items():
            if school_class not in full:
                self._at_most_one(uses)
        for school_class, fewest in full.items():
            for weekday in self.problem.weekdays:
                self._keep_day(school_class, weekday, fewest)
        if "subject_spread" not in self.without:
            for (school_class, subject, _), uses in self.subject_days.items():
                most = self.problem.most_a_day(school_class, subject)
                for together in meeting(uses):
                    self._at_most(together, most)

    def _keep_day(self, school_class: str, weekday: int, fewest: int) -> None:
        """A full class's day: one lesson at a time, no gap between lessons, and not a nearly empty day."""
        unit = self.problem.classes[school_class].unit
        numbers = list(self.problem.bells.day(unit, weekday))
        strict = "day_without_gaps" not in self.without
        before: cp_model.IntVar | None = None
        for position, number in enumerate(numbers):
            uses = self.class_cells.get((school_class, weekday, number), [])
            taken = self.cp.new_bool_var("")
            self.taken[school_class, weekday, number] = taken
            if len({use.weeks for use in uses}) <= 1:
                self.cp.add_exactly_one([*(use.variable for use in uses), taken.negated()])
            else:
                self._at_most_one(uses)
                self.cp.add_bool_or([*(use.variable for use in uses), taken.negated()])
                for use in uses:
                    self.cp.add_implication(use.variable, taken)
            if strict and position < fewest:
                self.cp.add(taken == 1)
            if strict and before is not None:
                self.cp.add_implication(taken, before)
            before = taken

    # Teachers -------------------------------------------------------------------------------------------------------

    def _keep_teachers(self) -> None:
        of_one_class = self._teachers_of_one_class()
        for (teacher, weekday), cells in self.teacher_cells.items():
            apart = self._keep_apart(weekday, cells) if len({unit for unit, _ in cells}) > 1 else set()
            for cell, uses in cells.items():
                # What a wider rule holds already is not said again: an eighth of all rows, in each excerpt.
                if cell not in apart and teacher not in of_one_class:
                    self._at_most_one(uses)
        if "teacher_day" not in self.without:
            for (teacher, weekday), uses in self.teacher_days.items():
                most = self.problem.teachers[teacher].max_per_day
                for weeks, together in by_weeks(uses):
                    self._at_most(together, most - self.problem.periods_elsewhere(teacher, weekday, weeks))

    def _teachers_of_one_class(self) -> set[str]:
        """Those who teach in all their lessons one class beside them, which has one lesson at a time."""
        common: dict[str, frozenset[str]] = {}
        for demand, _ in self.placed:
            for party in demand.requirement.parties:
                for teacher in party.teachers:
                    common[teacher] = common.get(teacher, frozenset(party.classes)).intersection(party.classes)
        return {teacher for teacher, classes in common.items() if classes}

    def _keep_apart(self, weekday: int, cells: dict[tuple[str, int], list[Use]]) -> set[tuple[str, int]]:
        """A teacher's lessons at two units on one day need the clock and the way between them. Returns the cells whose
        own lessons are kept apart with that."""
        problem = self.problem
        apart: set[tuple[str, int]] = set()
        seen: list[tuple[str, int, Windows, list[Use]]] = []
        for (unit, period), uses in cells.items():
            windows = problem.bells.windows(unit, weekday, period)
            for other, other_period, other_windows, other_uses in seen:
                if other == unit:
                    continue
                way = 0
                if "travel" not in self.without:
                    way = problem.travel.between(problem.units[unit].campus, problem.units[other].campus)
                if near(windows, other_windows, way):
                    self._at_most_one([*uses, *other_uses])
                    apart |= {(unit, period), (other, other_period)}
            seen.append((unit, period, windows, uses))
        return apart

    # Places ---------------------------------------------------------------------------------------------------------

    def _keep_units(self) -> None:
        """No more shared lessons at once than the unit's line carries and its remote rooms hold."""
        for (unit, weekday, period), uses in self._unit_cells.items():
            windows = self.problem.bells.windows(unit, weekday, period)
            for weeks, together in by_weeks(uses):
                if "link_capacity" not in self.without:
                    self._at_most(together, self.problem.units[unit].link_capacity)
                if "remote_rooms" not in self.without and unit not in self._choose_room:
                    rooms = self.problem.remote_rooms[unit]
                    free = sum(self.problem.room_free(room.id, weekday, windows, weeks) for room in rooms)
                    self._at_most(together, free)

    def _keep_rooms(self) -> None:
        """Rooms that several units or classes share hold one lesson at any minute."""
        if "remote_rooms" in self.without:
            return
        for seats in self._seats.values():
            held: dict[tuple[int, ...], None] = {}
            for season in range(len(self.problem.bells.seasons)):
                now = [seat.windows[season] for seat in seats]
                for start in {window.start for window in now}:
                    held[tuple(n for n, window in enumerate(now) if window.start <= start < window.end)] = None
            for together in held:
                self._at_most_one([seats[n].use for n in together])

    # Pieces ---------------------------------------------------------------------------------------------------------

    def _at_most_one(self, uses: Sequence[Use]) -> None:
        for together in meeting(uses):
            if len(together) > 1:
                self.cp.add_at_most_one([use.variable for use in together])

    def _at_most(self, uses: Sequence[Use], most: int) -> None:
        if sum(use.periods for use in uses) <= most:
            return
        if most == 1 and all(use.periods == 1 for use in uses):
            self.cp.add_at_most_one([use.variable for use in uses])
        else:
            self.cp.add(total(uses) <= most)

    def fix(self, table: Table) -> bool:
        """Hint the placements of a table. False when one of them is not possible any more."""
        at = {
            (demand.requirement.id, placement.weekday, placement.period): variable
            for demand, variables in self.placed
            for variable, placement in zip(variables, demand.placements, strict=True)
        }
        wanted = {(lesson.requirement, lesson.weekday, lesson.host.period) for lesson in table.lessons}
        if not wanted <= at.keys():
            return False
        hint = self.cp.proto.solution_hint
        hint.vars.clear()
        hint.values.clear()
        hint.vars.extend([variable.index for variable in at.values()])
        hint.values.extend([int(key in wanted) for key in at])
        return True

    def choices(self, solution: Sequence[int]) -> list[Choice]:
        """The lessons of a solution, given as the value of every variable."""
        found = []
        for demand, variables in self.placed:
            for variable, placement in zip(variables, demand.placements, strict=True):
                if solution[variable.index]:
                    rooms = self._chosen_rooms.get(variable.index, ())
                    chosen = {party: room for party, room, literal in rooms if solution[literal.index]}
                    found.append(Choice(demand.requirement, placement, chosen))
        return found


def _contested_rooms(problem: Problem) -> set[str]:
    """Rooms that are home to several classes, or to a class and to shared lessons."""
    homes: dict[str, int] = defaultdict(int)
    for school_class in problem.class_loads:
        homes[problem.classes[school_class].room] += 1
    remote = {room.id for rooms in problem.remote_rooms.values() for room in rooms}
    return {room for room, classes in homes.items() if classes > 1 or room in remote}


def _units_choosing_rooms(problem: Problem, contested: set[str]) -> set[str]:
    """Units for whose shared lessons counting free rooms is not enough to know that each lesson gets one."""
    users: dict[str, set[str]] = defaultdict(set)
    blocks: set[str] = set()
    few_weeks: set[str] = set()
    for requirement in problem.requirements:
        if requirement.kind in SHARED_KINDS:
            for party in requirement.parties:
                for room in problem.remote_rooms[party.unit]:
                    users[room.id].add(party.unit)
                if requirement.block > 1:
                    blocks.add(party.unit)
                # Of lessons in weeks 1 and 2, 2 and 3, 1 and 3 no week has more than two, yet they need three rooms.
                if weeks_of(requirement) not in (EVERY_WEEK, ODD_WEEKS, EVEN_WEEKS):
                    few_weeks |= {party.unit} if len(problem.remote_rooms[party.unit]) > 1 else set()
    choosing = {unit for room, units in users.items() if len(units) > 1 or room in contested for unit in units}
    held = {unit for unit in blocks if any(problem.ever_held(room.id) for room in problem.remote_rooms[unit])}
    some_weeks = {
        unit
        for unit, rooms in problem.remote_rooms.items()
        if any(problem.weeks_held(room.id) - {EVERY_WEEK} for room in rooms)
    }
    return choosing | held | few_weeks | some_weeks
