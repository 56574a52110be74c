"""A school joins or leaves in mid-term over HTTP: only those concerned are asked, and it counts from its date."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import FormData

from server.keys import (
    builds_key,
    counties_key,
    importing_key,
    membership_searches_key,
    memberships_key,
    repairs_key,
    settings_key,
    timetable_key,
)
from tests.county_server import CORE, MEMBER, THIRD, Caller, CountyServer, agree_on, running_county
from tests.integration.test_api_amendments import HERE, day
from tests.media_clients import until
from timetable.model import Register, Slot
from timetable.solving.solver import solve
from timetable.term import local_date
from timetable.years.membership import Join, brought
from timetable.years.membership_dates import teaches

MEMBERSHIP = f"{HERE}/membership"


@pytest.fixture
async def settled(tmp_path: Path, migrated_sqlite: Path) -> AsyncIterator[CountyServer]:
    """The county with a solved and published table of the first community."""
    async with running_county(tmp_path / "data", migrated_sqlite, publish=False) as county:
        register = (await county.app[counties_key].now()).register
        table = (await asyncio.to_thread(solve, register, "A", seconds=5, workers=1, improve_until=0)).table
        assert table is not None
        await agree_on(county.app[timetable_key], table, register.communities[0].units)
        yield county


async def ended(caller: Caller, path: str, body: Any) -> Any:
    """What the search that begins so says at its end."""
    answer = await caller.post(path, body)
    assert answer.status == 202, answer
    return await end_of(caller, answer.json["id"])


def address_of(search: Any) -> str:
    return f"/api/membership-searches/{search['id']}"


async def end_of(caller: Caller, search: str) -> Any:
    view = (await caller.get(f"/api/membership-searches/{search}")).json
    async with asyncio.timeout(60):
        while view["state"] == "running":
            await asyncio.sleep(0.05)
            view = (await caller.get(f"/api/membership-searches/{search}")).json
    return view


async def test_a_school_leaves_by_a_version_from_its_date(settled: CountyServer) -> None:
    convenor = await settled.person("convenor")
    view = (await convenor.get(MEMBERSHIP)).json
    assert ([unit["id"] for unit in view["units"]], view["mayChange"]) == ([CORE, MEMBER, THIRD], True)
    leave = {"kind": "leave", "unit": THIRD, "first": day(7)}
    looked = (await ended(convenor, f"{MEMBERSHIP}?check=1", {"revision": 0, "change": leave}))["outcome"]
    assert (looked["possible"], looked["moves"], looked["added"], looked["changed"]) == (True, [], [], ["A-r1.1"])
    now = (await convenor.get(MEMBERSHIP)).json
    assert {**now, "search": None, "looked": None} == view, "nothing has changed but that it was looked at"

    done = await ended(convenor, MEMBERSHIP, {"revision": view["revision"], "change": leave})
    assert done["state"] == "done", done
    stale = await convenor.post(MEMBERSHIP, {"revision": view["revision"], "change": leave})
    assert stale.refusal == (409, "stale_version")
    draft = (await convenor.get(f"{HERE}/timetable?version=draft")).json
    asked = {row["unit"] for row in draft["negotiation"]["consents"] if row["answer"] != "unaffected"}
    assert asked == {CORE, MEMBER, THIRD}
    tables = settled.app[timetable_key]
    revision = (await tables.propose("A", unit=CORE, by="x", revision=draft["revision"])).revision
    for unit in (MEMBER, THIRD):
        revision = (await tables.agree("A", unit=unit, by="x", revision=revision)).revision
    version = await tables.publish("A", unit=CORE, by="x", revision=revision)
    assert version.valid_from == day(7)

    # a table for that date is built without it, and a lesson is moved in it
    builds = settled.app[builds_key]
    build = await builds.start("A", author="x", revision=revision + 1, seconds=2)
    await until(lambda: not build.running)
    assert build.view().state == "done", build.view()
    rebuilt = await tables.draft("A")
    assert rebuilt is not None
    assert rebuilt.valid_from == day(7)
    assert THIRD not in {party.unit for lesson in rebuilt.table.lessons for party in lesson.parties}
    repairs = settled.app[repairs_key]
    _, slots = await repairs.slots("A", "A-r1.1")
    fitting = next(slot for slot in slots if slot.verdict in ("fits", "costs"))
    proposal = await repairs.propose(
        "A", lesson="A-r1.1", target=Slot(weekday=fitting.weekday, period=fitting.period), revision=rebuilt.revision
    )
    assert (await repairs.accept("A", proposal.id, author="x")).valid_from == day(7)

    # until then it belongs here, and its lessons take place
    memberships = settled.app[memberships_key]
    await memberships.settle()
    assert THIRD in (await settled.app[counties_key].now()).community("A").units
    rows = [row for n in range(7) for row in (await convenor.get(f"{HERE}/occurrences?first={day(n)}")).json]
    assert any(THIRD in [party["unit"] for party in row["parties"]] for row in rows)
    later = [row for n in range(7, 21) for row in (await convenor.get(f"{HERE}/occurrences?first={day(n)}")).json]
    assert later
    assert not any(THIRD in [party["unit"] for party in row["parties"]] for row in later)

    memberships._clock = lambda: time.time() + timedelta(days=8).total_seconds()
    await memberships.settle()
    assert (await settled.app[counties_key].now()).community("A").units == (CORE, MEMBER)
    after = (await convenor.get(MEMBERSHIP)).json
    assert [(row["unit"], row["state"]) for row in after["changes"]] == [(THIRD, "done")]
    assert [unit["id"] for unit in after["unattached"]] == [THIRD]
    assert local_date(time.time()).isoformat() == day(0)


async def test_a_school_that_joins_has_its_say_at_once(settled: CountyServer) -> None:
    bureau = await settled.person("bureau_admin")
    before = (await settled.app[counties_key].now()).register
    shared = [r for r in before.requirements if any(p.unit == THIRD for p in r.parties)]
    leave = {"kind": "leave", "unit": THIRD, "first": day(0)}
    revision = (await bureau.get(MEMBERSHIP)).json["revision"]
    assert (await ended(bureau, MEMBERSHIP, {"revision": revision, "change": leave}))["state"] == "done"
    tables = settled.app[timetable_key]
    draft = await tables.draft("A")
    assert draft is not None
    await agree_on(tables, draft.table, before.communities[0].units)
    await settled.app[memberships_key].settle()
    assert THIRD not in (await settled.app[counties_key].now()).community("A").units

    revision = (await bureau.get(MEMBERSHIP)).json["revision"]
    join = msgspec.to_builtins(Join(unit=THIRD, first=day(7), requirements=tuple(shared)))

    # somebody changes the draft while the places are searched for: nobody becomes a member without a table
    overtaken = asyncio.create_task(ended(bureau, MEMBERSHIP, {"revision": revision, "change": join}))
    searches = settled.app[settings_key].server.data_dir / "memberships"
    await until(lambda: any(searches.glob("*/change.json")))
    draft = await tables.draft("A")
    assert draft is not None
    await tables.take_draft("A", draft.table, author="x", revision=revision)
    overtaken_view = await overtaken
    assert (overtaken_view["state"], overtaken_view["error"]) == ("failed", "stale_version")
    assert THIRD not in (await settled.app[counties_key].now()).community("A").units

    revision = (await bureau.get(MEMBERSHIP)).json["revision"]
    done = (await ended(bureau, MEMBERSHIP, {"revision": revision, "change": join}))["outcome"]
    assert (done["possible"], done["changed"]) == (True, ["A-r1.1"]), done
    draft = await tables.draft("A")
    assert draft is not None
    assert (draft.valid_from, THIRD in draft.negotiation.affected) == (day(7), True)
    director = await settled.person("third_director")
    assert (await director.get(f"{HERE}/timetable?version=draft")).status == 200


async def test_a_leave_is_withdrawn_before_and_after_its_table_is_published(settled: CountyServer) -> None:
    convenor, tables = await settled.person("convenor"), settled.app[timetable_key]
    published = await tables.newest("A")
    assert published is not None
    leave = {"kind": "leave", "unit": THIRD, "first": day(7)}
    revision = (await convenor.get(MEMBERSHIP)).json["revision"]
    assert (await ended(convenor, MEMBERSHIP, {"revision": revision, "change": leave}))["state"] == "done"
    view = (await convenor.get(MEMBERSHIP)).json
    [row] = view["changes"]
    assert (row["state"], row["mayWithdraw"]) == ("planned", True)
    withdraw = f"{MEMBERSHIP}/{row['id']}/withdraw"
    assert (await (await settled.person("third_director")).get(MEMBERSHIP)).json["changes"][0]["mayWithdraw"] is False
    stale = await convenor.post(withdraw, {"revision": view["revision"] - 1})
    assert stale.refusal == (409, "stale_version")
    taken_back = (await ended(convenor, withdraw, {"revision": view["revision"]}))["outcome"]
    assert (taken_back["moves"], taken_back["added"]) == ([], []), taken_back
    draft = await tables.draft("A")
    assert draft is not None
    assert (draft.valid_from, draft.negotiation.affected) == (None, ())
    assert {one.id: one for one in draft.table.lessons} == {one.id: one for one in published.table.lessons}
    [row] = (await convenor.get(MEMBERSHIP)).json["changes"]
    assert (row["state"], row["mayWithdraw"]) == ("withdrawn", False)
    again = await convenor.post(withdraw, {"revision": view["revision"] + 1})
    assert again.refusal == (422, "membership_refused")
    assert [finding["code"] for finding in again.json["errors"]] == ["membership_over"]

    # and one whose table is published: the school has its places again from the day on which it would have lost them
    found = await ended(convenor, MEMBERSHIP, {"revision": view["revision"] + 1, "change": leave})
    assert found["state"] == "done", found
    draft = await tables.draft("A")
    assert draft is not None
    await agree_on(tables, draft.table, (CORE, MEMBER, THIRD))
    view = (await convenor.get(MEMBERSHIP)).json
    assert view["changes"][0]["mayWithdraw"] is True
    path = f"{MEMBERSHIP}/{view['changes'][0]['id']}/withdraw"
    taken_back = (await ended(convenor, path, {"revision": view["revision"]}))["outcome"]
    assert taken_back["changed"] == ["A-r1.1"], taken_back
    draft = await tables.draft("A")
    assert draft is not None
    assert (draft.valid_from, THIRD in draft.negotiation.affected) == (day(7), True)
    memberships = settled.app[memberships_key]
    memberships._clock = lambda: time.time() + timedelta(days=8).total_seconds()
    await memberships.settle()
    assert THIRD in (await settled.app[counties_key].now()).community("A").units


async def test_impossible_changes_come_back_with_their_reasons(settled: CountyServer) -> None:
    bureau = await settled.person("bureau_admin")
    revision = (await bureau.get(MEMBERSHIP)).json["revision"]
    core = {"revision": revision, "change": {"kind": "leave", "unit": CORE, "first": day(7)}}
    looked = (await ended(bureau, f"{MEMBERSHIP}?check=1", core))["outcome"]
    assert (looked["possible"], [f["code"] for f in looked["findings"]]) == (False, ["membership_core"])
    late = {"revision": revision, "change": {"kind": "leave", "unit": THIRD, "first": day(400)}}
    looked = (await ended(bureau, f"{MEMBERSHIP}?check=1", late))["outcome"]
    assert (looked["possible"], [f["code"] for f in looked["findings"]][:1]) == (False, ["membership_outside_term"])
    dateless = {"revision": revision, "change": core["change"] | {"first": "soon"}}
    fault = await bureau.post(MEMBERSHIP, dateless)
    assert fault.refusal == (422, "invalid_body")
    assert [(f["code"], f["field"]) for f in fault.json["errors"]] == [("json_not_date", "$.change.first")]
    refused = await ended(bureau, MEMBERSHIP, core)
    assert (refused["state"], refused["error"]) == ("failed", "membership_refused")
    assert [f["code"] for f in refused["findings"]] == ["membership_core"]


def with_a_new_school(standing: Register) -> Register:
    """With A9 as one more member of the first community, with one class and one lesson of its own."""
    b1 = next(unit for unit in standing.units if unit.id == "B1")
    new = msgspec.structs.replace(b1, id="A9", name="新校", short_name="新", code="XX")
    c = msgspec.structs.replace(next(c for c in standing.classes if c.unit == "B1"), id="A9-c", unit="A9")
    home = next(room for room in standing.rooms if room.id == c.room)
    room = msgspec.structs.replace(home, id="A9-room", unit="A9")
    c = msgspec.structs.replace(c, room="A9-room")
    teacher = msgspec.structs.replace(standing.teachers[0], id="A9-t", posts=("A9",))
    local = next(r for r in standing.requirements if r.kind == "local" and r.community == "A")
    party = msgspec.structs.replace(local.parties[0], unit="A9", classes=("A9-c",), teachers=("A9-t",))
    own = msgspec.structs.replace(local, id="A9-r", parties=(party,))
    community = msgspec.structs.replace(standing.communities[0], members=("A1", "A2", "A9"))
    return msgspec.structs.replace(
        standing,
        communities=(community, standing.communities[1]),
        units=(*standing.units, new),
        rooms=(*standing.rooms, room),
        teachers=(*standing.teachers, teacher),
        classes=(*standing.classes, c),
        requirements=(*standing.requirements, own),
    )


async def test_sheets_of_a_school_that_joins_are_read_and_not_taken(settled: CountyServer) -> None:
    bureau = await settled.person("bureau_admin")
    standing = (await settled.app[counties_key].now()).register
    given = with_a_new_school(standing)
    path = f"{MEMBERSHIP}/files?first={day(7)}"

    def form(register: Register) -> FormData:
        data = FormData()
        data.add_field("file", msgspec.json.encode(register), filename="school.json")
        return data

    answer = await bureau.ask("POST", path, data=form(given))
    join = answer.json
    assert (answer.status, join["kind"], join["unit"], join["first"]) == (200, "join", "A9", day(7)), answer
    assert [row["id"] for row in join["requirements"]] == ["A9-r"]
    assert (await settled.app[counties_key].now()).register is standing
    refused = await bureau.ask("POST", path, data=form(standing))
    assert refused.refusal == (422, "input_refused")
    revision = (await bureau.get(MEMBERSHIP)).json["revision"]
    done = (await ended(bureau, MEMBERSHIP, {"revision": revision, "change": join}))["outcome"]
    assert (done["possible"], done["moves"], len(done["added"])) == (True, [], 2), done
    assert "A9" in (await settled.app[counties_key].now()).community("A").units

    # taken back, the county is what it was, but for what was changed since
    importing, tables = settled.app[importing_key], settled.app[timetable_key]
    await importing.edit(lambda register: msgspec.structs.replace(register, county="新县"), "x")
    view = (await bureau.get(MEMBERSHIP)).json
    assert view["changes"][0]["mayWithdraw"] is True
    withdraw = f"{MEMBERSHIP}/{view['changes'][0]['id']}/withdraw"
    draft = await tables.draft("A")
    assert draft is not None
    taken_back = (await ended(bureau, withdraw, {"revision": view["revision"]}))["outcome"]
    assert taken_back["moves"] == [], taken_back
    now = (await settled.app[counties_key].now()).register
    assert now == msgspec.structs.replace(standing, county="新县")

    # with a table that is published it can only leave
    revision = (await bureau.get(MEMBERSHIP)).json["revision"]
    assert (await ended(bureau, MEMBERSHIP, {"revision": revision, "change": join}))["state"] == "done"
    draft = await tables.draft("A")
    assert draft is not None
    await agree_on(tables, draft.table, (CORE, MEMBER, THIRD, "A9"))
    view = (await bureau.get(MEMBERSHIP)).json
    assert view["changes"][0]["mayWithdraw"] is False
    withdraw = f"{MEMBERSHIP}/{view['changes'][0]['id']}/withdraw"
    refused = await bureau.post(withdraw, {"revision": view["revision"]})
    assert [finding["code"] for finding in refused.json["errors"]] == ["membership_published"]


async def test_schools_that_come_and_go_do_so_each_on_its_own_date(settled: CountyServer) -> None:
    bureau, tables = await settled.person("bureau_admin"), settled.app[timetable_key]
    standing = (await settled.app[counties_key].now()).register
    given = with_a_new_school(standing)

    async def plan(change: object) -> None:
        revision = (await bureau.get(MEMBERSHIP)).json["revision"]
        done = await ended(bureau, MEMBERSHIP, {"revision": revision, "change": change})
        assert done["state"] == "done", done

    async def agree() -> list[tuple[str | None, set[str]]]:
        """Publish the draft; the dates of all versions since, with who has lessons by each."""
        draft = await tables.draft("A")
        assert draft is not None
        affected = draft.negotiation.affected
        revision = (await tables.propose("A", unit=CORE, by="x", revision=draft.revision)).revision
        for unit in affected:
            if unit != CORE:
                revision = (await tables.agree("A", unit=unit, by="x", revision=revision)).revision
        await tables.publish("A", unit=CORE, by="x", revision=revision)
        history = await tables.history("A")
        return [
            (one.valid_from, {party.unit for lesson in one.table.lessons for party in lesson.parties})
            for one in reversed(history[:-1])
        ]

    # one leaves in three weeks; another one joins before that, planned when the first is not even agreed on
    await plan({"kind": "leave", "unit": THIRD, "first": day(21)})
    await plan(msgspec.to_builtins(brought(standing, given, "A", day(7))))
    draft = await tables.draft("A")
    assert draft is not None
    assert (draft.valid_from, [one.valid_from for one in draft.interim]) == (day(21), [day(7)])
    assert {THIRD, "A9"} <= set(draft.negotiation.affected)
    all_four, without_third = {CORE, MEMBER, THIRD, "A9"}, {CORE, MEMBER, "A9"}
    assert await agree() == [(day(7), all_four), (day(21), without_third)]

    # and that one leaves again between the two dates, by a version of its own before that which waits already
    await plan({"kind": "leave", "unit": "A9", "first": day(14)})
    published = await agree()
    assert published[2:] == [(day(14), {CORE, MEMBER, THIRD}), (day(21), {CORE, MEMBER})]

    async def present(first: int, last: int) -> set[str]:
        answers = [(await bureau.get(f"{HERE}/occurrences?first={day(n)}")).json for n in range(first, last)]
        return {party["unit"] for rows in answers for row in rows for party in row["parties"]}

    assert await present(0, 7) == {CORE, MEMBER, THIRD}
    assert await present(7, 14) == all_four
    assert await present(14, 21) == {CORE, MEMBER, THIRD}
    assert await present(21, 28) == {CORE, MEMBER}

    # each ends its membership on its own date
    memberships, ahead = settled.app[memberships_key], [0]
    memberships._clock = lambda: time.time() + timedelta(days=ahead[0]).total_seconds()
    for days, members in ((13, (CORE, MEMBER, THIRD, "A9")), (15, (CORE, MEMBER, THIRD)), (22, (CORE, MEMBER))):
        ahead[0] = days
        await memberships.settle()
        assert (await settled.app[counties_key].now()).community("A").units == members


async def test_who_stays_leaves_the_other_plan_as_it_is(settled: CountyServer) -> None:
    bureau, tables = await settled.person("bureau_admin"), settled.app[timetable_key]
    standing = (await settled.app[counties_key].now()).register
    for change in (
        {"kind": "leave", "unit": THIRD, "first": day(7)},
        msgspec.to_builtins(brought(standing, with_a_new_school(standing), "A", day(14))),
    ):
        revision = (await bureau.get(MEMBERSHIP)).json["revision"]
        assert (await ended(bureau, MEMBERSHIP, {"revision": revision, "change": change}))["state"] == "done"
    draft = await tables.draft("A")
    assert draft is not None
    assert [(one.valid_from, teaches(one.table, THIRD)) for one in draft.interim] == [(day(7), False)]
    view = (await bureau.get(MEMBERSHIP)).json
    leaving = next(row["id"] for row in view["changes"] if row["unit"] == THIRD)
    taken_back = await ended(bureau, f"{MEMBERSHIP}/{leaving}/withdraw", {"revision": view["revision"]})
    assert taken_back["state"] == "done", taken_back
    draft = await tables.draft("A")
    assert draft is not None
    assert (draft.valid_from, draft.interim) == (day(14), ())
    assert (teaches(draft.table, THIRD), teaches(draft.table, "A9")) == (True, True)


async def test_a_search_is_watched_cancelled_and_not_made_twice(settled: CountyServer) -> None:
    """The solver is held up after its first step, so that it runs as long as the test likes."""
    convenor, director = await settled.person("convenor"), await settled.person("core_director")
    leave = {"revision": 0, "change": {"kind": "leave", "unit": THIRD, "first": day(7)}}
    revision = (await convenor.get(MEMBERSHIP)).json["revision"]
    planning = leave | {"revision": revision}
    begun = (await convenor.post(MEMBERSHIP, planning)).json
    search = settled.app[membership_searches_key].get(begun["id"])
    await until(lambda: search.process.pid is not None)
    assert search.process.pid is not None
    os.kill(search.process.pid, signal.SIGSTOP)
    assert (begun["wanted"], begun["kind"], begun["unit"], begun["first"]) == ("plan", "leave", THIRD, day(7))
    seen = (await director.get(MEMBERSHIP)).json["search"]
    assert (seen["id"], seen["state"], seen["by"], seen["step"], seen["of"]) == (
        begun["id"],
        "running",
        begun["by"],
        1,
        1,
    )
    assert (await convenor.post(f"{MEMBERSHIP}?check=1", leave)).refusal == (409, "search_running")
    address = address_of(begun)
    assert (await director.get(address)).status == 200
    assert (await director.delete(address)).status == 403
    os.kill(search.process.pid, signal.SIGCONT)
    assert (await convenor.delete(address)).status == 200
    ended_so = await end_of(convenor, begun["id"])
    assert (ended_so["state"], ended_so["outcome"]) == ("cancelled", None)
    view = (await convenor.get(MEMBERSHIP)).json
    assert (view["search"], view["changes"], view["revision"]) == (None, [], revision)

    # what was looked at is put before the schools as it was seen, without another search
    looked = await ended(convenor, f"{MEMBERSHIP}?check=1", leave)
    assert looked["rung"] is not None
    # the page has it again after it was left, for those who may plan it
    again = (await convenor.get(MEMBERSHIP)).json
    assert (again["search"], again["looked"]) == (looked, leave["change"])
    of_others = (await director.get(MEMBERSHIP)).json
    assert (of_others["search"], of_others["looked"]) == (None, None)
    for path in (address_of(looked), f"{address_of(looked)}/events"):
        assert (await director.get(path)).refusal == (403, "not_permitted"), "which school is thought of is told nobody"
        assert (await convenor.get(path)).status == 200
    planned = await ended(convenor, MEMBERSHIP, planning)
    assert (planned["outcome"], planned["step"]) == (looked["outcome"], 0)
    assert (await convenor.get(MEMBERSHIP)).json["search"] is None
    stream = (await convenor.get(f"/api/membership-searches/{planned['id']}/events")).body.decode()
    assert json.loads(stream.removeprefix("data: "))["state"] == "done"
