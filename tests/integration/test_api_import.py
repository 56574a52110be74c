"""Registers over HTTP: what is wrong is said at once and completely, and nothing is taken that was not asked for."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path

import icalendar
import msgspec
import pytest
from aiohttp import FormData
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.keys import counties_key, timetable_key
from server.uploads import FILES_LIMIT, UPLOAD_LIMIT
from tests.county_server import MEMBER, Answer, Caller, CountyServer, running_county
from tests.integration.test_api_amendments import answers, ask, day, move, occurrence, rows
from tests.unit.small_register import SMALL, added, changed
from tests.unit.small_register import given as rows_given
from timetable.model import Period, Register, clock, minutes
from timetable.register.rows import Rows
from timetable.register.sheets import csv_files, workbook
from timetable.term import local_date

IMPORT = "/api/import"


@pytest.fixture
async def empty(tmp_path: Path, migrated_sqlite: Path) -> AsyncIterator[CountyServer]:
    """A server before its first import."""
    async with running_county(tmp_path / "data", migrated_sqlite, furnished=False) as county:
        yield county


def faulty() -> Rows:
    """An unknown teacher, overlapping periods and a duplicate id, in otherwise good files."""
    rows = changed(rows_given(), "requirements", 0, teachers=("t9",))
    bell = msgspec.structs.replace(rows["bells"][0].row, period=3)
    return added(added(rows, "bells", bell), "teachers", msgspec.structs.replace(rows["teachers"][0].row, name="别人"))


async def send(caller: Caller, files: dict[str, bytes], query: str = "") -> Answer:
    form = FormData(quote_fields=False)
    for name, content in files.items():
        form.add_field("files", content, filename=name)
    return await caller.ask("POST", f"{IMPORT}{query}", data=form)


async def is_empty(county: CountyServer) -> bool:
    return await county.app[counties_key].load() is None


async def test_a_workbook_is_looked_at_and_then_taken(empty: CountyServer) -> None:
    admin = await empty.person("bureau_admin")
    files = {"阳城县.xlsx": workbook(rows_given())}
    looked = (await send(admin, files, "?check=1")).json
    assert (looked["imported"], looked["counts"]["teachers"]) == (False, 3)
    assert [finding for finding in looked["findings"] if finding.get("severity") != "warning"] == []
    assert await is_empty(empty)
    taken = (await send(admin, files)).json
    assert (taken["imported"], taken["counts"], taken["dropped"]) == (True, looked["counts"], {})
    assert (await empty.app[counties_key].now()).register == SMALL
    # who was signed in all the time sees the county at once
    assert [ref["id"] for ref in (await admin.get("/api/communities")).json] == ["one"]


async def test_the_form_has_every_sheet_and_nothing_in_it(empty: CountyServer) -> None:
    bureau = await empty.person("bureau_admin")
    form = await bureau.get("/api/import/form")
    assert form.body[:2] == b"PK"
    assert "attachment" in form.headers["Content-Disposition"]
    answer = await send(bureau, {"form.xlsx": form.body}, "?check=1")
    assert answer.json["findings"][0]["code"] == "nothing_to_import"


async def test_everything_that_is_wrong_is_named_with_its_place_and_nothing_is_taken(empty: CountyServer) -> None:
    admin = await empty.person("bureau_admin")
    for query in ("?check=1", ""):
        answer = await send(admin, {"一.xlsx": workbook(faulty())}, query)
        assert (answer.status, answer.json["imported"]) == (200, False)
        errors = [finding for finding in answer.json["findings"] if finding.get("severity", "error") == "error"]
        places = {
            (finding["code"], finding["file"], finding["sheet"].split()[0], finding["row"], finding["field"].split()[0])
            for finding in errors
        }
        assert {place[0] for place in places} == {"unknown_teacher", "bell_overlap", "duplicate_id"}
        assert {place[1] for place in places} == {"一.xlsx"}
        assert all(sheet and row >= 2 and field for _, _, sheet, row, field in places)
        [unknown] = [finding for finding in errors if finding["code"] == "unknown_teacher"]
        assert "t9" in unknown["values"].values()
        assert await is_empty(empty)


async def test_the_good_rows_are_taken_when_somebody_says_so(empty: CountyServer) -> None:
    admin = await empty.person("bureau_admin")
    rows = changed(rows_given(), "requirements", 0, teachers=("t9",))
    taken = (await send(admin, {"一.xlsx": workbook(rows)}, "?good_rows=1")).json
    assert taken["imported"] is True
    assert sum(taken["dropped"].values()) > 0
    assert "unknown_teacher" in {finding["code"] for finding in taken["findings"]}
    register = (await empty.app[counties_key].now()).register
    assert [requirement.id for requirement in register.requirements] == ["local"]


async def test_texts_archives_and_json_are_read_too(empty: CountyServer) -> None:
    admin = await empty.person("bureau_admin")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as written:
        for name, content in csv_files(rows_given()).items():
            written.writestr(name, content)
    for files in (
        csv_files(rows_given()),
        {"县.zip": archive.getvalue()},
        {"county.json": msgspec.json.encode(SMALL)},
    ):
        looked = (await send(admin, files, "?check=1")).json
        assert looked["counts"].get("teachers") == 3, (files.keys(), looked["findings"])


async def test_what_cannot_be_opened_is_a_finding_about_that_file(empty: CountyServer) -> None:
    admin = await empty.person("bureau_admin")
    good = workbook(rows_given())
    files = {"a.xlsx": good, "b.zip": good[: len(good) // 2], "c.xlsx": b"PK\3\4junk", "d.doc": b"x", "e.json": b"{"}
    answer = (await send(admin, files)).json
    assert answer["imported"] is False
    codes = {finding["file"]: finding["code"] for finding in answer["findings"] if finding["file"] != "a.xlsx"}
    assert codes == {
        "b.zip": "file_damaged",
        "c.xlsx": codes["c.xlsx"],
        "d.doc": "file_type_unknown",
        "e.json": "json_cut",
    }
    assert codes["c.xlsx"] in ("file_damaged", "file_unreadable")
    assert await is_empty(empty)


async def test_an_archive_that_unpacks_to_gigabytes_is_not_unpacked(empty: CountyServer) -> None:
    admin = await empty.person("bureau_admin")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as written, written.open("教师.csv", "w") as part:
        for _ in range(600):
            part.write(b"\0" * (1 << 20))
    answer = (await send(admin, {"bomb.zip": archive.getvalue()})).json
    assert [finding["code"] for finding in answer["findings"] if finding.get("file")] == ["file_too_big"]


async def test_names_that_climb_out_of_folders_are_only_names(empty: CountyServer, tmp_path: Path) -> None:
    admin = await empty.person("bureau_admin")
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    content = msgspec.json.encode(SMALL)
    answer = (await send(admin, {"../../../county.json": content, "/etc/county2.json": content}, "?check=1")).json
    assert answer["counts"]["teachers"] == 3
    assert {path for path in tmp_path.rglob("*") if path.is_file()} - before == set()


async def test_a_name_in_the_encoding_of_old_pcs_is_read(empty: CountyServer) -> None:
    admin = await empty.person("bureau_admin")
    head = 'Content-Disposition: form-data; name="f"; filename="教师.doc"'.encode("gb18030")
    answer = await admin.ask(
        "POST",
        IMPORT,
        data=b"--x\r\n" + head + b"\r\n\r\n1\r\n--x--\r\n",
        headers={"Content-Type": "multipart/form-data; boundary=x"},
    )
    assert {finding.get("file") for finding in answer.json["findings"]} >= {"教师.doc"}


# bodies that are none


@pytest.mark.parametrize(
    ("content_type", "content", "refusal"),
    [
        ("application/json", b"{}", (400, "malformed_body")),
        ("application/x-www-form-urlencoded", b"a=b", (400, "malformed_body")),
        ("multipart/form-data", b"--x\r\n\r\n", (400, "malformed_body")),
        ("multipart/form-data; boundary=" + "x" * 71, b"", (400, "malformed_body")),
        ("multipart/form-data; boundary=x", b"", (400, "malformed_body")),
        ("multipart/form-data; boundary=x", b"no boundary at all", (400, "malformed_body")),
        ("multipart/form-data; boundary=x", b"--x--\r\n", (400, "malformed_body")),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n',
            (400, "malformed_body"),
        ),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="f"; filename="a.json"\r\n\r\n{"cou',
            (400, "malformed_body"),
        ),
        (
            "multipart/form-data; boundary=x",
            b"--x\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n--y\r\n\r\n1\r\n--y--\r\n--x--\r\n",
            (400, "malformed_body"),
        ),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="_charset_"\r\n\r\n' + b"u" * 40 + b"\r\n--x--\r\n",
            (400, "malformed_body"),
        ),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="f"; filename="a.csv"\r\n\r\n1\r\n' * 2 + b"--x--\r\n",
            (400, "malformed_body"),
        ),
        (
            "multipart/form-data; boundary=x",
            b"".join(
                b'--x\r\nContent-Disposition: form-data; name="f"; filename="%d.csv"\r\n\r\n\r\n' % number
                for number in range(FILES_LIMIT + 1)
            )
            + b"--x--\r\n",
            (413, "body_too_large"),
        ),
    ],
)
async def test_a_body_that_is_no_form_with_files_is_refused(
    empty: CountyServer, content_type: str, content: bytes, refusal: tuple[int, str]
) -> None:
    admin = await empty.person("bureau_admin")
    answer = await admin.ask("POST", IMPORT, data=content, headers={"Content-Type": content_type})
    assert answer.refusal == refusal


async def test_too_many_bytes_are_not_read_to_their_end(empty: CountyServer) -> None:
    admin = await empty.person("bureau_admin")
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        # a field without a file name counts like a file
        yield b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n'
        while sent < UPLOAD_LIMIT * 2:
            sent += 1 << 20
            yield b"x" * (1 << 20)

    answer = await admin.ask(
        "POST", IMPORT, data=endless(), headers={"Content-Type": "multipart/form-data; boundary=x"}
    )
    assert answer.refusal == (413, "body_too_large")
    assert sent < UPLOAD_LIMIT * 2
    assert (await admin.get("/api/me")).status == 200


@pytest.mark.filterwarnings("ignore::aiohttp.multipart.BadContentDispositionHeader")
@pytest.mark.filterwarnings("ignore::aiohttp.multipart.BadContentDispositionParam")
async def test_any_bytes_are_answered_and_never_an_internal_error(empty: CountyServer) -> None:
    admin = await empty.person("bureau_admin")
    form = b'--x\r\nContent-Disposition: form-data; name="f"; filename="a.json"\r\n\r\n{}\r\n--x--\r\n'
    cuts = st.tuples(st.integers(0, len(form)), st.integers(0, len(form)), st.binary(max_size=12))
    seen: set[int] = set()

    async def post(content: bytes) -> None:
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        seen.add((await admin.ask("POST", f"{IMPORT}?check=1", data=content, headers=headers)).status)

    cases: list[bytes] = []

    @settings(max_examples=150, database=None, suppress_health_check=list(HealthCheck))
    @given(cuts)
    def collect(cut: tuple[int, int, bytes]) -> None:
        first, second, junk = cut
        cases.append(form[:first] + junk + form[second:])

    collect()
    for case in cases:
        await post(case)
    assert seen <= {200, 400}


async def test_an_import_over_the_present_county_adds_to_it(county: CountyServer) -> None:
    director = await county.person("core_director")
    standing = (await county.app[counties_key].now()).register
    more = msgspec.structs.replace(
        standing, teachers=(*standing.teachers, msgspec.structs.replace(standing.teachers[0], id="A0-new", name="新来"))
    )
    answer = (await send(director, {"more.json": msgspec.json.encode(more)})).json
    assert answer["imported"] is True
    now = (await county.app[counties_key].now()).register
    assert {t.id for t in now.teachers} == {t.id for t in standing.teachers} | {"A0-new"}
    assert now.communities == standing.communities


async def test_a_school_changes_its_own_rows_and_nobody_elses(county: CountyServer) -> None:
    director, bureau = await county.person("core_director"), await county.person("bureau_admin")
    standing = (await county.app[counties_key].now()).register
    own = standing.teachers[0].posts[0]
    stranger = next(teacher for teacher in standing.teachers if own not in teacher.posts)
    renamed = msgspec.structs.replace(stranger, name="改名")
    others = tuple(teacher for teacher in standing.teachers if teacher is not stranger)
    changed = msgspec.json.encode(msgspec.structs.replace(standing, teachers=(renamed, *others)))
    refused = await send(director, {"county.json": changed})
    assert refused.refusal == (403, "outside_reach")
    assert (await county.app[counties_key].now()).register == standing
    assert (await send(bureau, {"county.json": changed})).json["imported"] is True


async def test_published_tables_follow_the_bells_that_are_imported(county: CountyServer) -> None:
    """The member rings 20 minutes later: the shared lesson has too few minutes left, and is named."""
    director = await county.person("member_director")
    standing = (await county.app[counties_key].now()).register
    feed = (await director.post("/api/feeds", {"kind": "unit", "target": MEMBER, "device": "手机"})).json
    before = calendar_of(await county.nobody.get(feed["url"].split("tongke.test")[1]))
    other = (await county.app[timetable_key].newest("B")) or pytest.fail("B has no table")

    units = ringing_later(standing, 20).units
    answer = (
        await send(director, {"bells.json": msgspec.json.encode(msgspec.structs.replace(standing, units=units))})
    ).json
    told = {finding["code"]: finding["values"] for finding in answer["findings"]}
    tomorrow = local_date(time.time()) + timedelta(days=1)
    assert (told["bells_followed"]["version"], told["bells_followed"]["date"]) == (2, tomorrow.isoformat())
    assert told["lesson_parted"]["minutes"] < told["lesson_parted"]["required"]
    newest = (await county.app[timetable_key].newest("A")) or pytest.fail("A has no table")
    assert (newest.number, newest.valid_from, newest.author) == (2, tomorrow.isoformat(), "某member_director")
    rung = {unit.id: unit.bells[0].periods for unit in units}
    for lesson in newest.table.lessons:
        for party in lesson.parties if any(party.unit == MEMBER for party in lesson.parties) else ():
            period = next(one for one in rung[party.unit] if one.number == party.period)
            assert (party.start, party.end) == (period.start, period.end)
    assert await county.app[timetable_key].newest("B") == other
    after = calendar_of(await county.nobody.get(feed["url"].split("tongke.test")[1]))
    assert after.keys() == before.keys()
    raised = {uid for uid in after if after[uid][0] == before[uid][0] + 1}
    assert raised == {uid for uid, (_, day) in after.items() if day >= tomorrow} != set()
    warnings = (await director.get("/api/communities/A/timetable")).json["warnings"]
    assert [warning["code"] for warning in warnings] == ["lesson_parted"]
    again = (
        await send(director, {"same.json": msgspec.json.encode(msgspec.structs.replace(standing, units=units))})
    ).json
    assert "bells_followed" not in {finding["code"] for finding in again["findings"]}


async def test_a_change_of_a_day_follows_the_bells_that_are_imported(county: CountyServer) -> None:
    """The lesson that was moved to a date has the new clock there; its change, its calendar and the import say so."""
    director = await county.person("member_director")
    asked = await ask(await county.person("core_director"), move())
    done = await answers(county, asked, "member_director", "third_director")
    feed = (await director.post("/api/feeds", {"kind": "unit", "target": MEMBER, "device": "手机"})).json
    before = calendar_of(await county.nobody.get(feed["url"].split("tongke.test")[1]))
    [row] = (await director.get("/api/communities/A/amendments")).json
    standing = (await county.app[counties_key].now()).register
    rung = ringing_later(standing, 5)
    answer = (await send(director, {"bells.json": msgspec.json.encode(rung)})).json
    [told] = [finding for finding in answer["findings"] if finding["code"] == "amendment_followed"]
    assert (told["values"]["number"], told["values"]["lessons"]) == (done["number"], 1)
    [followed] = (await director.get("/api/communities/A/amendments")).json
    assert followed["revision"] == row["revision"] + 1
    [about] = followed["findings"]
    was, now = row["lines"][0]["after"], followed["lines"][0]["after"]
    assert (about["code"], about["values"]["was"], about["values"]["start"]) == (
        "day_followed",
        was["start"],
        now["start"],
    )
    assert minutes(now["start"]) == minutes(was["start"]) + 5
    moved = (await rows(director, 2, 4))[occurrence()]
    assert (moved["date"], moved["start"], moved["change"]) == (day(4), now["start"], "moved")
    member = next(party for party in moved["parties"] if party["unit"] == MEMBER)
    period = next(one for one in rung_of(rung, MEMBER) if one.number == member["period"])
    assert (member["start"], member["end"]) == (period.start, period.end)
    after = calendar_of(await county.nobody.get(feed["url"].split("tongke.test")[1]))
    uid = next(uid for uid in after if before[uid][1].isoformat() == day(4) and before[uid][0] > 0)
    assert after[uid] == (before[uid][0] + 1, before[uid][1])
    assert (await ask(director, {"kind": "undo", "amendment": done["number"]}, version=2))["state"] == "asked"


def ringing_later(register: Register, by: int) -> Register:
    """With the member's bells so many minutes later."""

    def later(period: Period) -> Period:
        start, end = (clock(minutes(at) + by) for at in (period.start, period.end))
        return msgspec.structs.replace(period, start=start, end=end)

    units = tuple(
        msgspec.structs.replace(
            unit,
            bells=tuple(msgspec.structs.replace(b, periods=tuple(later(p) for p in b.periods)) for b in unit.bells),
        )
        if unit.id == MEMBER
        else unit
        for unit in register.units
    )
    return msgspec.structs.replace(register, units=units)


def rung_of(register: Register, unit: str) -> tuple[Period, ...]:
    return next(one.bells[0].periods for one in register.units if one.id == unit)


def calendar_of(answer: Answer) -> dict[str, tuple[int, date]]:
    """UID -> sequence and date."""
    events = icalendar.Calendar.from_ical(answer.body).walk("VEVENT")
    return {str(one["UID"]): (int(one["SEQUENCE"]), one.decoded("DTSTART").date()) for one in events}
