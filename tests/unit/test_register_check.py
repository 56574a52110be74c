"""Rows that do not fit together are all named, and the good ones can be taken without them."""

from __future__ import annotations

import json
from importlib.resources import files
from string import Formatter

import pytest
from hypothesis import given as each
from hypothesis import settings
from hypothesis import strategies as st

from server.demo.county import demo_register
from server.sentences import LANGUAGES, catalogue, finding_sentence
from tests.unit.small_register import SMALL, added, changed, given
from timetable.model import Community, Finding, Slot
from timetable.register.check import check
from timetable.register.columns import Column
from timetable.register.findings import ERRORS, WARNINGS
from timetable.register.merge import good_part, over, without_repeats
from timetable.register.parts import assemble, rows_of
from timetable.register.rows import (
    BellRow,
    Broken,
    BusyRoomRow,
    PartyRow,
    Rows,
    Source,
    Sourced,
    TravelRow,
    UnavailableRow,
)
from timetable.register.sheet_format import BY_KEY, LABEL, LABELS

ROWS = given()
EVENING = Slot(weekday=1, period=9)


def codes(rows: Rows) -> list[tuple[str, str, int | None, str]]:
    """Code, key of the sheet, row and field of each finding."""
    keys = {sheet.title: key for key, sheet in BY_KEY.items()} | {"": ""}
    return [(f.code, keys[f.sheet], f.row, f.field.rsplit(" ", 1)[-1]) for f in check(rows)]


def bell(period: int, start: str, end: str, weekdays: tuple[int, ...] = (1, 2, 3, 4, 5)) -> BellRow:
    return BellRow(unit="core", weekdays=weekdays, period=period, start=start, end=end)


def test_small_register_and_the_demo_are_sound() -> None:
    assert check(ROWS) == []
    assert check(given(demo_register())) == []


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        # references
        (changed(ROWS, "requirements", 0, teachers=("t9",)), ("unknown_teacher", "requirements", 2, "teachers")),
        (changed(ROWS, "requirements", 1, classes=("x",)), ("unknown_class", "requirements", 3, "classes")),
        (changed(ROWS, "requirements", 0, community="two"), ("unknown_community", "requirements", 2, "community")),
        (changed(ROWS, "parties", 0, teachers=("t9",)), ("unknown_teacher", "parties", 2, "teachers")),
        (
            added(ROWS, "parties", PartyRow(requirement="x", unit="core")),
            ("unknown_requirement", "parties", 3, "requirement"),
        ),
        (changed(ROWS, "teachers", 0, posts=("core", "west")), ("unknown_unit", "teachers", 2, "posts")),
        (changed(ROWS, "unavailable", 0, teacher="t9"), ("unknown_teacher", "unavailable", 2, "teacher")),
        (changed(ROWS, "shortages", 0, unit="west"), ("unknown_unit", "shortages", 2, "unit")),
        (changed(ROWS, "closures", 0, units=("west",)), ("unknown_unit", "closures", 2, "units")),
        (changed(ROWS, "travel", 0, campus_b="west"), ("unknown_campus", "travel", 2, "campus_b")),
        (changed(ROWS, "classes", 0, room="west.r1"), ("unknown_room", "classes", 2, "room")),
        (changed(ROWS, "busy_rooms", 0, room="west.r1"), ("unknown_room", "busy_rooms", 2, "room")),
        # doubles
        (added(ROWS, "teachers", ROWS["teachers"][0].row), ("duplicate_id", "teachers", 5, "id")),
        (added(ROWS, "shortages", ROWS["shortages"][0].row), ("duplicate_row", "shortages", 3, "unit")),
        (
            added(ROWS, "travel", TravelRow(campus_a="east", campus_b="core", minutes=30)),
            ("duplicate_row", "travel", 3, "campus_a"),
        ),
        (added(ROWS, "term", ROWS["term"][0].row), ("second_term", "term", 3, "id")),
        # times
        (changed(ROWS, "term", 0, last_day="2026-08-01"), ("dates_backwards", "term", 2, "last_day")),
        (changed(ROWS, "term", 0, week_one="2026-09-01"), ("week_one_not_monday", "term", 2, "week_one")),
        (changed(ROWS, "term", 0, first_day="2026-13-01"), ("cell_not_date", "term", 2, "first_day")),
        (changed(ROWS, "closures", 0, last="2026-09-30"), ("dates_backwards", "closures", 2, "last")),
        (changed(ROWS, "unavailable", 0, end="13:00"), ("times_backwards", "unavailable", 2, "end")),
        (changed(ROWS, "busy_rooms", 0, end="13:00"), ("times_backwards", "busy_rooms", 2, "end")),
        (added(ROWS, "bells", bell(3, "10:40", "10:00")), ("times_backwards", "bells", 6, "end")),
        (added(ROWS, "bells", bell(3, "09:30", "10:10")), ("bell_overlap", "bells", 6, "start")),
        (added(ROWS, "bells", bell(2, "10:20", "11:00")), ("bell_twice", "bells", 6, "period")),
        (added(ROWS, "bells", bell(3, "07:00", "07:40")), ("bell_too_early", "bells", 6, "start")),
        # places
        (changed(ROWS, "travel", 0, campus_b="core"), ("road_to_itself", "travel", 2, "campus_b")),
        (changed(ROWS, "rooms", 1, campus="east"), ("room_of_other_campus", "rooms", 3, "campus")),
        (changed(ROWS, "classes", 0, room="east.r51"), ("room_of_other_campus", "classes", 2, "room")),
        (changed(ROWS, "term", 0, weekdays=(1, 2, 3, 4, 5, 6)), ("bells_missing_weekday", "units", 2, "id")),
        # communities
        (changed(ROWS, "communities", 0, members=("east", "core")), ("unit_named_twice", "communities", 2, "members")),
        (changed(ROWS, "communities", 0, stage="junior"), ("stage_differs", "communities", 2, "core")),
        # requirements
        (changed(ROWS, "requirements", 1, locked=(EVENING,)), ("locked_no_period", "requirements", 3, "locked")),
        (changed(ROWS, "requirements", 1, weekly=1), ("locked_more_than_weekly", "requirements", 3, "locked")),
        (changed(ROWS, "requirements", 1, classes=()), ("class_missing", "requirements", 3, "classes")),
        (changed(ROWS, "requirements", 1, teachers=()), ("teacher_missing", "requirements", 3, "teachers")),
        (changed(ROWS, "requirements", 1, teachers=("t1",)), ("teacher_without_post", "requirements", 3, "teachers")),
        (
            changed(ROWS, "requirements", 1, classes=("core.c51",)),
            ("class_of_other_unit", "requirements", 3, "classes"),
        ),
        (changed(ROWS, "requirements", 0, kind="research"), ("class_not_expected", "requirements", 2, "classes")),
        (changed(ROWS, "requirements", 0, kind="dedicated"), ("class_not_expected", "requirements", 2, "classes")),
        (changed(ROWS, "requirements", 0, kind="local"), ("party_too_many", "parties", 2, "unit")),
        ({**ROWS, "parties": []}, ("party_missing", "requirements", 2, "kind")),
        (added(ROWS, "parties", ROWS["parties"][0].row), ("unit_named_twice", "parties", 3, "unit")),
        (changed(ROWS, "parties", 0, teachers=("t2", "t2")), ("listed_twice", "parties", 2, "teachers")),
        (changed(ROWS, "requirements", 0, classes=("c1", "c1")), ("listed_twice", "requirements", 2, "classes")),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_fault_is_named_with_its_place(rows: Rows, expected: tuple[str, str, int, str]) -> None:
    assert expected in codes(rows)


