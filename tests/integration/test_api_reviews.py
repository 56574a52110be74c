"""Reviews over HTTP: opened by a lesson's end, written by both sides, played by those who may, closed by both."""

from __future__ import annotations

import time
from typing import Any

import msgspec
import pytest

from recordings.rubric import DEFAULT_RUBRIC
from server.auth.errors import NotPermitted
from server.keys import people_key, settings_key
from server.media_links import LINK_SECONDS, MediaLinks
from server.shapes.people import Grant
from tests.county_server import CORE, MEMBER, Answer, person_id
from tests.held_lessons import HOST, MEMBERS, Held

POINTS = {criterion.id: criterion.points for criterion in DEFAULT_RUBRIC.criteria}


async def test_the_board_of_the_lesson_is_for_those_who_may_watch(held: Held) -> None:
    teacher = await held.county.person("member_teacher")
    board = (await teacher.get(f"{held.path}/board")).json
    assert board["session"] == held.session
    told = [(moment["event"]["type"], moment["event"].get("page")) for moment in board["moments"]]
    assert told == [("material_opened", 1), ("stroke_drawn", 1), ("page_turned", 2)]
    assert [moment["at"] for moment in board["moments"]] == sorted(moment["at"] for moment in board["moments"])
    assert 0 <= board["moments"][0]["at"] < 30
    assert board["moments"][1]["event"]["points"] == [100, 100, 20, 5]
    for name in ("bureau_viewer", "core_teacher"):
        viewer = await held.county.person(name)
        assert (await viewer.get(f"{held.path}/board")).refusal == (403, "recording_withheld"), name


# both sides


async def test_a_review_opens_by_itself_and_closes_when_both_sides_have_written(held: Held) -> None:
    host, member = await held.county.person("host_teacher"), await held.county.person("member_teacher")
    [row] = (await host.get("/api/reviews?community=A")).json
    assert (row["id"], row["session"], row["state"], row["missing"], row["rehearsal"]) == (
        held.id,
        held.session,
        "open",
        [CORE, MEMBER],
        True,
    )
    assert abs(row["dueAt"] - time.time() - 7 * 86400) < 120
    view = await held.view("member_teacher")
    assert abs(view["keptUntil"] - time.time() - 7 * 86400) < 120
    assert "deletedAt" not in view or view["deletedAt"] is None
    assert (view["mySide"], view["may"]) == ("member", ["comment", "score", "conclude"])
    assert [(mark["kind"], mark["side"]) for mark in view["marks"]] == [("mark", "member")]

    commented = await member.post(f"{held.path}/comments", {"text": "孩子们听懂了", "at": 0.5, "label": "提问"})
    assert commented.status == 201
    comment = commented.json["comments"][0]
    assert (comment["unit"], comment["side"], comment["authorName"]) == (MEMBER, "member", "某member_teacher")
    answered = await host.post(f"{held.path}/comments", {"text": "是的", "replyTo": comment["id"]})
    assert [c["side"] for c in answered.json["comments"]] == ["member", "host"]

    scored = await member.put(f"{held.path}/score", {"points": POINTS})
    assert [(s["total"], s["band"], s["group"]) for s in scored.json["scores"]] == [(100, "band_1", "member")]

    early = await host.post(f"{held.path}/close", {"revision": view["revision"]})
    assert early.refusal == (409, "conclusions_missing")
    assert early.json["errors"] == [CORE, MEMBER]
    written = await host.put(f"{held.path}/conclusion", {"worked": "板书", "change": "慢一点"})
    assert written.json["row"]["state"] == "one_side"
    half = await host.post(f"{held.path}/close", {"revision": written.json["revision"]})
    assert (half.refusal, half.json["errors"]) == ((409, "conclusions_missing"), [MEMBER])
    both = await member.put(
        f"{held.path}/conclusion",
        {"worked": "分组", "change": "话筒", "followUp": "补一次实验", "owner": "某人", "due": "2026-12-01"},
    )
    assert (both.json["row"]["state"], both.json["may"]) == ("both_sides", ["comment", "score", "conclude", "close"])
    stale = await host.post(f"{held.path}/close", {"revision": written.json["revision"]})
    assert stale.refusal == (409, "version_conflict")
    closed = await host.post(f"{held.path}/close", {"revision": both.json["revision"]})
    assert (closed.json["row"]["state"], closed.json["may"]) == ("closed", [])
    assert (await member.post(f"{held.path}/comments", {"text": "x"})).refusal == (409, "review_closed")
    assert (await host.post(f"{held.path}/close", {"revision": 9})).refusal == (409, "review_closed")


