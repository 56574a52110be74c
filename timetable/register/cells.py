"""This module owns what stands in one cell of a sheet: how a value is written for people and read back leniently.

People type times with full-width colons, weekdays as 周一 or 1, yes as 是 or √: all of these are understood. A text
that a spreadsheet would take for a formula is written with a leading apostrophe, which reading takes off again.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import NoReturn, Protocol

from config.subjects import subject_meant
from timetable.model import Slot, clock

CellValue = str | int | float | bool | date | datetime | time | timedelta | None
"""What a spreadsheet or a text file holds in one cell; the value of a formula, never the formula."""

FORMULA = re.compile(r"'*[=+\-@\t\r]")
ESCAPED_FORMULA = re.compile(r"'+[=+\-@\t\r]")
FORMULA_ERROR = re.compile(r"#(?:REF!|N/A|VALUE!|DIV/0!|NAME\?|NUM!|NULL!|SPILL!|CALC!|GETTING_DATA)")
SEPARATORS = re.compile(r"[、,，;；\n]+")
DAY = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?(?:[ T]0{1,2}:00(?::00(?:\.0+)?)?)?")
CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::\d{2})?")
WEEKDAY = re.compile(r"(?:周|星期)?([一二三四五六日天1-7])")
SLOT = re.compile(r"(?:周|星期)?([一二三四五六日天1-7])\s*[-_ .]?\s*第?\s*(\d{1,2})\s*节?")
RANGE_SIGNS = re.compile(r"[-~—至到]+")
DAY_NAMES = "一二三四五六日"
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
ENGLISH_DAY = re.compile(r"(mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?", re.IGNORECASE)


class CellProblem(Exception):
    """A cell that cannot be understood. `code` is that of the finding, `values` fill its sentence."""

    def __init__(self, code: str, value: CellValue, **values: str | int) -> None:
        super().__init__(code)
        self.code = code
        self.values = {"value": shown(value), **values}


class Kind(Protocol):
    """What a column holds. `beyond` is the code of the finding for a value that is well formed but not allowed."""

    @property
    def beyond(self) -> str: ...

    @property
    def choices(self) -> Sequence[str]:
        """The words to offer in a drop-down list; empty where any value will do."""
        ...

    def read(self, cell: CellValue) -> object:
        """The value of a cell that is not blank; raises CellProblem."""
        ...

    def write(self, value: object) -> str | int: ...


def shown(cell: CellValue) -> str:
    """The cell as a sentence about it quotes it."""
    # a spreadsheet's whole numbers come as floats: the person typed 21, not 21.0
    text = str(int(cell)) if isinstance(cell, float) and cell.is_integer() else " ".join(str(cell).split())
    return text if len(text) <= 40 else f"{text[:39]}…"


def is_blank(cell: CellValue) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def guard(text: str) -> str:
    """The text with an apostrophe in front where a spreadsheet would run it as a formula."""
    return f"'{text}" if FORMULA.match(text) else text


def plain(cell: CellValue) -> str:
    """The cell as text; raises CellProblem for control characters and for what is no text or number."""
    if isinstance(cell, bool) or not isinstance(cell, str | int | float):
        raise CellProblem("cell_not_text", cell)
    if isinstance(cell, str) and FORMULA_ERROR.fullmatch(cell.strip()):
        raise CellProblem("cell_formula_failed", cell)
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    text = str(cell).strip()
    if any(unicodedata.category(sign) in {"Cc", "Cs"} for sign in text):
        raise CellProblem("cell_not_text", cell)
    return text[1:] if ESCAPED_FORMULA.match(text) else text


def folded(cell: CellValue) -> str:
    """The cell as text with full-width digits, letters and signs made ordinary."""
    return unicodedata.normalize("NFKC", plain(cell)).strip()


@dataclass(frozen=True, slots=True)
class Text:
    """Names and remarks, kept as typed."""

    beyond: str = "cell_too_long"
    choices: Sequence[str] = ()

    def read(self, cell: CellValue) -> str:
        return plain(cell)

    def write(self, value: object) -> str:
        return guard(str(value))


@dataclass(frozen=True, slots=True)
class Subject(Text):
    """A subject as the school calls it; the English word of a well-known one means that subject."""

    def read(self, cell: CellValue) -> str:
        return subject_meant(plain(cell))


@dataclass(frozen=True, slots=True)
class Label(Text):
    """An id: letters, digits, dots, dashes, underscores."""

    beyond: str = "cell_not_id"

    def read(self, cell: CellValue) -> str:
        return folded(cell)


@dataclass(frozen=True, slots=True)
class Reference(Text):
    """The id or the name of something on the sheet with the key `to`."""

    to: str = ""

    def read(self, cell: CellValue) -> str:
        return folded(cell)


@dataclass(frozen=True, slots=True)
class Number:
    """A whole number."""

    beyond: str = "cell_out_of_range"
    choices: Sequence[str] = ()

    def read(self, cell: CellValue) -> int:
        if isinstance(cell, float) and not cell.is_integer():
            raise CellProblem("cell_not_number", cell)
        text = "" if isinstance(cell, bool | date | time | timedelta) else folded(cell)
        if not re.fullmatch(r"[+-]?[0-9]{1,9}", text):
            raise CellProblem("cell_not_number", cell)
        return int(text)

    def write(self, value: object) -> int:
        if not isinstance(value, int):
            raise TypeError(value)
        return value


@dataclass(frozen=True, slots=True)
class Day:
    """A date."""

    beyond: str = "cell_not_date"
    choices: Sequence[str] = ()

    def read(self, cell: CellValue) -> str:
        if isinstance(cell, datetime):
            return cell.date().isoformat()
        if isinstance(cell, date):
            return cell.isoformat()
        found = DAY.fullmatch(folded(cell)) if isinstance(cell, str) else None
        if found is None:
            return _refuse("cell_not_date", cell)
        try:
            return date(int(found[1]), int(found[2]), int(found[3])).isoformat()
        except ValueError:
            return _refuse("cell_not_date", cell)

    def write(self, value: object) -> str:
        return str(value)


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of day."""

    beyond: str = "cell_not_time"
    choices: Sequence[str] = ()

    def read(self, cell: CellValue) -> str:
        if isinstance(cell, datetime | time):
            return f"{cell.hour:02d}:{cell.minute:02d}"
        if isinstance(cell, timedelta):
            return self._of_minutes(cell / timedelta(minutes=1), cell)
        if isinstance(cell, float):
            return self._of_minutes(cell * 24 * 60, cell)
        found = CLOCK.fullmatch(folded(cell)) if isinstance(cell, str) else None
        if found is None or int(found[1]) > 23 or int(found[2]) > 59:
            return _refuse("cell_not_time", cell)
        return f"{int(found[1]):02d}:{found[2]}"

    def write(self, value: object) -> str:
        return str(value)

    def _of_minutes(self, exact: float, cell: CellValue) -> str:
        return clock(round(exact)) if 0 <= exact < 24 * 60 - 0.5 else _refuse("cell_not_time", cell)