def test_unit_without_bells_is_an_error() -> None:
    rows = {**ROWS, "bells": [row for row in ROWS["bells"] if row.row.unit == "core"]}
    assert codes(rows) == [
        ("bells_missing", "units", 3, "id"),
        ("locked_no_period", "requirements", 3, "locked"),
        ("locked_no_period", "requirements", 3, "locked"),
    ]


def test_unit_in_two_communities_is_named_at_the_second() -> None:
    second = Community(id="two", name="二", number=2, stage="primary", mode="merged", core="east", members=())
    assert codes(added(ROWS, "communities", second)) == [("unit_in_two_communities", "communities", 3, "core")]


def test_unit_of_another_community_cannot_take_part() -> None:
    rows = changed(ROWS, "communities", 0, members=())
    assert codes(rows) == [
        ("unit_without_community", "units", 3, "id"),
        ("unit_not_in_community", "parties", 2, "unit"),
        ("unit_not_in_community", "requirements", 3, "unit"),
    ]


def test_teacher_fixed_in_two_places_is_named() -> None:
    rows = changed(ROWS, "requirements", 0, teachers=("t2",), locked=(Slot(weekday=1, period=2),))
    assert ("locked_teacher_twice", "requirements", 3, "locked") in codes(rows)
    assert ("locked_class_twice", "requirements", 3, "locked") in codes(rows)
    odd = changed(changed(rows, "requirements", 0, weeks="odd"), "requirements", 1, weeks="even")
    assert codes(odd) == []


def test_schedules_of_different_dates_do_not_clash() -> None:
    winter = BellRow(
        unit="core", weekdays=(1, 2, 3, 4, 5), period=1, start="08:40", end="09:20", valid_from="2026-11-01"
    )
    assert codes(added(ROWS, "bells", winter)) == []


