"""Withdrawing a class's consent: by whom, also after it has left, what is gone at once, and what brings it back."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace
from python_calamine import CalamineWorkbook

from server.county import Counties
from server.keys import counties_key, database_key, registers_key
from server.storage.register_store import SqlRegisterStore
from tests.county_server import CORE, MEMBER, THIRD, Answer
from tests.held_lessons import HOST, MEMBERS, Held
from timetable.model import Register

TEXT, OWN_TEXT = "垂直于镜面", "垂直的线"
"""What a pupil of the member class wrote, and one of the host's."""


async def register_of(held: Held) -> Register:
    return (await held.county.app[counties_key].now()).register


async def change_register(held: Held, change: Callable[[Register], Register]) -> None:
    registers = held.county.app[registers_key]
    await registers.save(change(await register_of(held)), "test", 0.0, await registers.version())


async def ask(held: Held, name: str, unit: str = MEMBER) -> dict[str, Any]:
    answer = await (await held.county.person(name)).get(f"/api/consents/{unit}-5-1")
    assert answer.status == 200, answer
    consent: dict[str, Any] = answer.json
    return consent


async def say(held: Held, name: str, agreed: bool, unit: str = MEMBER) -> Answer:
    revision = (await ask(held, name, unit))["row"]["revision"]
    body = {"agreed": agreed, "revision": revision}
    return await (await held.county.person(name)).put(f"/api/consents/{unit}-5-1", body)


async def seen(held: Held) -> dict[str, set[str]]:
    """What of each unit still reaches the host of the lesson, by every way there is."""
    host = await held.county.person("host_teacher")
    view = await held.view("host_teacher")
    report = (await host.get(f"/api/sessions/{held.session}/report")).json
    found: dict[str, set[str]] = {CORE: set(), MEMBER: set()}
    for track in view["views"]:
        if track["segments"]:
            url = track["segments"][0]["url"]
            assert (await host.get(url, headers={"Range": "bytes=0-9"})).status == 206
            found[track["unit"]].add("film")
    [exercise] = report["exercises"]
    for one in exercise["classes"]:
        if one["single"]:
            found[one["unit"]].add("answers")
        if one["pictures"]:
            found[one["unit"]].add("photos in the report")
    for unit, photo in held.photos.items():
        if (await host.get(f"/api/sessions/{held.session}/photos/{photo}")).status == 200:
            found[unit].add("photo")
    board = (await host.get(f"{held.path}/board")).json
    units = {HOST: CORE, MEMBERS: MEMBER}
    for moment in board["moments"]:
        if moment["event"]["type"] == "stroke_drawn":
            found[units[moment["event"]["participant"]]].add("strokes")
    return found


ALL = {"film", "answers", "photos in the report", "photo", "strokes"}


async def test_a_class_that_withdraws_is_shown_to_nobody_by_any_way(answered: Held) -> None:
    assert await seen(answered) == {CORE: ALL, MEMBER: ALL}
    teacher = await answered.county.person("member_teacher")
    [track] = [one for one in (await answered.view("member_teacher"))["views"] if one["unit"] == MEMBER]
    consent = (await say(answered, "member_principal", False)).json
    assert (consent["row"]["agreed"], consent["row"]["recordings"]) == (False, 1)
    assert consent["row"]["said"]["name"] == "某member_principal"
    assert [one["review"] for one in consent["lessons"]] == [answered.id]
    assert await seen(answered) == {CORE: ALL, MEMBER: set()}
    # its own teachers do not either, by links that they hold already
    for path in (track["segments"][0]["url"], f"/api/sessions/{answered.session}/photos/{answered.photos[MEMBER]}"):
        gone = await teacher.get(path)
        assert (gone.refusal, gone.json["fields"]["reason"]) == ((403, "recording_withheld"), "withdrawn")
    view = await answered.view("host_teacher")
    marked = {track["unit"]: (track["consent"], track["withdrawn"], track["talk"]) for track in view["views"]}
    assert marked[MEMBER] == (False, True, [])
    assert marked[CORE][:2] == (True, False)
    # the third school's class never agreed: nothing is shown of it either, and nothing was withdrawn
    assert view["hiddenUnits"] == [MEMBER, THIRD]


async def test_sheets_of_the_report_hold_counts_and_no_words_of_pupils(answered: Held) -> None:
    await say(answered, "member_director", False)
    host = await answered.county.person("host_teacher")
    path = f"/api/sessions/{answered.session}/report"
    report = await host.get(path)
    assert (TEXT.encode() in report.body, OWN_TEXT.encode() in report.body) == (False, True)
    assert report.json["hiddenUnits"] == [MEMBER, THIRD]
    [exercise] = report.json["exercises"]
    counts = {one["unit"]: (one["answered"], one["photos"]) for one in exercise["classes"]}
    assert (counts[MEMBER], counts[CORE]) == ((1, 1), (2, 1))
    csv = (await host.get(f"{path}?form=csv")).body.decode()
    sheets = CalamineWorkbook.from_filelike(io.BytesIO((await host.get(f"{path}?form=xlsx")).body))
    cells = json.dumps([sheets.get_sheet_by_name(name).to_python() for name in sheets.sheet_names], ensure_ascii=False)
    for sheet in (csv, cells):
        assert "什么是法线" in sheet
        assert TEXT not in sheet