@dataclass(frozen=True, slots=True)
class Truth:
    """Yes or no."""

    beyond: str = "cell_not_choice"
    choices: Sequence[str] = ("是", "否")

    def read(self, cell: CellValue) -> bool:
        if isinstance(cell, bool):
            return cell
        word = folded(cell).lower()
        if word in {"是", "yes", "y", "true", "1", "√", "同意"}:
            return True
        if word in {"否", "no", "n", "false", "0", "×", "x", "不同意"}:
            return False
        raise CellProblem("cell_not_choice", cell, choices="、".join(self.choices))

    def write(self, value: object) -> str:
        return "是" if value else "否"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few ids, shown by their Chinese words."""

    words: Mapping[str, str]
    beyond: str = "cell_not_choice"

    @property
    def choices(self) -> Sequence[str]:
        return tuple(self.words.values())

    def read(self, cell: CellValue) -> str:
        word = folded(cell)
        for id, shown_word in self.words.items():
            if word.lower() == id or word == shown_word:
                return id
        raise CellProblem("cell_not_choice", cell, choices="、".join(self.choices))

    def write(self, value: object) -> str:
        return self.words[str(value)]


@dataclass(frozen=True, slots=True)
class Many:
    """Several values in one cell, separated by 、 or a comma or semicolon of either width."""

    of: Kind

    @property
    def beyond(self) -> str:
        return self.of.beyond

    @property
    def choices(self) -> Sequence[str]:
        return ()

    def read(self, cell: CellValue) -> tuple[object, ...]:
        if not isinstance(cell, str):
            return (self.of.read(cell),)
        # a guarded text is guarded as a whole, so the apostrophe goes before the split
        whole = cell.strip()
        parts = SEPARATORS.split(whole[1:] if ESCAPED_FORMULA.match(whole) else whole)
        return tuple(self.of.read(part) for part in parts if part.strip())

    def write(self, value: object) -> str:
        return guard("、".join(str(self.of.write(item)) for item in _items(value)))


@dataclass(frozen=True, slots=True)
class Weekdays:
    """Weekdays, ISO numbers or names, also as a range: 1、2、5 or 周一至周五."""

    beyond: str = "cell_not_weekday"
    choices: Sequence[str] = ()

    def read(self, cell: CellValue) -> tuple[int, ...]:
        found: list[int] = []
        for part in SEPARATORS.split(folded(cell)):
            ends = [self._one(end, cell) for end in RANGE_SIGNS.split(part.strip()) if end]
            if len(ends) == 2 and ends[0] <= ends[1]:
                found += range(ends[0], ends[1] + 1)
            elif len(ends) == 1:
                found += ends
            elif part.strip():
                raise CellProblem("cell_not_weekday", cell)
        return tuple(found)

    def write(self, value: object) -> str:
        return "、".join(str(item) for item in _items(value))

    def _one(self, text: str, cell: CellValue) -> int:
        return _weekday(text.strip(), cell)


@dataclass(frozen=True, slots=True)
class OneWeekday:
    """One weekday."""

    beyond: str = "cell_not_weekday"
    choices: Sequence[str] = tuple(f"周{name}" for name in DAY_NAMES)

    def read(self, cell: CellValue) -> int:
        return _weekday(folded(cell), cell)

    def write(self, value: object) -> str:
        return self.choices[int(str(value)) - 1]


@dataclass(frozen=True, slots=True)
class Slots:
    """Periods of the week: 周一第6节、周三第2节, or 1-6、3-2."""

    beyond: str = "cell_not_slot"
    choices: Sequence[str] = ()

    def read(self, cell: CellValue) -> tuple[Slot, ...]:
        parts = [part.strip() for part in SEPARATORS.split(folded(cell)) if part.strip()]
        return tuple(self._one(part, cell) for part in parts)

    def write(self, value: object) -> str:
        slots = [slot for slot in _items(value) if isinstance(slot, Slot)]
        return "、".join(f"周{DAY_NAMES[slot.weekday - 1]}第{slot.period}节" for slot in slots)

    def _one(self, text: str, cell: CellValue) -> Slot:
        found = SLOT.fullmatch(text)
        if found is None or not 1 <= int(found[2]) <= 16:
            return _refuse("cell_not_slot", cell)
        return Slot(weekday=day_number(found[1]), period=int(found[2]))


def day_number(name: str) -> int:
    """The ISO weekday of 一 to 日, 天, or 1 to 7."""
    return int(name) if name.isdecimal() else "一二三四五六日".index(name.replace("天", "日")) + 1


def _weekday(text: str, cell: CellValue) -> int:
    if english := ENGLISH_DAY.fullmatch(text):
        return DAYS.index(english[1].capitalize()) + 1
    found = WEEKDAY.fullmatch(text)
    return day_number(found[1]) if found else _refuse("cell_not_weekday", cell)


def _items(value: object) -> Iterator[object]:
    if not isinstance(value, tuple):
        raise TypeError(value)
    return iter(value)


def _refuse(code: str, cell: CellValue) -> NoReturn:
    raise CellProblem(code, cell)
