"""This module owns a standing table looked up: who and what is where each week, what stands in a lesson's way in
another slot, and the same table with some of its lessons moved.

It knows nothing of the search: a move of one lesson is judged by looking, in milliseconds.
"""

import copy
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from msgspec import structs

from timetable import objective
from timetable.bells import Window, Windows, near
from timetable.checker import check
from timetable.model import (
    SHARED_KINDS,
    Finding,
    Lesson,
    Party,
    PlacedParty,
    Requirement,
    RuleCost,
    Table,
    clock,
    minutes,
)
from timetable.problem import Placement, Problem, Side, windows_of
from timetable.solving.placing import NoRoom
from timetable.timing import timed
from timetable.weeks import WeekSet, parted, weeks_of

CODES: Mapping[str, str] = {
    "slot_class_busy": "a class has another lesson then",
    "slot_teacher_busy": "a teacher has another lesson then",
    "slot_teacher_travel": "a teacher has too little time for the way from or to another lesson",
    "slot_teacher_unavailable": "a teacher is unavailable then",
    "slot_teacher_elsewhere": "a teacher has a lesson in another community then, or is on the way",
    "slot_teacher_day": "a teacher would have more lessons that day than allowed",
    "slot_room_busy": "the room has another lesson then",
    "slot_room_taken": "the room is taken by others then",
    "slot_no_remote_room": "every remote room of a school is taken then",
    "slot_link": "a school's line carries no more lessons then",
}
"""Every code that this module can report."""


class Stay(NamedTuple):
    """A lesson in one place for a while, in its weeks."""

    lesson: str
    windows: Windows
    weeks: WeekSet
    campus: str

    @property
    def window(self) -> Window:
        """As the term begins."""
        return self.windows[0]


class Obstacle(NamedTuple):
    """What stands in a lesson's way. At least `must_leave` of the `lessons` would have to go for it; without lessons
    nothing in the table helps."""

    finding: Finding
    lessons: tuple[str, ...] = ()
    must_leave: int = 0


