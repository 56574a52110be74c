"""The one table over HTTP: seen, built, proposed, agreed or objected to, published; no word is overwritten."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from server.keys import builds_key, timetable_key
from server.shapes.table import BuildView
from tests.county_server import LOCAL, SYNC, Answer, Caller, CountyServer, running_county

TABLE = "/api/communities/A/timetable"
Ask = Callable[..., Awaitable[Answer]]


@pytest.fixture
async def unpublished(tmp_path: Path, migrated_sqlite: Path) -> AsyncIterator[CountyServer]:
    """The county on the day of its import: nobody has built a table."""
    async with running_county(tmp_path / "data", migrated_sqlite, publish=False) as county:
        yield county


async def rebuilt(county: CountyServer) -> int:
    """The published table of the first community as a new draft, its local lesson at another hour."""
    tables = county.app[timetable_key]
    draft = await tables.draft("A")
    assert draft is not None
    lessons = tuple(
        msgspec.structs.replace(lesson, start="14:00", end="14:40") if lesson.id in (LOCAL, SYNC) else lesson
        for lesson in draft.table.lessons
    )
    table = msgspec.structs.replace(draft.table, lessons=lessons)
    return (await tables.take_draft("A", table, author="排课", revision=draft.revision)).revision


async def say(caller: Caller, word: str, revision: int, **more: Any) -> Answer:
    return await caller.post(f"/api/communities/A/{word}", {"revision": revision, **more})


# seeing it


async def test_the_newest_version_is_shown_with_the_names_that_it_needs(county: CountyServer) -> None:
    view = (await (await county.person("member_teacher")).get(TABLE)).json
    assert (view["status"], view["version"], view["cost"]) == ("published", 1, 7)
    assert {unit["id"] for unit in view["units"]} == {"A0", "A1", "A2"}
    assert [unit["id"] for unit in view["units"] if unit["core"]] == ["A0"]
    lessons = {lesson["id"]: lesson for lesson in view["lessons"]}
    assert set(lessons) == {SYNC, LOCAL}
    ids = {name["id"] for part in ("classes", "teachers", "rooms", "units") for name in view[part]}
    named = {
        id
        for lesson in view["lessons"]
        for party in lesson["parties"]
        for id in (party["unit"], party["room"], *party.get("classes", ()), *party.get("teachers", ()))
    }
    assert named <= ids
    assert [(row["number"], row["author"], row["added"]) for row in view["versions"]] == [(1, "教务", 2)]
    assert view["negotiation"]["state"] == "published"
    assert view["negotiation"]["may"] == []


async def test_drafts_and_versions_are_asked_for_by_name(county: CountyServer) -> None:
    revision = await rebuilt(county)
    teacher = await county.person("core_teacher")
    draft, first, newest = [(await teacher.get(f"{TABLE}{q}")).json for q in ("?version=draft", "?version=1", "")]
    assert (draft["status"], draft["revision"], draft["version"]) == ("draft", revision, 1)
    assert [view["status"] for view in (first, newest)] == ["published", "published"]
    starts = [next(x["start"] for x in view["lessons"] if x["id"] == SYNC) for view in (draft, first)]
    assert starts == ["14:00", "10:30"]


@pytest.mark.parametrize("version", ["2", "0", "-1", "1.0", "newest", "9" * 5000, "²", "%00"])
async def test_a_version_that_is_none_is_not_found(county: CountyServer, version: str) -> None:
    teacher = await county.person("core_teacher")
    answer = await teacher.get(f"{TABLE}?version={version}")
    assert answer.status in (400, 404)
    assert answer.code in ("not_found", "bad_request")


async def test_before_the_first_build_there_is_nothing_to_agree_on(unpublished: CountyServer) -> None:
    director = await unpublished.person("core_director")
    view = (await director.get(TABLE)).json
    assert (view["status"], view["version"], view["revision"], view["lessons"]) == ("none", 0, 0, [])
    assert view["negotiation"] is None
    for word in ("propose", "agree", "publish"):
        assert (await say(director, word, 0)).refusal == (404, "not_found")
    assert (await director.post("/api/communities/absent/propose", {"revision": 0})).refusal == (404, "not_found")


# agreeing on it


async def test_a_draft_goes_through_every_school_to_its_version(county: CountyServer) -> None:
    revision = await rebuilt(county)
    core, member, third = [await county.person(f"{name}_director") for name in ("core", "member", "third")]
    view = (await core.get(f"{TABLE}?version=draft")).json
    assert view["negotiation"]["may"] == ["build", "propose"]
    proposed = (await say(core, "propose", revision)).json
    assert (proposed["status"], proposed["negotiation"]["state"], proposed["negotiation"]["missing"]) == (
        "proposed",
        "proposed",
        2,
    )
    agreed = (await say(member, "agree", revision + 1)).json
    assert agreed["negotiation"]["missing"] == 1
    assert (await say(core, "publish", revision + 2)).refusal == (409, "not_allowed_now")

    objected = await say(
        third, "object", revision + 2, reason="校车在路上", lesson=SYNC, counterWeekday=3, counterPeriod=2
    )
    [objection] = [c for c in objected.json["negotiation"]["consents"] if c["answer"] == "objected"]
    assert (objection["unit"], objection["reason"], objection["lesson"]) == ("A2", "校车在路上", SYNC)
    assert (objection["counterWeekday"], objection["counterPeriod"]) == (3, 2)
    assert (await say(core, "publish", revision + 3)).refusal == (409, "not_allowed_now")
    needs = (await core.get("/api/today?community=A")).json["needs"]
    assert [need["values"]["reason"] for need in needs if need["code"] == "objection"] == ["校车在路上"]

    settled = (await say(third, "agree", revision + 3)).json
    assert (settled["status"], settled["negotiation"]["missing"]) == ("agreed", 0)
    published = (await say(core, "publish", revision + 4)).json
    assert (published["status"], published["version"], published["revision"]) == ("published", 2, revision + 5)
    assert [(row["number"], row["moved"]) for row in published["versions"]] == [(2, 2), (1, 0)]


async def test_a_word_on_an_earlier_revision_is_refused_and_says_which_stands(county: CountyServer) -> None:
    revision = await rebuilt(county)
    core, member = await county.person("core_director"), await county.person("member_director")
    await say(core, "propose", revision)
    for caller, word, more in (
        (core, "propose", {}),
        (member, "agree", {}),
        (member, "object", {"reason": "x"}),
        (core, "publish", {}),
    ):
        answer = await say(caller, word, revision, **more)
        assert answer.refusal == (409, "stale_version")
        assert answer.json["fields"] == {"expected": revision, "current": revision + 1}
    build = await core.post("/api/communities/A/builds", {"revision": revision})
    assert build.refusal == (409, "stale_version")


async def test_of_two_words_at_once_one_is_stale(county: CountyServer) -> None:
    revision = await rebuilt(county)
    await say(await county.person("core_director"), "propose", revision)
    callers = [await county.person(name) for name in ("member_director", "member_principal", "third_director")]
    answers = await asyncio.gather(*(say(caller, "agree", revision + 1) for caller in callers))
    assert sorted(answer.status for answer in answers) == [200, 409, 409]


@pytest.mark.parametrize(
    ("word", "more", "refusal"),
    [
        ("object", {"reason": " \n"}, (422, "reason_missing")),
        ("object", {}, (422, "invalid_body")),
        ("object", {"reason": "x", "counterWeekday": 8, "counterPeriod": 1}, (422, "invalid_body")),
        ("object", {"reason": "x", "counterWeekday": 1, "counterPeriod": 0}, (422, "invalid_body")),
        ("object", {"reason": "x", "counterWeekday": 1}, (422, "invalid_body")),
        ("object", {"reason": "x", "lesson": "absent"}, (404, "not_found")),
        ("object", {"reason": "x", "unit": "A2"}, (422, "invalid_body")),
        ("propose", {}, (403, "wrong_side")),
        ("publish", {}, (403, "wrong_side")),
    ],
)
async def test_what_a_member_school_cannot_say(
    county: CountyServer, word: str, more: dict[str, Any], refusal: tuple[int, str]
) -> None:
    revision = await rebuilt(county)
    core, member = await county.person("core_director"), await county.person("member_director")
    await say(core, "propose", revision)
    assert (await say(member, word, revision + 1, **more)).refusal == refusal
    # whatever was said, the draft can still be read and agreed to
    assert (await say(member, "agree", revision + 1)).status == 200


async def test_what_the_draft_does_not_change_needs_no_word(county: CountyServer) -> None:
    tables = county.app[timetable_key]
    draft = await tables.draft("A")
    assert draft is not None
    lessons = tuple(
        msgspec.structs.replace(lesson, start="14:00", end="14:40") if lesson.id == LOCAL else lesson
        for lesson in draft.table.lessons
    )
    table = msgspec.structs.replace(draft.table, lessons=lessons)
    revision = (await tables.take_draft("A", table, author="排课", revision=draft.revision)).revision
    core, member = await county.person("core_director"), await county.person("member_director")
    assert (await say(core, "propose", revision)).json["status"] == "agreed"
    assert (await say(member, "agree", revision + 1)).refusal == (403, "wrong_side")
    view = (await member.get(f"{TABLE}?version=draft")).json
    assert {row["unit"]: row["answer"] for row in view["negotiation"]["consents"]} == {
        "A0": "agreed",
        "A1": "unaffected",
        "A2": "unaffected",
    }


# building it


@pytest.mark.parametrize("seconds", [0, 0.5, -1, 601, 1e300])
async def test_a_build_has_its_limits(county: CountyServer, seconds: float) -> None:
    director = await county.person("core_director")
    view = (await director.get(TABLE)).json
    body = {"revision": view["revision"], "seconds": seconds}
    assert (await director.post("/api/communities/A/builds", body)).refusal == (422, "invalid_body")


async def test_nan_is_no_number_of_seconds(county: CountyServer) -> None:
    director = await county.person("core_director")
    body = msgspec.msgpack.encode({"revision": 5, "seconds": float("nan")})
    answer = await director.ask(
        "POST", "/api/communities/A/builds", data=body, headers={"Content-Type": "application/msgpack"}
    )
    assert answer.refusal == (422, "invalid_body")


async def events(caller: Caller, path: str) -> list[BuildView]:
    answer = await caller.get(path)
    assert answer.headers["Content-Type"] == "text/event-stream"
    lines = answer.body.decode().split("\n\n")
    assert lines.pop() == ""
    return [msgspec.json.decode(line.removeprefix("data: "), type=BuildView) for line in lines]


async def test_a_build_is_watched_to_its_end_and_becomes_the_draft(unpublished: CountyServer) -> None:
    director = await unpublished.person("core_director")
    started = await director.post("/api/communities/A/builds", {"revision": 0, "seconds": 3})
    assert (started.status, started.json["state"], started.json["limit"]) == (201, "running", 3)
    build = f"/api/builds/{started.json['id']}"
    # whoever starts it again joins it
    again = await director.post("/api/communities/A/builds", {"revision": 0, "seconds": 9})
    assert again.json["id"] == started.json["id"]

    watcher = await unpublished.person("member_teacher")
    async with asyncio.timeout(60):
        seen = await events(watcher, f"{build}/events")
    assert [view.state for view in seen[:-1]] == ["running"] * (len(seen) - 1)
    assert (seen[-1].state, seen[-1].phase) == ("done", "done")
    assert seen[-1].cost is not None
    assert [view.seconds for view in seen] == sorted(view.seconds for view in seen)
    assert (await watcher.get(build)).json["state"] == "done"
    view = (await director.get(TABLE)).json
    assert (view["status"], view["revision"], view["cost"]) == ("draft", 1, seen[-1].cost)
    assert {lesson["requirement"] for lesson in view["lessons"]} == {"A-r1", "A-r2"}
    # a watcher who comes late hears the end and nothing else
    assert [view.state for view in await events(watcher, f"{build}/events")] == ["done"]


async def test_a_build_is_stopped_by_those_who_may_start_it(unpublished: CountyServer) -> None:
    director = await unpublished.person("core_director")
    started = await director.post("/api/communities/A/builds", {"revision": 0, "seconds": 600})
    build = f"/api/builds/{started.json['id']}"
    for name in ("core_teacher", "member_director", "researcher", "bureau_admin", "foreign_director"):
        assert (await (await unpublished.person(name)).delete(build)).refusal == (403, "not_permitted"), name
    running = unpublished.app[builds_key].get(started.json["id"])
    assert running.running
    # somebody who closes the page stops nothing
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(director.get(f"{build}/events"), 0.3)
    assert (await (await unpublished.person("convenor")).delete(build)).status == 200
    async with asyncio.timeout(30):
        last = (await events(director, f"{build}/events"))[-1]
    assert last.state in ("done", "cancelled")
    assert (await director.get("/api/builds/absent")).refusal == (404, "not_found")
    assert (await (await unpublished.person("foreign_director")).get(build)).refusal == (403, "not_permitted")


# who gave way


async def test_an_objection_that_the_next_version_meets_is_in_everybodys_ledger(county: CountyServer) -> None:
    core, member = await county.person("core_director"), await county.person("member_director")
    before = (await member.get("/api/communities/A/ledger")).json["rows"]
    assert [(row["unit"], row["yielded"], row["met"]) for row in before] == [("A0", 0, 0), ("A1", 0, 0), ("A2", 0, 0)]
    revision = (await say(core, "propose", await rebuilt(county))).json["revision"]
    objected = await say(member, "object", revision, reason="与升旗冲突", lesson=SYNC)
    assert objected.status == 200, objected
    tables = county.app[timetable_key]
    draft = await tables.draft("A")
    assert draft is not None
    lessons = tuple(
        msgspec.structs.replace(lesson, weekday=lesson.weekday % 5 + 1) if lesson.id == SYNC else lesson
        for lesson in draft.table.lessons
    )
    table = msgspec.structs.replace(draft.table, lessons=lessons)
    revision = (await tables.take_draft("A", table, author="排课", revision=draft.revision)).revision
    revision = (await say(core, "propose", revision)).json["revision"]
    for name in ("member_director", "third_director"):
        answer = await say(await county.person(name), "agree", revision)
        assert answer.status == 200, answer
        revision = answer.json["revision"]
    published = await say(core, "publish", revision)
    assert published.json["version"] == 2, published
    rows = (await (await county.person("member_teacher")).get("/api/communities/A/ledger?version=2")).json["rows"]
    assert [(row["unit"], row["yielded"], row["met"]) for row in rows] == [("A0", 1, 0), ("A1", 0, 1), ("A2", 1, 0)]
    assert {row["shared"] for row in rows} == {1}
