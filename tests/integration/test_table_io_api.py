"""Tables out of the server and into it over HTTP: who may, what comes, and that faults change nothing."""

from __future__ import annotations

import io
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import icalendar
import msgspec
import pytest
import xlsxwriter
from aiohttp import FormData
from python_calamine import CalamineWorkbook

from server.keys import counties_key, timetable_key
from tests.county_server import LOCAL, SYNC, Answer, Caller, CountyServer, running_county
from timetable.export.table_list import read_list
from timetable.model import BusyTime, Register, Slot, TableSet

EXPORT = "/api/communities/A/export"
DAYS = ["周一", "周二", "周三", "周四", "周五"]


@pytest.fixture
async def county(tmp_path: Path, migrated_sqlite: Path) -> AsyncIterator[CountyServer]:
    async with running_county(tmp_path / "data", migrated_sqlite) as county:
        yield county


async def send(caller: Caller, path: str, **files: bytes) -> Answer:
    form = FormData(quote_fields=False)
    for name, content in files.items():
        form.add_field("files", content, filename=name.replace("_", "."))
    return await caller.ask("POST", path, data=form)


async def register(county: CountyServer) -> Register:
    return (await county.app[counties_key].now()).register


def sheets(answer: Answer) -> list[str]:
    with CalamineWorkbook.from_filelike(io.BytesIO(answer.body)) as book:
        return list(book.sheet_names)


def week(*rows: list[str | None], title: str) -> bytes:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        page = book.add_worksheet(title)
        page.write_row(0, 0, ["节次", *DAYS])
        for number, row in enumerate(rows, 1):
            page.write_row(number, 0, row)
    return content.getvalue()


# Out ----------------------------------------------------------------------------------------------------------------


