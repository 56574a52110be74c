"""This module owns how schools write things in the tables on their own walls: weekdays, periods, classes, lessons."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from config.subjects import english_names, subject_meant
from timetable.model import SchoolClass, Weeks
from timetable.register.cells import CellValue

DIGITS = "一二三四五六七八九"
WEEKDAY = re.compile(r"(?:周|星期|礼拜)\s*([一二三四五六日天1-7])")
BARE_WEEKDAY = re.compile(r"[一二三四五六日天]")
ENGLISH_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
TIMES = re.compile(r"(\d{1,2})\s*[:.]\s*(\d{2})\s*[-–—~～至到]+\s*(\d{1,2})\s*[:.]\s*(\d{2})")
PERIOD = re.compile(r"(?:第|[Pp]eriod)?\s*(\d{1,2}|[一二三四五六七八九]|十[一二三四五六]?)\s*节?课?")
HALF_DAY = re.compile(r"上午|下午|早上|中午|晚上|晚间|am|pm")
CLASS = re.compile(
    r"(?:([1-9一二三四五六七八九])\s*年级\s*[(]?\s*(\d{1,2}|[一二三四五六七八九十]{1,2})\s*[)]?\s*班?"
    r"|([1-9一二三四五六七八九])\s*[(.·-]\s*(\d{1,2}|[一二三四五六七八九十]{1,2})\s*[)]?\s*班?"
    r"|([1-9])(0[1-9]|[1-5]\d)\s*班?"
    r"|([一二三四五六七八九])\s*([1-9]\d?|[一二三四五六七八九十]{1,2})\s*班)"
)
WEEKS_MARK = re.compile(r"[(]\s*([单双])\s*周?\s*[)]|([单双])周\s*:?|([单双])\s*:")
ENGLISH_WEEKS = re.compile(r"[(](odd|even)(?: weeks?)?[)]", re.IGNORECASE)
NO_LESSON = frozenset(
    {
        *("午休", "午餐", "大课间", "课间", "课间操", "眼保健操", "广播操", "早读", "晨读", "早自习", "晨会", "升旗"),
        *(
            "升旗仪式",
            "放学",
            "课后服务",
            "延时服务",
            "托管",
            "自由活动",
            "无",
            "空",
            "/",
            "-",
            "--",
            "—",
            "——",
            "×",
            "x",
        ),
    }
)
SHARED_SIGNS = "◆▲■★"
"""How our own prints mark lessons that the community plans; a school's own table has no say about those."""
BETWEEN_LESSONS = re.compile(r"[\n/]")
SPLIT = re.compile(r"[\s/|、,;()\[\]【】·:]+")
NAME_OF_SUBJECT = re.compile(r"[^\W\d_]{1,10}")
ALIASES: Mapping[str, str] = {
    **dict.fromkeys(("语", "国语"), "语文"),
    **dict.fromkeys(("数", "算术"), "数学"),
    **dict.fromkeys(("英", "外语"), "英语"),
    **dict.fromkeys(("体", "体育与健康", "体健"), "体育"),
    **dict.fromkeys(("音", "唱歌"), "音乐"),
    **dict.fromkeys(("美", "图画"), "美术"),
    **dict.fromkeys(("道法", "道德法治", "道德", "品德", "思品", "政治"), "道德与法治"),
    **dict.fromkeys(("科", "自然"), "科学"),
    **dict.fromkeys(("信息", "信息技术", "微机", "计算机", "信科"), "信息科技"),
    **dict.fromkeys(("劳", "劳技", "劳动技术", "劳动教育"), "劳动"),
    **dict.fromkeys(("综合", "综实", "综合实践活动"), "综合实践"),
    **dict.fromkeys(("班", "班队", "班队会", "队会", "班会课"), "班会"),
    **dict.fromkeys(("物",), "物理"),
    **dict.fromkeys(("化",), "化学"),
    **dict.fromkeys(("生",), "生物"),
    **dict.fromkeys(("史",), "历史"),
    **dict.fromkeys(("地",), "地理"),
}
"""What is written short on walls."""


