"""Calendar feeds over HTTP: made, listed, revoked, and fetched as calendar clients fetch them."""

from __future__ import annotations

import gzip
import io
import json
import time
from collections.abc import Awaitable, Callable
from email.utils import formatdate, parsedate_to_datetime
from pathlib import Path
from typing import Any

import icalendar
import msgspec
import pytest

from server import logs
from server.keys import counties_key, importing_key, timetable_key
from tests.county_server import (
    FOREIGN,
    LOCAL,
    MEMBER,
    PUBLIC,
    SYNC,
    Answer,
    Caller,
    CountyServer,
    agree_on,
    remote_room,
    running_county,
)

Read = Callable[..., Awaitable[Answer]]
BEGINNING_OF_TIME = "Thu, 01 Jan 1970 00:00:00 GMT"


async def made(caller: Caller, kind: str, target: str, device: str = "phone") -> dict[str, Any]:
    answer = await caller.post("/api/feeds", {"kind": kind, "target": target, "device": device})
    assert answer.status == 201, answer
    row: dict[str, Any] = answer.json
    return row


def path_of(row: dict[str, Any]) -> str:
    assert row["url"].startswith(f"{PUBLIC}/feeds/")
    return str(row["url"]).removeprefix(PUBLIC)


def events(body: bytes) -> list[Any]:
    return list(icalendar.Calendar.from_ical(body).walk("VEVENT"))


async def test_an_address_is_told_once_listed_and_revoked(county: CountyServer) -> None:
    teacher = await county.person("member_teacher")
    row = await made(teacher, "teacher", "A1-t2", device="某人的手机" * 40)
    assert len(row["url"]) < 120
    assert (row["name"], len(row["device"]), row["lastRead"]) == ("A1 科学教师002", 80, None)
    listed = (await teacher.get("/api/feeds")).json
    assert listed == [{**row, "url": None}]

    body = await county.nobody.get(path_of(row))
    assert (body.status, body.headers["Content-Type"]) == (200, "text/calendar; charset=utf-8")
    assert len(events(body.body)) == 13
    assert {event["SUMMARY"].split(" ")[0] for event in events(body.body)} == {"【同步】科学"}
    assert abs((await teacher.get("/api/feeds")).json[0]["lastRead"] - time.time()) < 60

    # nobody else's, and only once
    other = await county.person("host_teacher")
    assert (await other.delete(f"/api/feeds/{row['id']}")).refusal == (404, "not_found")
    assert (await teacher.delete(f"/api/feeds/{row['id']}")).status == 204
    assert (await teacher.delete(f"/api/feeds/{row['id']}")).refusal == (404, "not_found")
    assert (await teacher.get("/api/feeds")).json == []
    assert (await county.nobody.get(path_of(row))).refusal == (410, "feed_gone")


@pytest.mark.parametrize(
    ("who", "kind", "target", "allowed"),
    [
        ("member_teacher", "class", "A1-5-1", True),
        ("member_teacher", "room", "A1-remote1", True),
        ("member_teacher", "room", "A0-remote1", False),
        ("member_teacher", "unit", "A2", False),
        ("member_teacher", "community", "A", True),
        ("member_teacher", "community", "B", False),
        ("member_teacher", "teacher", "B0-t1", False),
        ("member_teacher", "class", "B1-5-1", False),
        ("member_teacher", "room", "B0-remote1", False),
        ("member_teacher", "unit", "B0", False),
        ("researcher", "unit", "A1", True),
        ("researcher", "unit", "B1", False),
        ("bureau_viewer", "community", "B", True),
    ],
)
async def test_people_follow_the_calendars_of_their_own_school_and_community(
    county: CountyServer, who: str, kind: str, target: str, allowed: bool
) -> None:
    answer = await (await county.person(who)).post("/api/feeds", {"kind": kind, "target": target})
    assert answer.status == (201 if allowed else 403)
    assert allowed or answer.code == "not_permitted"


async def test_a_feed_of_nothing_is_not_made(county: CountyServer) -> None:
    teacher = await county.person("member_teacher")
    for kind in ("teacher", "class", "room", "unit", "community"):
        assert (await teacher.post("/api/feeds", {"kind": kind, "target": "absent"})).refusal == (404, "not_found")
    assert (await teacher.post("/api/feeds", {"kind": "county", "target": "A"})).refusal == (422, "invalid_body")
    panel = await county.panel(MEMBER)
    assert (await panel.post("/api/feeds", {"kind": "room", "target": remote_room(MEMBER)})).status == 403


