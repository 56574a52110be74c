"""Why there is no table, over HTTP: the concessions come as they are verified, and one of them is made."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any

import msgspec
import pytest
from msgspec import structs

from server.keys import counties_key, explanations_key, importing_key
from tests.county_server import CORE, MEMBER, SYNC_REQUIREMENT, THIRD, Caller, CountyServer
from timetable.model import BusyTime, Register, Slot
from timetable.problem import Problem

LOCAL_REQUIREMENT = "A-r2"


async def change(county: CountyServer, **rows: dict[str, Any]) -> None:
    """Change rows of the register: `requirements={"A-r2": {"weekly": 8}}`."""

    def changed(register: Register) -> Register:
        lists = {}
        for name, wanted in rows.items():
            standing = getattr(register, name)
            lists[name] = tuple(structs.replace(row, **wanted.get(row.id, {})) for row in standing)
        return structs.replace(register, **lists)

    await county.app[importing_key].edit(changed, "tests")


async def overworked(county: CountyServer) -> None:
    """One teacher of the core school has eight lessons and may give one a day."""
    teacher = next(
        party.teachers[0]
        for register in [await register_of(county)]
        for r in register.requirements
        if r.id == LOCAL_REQUIREMENT
        for party in r.parties
    )
    await change(county, requirements={LOCAL_REQUIREMENT: {"weekly": 8}}, teachers={teacher: {"max_per_day": 1}})


async def register_of(county: CountyServer) -> Register:
    register = await county.app[counties_key].load()
    assert register is not None
    return register


async def explained(caller: Caller, community: str = "A") -> dict[str, Any]:
    """Start an explanation and read its events to the end."""
    started = await caller.post(f"/api/communities/{community}/explanations", {"seconds": 60})
    assert started.status == 201, started
    async with asyncio.timeout(90):
        events = await caller.get(f"/api/explanations/{started.json['id']}/events")
    assert events.headers["Content-Type"] == "text/event-stream"
    views = [msgspec.json.decode(line[6:]) for line in events.body.splitlines() if line.startswith(b"data: ")]
    found = [len(view["concessions"]) for view in views]
    assert found == sorted(found)
    return dict(views[-1])


def kinds(view: dict[str, Any]) -> list[str]:
    return [one["kind"] for one in view["concessions"]]


async def test_a_concession_is_found_made_and_lets_the_table_be_built(county: CountyServer) -> None:
    await overworked(county)
    director = await county.person("core_director")
    view = await explained(director)
    assert (view["state"], view["feasible"], view["complete"]) == ("done", False, True)
    assert "teacher_over_days" in {finding["code"] for finding in view["findings"]}
    assert [row["lessons"] for row in view["missing"]] == [1]
    assert kinds(view)[0] == "teacher_day"
    assert [one["price"] for one in view["concessions"]] == sorted(one["price"] for one in view["concessions"])
    first = view["concessions"][0]
    assert (first["units"], first["may"]) == ([CORE], True)
    address = f"/api/explanations/{view['id']}/concessions"
    assert (await director.post(f"{address}/99")).refusal == (404, "not_found")
    before = await county.app[importing_key].version()
    made = await director.post(f"{address}/{first['number']}")
    assert (made.status, made.json) == (200, {"version": before + 1})
    # the other concessions were for a register that stands no more
    assert (await director.post(f"{address}/{view['concessions'][1]['number']}")).refusal == (409, "stale_version")
    revision = (await director.get("/api/communities/A/timetable?version=draft")).json["revision"]
    build = (await director.post("/api/communities/A/builds", {"revision": revision, "seconds": 10})).json
    async with asyncio.timeout(60):
        events = await director.get(f"/api/builds/{build['id']}/events")
    assert msgspec.json.decode(events.body.splitlines()[-2][6:])["state"] == "done"


async def test_a_school_concedes_what_is_its_own_only(county: CountyServer) -> None:
    register = await register_of(county)
    sync = next(one for one in register.requirements if one.id == SYNC_REQUIREMENT)
    member = next(party.teachers[0] for party in sync.parties if party.unit == MEMBER)
    placement = Problem(register, register.communities[0]).by_clock(sync)[0]
    slot = Slot(weekday=placement.weekday, period=placement.period)
    away = (BusyTime(weekday=slot.weekday, start="07:00", end="18:00"),)
    await change(
        county,
        requirements={SYNC_REQUIREMENT: {"locked": (slot,)}},
        teachers={member: {"unavailable": away}},
    )
    director = await county.person("core_director")
    view = await explained(director)
    concessions = {one["kind"]: one for one in view["concessions"]}
    lock, time = concessions["locked"], concessions["unavailable"]
    assert (lock["units"], lock["may"]) == ([CORE, MEMBER, THIRD], False)
    assert (time["units"], time["may"]) == ([MEMBER], False)
    address = f"/api/explanations/{view['id']}"
    assert (await director.post(f"{address}/concessions/{lock['number']}")).refusal == (403, "outside_reach")
    convenor = await county.person("convenor")
    seen = (await convenor.get(address)).json
    assert all(one["may"] for one in seen["concessions"])
    assert (await convenor.post(f"{address}/concessions/{lock['number']}")).status == 200
    member_director = await county.person("member_director")
    assert (await member_director.get(address)).status == 200
    refused = await member_director.post(f"{address}/concessions/{time['number']}")
    assert refused.refusal == (403, "not_permitted")


async def test_an_explanation_is_stopped_and_what_it_found_stays(county: CountyServer) -> None:
    await overworked(county)
    director = await county.person("core_director")
    started = (await director.post("/api/communities/A/explanations", {"seconds": 300})).json
    again = (await director.post("/api/communities/A/explanations", {"seconds": 300})).json
    assert again["id"] == started["id"]
    stopped = await director.delete(f"/api/explanations/{started['id']}")
    assert stopped.status == 200
    async with asyncio.timeout(30):
        await director.get(f"/api/explanations/{started['id']}/events")
    assert (await director.get(f"/api/explanations/{started['id']}")).json["state"] in ("cancelled", "done")


async def test_a_killed_search_is_told_and_keeps_what_it_found(county: CountyServer) -> None:
    await overworked(county)
    director = await county.person("core_director")
    started = (await director.post("/api/communities/A/explanations", {"seconds": 300})).json
    searching = county.app[explanations_key].get(started["id"])
    async with asyncio.timeout(60):
        async for state in searching.watch():
            if state.phase != "lints":
                break
    assert searching.process.pid is not None
    os.kill(searching.process.pid, signal.SIGKILL)
    async with asyncio.timeout(30):
        await director.get(f"/api/explanations/{started['id']}/events")
    view = (await director.get(f"/api/explanations/{started['id']}")).json
    assert view["state"] == "failed"
    assert [finding["code"] for finding in view["findings"]][-1] == "solver_stopped"


async def test_a_table_that_exists_needs_nothing(county: CountyServer) -> None:
    view = await explained(await county.person("convenor"))
    assert (view["state"], view["feasible"], view["concessions"]) == ("done", True, [])


@pytest.mark.parametrize("seconds", [0, 601, -1])
async def test_an_explanation_has_its_limits(county: CountyServer, seconds: float) -> None:
    director = await county.person("core_director")
    answer = await director.post("/api/communities/A/explanations", {"seconds": seconds})
    assert answer.refusal == (422, "invalid_body")


async def test_who_has_no_say_starts_none(county: CountyServer) -> None:
    for name in ("member_director", "core_teacher", "foreign_director", "bureau_admin"):
        answer = await (await county.person(name)).post("/api/communities/A/explanations", {})
        assert answer.refusal == (403, "not_permitted"), name
