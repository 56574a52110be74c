"""What a cell, a heading or a label of a school's own table says, however people write it."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from tests.community_builder import CommunityBuilder, bell_times
from timetable.own.cells import LessonReader, class_of, period_of, weekday_of


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("语文", [("语文", (), "all")]),
        ("语", [("语文", (), "all")]),
        ("语文\n李华", [("语文", ("李华",), "all")]),
        ("语文李华", [("语文", ("李华",), "all")]),
        ("李华 语文", [("语文", ("李华",), "all")]),
        ("语文（李华、王芳）", [("语文", ("李华", "王芳"), "all")]),
        ("道法", [("道德与法治", (), "all")]),
        ("语文(单) / 数学(双)", [("语文", (), "odd"), ("数学", (), "even")]),
        ("语文(单)\n李华\n数学（双周）\n王芳", [("语文", ("李华",), "odd"), ("数学", ("王芳",), "even")]),
        ("单周语文 双周数学", [("语文", (), "odd"), ("数学", (), "even")]),
        ("(双)数学", [("数学", (), "even")]),
        ("语文/数学", [("语文", (), "odd"), ("数学", (), "even")]),
        ("书法 李华", [("书法", ("李华",), "all")]),
        ("午休", []),
        ("—", []),
        ("◆语文\n李华\n同步 东校", []),
        ("  ", []),
        (None, []),
    ],
)
def test_cells(cell: Any, expected: list[tuple[str, tuple[str, ...], str]]) -> None:
    reader = LessonReader(frozenset({"语文", "数学", "道德与法治"}))
    assert [(lesson.subject, lesson.teachers, lesson.weeks) for lesson in reader.read(cell)] == expected


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("五(1)班", "A0-5-1"),
        ("五（1）班课程表", "A0-5-1"),
        ("五年级1班", "A0-5-1"),
        ("五年级（一）班", "A0-5-1"),
        ("五一班", "A0-5-1"),
        ("501", "A0-5-1"),
        ("5.2", "A0-5-2"),
        ("5-2班", "A0-5-2"),
        ("A0-5-2", "A0-5-2"),
        ("2026年五(2)班课表", "A0-5-2"),
        ("六(1)班", None),
        ("教师", None),
        ("", None),
    ],
)
def test_classes(text: str, found: str | None) -> None:
    builder = CommunityBuilder()
    unit = builder.unit(bell_times(500, 30, 840))
    for name in ("五(1)班", "五(2)班"):
        builder.school_class(unit)
        builder.classes[-1] = structs.replace(builder.classes[-1], name=name)
    school_class = class_of(text, builder.classes)
    assert (school_class.id if school_class else None) == found


@pytest.mark.parametrize(
    ("label", "period"),
    [
        ("1", 1),
        ("第三节", 3),
        ("第 4 节课", 4),
        ("上午第2节", 2),
        ("五", 5),
        ("十一", 11),
        ("2\n8:50-9:30", 2),
        ("数学", 0),
    ],
)
def test_periods(label: str, period: int) -> None:
    assert period_of(label) == period


@pytest.mark.parametrize(
    ("word", "day"), [("周一", 1), ("星期天", 7), ("三", 3), ("Fri", 5), ("9月1日 周二", 2), ("节次", 0)]
)
def test_weekdays(word: str, day: int) -> None:
    assert weekday_of(word) == day