async def test_an_address_that_was_never_given_out_is_unknown(county: CountyServer) -> None:
    for path in (f"/feeds/{'x' * 43}.ics", "/feeds/short.ics", f"/feeds/{'x' * 44}.ics", f"/feeds/{'%2F' * 15}.ics"):
        assert (await county.nobody.get(path)).refusal == (404, "not_found"), path


# as calendar clients ask


async def test_what_has_not_changed_is_not_sent_again(county: CountyServer) -> None:
    path = path_of(await made(await county.person("host_teacher"), "class", "A0-5-1"))

    async def read(**headers: str) -> Answer:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return await county.nobody.get(path, headers={"Accept-Encoding": "identity", **given})

    first = await read()
    tag, modified = first.headers["ETag"], first.headers["Last-Modified"]
    assert (first.headers["Cache-Control"], first.headers["Vary"]) == ("private, must-revalidate", "Accept-Encoding")
    assert first.headers["Referrer-Policy"] == "no-referrer"
    assert not tag.startswith("W/")
    for unchanged in (
        {"If_None_Match": tag},
        {"If_None_Match": f'"other", W/{tag}'},
        {"If_None_Match": "*"},
        {"If_Modified_Since": modified},
        # the tag goes first, whatever the date says
        {"If_None_Match": tag, "If_Modified_Since": BEGINNING_OF_TIME},
    ):
        answer = await read(**unchanged)
        assert (answer.status, answer.body) == (304, b""), unchanged
        assert {name: answer.headers[name] for name in ("ETag", "Last-Modified", "Cache-Control", "Vary")} == {
            name: first.headers[name] for name in ("ETag", "Last-Modified", "Cache-Control", "Vary")
        }
    for changed in (
        {"If_None_Match": '"other"'},
        {"If_None_Match": "not a tag"},
        {"If_None_Match": '"other"', "If_Modified_Since": formatdate(time.time() + 60, usegmt=True)},
        {"If_Modified_Since": BEGINNING_OF_TIME},
        {"If_Modified_Since": "yesterday"},
        {"If_Modified_Since": "Thu, 01 Jan 1970 00:00:00 +99999999999999999999"},
    ):
        answer = await read(**changed)
        assert (answer.status, answer.body) == (200, first.body), changed


async def test_a_head_says_what_a_get_would(county: CountyServer) -> None:
    path = path_of(await made(await county.person("host_teacher"), "unit", "A0"))
    get, head = [await county.nobody.ask(method, path) for method in ("GET", "HEAD")]
    assert (head.status, head.body) == (200, b"")
    for name in ("ETag", "Last-Modified", "Content-Type", "Content-Length", "Content-Encoding"):
        assert head.headers.get(name) == get.headers.get(name), name


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [
        ("gzip", True),
        ("br;q=1, GZIP; q=0.5", True),
        ("*", True),
        ("identity", False),
        ("gzip;q=0", False),
        ("gzip; q=0.000, *", False),
        ("gzip;q=0, identity", False),
        ("*;q=0", False),
        ("br", False),
    ],
)
async def test_it_is_compressed_for_those_who_can_read_that(county: CountyServer, accepted: str, packed: bool) -> None:
    path = path_of(await made(await county.person("host_teacher"), "room", remote_room("A0")))
    plain = await county.nobody.get(path, headers={"Accept-Encoding": "identity"})
    async with county.http.get(
        f"{county.base}{path}", headers={"Accept-Encoding": accepted}, auto_decompress=False
    ) as response:
        body = await response.read()
        assert (response.headers.get("Content-Encoding") == "gzip") is packed
        assert (gzip.decompress(body) if packed else body) == plain.body
        assert (response.headers["ETag"] != plain.headers["ETag"]) is packed


