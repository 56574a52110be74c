"""A table taken away: everybody gets their own lessons, in files that run nothing."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import date

import icalendar
import msgspec
import pytest

from server.sentences import LANGUAGES, Language, words_in
from tests.exported_tables import AUDIENCES, export_of, sheets
from tests.instances import generated_community
from timetable.days.versions import Diff, Version
from timetable.errors import NotFound
from timetable.export.feed_entries import entries
from timetable.export.paper import Printing
from timetable.export.table_export import Audience, ExportRefused, Form, TableExport
from timetable.export.table_list import read_list
from timetable.model import Register, Room, Table, TableSet


def test_the_same_table_gives_the_same_bytes(two_schools: tuple[Register, Table]) -> None:
    for audience in AUDIENCES:
        taken = export_of(*two_schools).take("xlsx", audience)
        assert taken == export_of(*two_schools).take("xlsx", audience)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("audience", AUDIENCES)
def test_both_languages_have_every_word(
    two_schools: tuple[Register, Table], language: Language, audience: Audience
) -> None:
    register, table = two_schools
    export = TableExport(register, register.communities[0], table, words=words_in(language), state="v1")
    assert export.take("xlsx", audience).name.endswith(".xlsx")


def test_what_is_printed_says_how_many_sheets_and_how_small(large_school: tuple[Register, Table]) -> None:
    for form in ("print", "xlsx"):
        readable = export_of(*large_school, printing=Printing("readable")).take(form, "unit", "A0")
        one = export_of(*large_school, printing=Printing("one")).take(form, "unit", "A0")
        assert readable.sheets["A3"] > one.sheets["A3"] == 2
        assert readable.smallest >= 9 > one.smallest


def test_a_document_to_print_runs_nothing(two_schools: tuple[Register, Table]) -> None:
    register, table = two_schools
    evil = "<script>alert(1)</script>"
    lessons = tuple(msgspec.structs.replace(lesson, subject=evil, kind="local") for lesson in table.lessons)
    taken = export_of(register, msgspec.structs.replace(table, lessons=lessons)).take("print", "class")
    text = taken.content.decode()
    assert (taken.name, taken.content_type) == ("教共体A 班级课表.html", "text/html; charset=utf-8")
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert text.count('<section class="sheet A4"') == taken.sheets["A4"] == 2


def test_nothing_in_a_file_is_a_formula(two_schools: tuple[Register, Table]) -> None:
    register, table = two_schools
    evil = '=HYPERLINK("http://x","y")'
    lessons = tuple(msgspec.structs.replace(lesson, subject=evil, kind="local", topic="+1") for lesson in table.lessons)
    export = export_of(register, msgspec.structs.replace(table, lessons=lessons))
    for audience in AUDIENCES:
        content = export.take("xlsx", audience).content
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for part in archive.namelist():
                assert b"<f>" not in archive.read(part)
        texts = [cell for lines in sheets(content).values() for line in lines for cell in line if isinstance(cell, str)]
        assert [text for text in texts if text[:1] in ("=", "+", "@", "-", "\t")] == []
    rows = export.take("csv", "community").content.decode("utf-8-sig")
    assert re.findall(r'(?:^|,)"?[=+@]', rows, re.MULTILINE) == []


@pytest.mark.parametrize(
    ("audience", "id", "lessons"),
    [
        ("class", "A1-5-1", ["A-r1.1", "A-r4.1"]),
        ("teacher", "A0-t3", ["A-r2.1"]),
        ("room", "A1-remote1", ["A-r1.1"]),
        ("unit", "A1", ["A-r1.1", "A-r4.1"]),
        ("community", "A", ["A-r1.1", "A-r2.1", "A-r3.1", "A-r4.1"]),
        ("class", "", ["A-r1.1", "A-r2.1", "A-r3.1", "A-r4.1"]),
    ],
)
def test_everybody_gets_their_own_lessons(
    two_schools: tuple[Register, Table], audience: Audience, id: str, lessons: list[str]
) -> None:
    export = export_of(*two_schools)
    (decoded,) = msgspec.json.decode(export.take("json", audience, id).content, type=TableSet).tables
    assert [lesson.id for lesson in decoded.lessons] == lessons
    for form in ("csv", "xlsx"):
        taken = export.take(form, audience, id)
        assert [lesson.id for lesson in read_list(taken.name, taken.content).lessons] == lessons


def test_names_of_files_say_whose_table_it_is(two_schools: tuple[Register, Table]) -> None:
    export = export_of(*two_schools)
    assert export.take("xlsx", "class", "A0-5-1").name == "A0 A0-5-1班.xlsx"
    assert export.take("csv", "teacher").name == "教共体A 教师课表.csv"
    assert export.take("fet", "community").name == "教共体A 课表.fet"


@pytest.mark.parametrize("form", ["xlsx", "csv", "json", "ics", "fet"])
def test_an_id_of_somebody_else_is_not_found(two_schools: tuple[Register, Table], form: Form) -> None:
    for audience in AUDIENCES:
        with pytest.raises(NotFound):
            export_of(*two_schools).take(form, audience, "B0")


def test_fet_takes_whole_communities_only(two_schools: tuple[Register, Table]) -> None:
    export = export_of(*two_schools)
    assert b"<fet " in export.take("fet", "community", "A").content
    with pytest.raises(ExportRefused) as refused:
        export.take("fet", "unit", "A0")
    assert refused.value.reason == "fet_community_only"


def test_calendars_are_made_of_what_is_published(two_schools: tuple[Register, Table]) -> None:
    register, table = two_schools
    with pytest.raises(ExportRefused) as refused:
        export_of(register, table).take("ics", "class", "A0-5-1")
    assert refused.value.reason == "ics_published_only"
    version = Version(community="A", number=1, author="", at=1.0, table=table, diff=Diff())
    export = export_of(register, table, events=lambda wanted: entries(register.term, [version], wanted))
    one = export.take("ics", "class", "A0-5-1")
    assert (one.name, one.content_type) == ("A0 A0-5-1班.ics", "text/calendar; charset=utf-8")
    events = list(icalendar.Calendar.from_ical(one.content).walk("VEVENT"))
    assert {str(event["SUMMARY"]).split(" ")[0] for event in events} == {"【同步】英语", "科学", "劳动"}
    assert date(2026, 9, 7) in {event["DTSTART"].dt.date() for event in events}
    many = export.take("ics", "class")
    assert many.name == "教共体A 班级课表.zip"
    with zipfile.ZipFile(io.BytesIO(many.content)) as archive:
        assert archive.namelist() == ["A0 A0-5-1班 A0-5-1.ics", "A1 A1-5-1班 A1-5-1.ics"]


def test_a_county_sized_community_is_written_in_a_moment() -> None:
    register = generated_community(1)
    table = Table(community="A", term=register.term.id, lessons=())
    assert len(sheets(export_of(register, table).take("xlsx", "class").content)) == 103


def test_a_room_that_left_the_register_does_no_harm(two_schools: tuple[Register, Table]) -> None:
    register, table = two_schools
    rooms: tuple[Room, ...] = tuple(room for room in register.rooms if room.kind == "home")
    without = msgspec.structs.replace(register, rooms=rooms, teachers=register.teachers[1:])
    for audience in AUDIENCES:
        export_of(without, table).take("xlsx", audience)
