"""This module owns what stands in a FET file, in FET's own nouns: days, hours, students, activities, constraints."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from timetable.fet.xml import Element, child, parse

OFFICIAL, MORNINGS_AND_AFTERNOONS = "Official", "Mornings_Afternoons"
OLD_MORNINGS_AND_AFTERNOONS = re.compile(r"algeria|morocco|mornings|-ma\d")
"""In the version of files from before FET wrote the mode."""

LONGEST = 16
"""Hours of an activity: no day has more."""


@dataclass(frozen=True, slots=True)
class FetActivity:
    id: str
    group: str
    subject: str
    tags: tuple[str, ...]
    teachers: tuple[str, ...]
    students: tuple[str, ...]
    duration: int
    comments: str


@dataclass(frozen=True, slots=True)
class StudentSet:
    """A year, group or subgroup: the smallest sets that it is made of. `rank` is 0 for a year, 2 for a subgroup."""

    name: str
    rank: int
    year: str
    parts: frozenset[str]
    students: int
    comments: str


@dataclass(frozen=True, slots=True)
class FetFile:
    mode: str
    name: str
    days: tuple[str, ...]
    hours: tuple[str, ...]
    teachers: Mapping[str, str]
    """Names with their comments."""
    rooms: Mapping[str, str]
    activities: tuple[FetActivity, ...]
    students: Mapping[str, StudentSet]
    constraints: tuple[Element, ...]
    """The active ones, on time and space."""
    inactive: int


def read(document: bytes) -> FetFile:
    """The file, as far as it can be understood; raises FetUnreadable for what is no XML."""
    root = parse(document)
    nodes = [node for node in root.iter("Activity") if child(node, "Id")]
    active = [node for node in nodes if _is_active(node)]
    constraints = [node for node in _constraints(root) if _is_active(node)]
    return FetFile(
        mode=_mode(root),
        name=child(root, "Institution_Name"),
        days=_names(root, "Days_List", "Day"),
        hours=_names(root, "Hours_List", "Hour"),
        teachers=_commented(root, "Teachers_List", "Teacher"),
        rooms=_commented(root, "Rooms_List", "Room"),
        activities=tuple(_activity(node) for node in active),
        students={found.name: found for found in _students(root)},
        constraints=tuple(constraints),
        inactive=len(nodes) - len(active),
    )


def texts(node: Element, tag: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for item in node.findall(tag) if (text := (item.text or "").strip())))


def whole(text: str, default: int = 0) -> int:
    """A number of at most nine digits; `default` for anything else. FET writes weights with decimals."""
    digits = text.partition(".")[0]
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 10 else default


def strict(constraint: Element) -> bool:
    """Whether the constraint may never be broken."""
    return whole(child(constraint, "Weight_Percentage"), 100) >= 100


def _mode(root: Element) -> str:
    old = MORNINGS_AND_AFTERNOONS if OLD_MORNINGS_AND_AFTERNOONS.search(root.get("version", "")) else OFFICIAL
    return child(root, "Mode") or old


def _is_active(node: Element) -> bool:
    return child(node, "Active").lower() not in ("false", "no")


def _names(root: Element, list: str, tag: str) -> tuple[str, ...]:
    return tuple(child(node, "Name") or (node.text or "").strip() for node in root.iterfind(f"{list}/{tag}"))


def _commented(root: Element, list: str, tag: str) -> dict[str, str]:
    nodes = root.iterfind(f"{list}/{tag}")
    return {name: child(node, "Comments") for node in nodes if (name := child(node, "Name"))}


def _constraints(root: Element) -> Iterator[Element]:
    for list in ("Time_Constraints_List", "Space_Constraints_List"):
        for found in root.iterfind(list):
            yield from (node for node in found if node.tag.startswith("Constraint"))


def _activity(node: Element) -> FetActivity:
    id, group = child(node, "Id"), child(node, "Activity_Group_Id")
    return FetActivity(
        id=id,
        group=group if group not in ("", "0") else f"alone {id}",
        subject=child(node, "Subject"),
        tags=texts(node, "Activity_Tag"),
        teachers=texts(node, "Teacher"),
        students=texts(node, "Students"),
        duration=min(LONGEST, max(1, whole(child(node, "Duration"), 1))),
        comments=child(node, "Comments"),
    )


def _students(root: Element) -> Iterator[StudentSet]:
    for year in root.iterfind("Students_List/Year"):
        name = child(year, "Name")
        groups = [(group, _parts(group, "Subgroup")) for group in year.iterfind("Group")]
        parts = frozenset(part for _, found in groups for part in found) or frozenset({name})
        for group, found in groups:
            for part in group.iterfind("Subgroup"):
                yield _set(part, 2, name, frozenset({child(part, "Name")}))
            yield _set(group, 1, name, found)
        yield _set(year, 0, name, parts)


def _parts(node: Element, tag: str) -> frozenset[str]:
    return frozenset(child(part, "Name") for part in node.iterfind(tag)) or frozenset({child(node, "Name")})


def _set(node: Element, rank: int, year: str, parts: frozenset[str]) -> StudentSet:
    pupils = whole(child(node, "Number_of_Students"))
    return StudentSet(child(node, "Name"), rank, year, parts, pupils, child(node, "Comments"))
