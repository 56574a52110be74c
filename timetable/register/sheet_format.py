"""This module owns the format of the workbooks: which sheets there are, and what each column of them holds."""

from __future__ import annotations

from collections.abc import Mapping

from timetable.model import Campus, Closure, Community, MakeUpDay, Room, SchoolClass, Shortage
from timetable.register.cells import (
    Choice,
    Clock,
    Day,
    Label,
    Many,
    Number,
    OneWeekday,
    Reference,
    Slots,
    Subject,
    Text,
    Truth,
    Weekdays,
)
from timetable.register.columns import Sheet, make_sheet
from timetable.register.rows import (
    BellRow,
    BusyRoomRow,
    PartyRow,
    RequirementRow,
    TeacherRow,
    TermRow,
    TravelRow,
    UnavailableRow,
    UnitRow,
    WishRow,
)
from timetable.titles import KIND_WORDS

STAGE = Choice({"primary": "小学", "junior": "初中"})
MODE = Choice({"merged": "融合型", "co_built": "共建型", "collaborative": "协作型"})
WEEKS = Choice({"all": "每周", "odd": "单周", "even": "双周"})
ROOM_KIND = Choice({"home": "普通教室", "remote": "远程教室", "special": "专用教室"})
REQUIREMENT_KIND = Choice(KIND_WORDS)
LABEL, TEXT, NUMBER, DAY, CLOCK, WEEKDAY = Label(), Text(), Number(), Day(), Clock(), OneWeekday()
SUBJECT = Subject()
LABELS, SUBJECTS = Many(LABEL), Many(SUBJECT)
UNIT, CAMPUS, COMMUNITY = Reference(to="units"), Reference(to="campuses"), Reference(to="communities")
ROOM, TEACHER = Reference(to="rooms"), Reference(to="teachers")
UNITS, TEACHERS, CLASSES = Many(UNIT), Many(TEACHER), Many(Reference(to="classes"))

