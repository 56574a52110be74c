"""This module owns the way back from FET: the hours and rooms that it chose, as a table of ours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from timetable.fet.exporting import FetExport
from timetable.fet.format import DAY_NAMES
from timetable.fet.xml import Element, child, parse
from timetable.model import SHARED_KINDS, Table
from timetable.problem import Problem
from timetable.solving.formulation import Choice
from timetable.solving.placing import table_of


class _Chosen(NamedTuple):
    id: str
    day: str
    hour: str
    rooms: list[str]


def read_solution(problem: Problem, exported: FetExport, document: bytes) -> Table:
    """The table of a solution of this export: FET's `..._activities.xml`, or its `..._data_and_timetable.fet`.

    Activities that FET did not place, or moved where they may not stand, are absent from the table. Raises
    FetUnreadable.
    """
    root = parse(document)
    activities = {str(activity.id): activity for activity in exported.activities}
    choices: list[Choice] = []
    for chosen in _of_file(root) if root.tag == "fet" else _of_timetable(root):
        activity = activities.get(chosen.id)
        hour = exported.hours.get(chosen.hour)
        if activity is None or hour is None or chosen.day not in DAY_NAMES:
            continue
        placements = activity.slots.get((DAY_NAMES.index(chosen.day) + 1, hour))
        if placements is None:
            continue
        del activities[chosen.id]
        for demand, placement in zip(activity.demands, placements, strict=True):
            requirement = demand.requirement
            rooms = [exported.rooms.get(room, "") for room in chosen.rooms]
            seated = requirement.kind in SHARED_KINDS and len(rooms) == len(requirement.parties) and all(rooms)
            choices.append(Choice(requirement, placement, dict(enumerate(rooms)) if seated else {}))
    return table_of(problem, choices)


def _of_timetable(root: Element) -> Iterator[_Chosen]:
    for node in root.iter("Activity"):
        yield _Chosen(child(node, "Id"), child(node, "Day"), child(node, "Hour"), _real_rooms(node))


def _of_file(root: Element) -> Iterator[_Chosen]:
    seated = root.iter("ConstraintActivityPreferredRoom")
    rooms = {child(node, "Activity_Id"): found for node in seated if (found := _real_rooms(node))}
    for node in root.iter("ConstraintActivityPreferredStartingTime"):
        id = child(node, "Activity_Id")
        yield _Chosen(id, child(node, "Preferred_Day"), child(node, "Preferred_Hour"), rooms.get(id, []))


def _real_rooms(node: Element) -> list[str]:
    return [(room.text or "").strip() for room in node.iter("Real_Room")]