async def test_only_a_new_consent_brings_it_back(answered: Held) -> None:
    await say(answered, "member_principal", False)

    def sheet_of_before(register: Register) -> Register:
        """The school imports the sheet that it has always had: its classes agree."""
        return replace(register, classes=tuple(replace(one, recording_consent=True) for one in register.classes))

    await change_register(answered, sheet_of_before)
    assert (await seen(answered))[MEMBER] == set()
    assert (await ask(answered, "member_principal"))["row"]["agreed"] is False
    again = await say(answered, "member_director", True)
    assert (again.status, again.json["row"]["agreed"]) == (200, True)
    assert await seen(answered) == {CORE: ALL, MEMBER: ALL}


async def test_a_new_consent_counts_also_where_the_sheet_says_no(answered: Held) -> None:
    def refusing(register: Register) -> Register:
        classes = (replace(one, recording_consent=one.unit == CORE) for one in register.classes)
        return replace(register, classes=tuple(classes))

    await change_register(answered, refusing)
    assert (await seen(answered))[MEMBER] == set()
    assert (await say(answered, "member_principal", True)).json["row"]["agreed"] is True
    assert (await seen(answered))[MEMBER] == ALL
    assert (await answered.county.app[counties_key].now()).agreed([f"{MEMBER}-5-1"])
    # the newest no counts, wherever it comes from
    await change_register(answered, refusing)
    assert (await seen(answered))[MEMBER] == set()


async def test_a_class_that_withdraws_is_recorded_no_more(answered: Held) -> None:
    await say(answered, "member_principal", False)
    county = await answered.county.app[counties_key].now()
    assert (county.agreed([f"{MEMBER}-5-1"]), county.agreed([f"{CORE}-5-1"])) == (False, True)


def promoted(register: Register) -> Register:
    classes = (replace(one, name="六(1)班", grade=6) if one.unit == MEMBER else one for one in register.classes)
    return replace(register, classes=tuple(classes))


def graduated(register: Register) -> Register:
    return replace(register, classes=tuple(one for one in register.classes if one.unit != MEMBER))


def outside_the_community(register: Register) -> Register:
    first, *others = register.communities
    left = replace(first, members=tuple(unit for unit in first.members if unit != MEMBER))
    return replace(register, communities=(left, *others))


def dissolved(register: Register) -> Register:
    gone = graduated(outside_the_community(register))
    return replace(gone, units=tuple(unit for unit in gone.units if unit.id != MEMBER))


@pytest.mark.parametrize("since", [promoted, graduated, outside_the_community, dissolved])
async def test_a_class_withdraws_whatever_became_of_it(answered: Held, since: Callable[[Register], Register]) -> None:
    await change_register(answered, since)
    assert (await seen(answered))[MEMBER] == ALL
    for speaker in ("member_principal", "member_director", "convenor", "bureau_admin"):
        caller = await answered.county.person(speaker)
        [row] = [one for one in (await caller.get("/api/consents")).json if one["id"] == f"{MEMBER}-5-1"]
        left = since in (graduated, dissolved)
        assert (row["left"], row["agreed"], row["recordings"], row["unit"]) == (left, True, 1, MEMBER), speaker
        then = (await ask(answered, speaker))["lessons"][0]["className"]
        assert row["className"] == ("六(1)班" if since is promoted else then), speaker
        assert (await say(answered, speaker, False)).status == 200, speaker
        assert await seen(answered) == {CORE: ALL, MEMBER: set()}, speaker
        assert (await say(answered, speaker, True)).status == 200, speaker
        assert (await seen(answered))[MEMBER] == ALL, speaker


async def test_a_class_that_left_with_a_no_can_agree_anew(answered: Held) -> None:
    def refusing(register: Register) -> Register:
        return replace(register, classes=tuple(replace(one, recording_consent=False) for one in register.classes))

    await change_register(answered, refusing)
    await change_register(answered, graduated)
    assert (await ask(answered, "member_principal"))["row"]["agreed"] is False
    assert (await say(answered, "member_principal", True)).status == 200
    assert (await seen(answered))[MEMBER] == ALL


async def test_who_does_not_speak_for_the_class_changes_nothing(answered: Held) -> None:
    for name in (
        "member_teacher",
        "researcher",
        "bureau_viewer",
        "core_director",
        "third_director",
        "foreign_director",
    ):
        caller = await answered.county.person(name)
        refused = await caller.put(f"/api/consents/{MEMBER}-5-1", {"agreed": False, "revision": 0})
        assert refused.refusal == (403, "not_permitted"), name
    assert (await (await answered.county.panel(MEMBER)).get("/api/consents")).refusal == (403, "not_permitted")
    principal = await answered.county.person("member_principal")
    rows = (await principal.get("/api/consents")).json
    assert {row["unit"] for row in rows} == {MEMBER}
    assert (await principal.get("/api/consents/absent")).refusal == (404, "not_found")
    for body in ({"agreed": False}, {"agreed": "no", "revision": 0}):
        assert (await principal.put(f"/api/consents/{MEMBER}-5-1", body)).refusal == (422, "invalid_body")
    await say(answered, "member_principal", False)
    late = await principal.put(f"/api/consents/{MEMBER}-5-1", {"agreed": True, "revision": 0})
    assert late.refusal == (409, "stale_version")
    assert (await seen(answered))[MEMBER] == set()