SHEETS: tuple[Sheet, ...] = (
    make_sheet(
        "term",
        "学期",
        TermRow,
        {
            "county": ("县区", TEXT),
            "id": ("学期编号", LABEL),
            "name": ("学期名称", TEXT),
            "first_day": ("开学日期", DAY),
            "last_day": ("结束日期", DAY),
            "week_one": ("第一周的周一", DAY),
            "provisional_from": ("暂定起始日期", DAY),
            "weekdays": ("上课日", Weekdays()),
            "main_subjects": ("主要学科", SUBJECTS),
        },
    ),
    make_sheet(
        "closures",
        "放假",
        Closure,
        {
            "first": ("第一天", DAY),
            "last": ("最后一天", DAY),
            "name": ("名称", TEXT),
            "units": ("只限单位", UNITS),
        },
        identity=("first", "last", "name"),
    ),
    make_sheet(
        "make_up_days",
        "调休",
        MakeUpDay,
        {
            "date": ("上班日期", DAY),
            "follows_weekday": ("按周几上课", WEEKDAY),
            "follows_week": ("按第几周", NUMBER),
        },
        identity=("date",),
    ),
    make_sheet(
        "communities",
        "教共体",
        Community,
        {
            "id": ("教共体编号", LABEL),
            "name": ("教共体名称", TEXT),
            "number": ("序号", NUMBER),
            "stage": ("学段", STAGE),
            "mode": ("模式", MODE),
            "core": ("主体学校", UNIT),
            "members": ("成员学校", UNITS),
            "overlap_slack": ("可少分钟", NUMBER),
        },
        identity=("id",),
    ),
    make_sheet("campuses", "校区", Campus, {"id": ("校区编号", LABEL), "name": ("校区名称", TEXT)}, identity=("id",)),
    make_sheet(
        "travel",
        "路程",
        TravelRow,
        {"campus_a": ("校区甲", CAMPUS), "campus_b": ("校区乙", CAMPUS), "minutes": ("分钟", NUMBER)},
        identity=("campus_a", "campus_b"),
    ),
    make_sheet(
        "units",
        "单位",
        UnitRow,
        {
            "id": ("单位编号", LABEL),
            "name": ("单位名称", TEXT),
            "short_name": ("简称", TEXT),
            "code": ("代码", TEXT),
            "campus": ("校区", CAMPUS),
            "stage": ("学段", STAGE),
            "link_capacity": ("线路可同时上课数", NUMBER),
            "phone": ("电话", TEXT),
        },
        identity=("id",),
    ),
    make_sheet(
        "bells",
        "作息",
        BellRow,
        {
            "unit": ("单位", UNIT),
            "weekdays": ("周几", Weekdays()),
            "period": ("节次", NUMBER),
            "start": ("上课", CLOCK),
            "end": ("下课", CLOCK),
            "valid_from": ("启用日期", DAY),
            "valid_to": ("停用日期", DAY),
        },
        owner="unit",
        owner_sheet="units",
    ),
    make_sheet(
        "wishes",
        "避开时间",
        WishRow,
        {
            "unit": ("单位", UNIT),
            "weekday": ("周几", WEEKDAY),
            "start": ("开始", CLOCK),
            "end": ("结束", CLOCK),
            "weeks": ("单双周", WEEKS),
            "reason": ("原因", TEXT),
        },
        owner="unit",
        owner_sheet="units",
    ),
    make_sheet(
        "rooms",
        "教室",
        Room,
        {
            "id": ("教室编号", LABEL),
            "name": ("教室名称", TEXT),
            "unit": ("单位", UNIT),
            "campus": ("校区", CAMPUS),
            "kind": ("种类", ROOM_KIND),
            "listen_only": ("只听", Truth()),
        },
        identity=("id",),
    ),
    make_sheet(
        "busy_rooms",
        "教室占用",
        BusyRoomRow,
        {
            "room": ("教室", ROOM),
            "weekday": ("周几", WEEKDAY),
            "start": ("开始", CLOCK),
            "end": ("结束", CLOCK),
            "weeks": ("单双周", WEEKS),
            "reason": ("原因", TEXT),
        },
        owner="room",
        owner_sheet="rooms",
    ),
    make_sheet(
        "teachers",
        "教师",
        TeacherRow,
        {
            "id": ("教师编号", LABEL),
            "name": ("姓名", TEXT),
            "posts": ("任职单位", UNITS),
            "subjects": ("学科", SUBJECTS),
            "max_per_day": ("每天最多节数", NUMBER),
            "max_per_week": ("每周最多节数", NUMBER),
        },
        identity=("id",),
    ),
    make_sheet(
        "unavailable",
        "不可排时间",
        UnavailableRow,
        {
            "teacher": ("教师", TEACHER),
            "weekday": ("周几", WEEKDAY),
            "start": ("开始", CLOCK),
            "end": ("结束", CLOCK),
            "weeks": ("单双周", WEEKS),
            "reason": ("原因", TEXT),
        },
        owner="teacher",
        owner_sheet="teachers",
    ),
    make_sheet(
        "classes",
        "班级",
        SchoolClass,
        {
            "id": ("班级编号", LABEL),
            "name": ("班级名称", TEXT),
            "unit": ("单位", UNIT),
            "grade": ("年级", NUMBER),
            "number": ("班号", NUMBER),
            "pupils": ("学生人数", NUMBER),
            "room": ("教室", ROOM),
            "recording_consent": ("同意录制", Truth()),
        },
        identity=("id",),
    ),
    make_sheet(
        "shortages",
        "缺口",
        Shortage,
        {"unit": ("单位", UNIT), "subject": ("缺教师的学科", SUBJECT)},
        identity=("unit", "subject"),
    ),
    make_sheet(
        "requirements",
        "教学要求",
        RequirementRow,
        {
            "id": ("要求编号", LABEL),
            "kind": ("种类", REQUIREMENT_KIND),
            "subject": ("学科", SUBJECT),
            "unit": ("主讲单位", UNIT),
            "community": ("教共体", COMMUNITY),
            "weekly": ("每周次数", NUMBER),
            "classes": ("班级", CLASSES),
            "teachers": ("教师", TEACHERS),
            "weeks": ("单双周", WEEKS),
            "block": ("连排节数", NUMBER),
            "only_weeks": ("只在周次", Many(NUMBER)),
            "rotation": ("轮流单位", UNITS),
            "locked": ("固定节次", Slots()),
            "overlap_conceded": ("再少分钟", NUMBER),
            "topic": ("课题", TEXT),
        },
        identity=("id",),
    ),
    make_sheet(
        "parties",
        "参与方",
        PartyRow,
        {
            "requirement": ("要求编号", LABEL),
            "unit": ("单位", UNIT),
            "classes": ("班级", CLASSES),
            "teachers": ("助教", TEACHERS),
        },
        owner="requirement",
        owner_sheet="requirements",
    ),
)
BY_KEY: Mapping[str, Sheet] = {sheet.key: sheet for sheet in SHEETS}


def sheet_named(name: str) -> Sheet | None:
    """The sheet of that name: its title, its Chinese words or its key. A file's name may say more before it, such as
    `西河-教师` or `xihe_teachers`."""
    wanted = name.strip()
    for sheet in SHEETS:
        if wanted in {sheet.title, sheet.words} or wanted.lower() == sheet.key:
            return sheet
    endings = ((ending, sheet) for sheet in SHEETS for ending in (sheet.title, sheet.words, sheet.key))
    fitting = [
        (len(ending), sheet)
        for ending, sheet in endings
        if wanted.lower().endswith(ending) and wanted[: -len(ending)].endswith((" ", "-", "_", "."))
    ]
    return max(fitting, key=lambda fit: fit[0])[1] if fitting else None