def test_missing_term_is_found() -> None:
    rows = {key: part for key, part in ROWS.items() if key != "term"}
    assert ("term_missing", "", None, "") in codes(rows)


def test_all_faults_are_found_at_once() -> None:
    rows = changed(ROWS, "requirements", 0, teachers=("t9",))
    rows = added(rows, "bells", bell(3, "09:30", "10:10"))
    rows = added(rows, "teachers", ROWS["teachers"][0].row)
    assert codes(rows) == [
        ("duplicate_id", "teachers", 5, "id"),
        ("unknown_teacher", "requirements", 2, "teachers"),
        ("bell_overlap", "bells", 6, "start"),
    ]


def test_days_that_coincide_in_part_become_one_schedule_a_day() -> None:
    rows = added(ROWS, "bells", bell(3, "10:20", "11:00", weekdays=(1, 3)))
    unit = assemble(rows).units[0]
    assert [(s.weekdays, [p.number for p in s.periods]) for s in unit.bells] == [
        ((1,), [1, 2, 3]),
        ((2,), [1, 2]),
        ((3,), [1, 2, 3]),
        ((4,), [1, 2]),
        ((5,), [1, 2]),
    ]


# The good part ------------------------------------------------------------------------------------------------------


def left_out(found: list[Finding]) -> list[tuple[str, int | None, str | int]]:
    return [(finding.sheet.rsplit(" ", 1)[-1], finding.row, finding.values["because"]) for finding in found]


def test_good_part_of_sound_rows_is_everything() -> None:
    assert good_part({}, ROWS, check(ROWS)) == (ROWS, [])


def test_good_part_leaves_out_what_needs_a_faulty_row() -> None:
    rows = changed(ROWS, "teachers", 2, posts=("west",))
    kept, found = good_part({}, rows, check(rows))
    assert check(kept) == []
    assert left_out(found) == [
        ("teachers", 4, "unknown_unit"),
        ("requirements", 2, "teacher_without_post"),
        ("parties", 2, "teacher_without_post"),
    ]
    assert [r.id for r in assemble(kept).requirements] == ["local"]


def test_good_part_leaves_out_the_second_of_two_doubles() -> None:
    rows = added(ROWS, "teachers", ROWS["teachers"][0].row)
    kept, found = good_part({}, rows, check(rows))
    assert assemble(kept) == SMALL
    assert left_out(found) == [("teachers", 5, "duplicate_id")]


def test_requirement_is_left_out_when_a_party_could_not_be_read() -> None:
    rows = added(ROWS, "parties", PartyRow(requirement="sync", unit="core"))
    lost = {**rows, "parties": rows["parties"][:1]}
    kept, found = good_part(
        {}, lost, check(lost), [Broken("parties", "sync", "cell_not_id", Source("a", "参与方 parties", 3))]
    )
    assert [r.id for r in assemble(kept).requirements] == ["local"]
    assert left_out(found) == [
        ("parties", 3, "cell_not_id"),
        ("requirements", 2, "cell_not_id"),
        ("parties", 2, "unknown_requirement"),
    ]


def test_standing_row_stays_where_its_successor_is_left_out() -> None:
    standing = rows_of(SMALL)
    update = {
        "teachers": [row for row in changed(ROWS, "teachers", 2, posts=("west",))["teachers"] if row.row.id == "t3"]
    }
    kept, found = good_part(standing, update, check(over(standing, update)))
    assert left_out(found) == [("teachers", 4, "unknown_unit")]
    assert assemble(over(standing, kept)) == SMALL


@settings(deadline=None, max_examples=60)
@each(data=st.data())
def test_good_part_is_always_sound(data: st.DataObject) -> None:
    """Whatever fields are mixed up between rows, what is left has no error."""
    rows = given()
    for _ in range(data.draw(st.integers(1, 4))):
        key = data.draw(st.sampled_from([key for key in rows if key != "term"]))
        index = data.draw(st.integers(0, len(rows[key]) - 1))
        column = data.draw(st.sampled_from(BY_KEY[key].columns))
        donor = data.draw(st.sampled_from([c for c in BY_KEY[key].columns if _alike(c, column)]))
        value = data.draw(st.sampled_from([getattr(row.row, donor.field) for row in rows[key]]))
        if value is not None:
            rows = changed(rows, key, index, **{column.field: value})
    kept, _ = good_part({}, rows, check(rows))
    assert [finding for finding in check(kept) if finding.severity == "error"] == []


def _alike(column: Column, other: Column) -> bool:
    """Whether a value of one could stand in the other by mistake; ids of different things could."""
    one, two = (LABEL if c.refers and not c.several else LABELS if c.refers else c.kind for c in (column, other))
    return one == two


# Together -----------------------------------------------------------------------------------------------------------


