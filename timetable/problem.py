"""This module owns the problem that a search solves: where each requirement of one community could stand at all.

It turns a register into placements (by clock, unavailable times, and what other communities already hold) once, so
that the counting lints and the model agree about them. The checker deliberately does not use it.
"""

from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property

from timetable import bells
from timetable.bells import Bells, Window, Windows, near
from timetable.commitments import Commitment, Commitments
from timetable.model import (
    SHARED_KINDS,
    BusyTime,
    Community,
    Party,
    Register,
    Requirement,
    Room,
    minutes,
)
from timetable.placement import Demand, Placement, Side
from timetable.travel import TravelTimes
from timetable.weeks import WeekSet, fullest, parted, sum_in, week_set, weeks_of

FULL_CLASS = 0.6
"""A class whose lessons fill at least this part of its periods is planned whole here: its days get no gaps. For a
class with less, the rest of its week is not in this table, so where its gaps lie means nothing."""


class Problem:
    """Everything that a search of one community's table needs to know.

    `ignore_unavailable` and `extra_slack` describe the problem with a rule given up, for explaining why there is none.
    """

    def __init__(
        self,
        register: Register,
        community: Community,
        commitments: Commitments | None = None,
        *,
        ignore_unavailable: bool = False,
        extra_slack: int = 0,
    ) -> None:
        self.register = register
        self.community = community
        self.slack = community.overlap_slack + extra_slack
        self.weekdays = tuple(sorted(set(register.weekdays)))
        self.requirements = tuple(r for r in register.requirements if r.community == community.id)
        self.travel = TravelTimes(register)
        self.units = {unit.id: unit for unit in register.units}
        self.bells = Bells(register.units, self.weekdays, register.term.first_day, register.term.last_day)
        self.teachers = {teacher.id: teacher for teacher in register.teachers}
        self.classes = {c.id: c for c in register.classes}
        self.main_subjects = frozenset(register.main_subjects)
        self.blocks = {requirement.id: requirement.block for requirement in self.requirements}
        self.days_in_a_row = [(a, b) for a in self.weekdays for b in self.weekdays if b == a + 1]
        held = self.commitments = commitments or Commitments()
        self._ignore_unavailable = ignore_unavailable
        self._teacher_held: dict[str, tuple[Commitment, ...]] = {}
        self._elsewhere = held.teachers
        self._room_held: dict[str, list[Commitment]] = defaultdict(list)
        for room, times in held.rooms.items():
            self._room_held[room].extend(times)
        for room, busy in register.busy_rooms:
            self._room_held[room].append(self._busy(busy))
        self._by_clock: dict[tuple[tuple[str, ...], int, int], tuple[Placement, ...]] = {}
        self._free: dict[tuple[str, str, int, Windows, WeekSet], bool] = {}

    def _busy(self, busy: BusyTime) -> Commitment:
        window = Window(minutes(busy.start), minutes(busy.end))
        return Commitment(busy.weekday, self.bells.always(window), week_set(busy.weeks))

    def relaxed(self, *, ignore_unavailable: bool = False, extra_slack: int = 0) -> "Problem":
        """The same problem with a rule given up."""
        return Problem(
            self.register,
            self.community,
            self.commitments,
            ignore_unavailable=ignore_unavailable,
            extra_slack=extra_slack,
        )

    # Where lessons can stand ----------------------------------------------------------------------------------------

    def by_clock(self, requirement: Requirement) -> tuple[Placement, ...]:
        """The placements that the bells of its units allow; the first unit owns the clock."""
        units = tuple(party.unit for party in requirement.parties)
        key = (units, requirement.block, self.slack_of(requirement))
        if key not in self._by_clock:
            self._by_clock[key] = tuple(self._meetings(*key))
        return self._by_clock[key]

    def slack_of(self, requirement: Requirement) -> int:
        """How many minutes less than their length the windows of its lessons may share."""
        return self.slack + requirement.overlap_conceded

    def _meetings(self, units: tuple[str, ...], block: int, slack: int) -> Iterable[Placement]:
        for weekday in self.weekdays:
            for period in self.bells.day(units[0], weekday):
                runs = self.bells.meeting(units, weekday, period, block, slack)
                if runs is not None:
                    by_season = zip(*(windows for _, windows in runs), strict=True)
                    shares = tuple(bells.shared_window(windows) for windows in by_season)
                    yield Placement(weekday, period, tuple(Side(*run) for run in runs), shares)

    @cached_property
    def demands(self) -> tuple[Demand, ...]:
        """Every requirement of the community with what its bells, teachers and home rooms allow."""
        return tuple(self._demand(requirement) for requirement in self.requirements)

    def _demand(self, requirement: Requirement) -> Demand:
        by_clock = self.by_clock(requirement)
        fitting = tuple(placement for placement in by_clock if self._allowed(requirement, placement))
        return Demand(requirement, fitting, len(by_clock))

    def _allowed(self, requirement: Requirement, placement: Placement) -> bool:
        weeks = weeks_of(requirement)
        for party, side in zip(requirement.parties, placement.sides, strict=True):
            for teacher in party.teachers:
                if not self.teacher_free(teacher, party.unit, placement.weekday, side.windows, weeks):
                    return False
            for room in self.home_rooms(requirement, party) if requirement.kind not in SHARED_KINDS else ():
                if not self.room_free(room, placement.weekday, side.windows, weeks):
                    return False
        return True

    # People ---------------------------------------------------------------------------------------------------------

    def held_of(self, teacher: str) -> tuple[Commitment, ...]:
        """The teacher's unavailable times and lessons in other communities."""
        if teacher not in self._teacher_held:
            own = () if self._ignore_unavailable else self.teachers[teacher].unavailable
            times = map(self._busy, own)
            self._teacher_held[teacher] = (*times, *self._elsewhere.get(teacher, ()))
        return self._teacher_held[teacher]

    def teacher_free(self, teacher: str, unit: str, weekday: int, windows: Windows, weeks: WeekSet) -> bool:
        """Whether nothing outside this table keeps the teacher from being at the unit then, travel included."""
        held = self.held_of(teacher)
        if not held:
            return True
        key = (teacher, unit, weekday, windows, weeks)
        known = self._free.get(key)
        if known is None:
            campus = self.units[unit].campus
            known = self._free[key] = not any(
                c.weekday == weekday
                and c.weeks & weeks
                and near(windows, c.windows, self.travel.between(campus, c.campus))
                for c in held
            )
        return known

    def periods_elsewhere(self, teacher: str, weekday: int, weeks: WeekSet) -> int:
        """Periods that the teacher already has in other communities on a weekday, in the fullest of these weeks."""
        held = self._elsewhere.get(teacher, ())
        loads = [(c.weeks & weeks, c.periods) for c in held if c.weekday == weekday and c.weeks & weeks]
        return max((sum_in(loads, part) for part in parted(frozenset(own for own, _ in loads))), default=0)

    def weeks_elsewhere(self, teacher: str) -> frozenset[WeekSet]:
        """The weeks in which the teacher's lessons in other communities take place."""
        return frozenset(c.weeks for c in self._elsewhere.get(teacher, ()))

    # Wishes ---------------------------------------------------------------------------------------------------------

    @cached_property
    def wishes(self) -> dict[str, tuple[Commitment, ...]]:
        """The times that units of the community ask to keep free of shared lessons, for those who ask."""
        return {
            id: tuple(map(self._busy, self.units[id].wishes)) for id in self.community.units if self.units[id].wishes
        }

    @cached_property
    def shared_sides(self) -> dict[str, int]:
        """How many shared lessons a week each unit with a wish takes part in."""
        found = dict.fromkeys(self.wishes, 0)
        for requirement in self.requirements:
            if requirement.kind in SHARED_KINDS:
                for party in requirement.parties:
                    if party.unit in found:
                        found[party.unit] += requirement.weekly
        return found

    def unwelcome(self, unit: str, weekday: int, windows: Windows, weeks: WeekSet) -> bool:
        """Whether a shared lesson then would be against the unit's wishes."""
        return any(
            wish.weekday == weekday and bool(wish.weeks & weeks) and near(windows, wish.windows)
            for wish in self.wishes.get(unit, ())
        )

    # Rooms ----------------------------------------------------------------------------------------------------------

    @cached_property
    def remote_rooms(self) -> dict[str, tuple[Room, ...]]:
        """Remote rooms that each unit of the community may use: its own first, then the others of its campus."""
        remote = [room for room in self.register.rooms if room.kind == "remote"]
        found: dict[str, tuple[Room, ...]] = {}
        for unit in {party.unit for requirement in self.requirements for party in requirement.parties}:
            own = [room for room in remote if room.unit == unit]
            near = [room for room in remote if room.unit != unit and room.campus == self.units[unit].campus]
            found[unit] = (*own, *near)
        return found

    def home_rooms(self, requirement: Requirement, party: Party) -> tuple[str, ...]:
        """The home rooms that a party's side takes: one for classes taught together, each class's own for a test."""
        rooms = tuple(dict.fromkeys(self.classes[school_class].room for school_class in party.classes))
        return rooms if requirement.kind == "common_test" else rooms[:1]

    def room_free(self, room: str, weekday: int, windows: Windows, weeks: WeekSet) -> bool:
        """Whether nothing outside this table holds the room then."""
        return not any(
            c.weekday == weekday and bool(c.weeks & weeks) and near(windows, c.windows)
            for c in self._room_held.get(room, ())
        )

    def ever_held(self, room: str) -> bool:
        return bool(self._room_held.get(room))

    def weeks_held(self, room: str) -> frozenset[WeekSet]:
        """The weeks in which others hold the room."""
        return frozenset(c.weeks for c in self._room_held.get(room, ()))

    # Classes --------------------------------------------------------------------------------------------------------

    @cached_property
    def class_loads(self) -> dict[str, int]:
        """Periods a week of every class in its fullest week."""
        loads: dict[str, dict[WeekSet, int]] = defaultdict(lambda: defaultdict(int))
        for requirement in self.requirements:
            load, weeks = requirement.weekly * requirement.block, weeks_of(requirement)
            for school_class in {c for party in requirement.parties for c in party.classes}:
                loads[school_class][weeks] += load
        return {school_class: fullest(by_weeks) for school_class, by_weeks in loads.items()}

    def class_periods(self, school_class: str) -> int:
        """Periods a week that the class's unit rings."""
        unit = self.classes[school_class].unit
        return sum(len(self.bells.day(unit, weekday)) for weekday in self.weekdays)

    @cached_property
    def full_classes(self) -> dict[str, int]:
        """The classes that are planned whole, each with the fewest lessons that one of its days may have."""
        days = max(1, len(self.weekdays))
        return {
            school_class: max(0, load // days - 1)
            for school_class, load in self.class_loads.items()
            if load >= FULL_CLASS * self.class_periods(school_class)
        }

    @cached_property
    def subject_loads(self) -> dict[tuple[str, str], int]:
        """Periods a week of each subject in each class, in its fullest week."""
        loads: dict[tuple[str, str], dict[WeekSet, int]] = defaultdict(lambda: defaultdict(int))
        for requirement in self.requirements:
            load, weeks = requirement.weekly * requirement.block, weeks_of(requirement)
            for school_class in {c for party in requirement.parties for c in party.classes}:
                loads[school_class, requirement.subject][weeks] += load
        return {pair: fullest(by_weeks) for pair, by_weeks in loads.items()}

    @cached_property
    def two_a_week(self) -> set[tuple[str, str]]:
        """The (class, subject) pairs with two periods a week, which should not fall on days running."""
        return {pair for pair, load in self.subject_loads.items() if load == 2}

    def most_a_day(self, school_class: str, subject: str) -> int:
        """Periods of one subject that a class may have on one day: one, for a main subject two, more only if it must
        be so by number or by block."""
        days = max(1, len(self.weekdays))
        longest = max((r.block for r in self._of_class_subject.get((school_class, subject), ())), default=1)
        usual = 2 if subject in self.main_subjects else 1
        load = self.subject_loads.get((school_class, subject), 0)
        return max(usual, -(-load // days), longest)

    @cached_property
    def _of_class_subject(self) -> dict[tuple[str, str], list[Requirement]]:
        found: dict[tuple[str, str], list[Requirement]] = defaultdict(list)
        for requirement in self.requirements:
            for school_class in {c for party in requirement.parties for c in party.classes}:
                found[school_class, requirement.subject].append(requirement)
        return dict(found)
