"""The release of a recording: private until the host shares it, taken back at once, whatever way leads to it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec

from recordings.journal import read_journal
from server.keys import counties_key, registers_key, session_store_key, settings_key
from tests.county_server import CORE, FOREIGN, MEMBER, Answer, person_id
from tests.held_lessons import Held

OTHERS = ("core_teacher", "member_director", "third_teacher", "convenor", "researcher")


async def release(held: Held, name: str, scope: str, revision: int, *invited: str) -> Answer:
    body = {"revision": revision, "scope": scope, "invited": [person_id(one) for one in invited]}
    return await (await held.county.person(name)).put(f"{held.path}/release", body)


async def watching(held: Held) -> dict[str, str]:
    """What the review tells each of OTHERS, with its pictures or without."""
    told = {}
    for name in OTHERS:
        view = await held.view(name)
        assert (view["watching"] == "yes") == any(track["segments"] for track in view["views"]), name
        told[name] = view["watching"]
    return told


def journalled(held: Held) -> list[dict[str, Any]]:
    folder: Path = held.county.app[settings_key].server.data_dir / "journals"
    records = read_journal(folder / f"{held.session}.journal").records
    return [one.event for _, one in records if one is not None and one.event["type"] == "release_changed"]


async def test_a_recording_is_its_teachers_until_the_host_shares_it(recorded: Held) -> None:
    for name in ("host_teacher", "member_teacher"):
        assert (await recorded.view(name))["watching"] == "yes"
    assert set((await watching(recorded)).values()) == {"not_shared"}
    shared = await release(recorded, "host_teacher", "units", 0)
    assert (shared.status, shared.json["row"]["scope"], shared.json["release"]["revision"]) == (200, "units", 1)
    assert await watching(recorded) == dict.fromkeys(OTHERS[:3], "yes") | dict.fromkeys(OTHERS[3:], "units_only")
    await release(recorded, "host_teacher", "community", 1)
    assert set((await watching(recorded)).values()) == {"yes"}
    assert (await recorded.view("bureau_admin"))["watching"] == "facts_only"
    back = await release(recorded, "member_director", "teachers", 2)
    assert (back.status, back.json["watching"]) == (200, "not_shared")
    assert set((await watching(recorded)).values()) == {"not_shared"}
    history = (await recorded.view("host_teacher"))["release"]["history"]
    assert [(row["name"], row["scope"]) for row in history] == [
        ("某member_director", "teachers"),
        ("某host_teacher", "community"),
        ("某host_teacher", "units"),
    ]
    assert [(event["scope"], event["by"]) for event in await asyncio.to_thread(journalled, recorded)] == [
        ("units", person_id("host_teacher")),
        ("community", person_id("host_teacher")),
        ("teachers", person_id("member_director")),
    ]


async def test_a_researcher_is_invited_by_name(recorded: Held) -> None:
    view = await recorded.view("host_teacher")
    assert [one["person"] for one in view["release"]["invitable"]] == [person_id("researcher")]
    invited = await release(recorded, "host_teacher", "teachers", 0, "researcher")
    assert invited.json["release"]["invited"][0]["name"] == "某researcher"
    told = await watching(recorded)
    assert [name for name, word in told.items() if word == "yes"] == ["researcher"]
    for stranger in ("foreign_researcher", "core_teacher", "bureau_admin"):
        wrong = await release(recorded, "host_teacher", "teachers", 1, stranger)
        assert (wrong.refusal, wrong.json["fields"]["field"]) == ((422, "invalid_entry"), "invited")
    assert (await release(recorded, "member_teacher", "teachers", 1)).status == 200
    assert (await recorded.view("researcher"))["watching"] == "not_shared"


async def test_who_may_not_share_is_refused_and_changes_nothing(recorded: Held) -> None:
    for name in ("member_teacher", "member_director", *OTHERS, "bureau_admin"):
        assert (await release(recorded, name, "community", 0)).refusal == (403, "not_yours_to_share"), name
    assert (await release(recorded, "foreign_teacher", "units", 0)).refusal == (403, "not_permitted")
    assert (await release(recorded, "host_teacher", "units", 3)).refusal == (409, "version_conflict")
    host = await recorded.county.person("host_teacher")
    for body in ({"scope": "units"}, {"revision": 0, "scope": "everybody"}, {"revision": 0, "scope": None}):
        assert (await host.put(f"{recorded.path}/release", body)).refusal == (422, "invalid_body")
    assert (await host.put("/api/reviews/absent/release", {"revision": 0, "scope": "units"})).refusal == (
        404,
        "review_not_found",
    )
    assert await asyncio.to_thread(journalled, recorded) == []
    assert (await recorded.view("host_teacher"))["release"]["history"] == []


async def test_a_link_that_was_given_dies_with_the_release(recorded: Held) -> None:
    await release(recorded, "host_teacher", "units", 0)
    colleague = await recorded.county.person("core_teacher")
    url, content = await recorded.segment(colleague)
    assert (await colleague.get(url, headers={"Range": "bytes=0-9"})).body == content[:10]
    await release(recorded, "member_teacher", "teachers", 1)
    for method, headers in (("GET", {"Range": "bytes=0-9"}), ("GET", {}), ("HEAD", {})):
        answer = await colleague.ask(method, url, headers=headers)
        assert (answer.status, content[:10] in answer.body) == (403, False), method
    withheld = await colleague.get(url)
    assert (withheld.refusal, withheld.json["fields"]["reason"]) == ((403, "recording_withheld"), "not_shared")
    # the recorded teachers keep theirs
    teacher = await recorded.county.person("member_teacher")
    own, _ = await recorded.segment(teacher)
    assert (await teacher.get(own, headers={"Range": "bytes=0-9"})).status == 206


async def test_no_other_way_leads_round_the_release(recorded: Held) -> None:
    host = await recorded.county.person("host_teacher")
    mine, content = await recorded.segment(host)
    segment = mine.partition("?")[0].rpartition("/")[2]
    record = await recorded.county.app[session_store_key].get(recorded.session)
    assert record is not None
    for name in OTHERS:
        asker = await recorded.county.person(name)
        for path in (
            mine,
            mine.partition("?")[0],
            f"/media/{recorded.session}/{segment}?t=",
            f"/media/{recorded.session}/{segment}.mp4",
            f"/media/{recorded.session}/",
            f"/recordings/{recorded.session}/{segment}.mp4",
            f"/static/../recordings/{recorded.session}/{segment}.mp4",
            f"/assets/%2e%2e/%2e%2e/recordings/{recorded.session}/{segment}.mp4",
            f"{recorded.path}/board",
            f"/api/sessions/{recorded.session}/photos/{'0' * 16}",
        ):
            answer = await asker.get(path)
            assert answer.status in (403, 404), (name, path, answer)
            assert content[4:12] not in answer.body, (name, path)
        for write, body in (("comments", {"text": "看不到，但在场"}),):
            written = await asker.post(f"{recorded.path}/{write}", body)
            assert all(track["segments"] == [] for track in written.json["views"]), name
        report = await asker.get(f"/api/sessions/{recorded.session}/report")
        assert (report.status, report.json["singleAnswers"]) == (200, False), name
    # nothing of it is logged as a viewing
    assert {row["person"] for row in (await recorded.view("host_teacher"))["viewings"]} == {person_id("host_teacher")}


async def test_photos_and_the_board_follow_the_release(answered: Held) -> None:
    paths = (f"/api/sessions/{answered.session}/photos/{answered.photos[MEMBER]}", f"{answered.path}/board")
    for path in paths:
        for name in (*OTHERS, "bureau_admin"):
            answer = await (await answered.county.person(name)).get(path)
            assert answer.refusal == (403, "recording_withheld"), (path, name)
        stranger = await (await answered.county.person("foreign_teacher")).get(path)
        assert stranger.refusal == (403, "not_permitted"), path
        assert (await (await answered.county.person("member_teacher")).get(path)).status == 200, path
    await release(answered, "host_teacher", "units", 0)
    colleague = await answered.county.person("core_teacher")
    assert (await colleague.get(paths[0])).body[:2] == b"\xff\xd8"
    await release(answered, "host_teacher", "teachers", 1)
    assert (await colleague.get(paths[0])).refusal == (403, "recording_withheld")


async def test_shared_with_the_community_it_stays_within_it(recorded: Held) -> None:
    rows = (await (await recorded.county.person("host_teacher")).get("/api/reviews")).json
    assert [row["scope"] for row in rows] == ["teachers"]
    await release(recorded, "host_teacher", "community", 0)
    for name in ("foreign_director", "foreign_teacher", "foreign_researcher"):
        stranger = await recorded.county.person(name)
        assert (await stranger.get("/api/reviews")).json == []
        assert (await stranger.get(recorded.path)).refusal == (403, "not_permitted")


async def test_a_closed_review_is_still_taken_back(recorded: Held) -> None:
    host, member = await recorded.county.person("host_teacher"), await recorded.county.person("member_teacher")
    await release(recorded, "host_teacher", "units", 0)
    for teacher in (host, member):
        written = await teacher.put(f"{recorded.path}/conclusion", {"worked": "好", "change": "慢"})
    closed = await host.post(f"{recorded.path}/close", {"revision": written.json["revision"]})
    assert closed.json["row"]["state"] == "closed"
    assert (await release(recorded, "host_teacher", "teachers", 1)).json["row"]["scope"] == "teachers"
    assert (await recorded.view("core_teacher"))["watching"] == "not_shared"


async def test_a_class_that_has_withdrawn_since_is_shown_to_nobody(recorded: Held) -> None:
    member = await recorded.county.person("member_teacher")
    [track] = [one for one in (await recorded.view("member_teacher"))["views"] if one["unit"] == MEMBER]
    [theirs] = track["segments"]
    registers, counties = recorded.county.app[registers_key], recorded.county.app[counties_key]
    register = (await counties.now()).register
    record = await recorded.county.app[session_store_key].get(recorded.session)
    assert record is not None
    withdrawn = record.plan.members[0].classes
    classes = tuple(
        msgspec.structs.replace(one, recording_consent=one.recording_consent and one.id not in withdrawn)
        for one in register.classes
    )
    fresh = msgspec.structs.replace(register, classes=classes)
    await registers.save(fresh, "test", 0.0, await registers.version())
    views = {track["unit"]: track for track in (await recorded.view("host_teacher"))["views"]}
    assert (views[MEMBER]["consent"], views[MEMBER]["segments"]) == (False, [])
    assert (views[CORE]["consent"], len(views[CORE]["segments"])) == (True, 1)
    gone = await member.get(theirs["url"])
    assert (gone.refusal, gone.json["fields"]["reason"]) == ((403, "recording_withheld"), "withdrawn")
    # the class leaves at the end of the year, its recording is still there
    left = msgspec.structs.replace(fresh, classes=tuple(one for one in classes if one.id not in withdrawn))
    await registers.save(left, "test", 0.0, await registers.version())
    views = {track["unit"]: track for track in (await recorded.view("host_teacher"))["views"]}
    assert (views[MEMBER]["consent"], views[MEMBER]["segments"]) == (False, [])
    assert (await member.get(theirs["url"])).refusal == (403, "recording_withheld")


async def test_a_school_of_the_community_that_took_no_part_finds_what_was_shared_with_it(recorded: Held) -> None:
    registers, counties = recorded.county.app[registers_key], recorded.county.app[counties_key]
    register = (await counties.now()).register
    here = register.communities[0]
    joined = msgspec.structs.replace(here, members=(*here.members, FOREIGN))
    fresh = msgspec.structs.replace(register, communities=(joined,))
    await registers.save(fresh, "test", 0.0, await registers.version())
    teacher = await recorded.county.person("foreign_teacher")
    for revision, scope, seen in ((0, "units", False), (1, "community", True), (2, "teachers", False)):
        await release(recorded, "host_teacher", scope, revision)
        rows = (await teacher.get("/api/reviews?community=A")).json
        assert [row["id"] for row in rows] == ([recorded.id] if seen else []), scope
        assert (await teacher.get(recorded.path)).status == (200 if seen else 403), scope
    assert (await teacher.get("/api/reviews")).json == []