async def test_a_new_version_or_a_new_name_changes_the_tag_and_only_where_it_shows(county: CountyServer) -> None:
    teacher = await county.person("host_teacher")
    moved, untouched = [path_of(await made(teacher, "teacher", id)) for id in ("A0-t4", "A0-t1")]
    before = [await county.nobody.get(path) for path in (moved, untouched)]
    tables = county.app[timetable_key]
    draft = await tables.draft("A")
    assert draft is not None
    lessons = tuple(
        msgspec.structs.replace(lesson, start="14:00", end="14:40") if lesson.id == LOCAL else lesson
        for lesson in draft.table.lessons
    )
    await agree_on(tables, msgspec.structs.replace(draft.table, lessons=lessons), ("A0", "A1", "A2"))
    after = [await county.nobody.get(path) for path in (moved, untouched)]
    assert after[0].headers["ETag"] != before[0].headers["ETag"]
    assert (after[1].headers["ETag"], after[1].body) == (before[1].headers["ETag"], before[1].body)
    assert after[1].headers["Last-Modified"] == before[1].headers["Last-Modified"]
    assert [event for event in events(after[0].body) if "【调课】" in event["SUMMARY"]]
    assert {str(event["UID"]) for event in events(before[0].body)} <= {
        str(event["UID"]) for event in events(after[0].body)
    }

    register = (await county.app[counties_key].now()).register
    renamed = tuple(
        msgspec.structs.replace(known, name="改名的教师") if known.id == "A0-t1" else known
        for known in register.teachers
    )
    content = msgspec.json.encode(msgspec.structs.replace(register, teachers=renamed))
    await county.app[importing_key].run({"county.json": content}, "tests")
    again = await county.nobody.get(untouched, headers={"If-None-Match": before[1].headers["ETag"]})
    assert (again.status, "改名的教师" in icalendar.Calendar.from_ical(again.body).to_ical().decode()) == (200, True)
    assert parsedate_to_datetime(again.headers["Last-Modified"]) >= parsedate_to_datetime(
        before[1].headers["Last-Modified"]
    )


async def test_a_shared_lesson_is_the_same_event_in_every_feed(county: CountyServer) -> None:
    host, member = await county.person("host_teacher"), await county.person("member_teacher")
    feeds = [
        await made(host, "teacher", "A0-t1"),
        await made(member, "class", "A1-5-1"),
        await made(member, "community", "A"),
        await made(host, "room", remote_room("A0")),
    ]
    found = []
    for row in feeds:
        body = (await county.nobody.get(path_of(row))).body
        found.append(
            {
                (str(event["UID"]), event.decoded("DTSTART"))
                for event in events(body)
                if str(event["UID"]).startswith(SYNC)
            }
        )
    assert len(found[0]) == 13
    assert found[1:] == found[:1] * 3


async def test_a_feed_outlives_a_restart_and_its_target(tmp_path: Path, migrated_sqlite: Path) -> None:
    async with running_county(tmp_path, migrated_sqlite) as county:
        teacher = await county.person("member_teacher")
        path, orphan = [
            path_of(await made(teacher, kind, "A1-t2" if kind == "teacher" else "A1")) for kind in ("teacher", "unit")
        ]
        tag = (await county.nobody.get(path)).headers["ETag"]
    async with running_county(tmp_path, migrated_sqlite, furnished=False) as county:
        assert (await county.nobody.get(path, headers={"If-None-Match": tag})).status == 304
        register = (await county.app[counties_key].now()).register
        smaller = msgspec.structs.replace(
            register,
            communities=register.communities[1:],
            units=tuple(unit for unit in register.units if unit.id.startswith("B")),
            rooms=tuple(room for room in register.rooms if room.unit.startswith("B")),
            teachers=tuple(t for t in register.teachers if t.id.startswith("B")),
            classes=tuple(c for c in register.classes if c.unit.startswith("B")),
            requirements=tuple(r for r in register.requirements if r.community == "B"),
        )
        await county.app[importing_key].run({"c.json": msgspec.json.encode(smaller)}, "tests", replace=True)
        teacher = await county.person("member_teacher")
        rows = (await teacher.get("/api/feeds")).json
        assert {row["name"] for row in rows} == {"A1-t2", "A1"}
        assert (await county.nobody.get(orphan)).refusal == (404, "not_found")
        assert (await teacher.delete(f"/api/feeds/{rows[0]['id']}")).status == 204


async def test_the_secret_is_in_no_log_and_in_no_table(county: CountyServer, tmp_path: Path) -> None:
    stream = io.StringIO()
    logs.configure(stream)
    row = await made(await county.person("host_teacher"), "community", "A")
    secret = path_of(row).removeprefix("/feeds/").removesuffix(".ics")
    assert len(secret) == 43
    await county.nobody.get(path_of(row))
    await county.nobody.get(f"{path_of(row)}x")
    lines = stream.getvalue()
    assert secret not in lines
    assert "/feeds/{secret}.ics" in {json.loads(line).get("route") for line in lines.splitlines()}
    kept = b"".join(file.read_bytes() for file in (tmp_path / "data").glob("tongke.db*"))
    assert secret.encode() not in kept
    assert FOREIGN.encode() in kept
