"""This module owns the way of one community to FET (`.fet`, version 6.8.5), and what is lost on it.

FET has one grid of hours for everybody, no clock, no odd and even weeks, and rooms without lines. What can be said in
its own constraints is said; everything else is a finding. The ids of the register stand in the comments.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from timetable import objective
from timetable.fet.format import DAY_NAMES, Constraints, Names, document, element, numbered, text
from timetable.fet.problem import Activity, FetProblem
from timetable.fet.time import KEPT, PREFERENCES, TimeConstraints
from timetable.model import SHARED_KINDS, Finding, Room
from timetable.problem import Problem
from timetable.weeks import EVERY_WEEK

CODES: Mapping[str, str] = {
    "fet_bells": "the units ring different bells; FET has one grid of hours",
    "fet_seasons": "bells change in mid-term; FET gets those with which the term begins",
    "fet_turns": "lessons that go round, or of single weeks only, go as lessons of every week with one host",
    "fet_placements_lost": "some ways to place lessons of several units do not fit the grid",
    "fet_no_hour": "a requirement fits too few hours of the grid and is left out",
    "fet_overlap": "FET knows no minutes that windows share and nobody who supervises leftover minutes",
    "fet_weeks_paired": "lessons of odd and of even weeks go as one activity that takes the teachers of both",
    "fet_weeks": "lessons of odd or even weeks go as lessons of every week",
    "fet_busy_weeks": "times that are taken in odd or even weeks only go as taken every week",
    "fet_travel": "FET knows free hours between buildings, not minutes of travel",
    "fet_link": "a unit's line carries fewer lessons than it has rooms, and leaving rooms out cannot stand for that",
    "fet_not_priced": "rules that FET will not look at",
}
"""Every code that this module can report; each is a warning."""

SEATS = 10_000
"""Capacity of every room: FET would otherwise count pupils."""


@dataclass(frozen=True, slots=True)
class FetExport:
    """A FET file; `hours` and `rooms` say what the names in it mean, `activities` what its numbers mean."""

    document: bytes
    activities: tuple[Activity, ...]
    hours: Mapping[str, int]
    rooms: Mapping[str, str]
    findings: tuple[Finding, ...]


def export(problem: Problem, *, preferences: Mapping[str, str] = PREFERENCES) -> FetExport:
    """The community of `problem` as FET reads it. `preferences` are the percents for soft rules; a rule without one is
    not mentioned."""
    fet = FetProblem(problem)
    constraints = Constraints(fet.hours)
    TimeConstraints(fet, constraints, preferences).write()
    rooms = _Rooms(fet, constraints)
    rooms.write()
    lists = {**_people(fet), **_activities(fet), **rooms.lists()}
    lists["Time_Constraints_List"] = constraints.time
    lists["Space_Constraints_List"] = constraints.space
    community = problem.community
    head = {"Mode": "Official", "Institution_Name": community.name, "Comments": community.id}
    return FetExport(
        document(head, lists),
        fet.activities,
        {name: hour for hour, name in enumerate(fet.hours)},
        {name: id for id, name in rooms.names.by_id.items()},
        tuple(_losses(fet, rooms, preferences)),
    )


def _named(tag: str, name: str, *more: str, comment: str = "") -> str:
    return element(tag, text("Name", name), *more, text("Comments", comment))


def _people(fet: FetProblem) -> dict[str, Sequence[str]]:
    problem = fet.problem
    days = [element("Day", text("Name", DAY_NAMES[day - 1])) for day in problem.weekdays]
    hours = [element("Hour", text("Name", name)) for name in fet.hours]
    subjects = dict.fromkeys(requirement.subject for requirement in problem.requirements)
    kinds = dict.fromkeys(requirement.kind for requirement in problem.requirements)
    idle = text("Target_Number_of_Hours", 0) + element("Qualified_Subjects")
    undivided = text("Number_of_Categories", 0) + text("Separator", " ")
    return {
        "Days_List": [text("Number_of_Days", len(days)), *days],
        "Hours_List": [text("Number_of_Hours", len(hours)), *hours],
        "Subjects_List": [_named("Subject", subject) for subject in subjects],
        "Activity_Tags_List": [_named("Activity_Tag", kind, text("Printable", "true")) for kind in kinds],
        "Teachers_List": [_named("Teacher", name, idle, comment=id) for id, name in fet.teachers.by_id.items()],
        "Students_List": [
            _named("Year", name, text("Number_of_Students", problem.classes[id].pupils), undivided, comment=id)
            for id, name in fet.classes.by_id.items()
        ],
    }


def _activities(fet: FetProblem) -> dict[str, Sequence[str]]:
    first: dict[str, int] = {}
    written = []
    for activity in fet.activities:
        requirements = list(activity.requirements)
        group = first.setdefault(requirements[0].id, activity.id)
        weekly, block = requirements[0].weekly, activity.block
        people = [text("Teacher", fet.teachers.by_id[teacher]) for teacher in activity.teachers]
        classes = [text("Students", fet.classes.by_id[school_class]) for school_class in activity.classes]
        numbers = (
            text("Duration", block),
            text("Total_Duration", block * weekly),
            text("Id", activity.id),
            text("Activity_Group_Id", group if weekly > 1 else 0),
            text("Active", "true"),
        )
        about = text("Subject", requirements[0].subject) + text("Activity_Tag", requirements[0].kind)
        comment = text("Comments", " ".join(requirement.id for requirement in requirements))
        written.append(element("Activity", *people, about, *classes, *numbers, comment))
    return {"Activities_List": written}


class _Rooms:
    """The rooms: home rooms for what stays in class, and for shared lessons one remote room of every unit at once,
    which FET calls a virtual room."""

    def __init__(self, fet: FetProblem, constraints: Constraints) -> None:
        self._fet = fet
        self._constraints = constraints
        self.names = Names()
        self._virtual: dict[tuple[str, ...], str] = {}
        self._used = self._rooms_in_use()
        self._buildings = Names()
        campuses = {campus.id: campus.name for campus in fet.problem.register.campuses}
        for id in dict.fromkeys(room.campus for room in self._used):
            self._buildings.add(id, campuses[id])
        for room in self._used:
            self.names.add(room.id, f"{fet.problem.units[room.unit].short_name} {room.name}")

    def _rooms_in_use(self) -> list[Room]:
        problem = self._fet.problem
        homes = {problem.classes[id].room for id in self._fet.classes.by_id}
        remote = {room.id for rooms in problem.remote_rooms.values() for room in rooms}
        return [room for room in problem.register.rooms if room.id in homes | remote]

    def seats(self, unit: str) -> Sequence[Room]:
        """The remote rooms that the unit may use at one time: as many as its line carries lessons."""
        problem = self._fet.problem
        rooms = problem.remote_rooms[unit]
        return rooms if self.line_ignored(unit) else rooms[: problem.units[unit].link_capacity]

    def line_ignored(self, unit: str) -> bool:
        """Whether the unit's line is narrower than its rooms are many, but leaving out rooms would forbid too much:
        they are shared with another unit, or taken at times."""
        problem = self._fet.problem
        rooms = problem.remote_rooms[unit]
        shared = any(room in others for name, others in problem.remote_rooms.items() if name != unit for room in rooms)
        taken = any(problem.ever_held(room.id) for room in rooms)
        return problem.units[unit].link_capacity < len(rooms) and (shared or taken)

    def write(self) -> None:
        fet, constraints = self._fet, self._constraints
        constraints.add_space("ConstraintBasicCompulsorySpace")
        for id, name in fet.classes.by_id.items():
            home = text("Room", self.names.by_id[fet.problem.classes[id].room])
            constraints.add_space("ConstraintStudentsSetHomeRoom", text("Students", name), home)
        for teacher, name in fet.teachers.by_id.items():
            if len(fet.campuses(teacher)) > 1:
                gaps = text("Min_Gaps_Between_Building_Changes", 1)
                constraints.add_space("ConstraintTeacherMinGapsBetweenBuildingChanges", text("Teacher", name), gaps)
        for activity in fet.activities:
            if activity.is_shared:
                units = tuple(party.unit for party in activity.demands[0].requirement.parties)
                virtual = text("Room", self._virtual.setdefault(units, f"远程 {' + '.join(units)}"))
                number, locked = text("Activity_Id", activity.id), text("Permanently_Locked", "true")
                constraints.add_space("ConstraintActivityPreferredRoom", number, virtual, locked)

    def lists(self) -> dict[str, Sequence[str]]:
        rooms = [
            _room(self.names.by_id[room.id], self._buildings.by_id[room.campus], text("Virtual", "false"), room.id)
            for room in self._used
        ]
        for units, name in self._virtual.items():
            sets = [[self.names.by_id[room.id] for room in self.seats(unit)] for unit in units]
            real = [element("Set_of_Real_Rooms", numbered("Real_Room", s, "Number_of_Real_Rooms")) for s in sets]
            several = text("Virtual", "true") + text("Number_of_Sets_of_Real_Rooms", len(sets)) + "".join(real)
            rooms.append(_room(name, "", several, ""))
        buildings = [_named("Building", name, comment=id) for id, name in self._buildings.by_id.items()]
        return {"Buildings_List": buildings, "Rooms_List": rooms}


def _room(name: str, building: str, kind: str, id: str) -> str:
    return _named("Room", name, text("Building", building), text("Capacity", SEATS), kind, comment=id)


# What is lost -------------------------------------------------------------------------------------------------------


def _losses(fet: FetProblem, rooms: _Rooms, preferences: Mapping[str, str]) -> Iterator[Finding]:
    problem = fet.problem
    rung = {tuple(problem.bells.day(unit, day).values()) for unit in fet.units for day in problem.weekdays} - {()}
    if len(rung) > 1:
        most = max(len(windows) for windows in rung)
        yield _lost("fet_bells", units=len(fet.units), hours=fet.grid.size, periods=most)
    if changes := sum(_rings_anew(fet, unit) for unit in fet.units):
        yield _lost("fet_seasons", units=changes)
    if turns := sum(bool(r.rotation or r.only_weeks) for r in problem.requirements):
        yield _lost("fet_turns", requirements=turns)
    several = [demands for demands in fet.groups if len(demands[0].requirement.parties) > 1]
    if lost := sum(fet.lost(demands) for demands in several):
        yield _lost("fet_placements_lost", lost=lost, placements=sum(len(d[0].placements) for d in several))
    for demands in fet.groups:
        if not fet.holds(demands):
            for requirement in (demand.requirement for demand in demands):
                yield _lost("fet_no_hour", requirement=requirement.id, subject=requirement.subject)
    if several:
        yield _lost("fet_overlap", requirements=len(several))
    kinds = Counter(
        "paired" if len(demands) > 1 else "alone" for demands in fet.groups if demands[0].requirement.weeks != "all"
    )
    if kinds["paired"]:
        yield _lost("fet_weeks_paired", pairs=kinds["paired"])
    if kinds["alone"]:
        yield _lost("fet_weeks", requirements=kinds["alone"])
    times = sum(held.weeks != EVERY_WEEK for teacher in fet.units_of for held in problem.held_of(teacher))
    times += sum(busy.weeks != "all" for _, busy in problem.register.busy_rooms)
    if times:
        yield _lost("fet_busy_weeks", times=times)
    if travelling := sum(len(fet.campuses(teacher)) > 1 for teacher in fet.units_of):
        yield _lost("fet_travel", teachers=travelling)
    shared = {p.unit for r in problem.requirements if r.kind in SHARED_KINDS for p in r.parties}
    for unit in sorted(unit for unit in shared if rooms.line_ignored(unit)):
        capacity = problem.units[unit].link_capacity
        yield _lost("fet_link", unit=problem.units[unit].name, lessons=capacity)
    if silent := [rule for rule in objective.WEIGHTS if rule not in (*preferences, *KEPT)]:
        yield _lost("fet_not_priced", rules="、".join(silent))


def _rings_anew(fet: FetProblem, unit: str) -> bool:
    """Whether the unit's bells change in the term."""
    bells = fet.problem.bells
    return any(day != rung[0] for rung in (bells.rung(unit, day) for day in fet.problem.weekdays) for day in rung)


def _lost(code: str, **values: str | int) -> Finding:
    return Finding(code=code, values=values, severity="warning")