class Arrangement:
    """The table of one community, indexed once. Its requirements must all be known to the problem."""

    def __init__(self, problem: Problem, table: Table) -> None:
        self.problem = problem
        self.table = table
        self.requirements = {requirement.id: requirement for requirement in problem.requirements}
        self.lessons = {lesson.id: lesson for lesson in table.lessons}
        self._classes: dict[tuple[str, int], list[Stay]] = defaultdict(list)
        self._teachers: dict[tuple[str, int], list[Stay]] = defaultdict(list)
        self._rooms: dict[tuple[str, int], list[Stay]] = defaultdict(list)
        self._links: dict[tuple[str, int], list[Stay]] = defaultdict(list)
        self._watching: dict[tuple[str, int, int], list[tuple[Window, Lesson, str]]] = defaultdict(list)
        """(teacher, weekday, season) -> which leftover minutes, of which lesson and unit, the teacher supervises."""
        for lesson in table.lessons:
            self._enter(lesson)

    def _enter(self, lesson: Lesson) -> None:
        times = windows_of(lesson, self.problem.bells.seasons)
        weeks = weeks_of(lesson)
        for party, windows in zip(lesson.parties, times, strict=True):
            day = lesson.weekday
            stay = Stay(lesson.id, windows, weeks, self.problem.units[party.unit].campus)
            for school_class in party.classes:
                self._classes[school_class, day].append(stay)
            for teacher in party.teachers:
                self._teachers[teacher, day].append(stay)
            if party.room is not None:
                self._rooms[party.room, day].append(stay)
            if lesson.kind in SHARED_KINDS:
                self._links[party.unit, day].append(stay)

    # Looking up -----------------------------------------------------------------------------------------------------

    @cached_property
    def of_requirement(self) -> Mapping[str, Sequence[Lesson]]:
        found: dict[str, list[Lesson]] = defaultdict(list)
        for lesson in self.table.lessons:
            found[lesson.requirement].append(lesson)
        return found

    @cached_property
    def of_class(self) -> Mapping[str, Sequence[str]]:
        """The lessons of every class, by id."""
        found: dict[str, list[str]] = defaultdict(list)
        for lesson in self.table.lessons:
            for school_class in classes_of(lesson):
                found[school_class].append(lesson.id)
        return found

    @cached_property
    def of_teacher(self) -> Mapping[str, Sequence[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for lesson in self.table.lessons:
            for teacher in teachers_of(lesson):
                found[teacher].append(lesson.id)
        return found

    @cached_property
    def conceding(self) -> frozenset[str]:
        """The lessons whose concessions are weighed against each other: all shared ones, where a unit has wishes."""
        shared = (id for id, lesson in self.lessons.items() if lesson.kind in SHARED_KINDS)
        return frozenset(shared) if self.problem.wishes else frozenset()

    @cached_property
    def findings(self) -> Sequence[Finding]:
        """What the independent checker says about the table as it stands."""
        return tuple(check(self.problem.register, self.table))

    def standing(self, lesson: Lesson) -> Placement:
        """Where the lesson stands now."""
        seasons = self.problem.bells.seasons
        sides = []
        block = self.requirements[lesson.requirement].block
        for party, windows in zip(lesson.parties, windows_of(lesson, seasons), strict=True):
            run = self.problem.bells.run(party.unit, lesson.weekday, party.period, block)
            sides.append(Side(run[0] if run else (party.period,), windows))
        dated = (lesson.by_date(first) for first in seasons)
        shares = tuple(Window(minutes(one.start), minutes(one.end)) for one in dated)
        return Placement(lesson.weekday, lesson.host.period, tuple(sides), shares)

    def title(self, lesson: str | Lesson) -> str:
        """Subject and classes: 科学 五(2)班."""
        known = self.lessons[lesson] if isinstance(lesson, str) else lesson
        names = "、".join(self.problem.classes[id].name for id in classes_of(known))
        return f"{known.subject} {names}".strip()

    # What stands in the way -----------------------------------------------------------------------------------------

    def obstacles(self, lesson: Lesson, placement: Placement) -> list[Obstacle]:
        """What stands in the way of the lesson at that placement, all other lessons standing where they are."""
        requirement = self.requirements[lesson.requirement]
        found: list[Obstacle] = []
        rooms: list[str] = []
        for party, side in zip(requirement.parties, placement.sides, strict=True):
            for school_class in party.classes:
                found += self._class_obstacles(lesson, school_class, placement.weekday, side.windows)
            for teacher in party.teachers:
                found += self._teacher_obstacles(lesson, teacher, party.unit, placement.weekday, side.windows)
                found += self._teacher_day(requirement, lesson, teacher, placement.weekday)
            if requirement.kind in SHARED_KINDS:
                found += self._link_obstacles(lesson, party.unit, placement.weekday, side.windows)
                room = self._free_remote_room(lesson, party.unit, placement.weekday, side.windows, None, rooms)
                if room is None:
                    found.append(self._no_remote_room(lesson, party.unit, placement.weekday, side.windows))
                else:
                    rooms.append(room)
            elif party.classes:
                found += self._home_obstacles(lesson, party, placement.weekday, side.windows)
        return list({(o.finding.code, repr(o.finding.values)): o for o in found}.values())

    def _others(
        self, stays: Iterable[Stay], lesson: Lesson, windows: Windows, gone: Collection[str] = ()
    ) -> Iterable[Stay]:
        weeks = weeks_of(lesson)
        return (
            stay
            for stay in stays
            if stay.lesson != lesson.id
            and stay.lesson not in gone
            and stay.weeks & weeks
            and near(windows, stay.windows)
        )

    def _class_obstacles(self, lesson: Lesson, school_class: str, weekday: int, windows: Windows) -> Iterable[Obstacle]:
        name = self.problem.classes[school_class].name
        for stay in self._others(self._classes.get((school_class, weekday), ()), lesson, windows):
            yield _one("slot_class_busy", stay, name=name, other=self.title(stay.lesson))

    def _teacher_obstacles(
        self, lesson: Lesson, teacher: str, unit: str, weekday: int, windows: Windows
    ) -> Iterable[Obstacle]:
        problem = self.problem
        campus, name, weeks = problem.units[unit].campus, problem.teachers[teacher].name, weeks_of(lesson)
        for stay in self._teachers.get((teacher, weekday), ()):
            if stay.lesson == lesson.id or not stay.weeks & weeks:
                continue
            way = problem.travel.between(campus, stay.campus)
            if near(windows, stay.windows):
                yield _one("slot_teacher_busy", stay, name=name, other=self.title(stay.lesson))
            elif near(windows, stay.windows, way):
                yield _one("slot_teacher_travel", stay, name=name, other=self.title(stay.lesson), minutes=way)
        for held in problem.held_of(teacher):
            way = problem.travel.between(campus, held.campus)
            if held.weekday == weekday and held.weeks & weeks and near(windows, held.windows, way):
                code = "slot_teacher_unavailable" if held.campus is None else "slot_teacher_elsewhere"
                times = {"start": clock(held.window.start), "end": clock(held.window.end)}
                yield Obstacle(Finding(code=code, values={"name": name, **times}))

    def _teacher_day(self, requirement: Requirement, lesson: Lesson, teacher: str, weekday: int) -> Iterable[Obstacle]:
        problem = self.problem
        own = weeks_of(lesson)
        others = {
            stay.lesson: stay.weeks & own
            for stay in self._teachers.get((teacher, weekday), ())
            if stay.lesson != lesson.id and stay.weeks & own
        }
        for weeks in parted(frozenset((own, *others.values()))):
            there = [id for id, other in others.items() if other & weeks]
            periods = requirement.block + problem.periods_elsewhere(teacher, weekday, weeks)
            periods += sum(self._block(id) for id in there)
            most = problem.teachers[teacher].max_per_day
            if periods > most:
                values: dict[str, str | int] = {
                    "name": problem.teachers[teacher].name,
                    "lessons": periods,
                    "most": most,
                }
                yield Obstacle(Finding(code="slot_teacher_day", values=values), tuple(there), 1)
                return

    def _home_obstacles(self, lesson: Lesson, party: Party, weekday: int, windows: Windows) -> Iterable[Obstacle]:
        problem = self.problem
        room = problem.classes[party.classes[0]].room
        name = next((r.name for r in problem.register.rooms if r.id == room), room)
        for stay in self._others(self._rooms.get((room, weekday), ()), lesson, windows):
            if not set(party.classes) & set(classes_of(self.lessons[stay.lesson])):
                yield _one("slot_room_busy", stay, name=name, other=self.title(stay.lesson))
        if not problem.room_free(room, weekday, windows, weeks_of(lesson)):
            values: dict[str, str | int] = {"name": name, "start": clock(windows[0].start)}
            yield Obstacle(Finding(code="slot_room_taken", values=values))

    def _link_obstacles(self, lesson: Lesson, unit: str, weekday: int, windows: Windows) -> Iterable[Obstacle]:
        problem = self.problem
        name, most = problem.units[unit].name, problem.units[unit].link_capacity
        own = weeks_of(lesson)
        here = list(self._others(self._links.get((unit, weekday), ()), lesson, windows))
        for season, window in enumerate(windows):
            meeting = [stay for stay in here if window.overlap(stay.windows[season]) > 0]
            begins = (stay.windows[season].start for stay in meeting)
            for at in sorted({window.start, *(start for start in begins if start > window.start)}):
                now = [s for s in meeting if s.windows[season].start <= at < s.windows[season].end]
                for weeks in parted(frozenset((own, *(stay.weeks & own for stay in now)))):
                    together = [stay.lesson for stay in now if stay.weeks & weeks]
                    if len(together) + 1 > most:
                        values: dict[str, str | int] = {"unit": name, "start": clock(at), "most": most}
                        finding = Finding(code="slot_link", values=values)
                        yield Obstacle(finding, tuple(together), min(1, len(together)))
                        return

    def _no_remote_room(self, lesson: Lesson, unit: str, weekday: int, windows: Windows) -> Obstacle:
        usable = self.problem.remote_rooms[unit]
        users = [
            stay.lesson
            for room in usable
            for stay in self._others(self._rooms.get((room.id, weekday), ()), lesson, windows)
        ]
        values: dict[str, str | int] = {
            "unit": self.problem.units[unit].name,
            "start": clock(windows[0].start),
            "rooms": len(usable),
        }
        finding = Finding(code="slot_no_remote_room", values=values)
        return Obstacle(finding, tuple(dict.fromkeys(users)), min(1, len(users)))

    def _free_remote_room(
        self,
        lesson: Lesson,
        unit: str,
        weekday: int,
        windows: Windows,
        wanted: str | None,
        taken_by_itself: Collection[str | None],
    ) -> str | None:
        usable = [room.id for room in self.problem.remote_rooms[unit] if room.id not in taken_by_itself]
        for room in sorted(usable, key=lambda room: room != wanted):
            taken = any(True for _ in self._others(self._rooms.get((room, weekday), ()), lesson, windows))
            if not taken and self.problem.room_free(room, weekday, windows, weeks_of(lesson)):
                return room
        return None

    # Moving ---------------------------------------------------------------------------------------------------------

    def moved(self, placements: Mapping[str, Placement]) -> Table:
        """The priced table with the lessons of these ids at these placements, and all others where they stand.

        Moved lessons get free rooms (their own where it is free) and somebody for their leftover minutes; whoever
        supervised another lesson's leftover minutes and now teaches is relieved. Raises NoRoom.
        """
        left = [lesson for lesson in self.table.lessons if lesson.id not in placements]
        there = Arrangement(self.problem, structs.replace(self.table, lessons=tuple(left)))
        placed: dict[str, Lesson] = {}
        # The more weeks a lesson has, the harder it is to seat; blocks are harder than single periods.
        for id in sorted(placements, key=lambda id: (-weeks_of(self.lessons[id]).bit_count(), -self._block(id), id)):
            placed[id] = there._place(self.lessons[id], placements[id])
        after = [placed.get(lesson.id, lesson) for lesson in self.table.lessons]
        supervised = Arrangement(self.problem, structs.replace(self.table, lessons=tuple(after))).watched(placed)
        return self._priced(structs.replace(self.table, lessons=supervised), placements.keys())

    def watched(self, anew: Collection[str]) -> tuple[Lesson, ...]:
        """The lessons with somebody for their leftover minutes: found anew for these, and where whoever had them
        teaches now."""
        for lesson in self.table.lessons:
            if lesson.id not in anew:
                self._keep_watching(lesson)
        return tuple(self._supervised(lesson, lesson.id in anew) for lesson in self.table.lessons)

    def _priced(self, table: Table, moved: Collection[str]) -> Table:
        """The table with its true cost, counted only where something moved."""
        if not self.table.cost_by_rule:
            return objective.priced(self.problem, table)
        classes = {c for id in moved for c in classes_of(self.lessons[id])}
        ids = {id for school_class in classes for id in self.of_class[school_class]} | set(moved)
        ids |= {id for one in moved for t in teachers_of(self.lessons[one]) for id in self.of_teacher[t]}
        ids |= self.conceding
        part = narrowed(self.problem, classes)
        before = objective.price(part, tuple(lesson for lesson in self.table.lessons if lesson.id in ids))
        after = objective.price(part, tuple(lesson for lesson in table.lessons if lesson.id in ids))
        more = {b.rule: a.cost - b.cost for a, b in zip(after, before, strict=True)}
        rules = tuple(RuleCost(rule=r.rule, cost=r.cost + more[r.rule]) for r in self.table.cost_by_rule)
        return structs.replace(table, cost=sum(rule.cost for rule in rules), cost_by_rule=rules)

    def _block(self, lesson: str) -> int:
        return self.requirements[self.lessons[lesson].requirement].block

    def _place(self, lesson: Lesson, placement: Placement) -> Lesson:
        """The lesson at its new place, entered here; nobody supervises what is left over there yet."""
        parties: list[PlacedParty] = []
        for party, side in zip(lesson.parties, placement.sides, strict=True):
            room = party.room
            if lesson.kind in SHARED_KINDS:
                own = [done.room for done in parties]
                room = self._free_remote_room(lesson, party.unit, placement.weekday, side.windows, party.room, own)
                if room is None:
                    raise NoRoom(f"{party.unit} on weekday {placement.weekday} at {clock(side.window.start)}")
            parties.append(structs.replace(party, room=room))
        seated = structs.replace(lesson, parties=tuple(parties))
        placed = timed(seated, placement, self.problem.bells.seasons, lambda party, season, part: None)
        self._enter(placed)
        return placed

    def _supervised(self, lesson: Lesson, moved: bool) -> Lesson:
        """The lesson with somebody for its leftover minutes in every season: whoever had them, where it was not moved
        and that still goes; else the party's own teacher, else another teacher of the class who is free."""
        seasons = self.problem.bells.seasons
        dated = [lesson.by_date(first) for first in seasons] if lesson.later else [lesson] * len(seasons)
        if not any(party.leftover for one in dated for party in one.parties):
            return lesson

        def supervisor(index: int, season: int, part: Window) -> str | None:
            party = dated[season].parties[index]
            had = next((left.teacher for left in party.leftover if left.start == clock(part.start)), None)
            if not moved and (had is None or self._can_supervise(had, lesson, party, part, season)):
                return had
            found = self._supervisor(lesson, party, part, season)
            if found is not None and found not in party.teachers:
                self._watching[found, lesson.weekday, season].append((part, lesson, party.unit))
            return found

        return timed(lesson, self.standing(lesson), seasons, supervisor)

    def _keep_watching(self, lesson: Lesson) -> None:
        """Note who supervises the leftover minutes of a lesson that stays."""
        for season, first in enumerate(self.problem.bells.seasons):
            for party in lesson.by_date(first).parties:
                for left in party.leftover:
                    if left.teacher is not None and left.teacher not in party.teachers:
                        window = Window(minutes(left.start), minutes(left.end))
                        self._watching[left.teacher, lesson.weekday, season].append((window, lesson, party.unit))

    def _supervisor(self, lesson: Lesson, party: PlacedParty, part: Window, season: int) -> str | None:
        if party.teachers:
            return party.teachers[0]
        for school_class in party.classes:
            for other in self.of_class.get(school_class, ()):
                for side in self.lessons[other].parties:
                    if school_class in side.classes:
                        for teacher in side.teachers:
                            if self._can_supervise(teacher, lesson, party, part, season):
                                return teacher
        return None

    def _can_supervise(self, teacher: str, lesson: Lesson, party: PlacedParty, part: Window, season: int) -> bool:
        if teacher in party.teachers:
            return True
        problem = self.problem
        campus = problem.units[party.unit].campus
        held = ((stay.windows, stay.weeks, stay.campus) for stay in self._teachers.get((teacher, lesson.weekday), ()))
        elsewhere = ((c.windows, c.weeks, c.campus) for c in problem.held_of(teacher) if c.weekday == lesson.weekday)
        weeks = weeks_of(lesson)
        watching = (
            (window, weeks_of(one), problem.units[unit].campus)
            for window, one, unit in self._watching[teacher, lesson.weekday, season]
            if (one.id, unit, window) != (lesson.id, party.unit, part)
        )
        there = ((windows[season], own, other) for windows, own, other in (*held, *elsewhere))
        return not any(
            own & weeks and near((part,), (window,), problem.travel.between(campus, other))
            for window, own, other in (*there, *watching)
        )


def narrowed(problem: Problem, classes: set[str]) -> Problem:
    """The same problem, in which only these classes are planned whole and spread their subjects."""
    # What follows from all requirements is looked up in the whole before it is copied.
    problem.most_a_day("", "")
    _ = problem.shared_sides
    part = copy.copy(problem)
    part.full_classes = {id: fewest for id, fewest in problem.full_classes.items() if id in classes}
    part.two_a_week = {pair for pair in problem.two_a_week if pair[0] in classes}
    part.remote_rooms = problem.remote_rooms
    return part


def classes_of(lesson: Lesson) -> tuple[str, ...]:
    return tuple(school_class for party in lesson.parties for school_class in party.classes)


def teachers_of(lesson: Lesson) -> tuple[str, ...]:
    return tuple(dict.fromkeys(teacher for party in lesson.parties for teacher in party.teachers))


def _one(code: str, stay: Stay, **values: str | int) -> Obstacle:
    """The obstacle that one lesson is."""
    return Obstacle(Finding(code=code, values={**values, "start": clock(stay.window.start)}), (stay.lesson,), 1)