WRONG: list[tuple[str, str, dict[str, Any], tuple[int, str]]] = [
    ("POST", "comments", {"text": " "}, (422, "invalid_entry")),
    ("POST", "comments", {"text": "x" * 4001}, (422, "invalid_entry")),
    ("POST", "comments", {"text": "x", "at": -1}, (422, "invalid_entry")),
    ("POST", "comments", {"text": "x", "at": 1e9}, (422, "invalid_entry")),
    ("POST", "comments", {"text": "x", "label": "x" * 41}, (422, "invalid_entry")),
    ("POST", "comments", {"text": "x", "replyTo": "absent"}, (422, "invalid_entry")),
    ("POST", "comments", {"at": 1}, (422, "invalid_body")),
    ("PUT", "score", {"points": {}}, (422, "invalid_entry")),
    ("PUT", "score", {"points": POINTS | {"goals": 11}}, (422, "invalid_entry")),
    ("PUT", "score", {"points": POINTS | {"hair": 1}}, (422, "invalid_entry")),
    ("PUT", "conclusion", {"worked": "x", "change": ""}, (422, "invalid_entry")),
    ("PUT", "conclusion", {"worked": "x", "change": "x", "followUp": "x"}, (422, "invalid_entry")),
    ("POST", "close", {}, (422, "invalid_body")),
]


async def test_what_cannot_be_written_is_refused_and_changes_nothing(held: Held) -> None:
    before = await held.view("member_teacher")
    teacher = await held.county.person("member_teacher")
    for verb, path, body, refusal in WRONG:
        assert (await teacher.ask(verb, f"{held.path}/{path}", json=body)).refusal == refusal, body
    after = await held.view("member_teacher")
    for part in ("comments", "scores", "conclusions", "revision"):
        assert after[part] == before[part], part


async def test_an_absent_school_blocks_nothing_and_concludes_nothing(held: Held) -> None:
    third = await held.county.person("third_teacher")
    body = {"worked": "x", "change": "x"}
    assert (await third.put(f"{held.path}/conclusion", body)).refusal == (403, "not_involved")
    # the host's conclusion is that of the person who taught
    colleague = await held.county.person("core_teacher")
    assert (await colleague.put(f"{held.path}/conclusion", body)).refusal == (403, "not_involved")
    # nor does a researcher speak for a school
    researcher = await held.county.person("researcher")
    assert (await researcher.put(f"{held.path}/conclusion", body)).refusal == (403, "not_involved")
    assert (await researcher.put(f"{held.path}/score", {"points": POINTS})).json["scores"][0]["group"] == "researcher"
    # every school is called by its name, also one that nobody has seen
    names = (await held.view("researcher"))["unitNames"]
    assert (names[CORE], all(name and name != unit for unit, name in names.items())) == ("学校A0", True)


async def test_a_teacher_with_a_second_post_speaks_for_that_school(held: Held) -> None:
    store = held.county.app[people_key]
    person = await store.by_id(person_id("foreign_teacher"))
    assert person is not None
    posts = (*person.grants, Grant(role="teacher", unit=MEMBER))
    await store.save([msgspec.structs.replace(person, grants=posts)])
    view = await held.view("foreign_teacher")
    assert (view["mySide"], "conclude" in view["may"]) == ("member", True)
    itinerant = await held.county.person("foreign_teacher")
    written = await itinerant.put(f"{held.path}/conclusion", {"worked": "x", "change": "y"})
    assert [(c["unit"], c["side"]) for c in written.json["conclusions"]] == [(MEMBER, "member")]


# who sees what


async def test_the_bureau_sees_facts_and_no_pictures(recorded: Held) -> None:
    for name in ("bureau_admin", "bureau_viewer"):
        view = await recorded.view(name)
        assert [track["participant"] for track in view["views"]] == [HOST, MEMBERS]
        assert [track["segments"] for track in view["views"]] == [[], []]
        assert view["may"] == []
        bureau = await recorded.county.person(name)
        assert (await bureau.post(f"{recorded.path}/comments", {"text": "x"})).refusal == (403, "not_permitted")
    # who has seen no picture is in nobody's list
    assert (await recorded.view("bureau_admin"))["viewings"] == []


async def test_every_viewing_is_written_down_for_the_recorded_to_see(held: Held) -> None:
    host = await held.county.person("host_teacher")
    await held.view("third_teacher")
    shared = await host.put(f"{held.path}/release", {"revision": 0, "scope": "community"})
    assert shared.status == 200, shared
    for name in ("researcher", "researcher", "third_director"):
        await held.view(name)
    viewings = (await held.view("host_teacher"))["viewings"]
    assert sorted(row["person"] for row in viewings) == sorted(
        person_id(name) for name in ("host_teacher", "researcher", "third_director")
    )
    assert {row["name"] for row in viewings} >= {"某researcher"}


async def test_other_communities_and_panels_see_nothing(held: Held) -> None:
    for name in ("foreign_director", "foreign_teacher", "foreign_researcher"):
        stranger = await held.county.person(name)
        assert (await stranger.get("/api/reviews")).json == []
        assert (await stranger.get(held.path)).refusal == (403, "not_permitted")
        assert (await stranger.post(f"{held.path}/comments", {"text": "x"})).refusal == (403, "not_permitted")
    panel = await held.county.panel(MEMBER)
    assert (await panel.get("/api/reviews")).json == []
    assert (await panel.get(held.path)).refusal == (403, "not_permitted")
    teacher = await held.county.person("host_teacher")
    assert (await teacher.get("/api/reviews/absent")).refusal == (404, "review_not_found")
    assert (await teacher.get("/api/reviews?community=absent")).refusal == (404, "not_found")


