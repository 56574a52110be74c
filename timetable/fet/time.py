"""This module owns what FET is told about time: who is free when, whole days, subjects spread over the week, and the
soft rules as far as FET has words for them."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Mapping

from timetable import objective
from timetable.fet.format import NOT_AVAILABLE, PREFERRED, SELECTED, STARTING, Constraints, FetSlot, numbered, text
from timetable.fet.problem import Activity, FetProblem

SAYABLE = (
    objective.MAIN_SUBJECT_AFTERNOON,
    objective.PE_FIRST,
    objective.SYNC_FIRST_PERIOD,
    objective.TWO_A_WEEK_ADJACENT,
    objective.TEACHER_LONG_DAY,
    objective.LAST_PERIOD,
)
"""The soft rules that FET has words for."""

PREFERENCES: Mapping[str, str] = dict.fromkeys(SAYABLE, "95")
"""Percent with which FET keeps our soft rules. It has no sum to minimise: the heavier, the longer it tries."""

KEPT = (objective.CLASS_GAP, objective.SUBJECT_CROWDED)
"""Soft rules that go as constraints which FET may never break."""


class TimeConstraints:
    """Writes the constraints on time of one community into `constraints`."""

    def __init__(self, fet: FetProblem, constraints: Constraints, preferences: Mapping[str, str]) -> None:
        self._fet = fet
        self._problem = fet.problem
        self._constraints = constraints
        self._preferences = preferences

    def write(self) -> None:
        self._constraints.add("ConstraintBasicCompulsoryTime")
        self._limit_teachers()
        self._limit_classes()
        self._limit_starts()
        self._leave_time_to_travel()
        self._spread_subjects()
        self._prefer_subjects()
        self._prefer_tags()
        self._prefer_short_days()

    def _limit_teachers(self) -> None:
        fet, constraints = self._fet, self._constraints
        for teacher, units in fet.units_of.items():
            name = text("Teacher", fet.teachers.by_id[teacher])
            rung: set[FetSlot] = set().union(*(fet.rung(unit) for unit in units))
            if taken := rung - fet.free[teacher]:
                constraints.add("ConstraintTeacherNotAvailableTimes", name, constraints.slots(NOT_AVAILABLE, taken))
            name, most = text("Teacher_Name", fet.teachers.by_id[teacher]), self._problem.teachers[teacher].max_per_day
            constraints.add("ConstraintTeacherMaxHoursDaily", name, text("Maximum_Hours_Daily", most))
            if (percent := self._preferences.get(objective.TEACHER_LONG_DAY)) and most > objective.LONG_DAY:
                long = text("Maximum_Hours_Daily", objective.LONG_DAY)
                constraints.add("ConstraintTeacherMaxHoursDaily", name, long, percent=percent)

    def _limit_classes(self) -> None:
        fet, constraints, problem = self._fet, self._constraints, self._problem
        for id, name in fet.classes.by_id.items():
            students = text("Students", name)
            if absent := fet.all_slots - fet.rung(problem.classes[id].unit):
                slots = constraints.slots(NOT_AVAILABLE, absent)
                constraints.add("ConstraintStudentsSetNotAvailableTimes", students, slots)
            if id not in problem.full_classes:
                continue
            constraints.add("ConstraintStudentsSetMaxGapsPerWeek", text("Max_Gaps", 0), students)
            late = text("Max_Beginnings_At_Second_Hour", 0)
            constraints.add("ConstraintStudentsSetEarlyMaxBeginningsAtSecondHour", late, students)
            if (fewest := problem.full_classes[id]) > 0:
                least, never = text("Minimum_Hours_Daily", fewest), text("Allow_Empty_Days", "false")
                constraints.add("ConstraintStudentsSetMinHoursDaily", students, least, never)

    def _limit_starts(self) -> None:
        fet, constraints = self._fet, self._constraints
        used: Counter[str] = Counter()
        for activity in fet.activities:
            requirement = activity.demands[0].requirement
            locks = requirement.locked[used[requirement.id] :][:1]
            used[requirement.id] += 1
            wanted = {(lock.weekday, lock.period) for lock in locks}
            fixed = [at for at, placed in activity.slots.items() if (placed[0].weekday, placed[0].period) in wanted]
            id = text("Activity_Id", activity.id)
            if fixed:
                at, locked = constraints.slot(PREFERRED, fixed[0]), text("Permanently_Locked", "true")
                constraints.add("ConstraintActivityPreferredStartingTime", id, at, locked)
            elif set(activity.slots) != fet.open_to(activity):
                slots = constraints.slots(STARTING, activity.slots)
                constraints.add("ConstraintActivityPreferredStartingTimes", id, slots)

    def _leave_time_to_travel(self) -> None:
        """A free hour between lessons on two campuses. FET does that by itself for rooms in buildings, but the virtual
        room of a shared lesson is in none."""
        fet = self._fet
        at: dict[str, list[tuple[Activity, str]]] = defaultdict(list)
        for activity in fet.activities:
            for requirement in activity.requirements:
                for party in requirement.parties:
                    for teacher in party.teachers:
                        at[teacher].append((activity, self._problem.units[party.unit].campus))
        told: set[tuple[int, int]] = set()
        for teacher, there in at.items():
            if len(fet.campuses(teacher)) > 1:
                for (a, here), (b, elsewhere) in itertools.combinations(there, 2):
                    shared = a.is_shared or b.is_shared
                    if here != elsewhere and shared and (a.id, b.id) not in told:
                        told.add((a.id, b.id))
                        both = numbered("Activity_Id", (a.id, b.id), "Number_of_Activities")
                        self._constraints.add("ConstraintMinGapsBetweenActivities", both, text("MinGaps", 1))

    def _spread_subjects(self) -> None:
        problem, constraints = self._problem, self._constraints
        members: dict[tuple[str, str], list[Activity]] = defaultdict(list)
        for activity in self._fet.activities:
            for school_class in activity.classes:
                for subject in dict.fromkeys(requirement.subject for requirement in activity.requirements):
                    members[school_class, subject].append(activity)
        told: set[tuple[int, ...]] = set()
        for (school_class, subject), found in members.items():
            if len(found) < 2 or (ids := tuple(activity.id for activity in found)) in told:
                continue
            told.add(ids)
            several = numbered("Activity_Id", ids, "Number_of_Activities")
            apart = text("Consecutive_If_Same_Day", "false")
            most = problem.most_a_day(school_class, subject)
            if most == 1:
                constraints.add("ConstraintMinDaysBetweenActivities", apart, several, text("MinDays", 1))
            elif sum(activity.block for activity in found) > most:
                limit = text("Max_Number_of_Occupied_Time_Slots", most)
                for day in problem.weekdays:
                    slots = constraints.slots(SELECTED, ((day, hour) for hour in range(self._fet.grid.size)))
                    constraints.add("ConstraintActivitiesOccupyMaxTimeSlotsFromSelection", several, slots, limit)
            percent = self._preferences.get(objective.TWO_A_WEEK_ADJACENT)
            if percent and (school_class, subject) in problem.two_a_week:
                days = text("MinDays", 2)
                constraints.add("ConstraintMinDaysBetweenActivities", apart, several, days, percent=percent)

    # Soft rules -----------------------------------------------------------------------------------------------------

    def _prefer_subjects(self) -> None:
        problem, grid = self._problem, self._fet.grid
        morning = {(day, hour) for day, hour in self._fet.all_slots if grid.window(hour).start < objective.NOON}
        for subject in sorted(problem.main_subjects):
            self._prefer(objective.MAIN_SUBJECT_AFTERNOON, morning, subject=subject)
        later = {(day, hour) for day, hour in self._fet.all_slots if (day, hour) not in self._first_slots()}
        self._prefer(objective.PE_FIRST, later, subject=objective.PHYSICAL_EDUCATION)

    def _prefer_tags(self) -> None:
        self._prefer(objective.SYNC_FIRST_PERIOD, self._fet.all_slots - self._first_slots(), tag="sync")

    def _prefer_short_days(self) -> None:
        fet = self._fet
        for id, name in fet.classes.by_id.items():
            unit = self._problem.classes[id].unit
            last = {
                (day, max(hours.values())) for day in self._problem.weekdays if (hours := fet.grid.hours_of(unit, day))
            }
            self._prefer(objective.LAST_PERIOD, fet.rung(unit) - last, students=name)

    def _first_slots(self) -> set[FetSlot]:
        """The first hour of every day in which most units begin."""
        found = set()
        for day in self._problem.weekdays:
            firsts = Counter(min(hours.values()) for u in self._fet.units if (hours := self._fet.grid.hours_of(u, day)))
            found |= {(day, hour) for hour, _ in firsts.most_common(1)}
        return found

    def _prefer(
        self,
        rule: str,
        slots: set[FetSlot] | frozenset[FetSlot],
        *,
        subject: str = "",
        tag: str = "",
        students: str = "",
    ) -> None:
        percent = self._preferences.get(rule)
        concerned = any(
            subject in ("", activity.demands[0].requirement.subject)
            and tag in ("", activity.demands[0].requirement.kind)
            and (not students or any(self._fet.classes.by_id[c] == students for c in activity.classes))
            for activity in self._fet.activities
        )
        # FET refuses a file with a constraint that concerns nobody
        if not percent or not slots or not concerned:
            return
        whom = (
            text("Teacher_Name", ""),
            text("Students_Name", students),
            text("Subject_Name", subject),
            text("Activity_Tag_Name", tag),
            text("Duration", ""),
        )
        self._constraints.add(
            "ConstraintActivitiesPreferredTimeSlots", *whom, self._constraints.slots(PREFERRED, slots), percent=percent
        )