class CellLesson(NamedTuple):
    """One lesson of a cell. `teachers` are names as written; `assumed` when a slash was read as odd and even weeks."""

    subject: str
    teachers: tuple[str, ...]
    weeks: Weeks
    known: bool
    assumed: bool = False


def plain_text(cell: CellValue) -> str:
    """The cell with ordinary signs; whole numbers as people write them. Lines stay apart."""
    if cell is None or isinstance(cell, bool):
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    lines = unicodedata.normalize("NFKC", str(cell)).replace("\r", "\n").split("\n")
    kept = ("".join(sign for sign in " ".join(line.split()) if sign.isprintable()) for line in lines)
    return "\n".join(line for line in kept if line)


def weekday_of(text: str) -> int:
    """The ISO weekday that a heading names; 0 for none."""
    found = WEEKDAY.search(text)
    if found:
        return _day(found[1])
    if BARE_WEEKDAY.fullmatch(text.strip()):
        return _day(text.strip())
    word = text.strip().lower()
    named = [day for day, english in enumerate(ENGLISH_DAYS, 1) if word.startswith(english)]
    return named[0] if named else 0


def _day(sign: str) -> int:
    return int(sign) if sign.isdecimal() else "一二三四五六日".index(sign.replace("天", "日")) + 1


def period_of(text: str) -> int:
    """The number of the period that a label names; 0 for none."""
    rest = HALF_DAY.sub("", TIMES.sub("", text)).replace("\n", " ").strip()
    found = PERIOD.fullmatch(rest)
    return _number(found[1]) if found else 0


def half_day_only(text: str) -> bool:
    """Whether a label says no more than the half of the day, or nothing."""
    return not HALF_DAY.sub("", text).strip()


def times_of(text: str) -> tuple[int, int] | None:
    """The minutes after midnight at which a label says that a period begins and ends."""
    found = TIMES.search(text)
    if found is None:
        return None
    h1, m1, h2, m2 = map(int, found.groups())
    start, end = h1 * 60 + m1, h2 * 60 + m2
    return (start, end) if start < end < 24 * 60 else None


def _number(text: str) -> int:
    if text.isdecimal():
        return int(text)
    _, ten, ones = text.rpartition("十")
    return (10 if ten else 0) + (DIGITS.index(ones) + 1 if ones else 0)


def class_of(text: str, classes: Iterable[SchoolClass]) -> SchoolClass | None:
    """The class of a unit that a title names: by its name, its id, or its grade and number however they are written."""
    wanted = "".join(plain_text(text).split())
    known = list(classes)
    for school_class in known:
        if wanted in (_squeezed(school_class.name), school_class.id):
            return school_class
    named = [school_class for school_class in known if _squeezed(school_class.name) in wanted]
    if named:
        return max(named, key=lambda school_class: len(school_class.name))
    found = CLASS.search(wanted)
    if found is None:
        return None
    grade, number = (group for group in found.groups() if group)
    same = [c for c in known if (c.grade, c.number) == (_number(grade), _number(number))]
    return same[0] if len(same) == 1 else None


def _squeezed(name: str) -> str:
    return "".join(plain_text(name).split())