# the recordings


async def test_a_segment_is_read_by_ranges(recorded: Held) -> None:
    teacher = await recorded.county.person("host_teacher")
    url, content = await recorded.segment(teacher)
    whole = await teacher.get(url)
    assert (whole.status, whole.headers["Content-Type"], whole.body == content) == (200, "video/mp4", True)
    assert whole.headers["Accept-Ranges"] == "bytes"
    assert whole.headers["Cache-Control"] == "private, no-cache"
    size = len(content)
    for asked, first, last in (
        ("bytes=0-99", 0, 99),
        (f"bytes={size - 10}-", size - 10, size - 1),
        ("bytes=-16", size - 16, size - 1),
        (f"bytes=10-{size * 2}", 10, size - 1),
    ):
        part = await teacher.get(url, headers={"Range": asked})
        assert (part.status, part.headers["Content-Range"]) == (206, f"bytes {first}-{last}/{size}"), asked
        assert part.body == content[first : last + 1]
    for asked in (f"bytes={size}-", f"bytes={size + 5}-{size + 9}", "bytes=5-2", "bytes=-", "lines=1-2"):
        answer = await teacher.get(url, headers={"Range": asked})
        assert answer.refusal == (416, "range_not_satisfiable"), asked
        assert answer.headers["Content-Range"] == f"bytes */{size}"
    head = await teacher.ask("HEAD", url)
    assert (head.status, head.headers["Content-Length"], head.body) == (200, str(size), b"")


async def test_the_index_of_a_segment_leads_to_its_pictures(recorded: Held) -> None:
    teacher = await recorded.county.person("member_teacher")
    for track in (await recorded.view("member_teacher"))["views"]:
        [segment] = track["segments"]
        assert (segment["hasVideo"], segment["hasAudio"]) == (True, True)
        begin = await teacher.get(
            segment["url"], headers={"Range": f"bytes={segment['initOffset']}-{segment['initSize'] - 1}"}
        )
        assert begin.body[4:8] == b"ftyp"
        _, _, offset, size, _ = segment["fragments"][0]
        part = await teacher.get(segment["url"], headers={"Range": f"bytes={offset}-{offset + size - 1}"})
        assert (part.status, part.body[4:8], len(part.body)) == (206, b"moof", size)


async def test_a_link_is_good_for_one_person_and_one_segment(recorded: Held) -> None:
    teacher, other = await recorded.county.person("host_teacher"), await recorded.county.person("member_teacher")
    url, _ = await recorded.segment(teacher)
    path, _, token = url.partition("?t=")
    elsewhere = f"{path.rpartition('/')[0]}/absent?t={token}"
    forged = f"{path}?t={token[:-2]}{'AA' if token[-2:] != 'AA' else 'BB'}"
    refusals: list[Answer] = [
        await other.get(url),
        await (await recorded.county.panel(MEMBER)).get(url),
        await (await recorded.county.person("bureau_admin")).get(url),
        *[
            await teacher.get(wrong)
            for wrong in (elsewhere, forged, path, f"{path}?t=", f"{path}?t=ü", f"{path}?t=%FF")
        ],
        await teacher.get(f"/media/..%2F..%2Ftongke.db/x?t={token}"),
    ]
    assert {answer.refusal for answer in refusals} == {(403, "not_permitted")}
    assert (await recorded.county.nobody.get(url)).refusal == (401, "not_signed_in")


async def test_an_old_link_is_no_link(recorded: Held) -> None:
    teacher = await recorded.county.person("host_teacher")
    url, _ = await recorded.segment(teacher)
    folder = recorded.county.app[settings_key].server.data_dir / "secrets" / "media"
    session, segment = url.partition("?")[0].split("/")[2:]
    ago = MediaLinks(folder.read_bytes(), lambda: time.time() - LINK_SECONDS * 2)
    old = ago.address(session, segment, person_id("host_teacher"))
    assert (await teacher.get(old)).refusal == (403, "not_permitted")
    with pytest.raises(NotPermitted):
        MediaLinks(folder.read_bytes(), time.time).check(
            session, segment, person_id("host_teacher"), old.partition("t=")[2]
        )


async def test_what_was_deleted_is_not_found(recorded: Held) -> None:
    teacher = await recorded.county.person("host_teacher")
    url, _ = await recorded.segment(teacher)
    folder = recorded.county.app[settings_key].recordings_dir / recorded.session
    for file in folder.glob("*.mp4"):
        file.unlink()
    assert (await teacher.get(url)).refusal == (404, "not_found")
    view = await recorded.view("host_teacher")
    assert [track["segments"] for track in view["views"]] == [[], []]
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    assert (await teacher.get(url)).refusal == (404, "not_found")
    assert (await recorded.view("host_teacher"))["views"] == []
