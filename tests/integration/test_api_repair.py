"""Moving a lesson over HTTP: its slots, a repair worked out and accepted, undone; nobody's change is overwritten."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from sqlalchemy import func, select

from server.keys import counties_key, database_key, importing_key, repairs_key, timetable_key
from server.repair_process import Known, RepairProcess
from server.repair_worker import AskCheck, AskRepair, AskSlots, Subject
from server.repairs import Repairs
from server.storage.proposal_store import proposals
from server.storage.table_store import SqlTableStore
from tests.county_server import LOCAL, SYNC, Caller, CountyServer, running_county
from timetable.days.versions import Version, diff
from timetable.model import BusyTime, Register, Slot
from timetable.solving.solver import solve

TABLE = "/api/communities/A/timetable?version=draft"
SLOTS = "/api/communities/A/slots"
REPAIRS = "/api/communities/A/repairs"
UNDO = "/api/communities/A/undo"
REDO = "/api/communities/A/redo"


@pytest.fixture
async def drafted(tmp_path: Path, migrated_sqlite: Path) -> AsyncIterator[CountyServer]:
    """The county with a real table of the first community as its draft, revision 1."""
    async with running_county(tmp_path / "data", migrated_sqlite, publish=False) as county:
        register = (await county.app[counties_key].now()).register
        table = (await asyncio.to_thread(solve, register, "A", seconds=5, workers=1, improve_until=0)).table
        assert table is not None
        await county.app[timetable_key].take_draft("A", table, author="排课", revision=0)
        yield county


async def slots(caller: Caller, lesson: str = SYNC) -> list[dict[str, Any]]:
    answer = await caller.get(f"{SLOTS}?lesson={lesson}")
    assert answer.status == 200, answer.body
    found: list[dict[str, Any]] = answer.json["slots"]
    return found


async def lesson_at(caller: Caller, lesson: str = SYNC) -> tuple[int, int]:
    view = (await caller.get(TABLE)).json
    found = next(one for one in view["lessons"] if one["id"] == lesson)
    return found["weekday"], found["parties"][0]["period"]


def wish(slot: dict[str, Any], revision: int, lesson: str = SYNC) -> dict[str, Any]:
    return {"revision": revision, "lesson": lesson, "weekday": slot["weekday"], "period": slot["period"]}


async def test_every_slot_of_the_week_has_a_verdict(drafted: CountyServer) -> None:
    teacher = await drafted.person("member_teacher")
    found = await slots(teacher)
    assert [(s["weekday"], s["period"]) for s in found if s["verdict"] == "here"] == [await lesson_at(teacher)]
    assert {slot["weekday"] for slot in found} == {1, 2, 3, 4, 5, 6, 7}
    for slot in found:
        assert bool(slot["reasons"]) == (slot["verdict"] == "impossible")
    assert (await teacher.get(f"{SLOTS}?lesson=absent")).refusal == (404, "not_found")
    assert (await teacher.get(SLOTS)).refusal == (404, "not_found")
    assert (await (await drafted.person("foreign_director")).get(f"{SLOTS}?lesson={SYNC}")).refusal == (
        403,
        "not_permitted",
    )
    assert (await drafted.nobody.get(f"{SLOTS}?lesson={SYNC}")).status == 401


async def test_a_lesson_is_moved_and_the_move_undone(drafted: CountyServer) -> None:
    director = await drafted.person("core_director")
    before = await lesson_at(director)
    free = next(slot for slot in await slots(director) if slot["verdict"] in ("fits", "costs"))
    proposed = await director.post(REPAIRS, wish(free, 1))
    assert (proposed.status, proposed.json["verified"]) == (201, True)
    [move] = proposed.json["moves"]
    assert move["lesson"] == SYNC
    assert (move["source"]["weekday"], move["source"]["period"]) == before
    assert (move["target"]["weekday"], move["target"]["period"]) == (free["weekday"], free["period"])
    assert await lesson_at(director) == before

    accept = f"{REPAIRS}/{proposed.json['id']}/accept"
    accepted = await director.post(accept)
    assert (accepted.status, accepted.json["revision"], accepted.json["status"]) == (200, 2, "draft")
    assert accepted.json["cost"] == proposed.json["costAfter"]
    assert await lesson_at(director) == (free["weekday"], free["period"])
    assert (await director.post(accept)).refusal == (404, "not_found")

    assert (await director.post(UNDO, {"revision": 1})).refusal == (409, "stale_version")
    undone = await director.post(UNDO, {"revision": 2})
    assert (undone.status, undone.json["revision"]) == (200, 3)
    assert (undone.json["mayUndo"], undone.json["mayRedo"]) == (False, True)
    assert await lesson_at(director) == before
    assert (await director.post(UNDO, {"revision": 3})).refusal == (409, "nothing_to_undo")

    assert (await director.post(REDO, {"revision": 2})).refusal == (409, "stale_version")
    redone = await director.post(REDO, {"revision": 3})
    assert (redone.status, redone.json["mayUndo"], redone.json["mayRedo"]) == (200, True, False)
    assert await lesson_at(director) == (free["weekday"], free["period"])
    assert (await director.post(REDO, {"revision": 4})).refusal == (409, "nothing_to_redo")


async def test_what_breaks_a_rule_by_now_is_not_redone(drafted: CountyServer) -> None:
    director = await drafted.person("core_director")
    tables = drafted.app[timetable_key]
    draft = await tables.draft("A")
    assert draft is not None
    known = next(one for one in draft.table.lessons if one.id == LOCAL)
    short = structs.replace(draft.table, lessons=tuple(one for one in draft.table.lessons if one is not known))
    await tables.take_draft("A", short, author="排课", revision=1)
    assert (await director.post(UNDO, {"revision": 2})).status == 200
    refused = await director.post(REDO, {"revision": 3})
    assert refused.refusal == (409, "redo_outdated")
    assert refused.json["errors"]
    assert await lesson_at(director, LOCAL) == (known.weekday, known.host.period)


async def test_a_table_that_the_register_no_longer_allows_is_not_brought_back(drafted: CountyServer) -> None:
    """A teacher is not to be had any more where the lesson stood before it was moved."""
    director, county = await drafted.person("core_director"), drafted.app[counties_key]
    draft = await drafted.app[timetable_key].draft("A")
    assert draft is not None
    known = next(one for one in draft.table.lessons if one.id == LOCAL)
    free = next(slot for slot in await slots(director, LOCAL) if slot["verdict"] in ("fits", "costs"))
    proposed = await director.post(REPAIRS, wish(free, 1, LOCAL))
    assert (await director.post(f"{REPAIRS}/{proposed.json['id']}/accept")).status == 200

    def changed(register: Register, *, free: bool) -> Register:
        away = BusyTime(weekday=known.weekday, start=known.host.start, end=known.host.end, reason="进修")
        teachers = tuple(
            structs.replace(one, unavailable=() if free else (away,)) if one.id in known.host.teachers else one
            for one in register.teachers
        )
        return structs.replace(register, teachers=teachers)

    await drafted.app[importing_key].edit(lambda register: changed(register, free=False), "教务")
    await county.now()
    refused = await director.post(UNDO, {"revision": 2})
    assert refused.refusal == (409, "undo_outdated")
    [why] = refused.json["errors"]
    assert LOCAL in why["values"].values()
    assert await lesson_at(director, LOCAL) == (free["weekday"], free["period"])
    view = (await director.get(TABLE)).json
    assert (view["revision"], view["mayUndo"], view["mayRedo"]) == (2, True, False)
    # and nothing of it is left behind: once the teacher is there again it can be undone
    await drafted.app[importing_key].edit(lambda register: changed(register, free=True), "教务")
    assert (await director.post(UNDO, {"revision": 2})).status == 200
    assert await lesson_at(director, LOCAL) == (known.weekday, known.host.period)


async def waiting(asked: Repairs | RepairProcess, count: int) -> None:
    async with asyncio.timeout(20):
        while asked.questions != count:  # noqa: ASYNC110 - asked over HTTP
            await asyncio.sleep(0.01)


async def test_a_check_goes_before_all_searches(drafted: CountyServer) -> None:
    """And so an accepted repair, undo and redo wait for none: the one under way is stopped, and begins again after."""
    draft = await drafted.app[timetable_key].draft("A")
    assert draft is not None
    register = (await drafted.app[counties_key].now()).register
    about = Known(register, draft.table, ()), Subject(register, draft.table, ())
    process = RepairProcess(60)
    found = (await process.ask(*about, AskSlots(SYNC))).slots
    free = next(slot for slot in found if slot.verdict in ("fits", "costs"))
    search = AskRepair(SYNC, Slot(weekday=free.weekday, period=free.period), 8.0)
    pid, answered = process.pid, []

    async def ask(question: AskRepair | AskCheck) -> None:
        answer = await process.ask(*about, question)
        assert (answer.repair is not None) is isinstance(question, AskRepair)
        answered.append(type(question))

    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        asked = [asyncio.create_task(ask(search)) for _ in range(6)]
        asked.append(asyncio.create_task(ask(AskCheck(draft.table))))
        await waiting(process, 7)
    finally:
        os.kill(pid, signal.SIGCONT)
    await asyncio.gather(*asked)
    # the search that was under way may have ended before it was stopped; no other came first
    assert answered.index(AskCheck) <= 1
    assert process.pid == pid
    await process.close()


async def test_a_search_is_stopped_before_the_process_is_there(
    drafted: CountyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = await drafted.app[timetable_key].draft("A")
    assert draft is not None
    register = (await drafted.app[counties_key].now()).register
    about = Known(register, draft.table, ()), Subject(register, draft.table, ())
    process, begin, begun = RepairProcess(60), asyncio.Event(), asyncio.Event()
    start = asyncio.create_subprocess_exec

    async def slowly(*arguments: Any, **more: Any) -> Any:
        begun.set()
        await begin.wait()
        return await start(*arguments, **more)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", slowly)
    answered: list[type] = []

    async def ask(question: AskRepair | AskCheck) -> None:
        await process.ask(*about, question)
        answered.append(type(question))

    try:
        search = asyncio.create_task(ask(AskRepair(SYNC, Slot(weekday=1, period=1), 8.0)))
        await begun.wait()
        check = asyncio.create_task(ask(AskCheck(draft.table)))
        await waiting(process, 2)
        begin.set()
        await asyncio.gather(search, check)
        assert answered == [AskCheck, AskRepair]
    finally:
        await process.close()


async def test_a_search_that_nobody_waits_for_ends(drafted: CountyServer) -> None:
    director = await drafted.person("core_director")
    free = next(slot for slot in await slots(director) if slot["verdict"] in ("fits", "costs"))
    process = drafted.app[repairs_key].worker_process
    assert process is not None
    os.kill(process, signal.SIGSTOP)
    try:
        searches = [asyncio.create_task(director.post(REPAIRS, wish(free, 1))) for _ in range(3)]
        await waiting(drafted.app[repairs_key], 3)
        for given_up in searches:
            given_up.cancel()
        await asyncio.gather(*searches, return_exceptions=True)
        # those that had not begun are gone at once, the one under way with its answer
        await waiting(drafted.app[repairs_key], 1)
    finally:
        os.kill(process, signal.SIGCONT)
    await waiting(drafted.app[repairs_key], 0)
    assert await slots(director)
    assert drafted.app[repairs_key].worker_process == process
    kept = select(func.count()).select_from(proposals)
    assert await drafted.app[database_key].read(lambda connection: connection.execute(kept).scalar()) == 0


async def test_no_change_of_a_draft_makes_it_younger_than_what_was_published(drafted: CountyServer) -> None:
    """A lasting change was published meanwhile; a draft without it is not published over it."""
    director, tables = await drafted.person("core_director"), drafted.app[timetable_key]
    draft = await tables.draft("A")
    assert draft is not None
    lasting = structs.replace(draft.table, cost=draft.table.cost + 1)
    change = Version(community="A", number=1, author="c", at=0.0, table=lasting, diff=diff(None, lasting))
    await SqlTableStore(drafted.app[database_key]).follow([change], None, expected=0)
    free = next(slot for slot in await slots(director) if slot["verdict"] in ("fits", "costs"))
    proposed = await director.post(REPAIRS, wish(free, 1))
    assert (await director.post(f"{REPAIRS}/{proposed.json['id']}/accept")).status == 200
    bases = []
    for path, revision in ((UNDO, 2), (REDO, 3), (UNDO, 4)):
        standing = await tables.draft("A")
        bases.append(standing.base if standing else None)
        assert (await director.post(path, {"revision": revision})).status == 200
    assert bases == [0, 0, 0]


async def test_several_changes_are_undone_one_by_one(drafted: CountyServer) -> None:
    director = await drafted.person("core_director")
    stood = [await lesson_at(director, LOCAL)]
    for revision in (1, 2, 3):
        free = next(slot for slot in await slots(director, LOCAL) if slot["verdict"] in ("fits", "costs"))
        proposed = await director.post(REPAIRS, wish(free, revision, LOCAL))
        assert (await director.post(f"{REPAIRS}/{proposed.json['id']}/accept")).status == 200
        stood.append(await lesson_at(director, LOCAL))
    for revision, place in zip((4, 5, 6), reversed(stood[:-1]), strict=True):
        assert (await director.post(UNDO, {"revision": revision})).status == 200
        assert await lesson_at(director, LOCAL) == place


async def test_of_two_directors_moves_the_second_is_stale(drafted: CountyServer) -> None:
    director, principal = await drafted.person("core_director"), await drafted.person("core_principal")
    free = [slot for slot in await slots(director) if slot["verdict"] in ("fits", "costs")]
    first, second = await asyncio.gather(
        director.post(REPAIRS, wish(free[0], 1)), principal.post(REPAIRS, wish(free[1], 1))
    )
    assert (await director.post(f"{REPAIRS}/{first.json['id']}/accept")).status == 200
    assert (await principal.post(f"{REPAIRS}/{second.json['id']}/accept")).refusal == (409, "stale_version")
    assert (await principal.post(REPAIRS, wish(free[1], 1))).refusal == (409, "stale_version")


async def test_what_cannot_be_says_why(drafted: CountyServer) -> None:
    director = await drafted.person("core_director")
    stuck = {"weekday": 1, "period": 16}
    answer = await director.post(REPAIRS, wish(stuck, 1))
    assert answer.refusal == (422, "cannot_repair")
    assert [finding["code"] for finding in answer.json["errors"]] == ["slot_block"]
    assert (await director.post(REPAIRS, wish(stuck, 1, "absent"))).refusal == (404, "not_found")
    assert (await director.post(REPAIRS, wish({"weekday": 8, "period": 1}, 1))).refusal == (422, "invalid_body")
    assert (await director.post(f"{REPAIRS}/absent/accept")).refusal == (404, "not_found")


@pytest.mark.parametrize("name", ["core_teacher", "member_director", "researcher", "bureau_admin", "foreign_director"])
async def test_only_who_may_build_may_move(drafted: CountyServer, name: str) -> None:
    somebody = await drafted.person(name)
    for path, body in (
        (REPAIRS, wish({"weekday": 1, "period": 1}, 1)),
        (f"{REPAIRS}/absent/accept", None),
        (UNDO, {"revision": 1}),
        (REDO, {"revision": 1}),
    ):
        assert (await somebody.post(path, body)).refusal == (403, "not_permitted")


async def test_a_killed_worker_costs_one_question_at_most(drafted: CountyServer) -> None:
    director = await drafted.person("core_director")
    await slots(director)
    process = drafted.app[repairs_key].worker_process
    assert process is not None
    os.kill(process, signal.SIGKILL)
    answers = [await director.get(f"{SLOTS}?lesson={SYNC}") for _ in range(2)]
    assert answers[0].status == 200 or answers[0].refusal == (503, "worker_stopped")
    assert answers[1].status == 200