@dataclass(frozen=True, slots=True)
class LessonReader:
    """Reads the lessons of one cell; `subjects` are those that the county knows."""

    subjects: frozenset[str]

    def read(self, cell: CellValue) -> tuple[CellLesson, ...]:
        """The lessons that the cell names; none for a rest."""
        text = self._in_chinese(plain_text(cell))
        if not text or text.replace("\n", "") in NO_LESSON:
            return ()
        parts = _by_weeks(text)
        if len(parts) == 1 and not parts[0][0]:
            halves = [half.strip() for half in text.split("/")]
            if len(halves) == 2 and all(self.subject(half) for half in halves):
                odd, even = (self._lesson(half, weeks) for half, weeks in zip(halves, ("单", "双"), strict=True))
                return odd._replace(assumed=True), even._replace(assumed=True)
        return tuple(self._lesson(part, weeks) for weeks, part in parts if part and part[0] not in SHARED_SIGNS)

    @staticmethod
    def _in_chinese(text: str) -> str:
        """The text with the well-known subjects and the weeks in the words that tables are written with, where a line
        begins with them in English as our own prints do."""
        if not any("a" <= sign <= "z" for sign in text.lower()):
            return text
        text = ENGLISH_WEEKS.sub(lambda found: "(单)" if found[1].lower() == "odd" else "(双)", text)
        return _english_subjects().sub(lambda found: subject_meant(found[0]), text)

    def subject(self, text: str) -> str:
        """The subject that this text is, in full; empty for none that is known."""
        word = text.strip()
        if word in self.subjects:
            return word
        full = ALIASES.get(word, "")
        return full if full in self.subjects or not self.subjects else ""

    def _lesson(self, text: str, weeks: str) -> CellLesson:
        parity: Weeks = "odd" if weeks == "单" else "even" if weeks == "双" else "all"
        words = [word for word in SPLIT.split(text) if word]
        if not words:
            return CellLesson(text.strip(), (), parity, known=False)
        for index in (0, 1):
            if index < len(words) and (subject := self.subject(words[index])):
                return CellLesson(subject, tuple(words[:index] + words[index + 1 :]), parity, known=True)
        beginnings = [s for s in self.subjects if words[0].startswith(s) and len(words) == 1]
        if beginnings:
            subject = max(beginnings, key=len)
            return CellLesson(subject, (words[0][len(subject) :],), parity, known=True)
        return CellLesson(words[0], tuple(words[1:]), parity, known=False)


@cache
def _english_subjects() -> re.Pattern[str]:
    """Where a line, or what a slash parts, begins with the English word of a subject."""
    words = "|".join(map(re.escape, sorted(english_names().values(), key=len, reverse=True)))
    return re.compile(rf"(?:(?<=^)|(?<=[{SHARED_SIGNS}/]))(?:{words})(?![A-Za-z])", re.IGNORECASE | re.MULTILINE)


def names_of(text: str) -> tuple[str, ...]:
    """The names in a cell of teachers."""
    return tuple(name for name in SPLIT.split(text) if name)


def is_subject_name(text: str) -> bool:
    """Whether an unknown word could be a subject that only this school has."""
    return NAME_OF_SUBJECT.fullmatch(text) is not None


def _by_weeks(text: str) -> list[tuple[str, str]]:
    """The parts of a cell with the weeks that each is marked with: "音乐(单)/美术(双)", "单周 音乐 双周 美术"."""
    if not WEEKS_MARK.search(text):
        return [("", text)]
    found: list[tuple[str, str]] = []
    for piece in filter(str.strip, BETWEEN_LESSONS.split(text)):
        marked = _marked(piece)
        if marked:
            found += marked
        elif found:
            found[-1] = (found[-1][0], f"{found[-1][1]} {piece}")
        else:
            found.append(("", piece))
    if len(found) > 1 and not found[0][0]:
        # a subject above what is marked
        found[:2] = [(found[1][0], f"{found[0][1]} {found[1][1]}")]
    return [(weeks, part.strip()) for weeks, part in found]


def _marked(piece: str) -> list[tuple[str, str]]:
    """The parts of a text with the marks before them, or after them when it does not begin with one."""
    marks = list(WEEKS_MARK.finditer(piece))
    signs = ["".join(filter(None, mark.groups())) for mark in marks]
    if len(marks) == 1:
        return [(signs[0], WEEKS_MARK.sub(" ", piece))]
    if marks and marks[0].start() == 0:
        edges = [(a.end(), b.start()) for a, b in itertools.pairwise(marks)]
        edges += [(marks[-1].end(), len(piece))]
    else:
        edges = [(a, mark.start()) for a, mark in zip([0, *(mark.end() for mark in marks)], marks, strict=False)]
    return [(sign, piece[start:end]) for sign, (start, end) in zip(signs, edges, strict=True)]