def test_rows_repeated_by_a_second_file_count_once() -> None:
    again = given(file="b.xlsx")
    both = {key: ROWS[key] + again[key] for key in ROWS}
    assert without_repeats(both) == ROWS


def test_new_rows_take_the_place_of_standing_ones() -> None:
    standing = rows_of(SMALL)
    update = {"teachers": changed(ROWS, "teachers", 0, name="新名")["teachers"][:1]}
    register = assemble(over(standing, update))
    assert [teacher.name for teacher in register.teachers] == ["新名", "语文教师01", "=SUM(A1)"]
    assert register.teachers[1] == SMALL.teachers[1]
    assert register.requirements == SMALL.requirements


def test_list_is_replaced_only_where_its_sheet_is_given() -> None:
    standing = rows_of(SMALL)
    teacher = {"teachers": [ROWS["teachers"][1]]}
    assert assemble(over(standing, teacher)) == SMALL
    cleared = assemble(over(standing, {**teacher, "unavailable": []}))
    assert cleared.teachers[1].unavailable == ()


def test_the_same_rows_over_themselves_change_nothing() -> None:
    assert assemble(over(rows_of(SMALL), ROWS)) == SMALL


# Sentences ----------------------------------------------------------------------------------------------------------


def test_every_code_has_a_sentence_in_both_languages_and_no_sentence_is_left_over() -> None:
    sentences = {}
    for language in LANGUAGES:
        texts = json.loads((files("config") / "locale" / f"import.{language}.json").read_text("utf-8"))
        sentences[language] = texts
        assert {key for key in texts if key.startswith("finding.")} == {
            f"finding.{code}" for code in (*ERRORS, *WARNINGS)
        }
    assert sentences["zh-CN"].keys() == sentences["en"].keys()
    for key, text in sentences["zh-CN"].items():
        wanted = {name for _, name, _, _ in Formatter().parse(text) if name}
        assert {name for _, name, _, _ in Formatter().parse(sentences["en"][key]) if name} == wanted


def test_sentences_are_filled_whole() -> None:
    rows = changed(ROWS, "requirements", 0, teachers=("t2",), locked=(Slot(weekday=1, period=2), EVENING))
    rows = added(rows, "bells", bell(3, "09:30", "10:10"))
    rows = changed(rows, "unavailable", 0, end="13:00")
    rows = added(rows, "unavailable", UnavailableRow(teacher="t8", weekday=1, start="08:00", end="09:00"))
    rows = added(rows, "busy_rooms", BusyRoomRow(room="x", weekday=1, start="08:00", end="08:00"))
    found = check(rows)
    assert len(found) >= 8
    for finding in found:
        for language in LANGUAGES:
            assert f"finding.{finding.code}" in catalogue(language)
            assert "{" not in finding_sentence(finding, language)


@pytest.mark.parametrize(
    ("rows", "code", "zh", "en"),
    [
        (
            changed(ROWS, "requirements", 1, classes=("core.c51",)),
            "class_of_other_unit",
            "班级 五(1)班 (core.c51) 不是 东学校 (east) 的。",
            "The class 五(1)班 (core.c51) is not one of 东学校 (east).",
        ),
        (
            changed(ROWS, "communities", 0, members=()),
            "unit_not_in_community",
            "东学校 (east) 不在教共体 一 (one) 里。",
            "东学校 (east) is not in the community 一 (one).",
        ),
        (
            changed(ROWS, "requirements", 1, teachers=("t1",)),
            "teacher_without_post",
            "教师 科学教师01 (t1) 在 东学校 (east) 没有任职。",
            "The teacher 科学教师01 (t1) has no post at 东学校 (east).",
        ),
        (
            changed(ROWS, "classes", 0, room="east.r51"),
            "room_of_other_campus",
            "教室 五(1)班教室 (east.r51) 不在 中学校 (core) 的校区。",
            "The room 五(1)班教室 (east.r51) is not on the campus of 中学校 (core).",
        ),
        (
            changed(ROWS, "requirements", 1, teachers=()),
            "teacher_missing",
            "东学校 (east) 这一方没有教师（local）。",
            "The party 东学校 (east) has no teacher (local).",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and value.isascii() and " " not in value else "",
)
def test_things_are_said_by_name_and_id(rows: Rows, code: str, zh: str, en: str) -> None:
    found = next(finding for finding in check(rows) if finding.code == code)
    assert finding_sentence(found, "zh-CN") == zh
    assert finding_sentence(found, "en") == en


def test_reason_of_a_sourceless_row_names_no_place() -> None:
    rows = {**ROWS, "teachers": [*ROWS["teachers"], Sourced("teachers", ROWS["teachers"][0].row, Source("", "", 0))]}
    finding = check(rows)[0]
    assert (finding.code, finding.file, finding.row) == ("duplicate_id", "", None)
