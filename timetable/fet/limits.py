"""This module owns which constraints of a FET file have a counterpart here, and reads those."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from timetable.fet.file import FetFile, strict, whole
from timetable.fet.hours import Hours
from timetable.fet.xml import Element, child
from timetable.model import Slot

KEPT_BY_US = frozenset(
    {
        "ConstraintBasicCompulsoryTime",
        "ConstraintBasicCompulsorySpace",
        "ConstraintMinDaysBetweenActivities",
        "ConstraintStudentsMaxGapsPerWeek",
        "ConstraintStudentsSetMaxGapsPerWeek",
        "ConstraintStudentsEarlyMaxBeginningsAtSecondHour",
        "ConstraintStudentsSetEarlyMaxBeginningsAtSecondHour",
        "ConstraintStudentsMinHoursDaily",
        "ConstraintStudentsSetMinHoursDaily",
    }
)
"""Whole days and spread subjects: every table here keeps those habits, in its own way."""
MOST_A_DAY = 16


@dataclass
class Limits:
    """What the constraints say, by the names of FET."""

    teachers_away: dict[str, set[Slot]] = field(default_factory=lambda: defaultdict(set))
    students_away: dict[str, set[Slot]] = field(default_factory=lambda: defaultdict(set))
    rooms_away: dict[str, set[Slot]] = field(default_factory=lambda: defaultdict(set))
    breaks: set[Slot] = field(default_factory=set)
    most_a_day: dict[str, int] = field(default_factory=dict)
    """By teacher; that of all teachers under the empty name."""
    starts: dict[str, Slot] = field(default_factory=dict)
    """Where activities are fixed, by their numbers."""
    homes: dict[str, str] = field(default_factory=dict)
    """Home rooms by sets of students."""
    kept: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)


def limits_of(file: FetFile, hours: Hours) -> Limits:
    """Everything that the constraints of the file say here, and how many say nothing."""
    limits = Limits()
    for node in file.constraints:
        if node.tag in KEPT_BY_US:
            limits.kept[node.tag] += 1
        elif not (strict(node) and _read(node, limits, hours)):
            limits.dropped[node.tag] += 1
    return limits


def _read(node: Element, limits: Limits, hours: Hours) -> bool:
    """Take what a strict constraint says; False where that has no counterpart."""
    kind = node.tag.removeprefix("Constraint")
    if kind == "TeacherNotAvailableTimes":
        limits.teachers_away[child(node, "Teacher")].update(_slots(node, "Not_Available_Time", hours))
    elif kind == "StudentsSetNotAvailableTimes":
        limits.students_away[child(node, "Students")].update(_slots(node, "Not_Available_Time", hours))
    elif kind == "RoomNotAvailableTimes":
        limits.rooms_away[child(node, "Room")].update(_slots(node, "Not_Available_Time", hours))
    elif kind == "BreakTimes":
        limits.breaks.update(_slots(node, "Break_Time", hours))
    elif kind in ("TeacherMaxHoursDaily", "TeachersMaxHoursDaily"):
        name = child(node, "Teacher_Name") or child(node, "Teacher")
        most = min(MOST_A_DAY, max(1, whole(child(node, "Maximum_Hours_Daily"), MOST_A_DAY)))
        limits.most_a_day[name] = min(most, limits.most_a_day.get(name, MOST_A_DAY))
    elif kind == "StudentsSetHomeRoom":
        limits.homes.setdefault(child(node, "Students"), child(node, "Room"))
    elif kind == "ActivityPreferredStartingTime":
        at = hours.slot((_day(node, "Preferred_Day"), _day(node, "Preferred_Hour")))
        if at is None:
            return False
        limits.starts.setdefault(child(node, "Activity_Id"), at)
    else:
        return False
    return True


def _day(node: Element, tag: str) -> str:
    return child(node, tag) or child(node, tag.removeprefix("Preferred_"))


def _slots(node: Element, tag: str, hours: Hours) -> Iterator[Slot]:
    for item in node.findall(tag):
        at = hours.slot((child(item, "Day"), child(item, "Hour")))
        if at is not None:
            yield at