async def test_what_names_a_pupil_is_hidden_by_the_class_s_school(answered: Held) -> None:
    host, principal = await answered.county.person("host_teacher"), await answered.county.person("member_principal")
    for text in ("小明答得好", "节奏合适"):
        await host.post(f"{answered.path}/comments", {"text": text, "at": 1.0})
    await host.put(f"{answered.path}/conclusion", {"worked": "小明进步", "change": "慢一点"})
    path = f"/api/consents/{MEMBER}-5-1"
    assert (await principal.get(f"{path}/words")).json == []
    await say(answered, "member_principal", False)
    words = (await principal.get(f"{path}/words")).json
    texts = {one["text"]: one for one in words}
    assert {(one["kind"], one["text"]) for one in words} == {
        ("note", "看板书"),
        ("comment", "小明答得好"),
        ("comment", "节奏合适"),
        ("conclusion", "小明进步\n慢一点"),
    }
    named = [
        {"review": answered.id, "word": texts[text]["word"]} for text in ("小明答得好", "小明进步\n慢一点", "看板书")
    ]
    absent = {"review": answered.id, "word": "comment.absent"}
    elsewhere = {**named[0], "review": "absent"}
    for wrong in (absent, elsewhere):
        refused = await principal.post(f"{path}/hidden", {"words": [named[0], wrong]})
        assert refused.refusal == (404, "not_found")
    assert [one["hidden"] for one in (await principal.get(f"{path}/words")).json] == [False] * 4
    for _ in range(2):
        assert (await principal.post(f"{path}/hidden", {"words": named})).status == 204
    view = await answered.view("host_teacher")
    assert [(one["text"], one["hidden"]) for one in view["comments"]] == [("", True), ("节奏合适", False)]
    assert [(one["worked"], one["change"], one["hidden"]) for one in view["conclusions"]] == [("", "", True)]
    assert [(one["label"], one["hidden"]) for one in view["marks"] if one["kind"] == "mark"] == [("", True)]
    assert "小明" not in json.dumps([view, (await principal.get(f"{path}/words")).json], ensure_ascii=False)
    # what is answered to a write is the same view
    answer = await host.post(f"{answered.path}/comments", {"text": "好"})
    assert "小明" not in answer.body.decode()
    await say(answered, "member_principal", True)
    assert [one["text"] for one in (await answered.view("host_teacher"))["comments"]][:2] == ["小明答得好", "节奏合适"]
    late = await principal.post(
        f"{path}/hidden", {"words": [{"review": answered.id, "word": texts["节奏合适"]["word"]}]}
    )
    assert late.refusal == (404, "not_found")
    await say(answered, "member_principal", False)
    assert [one["text"] for one in (await answered.view("host_teacher"))["comments"]][:2] == ["", "节奏合适"]


async def test_another_process_hides_it_with_its_next_answer(answered: Held) -> None:
    elsewhere = Counties(SqlRegisterStore(answered.county.app[database_key]))
    assert f"{MEMBER}-5-1" not in (await elsewhere.now()).refusing
    await say(answered, "member_principal", False)
    assert f"{MEMBER}-5-1" in (await elsewhere.now()).refusing


async def test_an_open_review_hears_of_it_at_once(answered: Held) -> None:
    host = await answered.county.person("host_teacher")
    url = answered.county.base + f"{answered.path}/shown/events"
    async with asyncio.timeout(5), answered.county.http.get(url, headers=host.headers) as stream:
        assert stream.headers["Content-Type"] == "text/event-stream"

        async def heard(until: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
            async for line in stream.content:
                if line.startswith(b"data: "):
                    told: dict[str, Any] = json.loads(line[6:])
                    if until(told):
                        return told
            raise AssertionError("the stream ended")

        assert (await heard(lambda _: True))["hiddenUnits"] == [THIRD]
        await say(answered, "member_principal", False)
        told = await heard(lambda told: told["hiddenUnits"] != [THIRD])
        assert told == (await host.get(f"{answered.path}/shown")).json
        assert told["hiddenUnits"] == [MEMBER, THIRD]
        # sharing and taking back are news as well
        colleague = await answered.county.person("core_teacher")
        await host.put(f"{answered.path}/release", {"revision": 0, "scope": "units", "invited": []})
        assert (await colleague.get(f"{answered.path}/shown")).json["watching"] == "yes"
    stranger = await answered.county.person("foreign_teacher")
    assert (await stranger.get(f"{answered.path}/shown/events")).refusal == (403, "not_permitted")