async def test_every_form_comes_as_a_file_to_save(county: CountyServer) -> None:
    director = await county.person("member_director")
    answer = await director.get(f"{EXPORT}?form=xlsx&for=class&id=A1-5-1")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    assert answer.headers["Content-Disposition"] == f"attachment; filename*=UTF-8''{quote('A1 A1-5-1班.xlsx')}"
    assert answer.headers["Cache-Control"] == "no-store"
    assert sheets(answer) == ["A1 A1-5-1班", "课表 lessons"]
    assert [lesson.id for lesson in read_list("a.xlsx", answer.body).lessons] == [SYNC]
    (version,) = await county.app[timetable_key].history("A")
    table = version.table
    answer = await director.get(f"{EXPORT}?form=csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert read_list("a.csv", answer.body).lessons == table.lessons
    answer = await director.get(f"{EXPORT}?form=json")
    assert msgspec.json.decode(answer.body, type=TableSet).tables == (table,)
    answer = await director.get(f"{EXPORT}?form=fet")
    assert b"<fet version=" in answer.body


async def test_the_version_stands_in_the_file_in_the_language_that_was_asked_for(county: CountyServer) -> None:
    director = await county.person("core_director")
    found = {}
    for language in ("zh-CN", "en"):
        answer = await director.get(f"{EXPORT}?form=xlsx&for=unit&id=A0&lang={language}")
        with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
            found[language] = archive.read("xl/sharedStrings.xml").decode()
    assert "第 1 版 · " in found["zh-CN"]
    assert "Version 1 · " in found["en"]
    draft = await director.get(f"{EXPORT}?form=xlsx&version=draft")
    with zipfile.ZipFile(io.BytesIO(draft.body)) as archive:
        assert "草案（未发布）" in archive.read("xl/sharedStrings.xml").decode()


async def test_what_fet_cannot_say_is_said_before_it_is_saved(county: CountyServer) -> None:
    director = await county.person("core_director")
    report = await director.get(f"{EXPORT}?form=fet&report=1")
    assert report.json["name"].endswith(".fet")
    codes = {finding["code"] for finding in report.json["findings"]}
    assert {"fet_bells", "fet_overlap", "fet_not_priced"} <= codes
    assert (await director.get(f"{EXPORT}?form=csv&report=1")).json["findings"] == []


async def test_calendars_come_one_by_one_or_as_a_bundle(county: CountyServer) -> None:
    director = await county.person("core_director")
    one = await director.get(f"{EXPORT}?form=ics&for=teacher&id=A0-t1")
    assert one.headers["Content-Type"] == "text/calendar; charset=utf-8"
    events = icalendar.Calendar.from_ical(one.body).walk("VEVENT")
    assert {str(event["SUMMARY"]).split(" ")[0] for event in events} == {"【同步】科学"}
    assert str(events[0]["URL"]).startswith("http://tongke.test/lessons?lesson=")
    all_classes = await director.get(f"{EXPORT}?form=ics&for=class")
    with zipfile.ZipFile(io.BytesIO(all_classes.body)) as archive:
        assert len(archive.namelist()) == 3
    refused = await director.get(f"{EXPORT}?form=ics&for=class&version=draft")
    assert refused.refusal == (422, "export_refused")
    assert refused.json["fields"] == {"reason": "ics_published_only"}


@pytest.mark.parametrize(
    ("query", "refusal"),
    [
        ("", (422, "invalid_body")),
        ("form=pdf", (422, "invalid_body")),
        ("form=csv&for=pupil", (422, "invalid_body")),
        ("form=csv&lang=fr", (422, "invalid_body")),
        ("form=csv&version=7", (404, "not_found")),
        ("form=csv&for=class&id=B0-5-1", (404, "not_found")),
        ("form=fet&for=class", (422, "export_refused")),
    ],
)
async def test_what_cannot_be_exported_is_refused(county: CountyServer, query: str, refusal: tuple[int, str]) -> None:
    director = await county.person("core_director")
    assert (await director.get(f"{EXPORT}?{query}")).refusal == refusal


async def test_only_the_community_takes_its_table_away(county: CountyServer) -> None:
    assert (await county.nobody.get(f"{EXPORT}?form=csv")).refusal == (401, "not_signed_in")
    foreign = await county.person("foreign_director")
    assert (await foreign.get(f"{EXPORT}?form=csv")).refusal == (403, "not_permitted")
    assert (await (await county.panel("A1")).get(f"{EXPORT}?form=csv&for=room&id=A1-remote1")).status == 200


# In -----------------------------------------------------------------------------------------------------------------


async def test_a_schools_own_table_is_looked_at_and_then_fixed(county: CountyServer) -> None:
    director = await county.person("core_director")
    content = week(["1", "语文", None, "语文"], title="A0-5-1班")
    path = "/api/units/A0/own-table"
    looked = (await send(director, f"{path}?check=1", own_xlsx=content)).json
    assert (looked["imported"], looked["lessons"], looked["locked"], looked["findings"]) == (False, 2, 2, [])
    before = await register(county)
    taken = (await send(director, path, own_xlsx=content)).json
    assert (taken["imported"], taken["locked"]) == (True, 2)
    after = await register(county)
    requirement = next(r for r in after.requirements if f"{r.id}.1" == LOCAL)
    assert requirement.locked == (Slot(weekday=1, period=1), Slot(weekday=3, period=1))
    assert msgspec.structs.replace(after, requirements=()) == msgspec.structs.replace(before, requirements=())
    again = (await send(director, path, own_xlsx=content)).json
    assert (again["imported"], again["locked"]) == (True, 0)


async def test_times_that_a_school_keeps_to_itself_are_taken(county: CountyServer) -> None:
    director = await county.person("member_director")
    content = week(["1", "书法 科学教师002"], title="A1-5-1班")
    taken = (await send(director, "/api/units/A1/own-table?into=busy", own_xlsx=content)).json
    assert (taken["imported"], taken["busy"]) == (True, 2)
    assert [finding["code"] for finding in taken["findings"]] == ["own_subject_new"]
    teacher = next(t for t in (await register(county)).teachers if t.id == "A1-t2")
    assert teacher.unavailable == (BusyTime(weekday=1, start="08:25", end="09:05", reason="本校课表：A1-5-1班 书法"),)


async def test_a_fault_in_a_cell_takes_nothing_unless_the_good_cells_are_wanted(county: CountyServer) -> None:
    director = await county.person("core_director")
    content = week(["1", "语文 张三", "语文"], title="A0-5-1班")
    before = await register(county)
    answer = await send(director, "/api/units/A0/own-table", own_xlsx=content)
    (finding,) = answer.json["findings"]
    assert (answer.status, answer.json["imported"]) == (200, False)
    assert (finding["code"], finding["file"], finding["sheet"], finding["row"], finding["field"]) == (
        "own_teacher_unknown",
        "own.xlsx",
        "A0-5-1班",
        2,
        "B2",
    )
    assert await register(county) == before
    answer = await send(director, "/api/units/A0/own-table?good_rows=1", own_xlsx=content)
    assert (answer.json["imported"], answer.json["locked"]) == (True, 1)


async def test_a_calendar_is_proposed_and_then_taken(county: CountyServer) -> None:
    first = (await register(county)).term.first_day.replace("-", "")
    calendar = (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:a\r\nSUMMARY:例会\r\n"
        f"DTSTART:{first}T140000\r\nDTEND:{first}T150000\r\nRRULE:FREQ=WEEKLY;INTERVAL=2\r\n"
        "END:VEVENT\r\nEND:VCALENDAR\r\n"
    ).encode()
    director = await county.person("core_director")
    proposed = (await send(director, "/api/teachers/A0-t1/calendar?check=1", a_ics=calendar)).json
    (time,) = proposed["times"]
    assert proposed["imported"] is False
    assert (time["weekday"], time["start"], time["end"], time["weeks"]) == (1, "14:00", "15:00", "odd")
    assert time["held"] == time["possible"] == 7
    taken = (await send(director, "/api/rooms/A0-remote1/calendar", a_ics=calendar)).json
    assert taken["imported"] is True
    assert [room for room, busy in (await register(county)).busy_rooms if busy.reason == "日历：例会"] == ["A0-remote1"]
    broken = (await send(director, "/api/teachers/A0-t1/calendar", a_ics=b"x")).json
    assert (broken["imported"], [finding["code"] for finding in broken["findings"]]) == (False, ["ics_unreadable"])


@pytest.mark.parametrize(
    "path", ["/api/units/A0/own-table", "/api/teachers/A0-t1/calendar", "/api/rooms/A0-remote1/calendar"]
)
async def test_only_a_schools_own_people_bring_in_its_table(county: CountyServer, path: str) -> None:
    assert (await send(county.nobody, path, a_csv=b"x")).refusal == (401, "not_signed_in")
    for name in ("member_director", "host_teacher", "foreign_director", "bureau_viewer"):
        assert (await send(await county.person(name), path, a_csv=b"x")).refusal == (403, "not_permitted")
    for name in ("core_director", "convenor", "bureau_admin"):
        assert (await send(await county.person(name), f"{path}?check=1", a_csv=b"x")).status == 200


async def test_bad_requests_are_refused(county: CountyServer) -> None:
    director = await county.person("core_director")
    assert (await director.post("/api/units/A0/own-table", {})).refusal == (400, "malformed_body")
    assert (await send(director, "/api/units/A0/own-table?into=table", a_csv=b"x")).refusal == (422, "invalid_body")
    admin = await county.person("bureau_admin")
    for path in ("/api/units/Z/own-table", "/api/teachers/Z/calendar", "/api/rooms/Z/calendar"):
        assert (await send(admin, path, a_csv=b"x")).refusal == (404, "not_found")


# FET ----------------------------------------------------------------------------------------------------------------

SCHOOL = (
    b"<fet version='6.8.5'><Institution_Name>North</Institution_Name>"
    b"<Days_List><Day><Name>Monday</Name></Day></Days_List>"
    b"<Hours_List><Hour><Name>1</Name></Hour><Hour><Name>2</Name></Hour></Hours_List>"
    b"<Students_List><Year><Name>5a</Name></Year></Students_List><Activities_List><Activity><Teacher>Li</Teacher>"
    b"<Subject>Art</Subject><Students>5a</Students><Duration>1</Duration><Id>1</Id><Activity_Group_Id>0"
    b"</Activity_Group_Id><Active>true</Active></Activity></Activities_List></fet>"
)


async def test_a_school_that_uses_fet_joins_the_county(county: CountyServer) -> None:
    bureau = await county.person("bureau_admin")
    before = await register(county)
    looked = await send(bureau, "/api/import/fet?unit=north&check=1", school_fet=SCHOOL)
    assert (looked.json["imported"], looked.json["counts"]["classes"]) == (False, 1)
    assert "fet_hours_assumed" in {finding["code"] for finding in looked.json["findings"]}
    assert await register(county) == before
    taken = await send(bureau, "/api/import/fet?unit=north", school_fet=SCHOOL)
    assert taken.json["imported"] is True
    after = await register(county)
    assert (after.units[:-1], after.units[-1].name, after.teachers[: len(before.teachers)]) == (
        before.units,
        "North",
        before.teachers,
    )
    again = await send(bureau, "/api/import/fet?unit=north", school_fet=SCHOOL)
    assert again.json["imported"] is True
    assert await register(county) == after


async def test_a_fet_file_that_is_none_changes_nothing(county: CountyServer) -> None:
    bureau = await county.person("bureau_admin")
    before = await register(county)
    refused = await send(bureau, "/api/import/fet?unit=north", school_fet=b"<fet")
    assert (refused.status, refused.json["imported"]) == (200, False)
    assert [finding["code"] for finding in refused.json["findings"]] == ["fet_no_file"]
    for path in ("?unit=A1", "?unit=", "?unit=north&stage=x"):
        assert (await send(bureau, f"/api/import/fet{path}", school_fet=SCHOOL)).refusal == (422, "invalid_body")
    director = await county.person("core_director")
    assert (await send(director, "/api/import/fet?unit=north", a_fet=SCHOOL)).refusal == (403, "not_permitted")
    assert await register(county) == before
