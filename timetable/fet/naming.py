"""This module owns what FET only names, as a register names it: ids, names of a length that fits, grades of classes."""

from __future__ import annotations

import re

import msgspec

from timetable.model import Id, Register

NAME_LENGTH = 120
GRADE = re.compile(r"[1-9一二三四五六七八九]")
CHINESE_DIGITS = "一二三四五六七八九"


class Ids:
    """Ids for what FET only names, beginning with the unit's where others stand beside it. Our own exports carry the
    id in the comments."""

    def __init__(self, unit: Id, beside: Register | None) -> None:
        self._prefix = "" if beside is None else f"{unit}."
        self._taken = {unit, f"{unit}-community", f"{unit}-campus"}
        if beside is not None:
            lists = (beside.teachers, beside.rooms, beside.classes, beside.requirements)
            ids = (row.id for rows in lists for row in rows)
            self._taken |= {id for id in ids if not id.startswith(self._prefix)}
        self._count = 0

    def give(self, prefix: str, wish: str) -> str:
        wished = wish.strip()
        if wished not in self._taken and _is_id(wished):
            self._taken.add(wished)
            return wished
        while True:
            self._count += 1
            if (id := f"{self._prefix}{prefix}{self._count}") not in self._taken:
                self._taken.add(id)
                return id


def grade_in(name: str) -> int:
    """The grade that the name of a class tells; 0 where it tells none."""
    found = GRADE.search(name)
    if found is None:
        return 0
    return int(found[0]) if found[0].isdecimal() else CHINESE_DIGITS.index(found[0]) + 1


def short(text: str) -> str:
    return " ".join(text.split())[:NAME_LENGTH].strip()


def _is_id(text: str) -> bool:
    try:
        msgspec.convert(text, Id)
    except msgspec.ValidationError:
        return False
    return True
