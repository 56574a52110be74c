"""Changes after publication over HTTP: asking, answering, taking back, and what they reach."""

from __future__ import annotations

import time
from datetime import date, timedelta
from typing import Any

import icalendar

from tests.county_server import CORE, FOREIGN, LOCAL, MEMBER, STARTS, SYNC, THIRD, Caller, CountyServer
from timetable.term import local_date

HERE = "/api/communities/A"


def day(ahead: int) -> str:
    return (local_date(time.time()) + timedelta(days=ahead)).isoformat()


def occurrence(lesson: str = SYNC, ahead: int = 2) -> str:
    return f"{lesson}.{day(ahead)}"


def move(ahead: int = 4, period: int = 5) -> dict[str, Any]:
    return {"kind": "move", "occurrence": occurrence(), "date": day(ahead), "period": period}


async def ask(caller: Caller, change: dict[str, Any], **more: Any) -> Any:
    answer = await caller.post(f"{HERE}/amendments", {"version": 1, "change": change, "reason": "运动会", **more})
    assert answer.status == 201, answer
    return answer.json


async def answers(county: CountyServer, asked: Any, *names: str) -> Any:
    for name in names:
        caller = await county.person(name)
        answer = await caller.post(f"{HERE}/amendments/{asked['number']}/agree", {"revision": asked["revision"]})
        assert answer.status == 200, answer
        asked = answer.json
    return asked


async def rows(caller: Caller, first: int, last: int) -> dict[str, Any]:
    answer = await caller.get(f"{HERE}/occurrences?first={day(first)}&last={day(last)}")
    return {row["occurrence"]: row for row in answer.json}


async def test_a_move_of_a_shared_lesson_counts_when_every_school_has_agreed(county: CountyServer) -> None:
    core = await county.person("core_director")
    asked = await ask(core, move())
    assert (asked["number"], asked["state"], asked["unit"], asked["may"]) == (1, "asked", CORE, ["withdraw"])
    assert {row["unit"]: row["answer"] for row in asked["consents"]} == {
        CORE: "agreed",
        MEMBER: "silent",
        THIRD: "silent",
    }
    (line,) = asked["lines"]
    assert (line["before"]["date"], line["before"]["start"], line["after"]["date"]) == (day(2), STARTS, day(4))
    assert (await rows(core, 2, 4))[occurrence()]["change"] == "none"

    done = await answers(county, asked, "member_director", "third_director")
    assert (done["state"], done["appliedAt"] is not None) == ("applied", True)
    moved = (await rows(core, 2, 4))[occurrence()]
    assert (moved["date"], moved["change"], moved["plannedDate"], moved["plannedStart"]) == (
        day(4),
        "moved",
        day(2),
        STARTS,
    )
    assert [row["state"] for row in (await core.get(f"{HERE}/amendments")).json] == ["applied"]


async def test_a_schools_own_lesson_is_called_off_at_once_and_comes_back(county: CountyServer) -> None:
    core = await county.person("core_director")
    done = await ask(core, {"kind": "cancel", "occurrence": occurrence(LOCAL, 3)})
    assert (done["state"], done["affected"], done["may"]) == ("applied", [CORE], ["undo"])
    assert (await rows(core, 3, 3))[occurrence(LOCAL, 3)]["change"] == "cancelled"
    undone = await ask(core, {"kind": "undo", "amendment": 1})
    assert undone["state"] == "applied"
    assert (await rows(core, 3, 3))[occurrence(LOCAL, 3)]["change"] == "none"
    assert [row["state"] for row in (await core.get(f"{HERE}/amendments")).json] == ["applied", "undone"]


async def test_calendars_and_pages_follow_within_the_same_second(county: CountyServer) -> None:
    member = await county.person("member_director")
    feed = (await member.post("/api/feeds", {"kind": "unit", "target": MEMBER, "device": "手机"})).json
    path = feed["url"].split("tongke.test")[1]
    before = await county.nobody.get(path)
    asked = await ask(await county.person("core_director"), {"kind": "cancel", "occurrence": occurrence()})
    await answers(county, asked, "member_director", "third_director")
    after = await county.nobody.get(path, headers={"If-None-Match": before.headers["ETag"]})
    assert after.status == 200
    events = {str(e["UID"]): e for e in icalendar.Calendar.from_ical(after.body).walk("VEVENT")}
    (off,) = [event for event in events.values() if str(event.get("STATUS")) == "CANCELLED"]
    assert str(off["SUMMARY"]).startswith("【停课】")
    assert off["SEQUENCE"] == 1
    sessions = (await member.get(f"/api/sessions?date={day(2)}")).json
    assert sessions == []


async def test_an_objection_needs_a_reason_and_ends_it(county: CountyServer) -> None:
    asked = await ask(await county.person("core_director"), move())
    member = await county.person("member_director")
    path = f"{HERE}/amendments/1/object"
    empty = await member.post(path, {"revision": asked["revision"], "reason": " "})
    assert empty.refusal == (422, "reason_missing")
    said = await member.post(
        path, {"revision": asked["revision"], "reason": "操场在修", "counterWeekday": 3, "counterPeriod": 2}
    )
    assert (said.json["state"], said.json["cause"]) == ("refused", "objection")
    (objection,) = [row for row in said.json["consents"] if row["answer"] == "objected"]
    assert (objection["reason"], objection["counterWeekday"], objection["counterPeriod"]) == ("操场在修", 3, 2)
    late = await member.post(f"{HERE}/amendments/1/agree", {"revision": said.json["revision"]})
    assert late.refusal == (409, "not_allowed_now")


async def test_stale_answers_and_stale_versions_are_409(county: CountyServer) -> None:
    core = await county.person("core_director")
    asked = await ask(core, move())
    await answers(county, asked, "member_director")
    third = await county.person("third_director")
    stale = await third.post(f"{HERE}/amendments/1/agree", {"revision": asked["revision"]})
    assert stale.refusal == (409, "stale_version")
    assert stale.json["fields"]["current"] == asked["revision"] + 1
    old = await core.post(f"{HERE}/amendments", {"version": 0, "change": move(), "reason": ""})
    assert old.refusal == (409, "stale_version")


async def test_impossible_changes_come_back_with_their_reasons(county: CountyServer) -> None:
    core = await county.person("core_director")
    refused = await core.post(f"{HERE}/amendments", {"version": 1, "change": move(ahead=400), "reason": "x"})
    assert refused.refusal == (422, "amendment_refused")
    assert [finding["code"] for finding in refused.json["errors"]] == ["amend_outside_term"]
    looked = await core.post(f"{HERE}/amendments?check=1", {"version": 1, "change": move(period=16), "reason": ""})
    assert (looked.status, looked.json["possible"]) == (200, False)
    fine = await core.post(f"{HERE}/amendments?check=1", {"version": 1, "change": move(), "reason": ""})
    assert (fine.json["possible"], fine.json["asked"]) == (True, [MEMBER, THIRD])
    assert (await core.get(f"{HERE}/amendments")).json == []


async def test_only_those_who_speak_for_a_school_concerned_may_ask(county: CountyServer) -> None:
    body = {"version": 1, "change": {"kind": "cancel", "occurrence": occurrence(LOCAL, 3)}, "reason": "x"}
    path = f"{HERE}/amendments"
    for name, refusal in {
        "host_teacher": (403, "not_permitted"),
        "bureau_viewer": (403, "not_permitted"),
        "foreign_director": (403, "not_permitted"),
        "member_director": (403, "wrong_side"),
    }.items():
        assert (await (await county.person(name)).post(path, body)).refusal == refusal, name
    assert (await county.nobody.post(path, body)).refusal == (401, "not_signed_in")
    assert (await (await county.person("convenor")).post(path, body)).status == 201


async def test_ids_that_nothing_has_are_404(county: CountyServer) -> None:
    core = await county.person("core_director")
    for number in ("9", "x", "9" * 30):
        answer = await core.post(f"{HERE}/amendments/{number}/withdraw", {"revision": 1})
        assert answer.refusal == (404, "not_found")
    unknown = {"version": 1, "change": {"kind": "cancel", "occurrence": "nobody.2026-01-01"}, "reason": "x"}
    assert (await core.post(f"{HERE}/amendments", unknown)).refusal == (404, "not_found")
    openings = await core.get(f"{HERE}/openings?occurrence=nobody&first={day(1)}&last={day(2)}")
    assert openings.refusal == (404, "not_found")


async def test_openings_say_where_it_fits_and_why_not_elsewhere(county: CountyServer) -> None:
    core = await county.person("core_director")
    answer = await core.get(f"{HERE}/openings?occurrence={occurrence()}&first={day(2)}&last={day(3)}")
    openings = answer.json["openings"]
    assert {opening["date"] for opening in openings} == {day(2), day(3)}
    free = [opening for opening in openings if not opening["findings"]]
    assert free
    done = await ask(
        core, {"kind": "move", "occurrence": occurrence(), "date": free[0]["date"], "period": free[0]["period"]}
    )
    assert done["state"] == "asked"
    for query in ("first=x", f"first={day(3)}&last={day(2)}", f"first={day(0)}&last={day(99)}"):
        assert (await core.get(f"{HERE}/openings?occurrence={occurrence()}&{query}")).refusal == (422, "invalid_body")


async def test_a_lasting_move_is_the_next_version(county: CountyServer) -> None:
    core = await county.person("core_director")
    weekday = date.fromisoformat(day(3)).isoweekday()
    change = {"kind": "move_weekly", "lesson": LOCAL, "first": day(7), "weekday": weekday % 7 + 1, "period": 2}
    done = await ask(core, change)
    assert (done["state"], done["version"]) == ("applied", 2)
    view = (await core.get(f"{HERE}/timetable")).json
    assert (view["version"], view["versions"][0]["moved"]) == (2, 1)
    assert done["may"] == ["undo"]
    back = await ask(core, {"kind": "undo", "amendment": 1}, version=2)
    assert (back["state"], back["version"], back["may"]) == ("applied", 3, ["undo"])
    assert [row["state"] for row in (await core.get(f"{HERE}/amendments")).json] == ["applied", "undone"]
    local = next(one for one in (await core.get(f"{HERE}/timetable")).json["lessons"] if one["id"] == LOCAL)
    assert local["weekday"] == date.fromisoformat(day(3)).isoweekday()
    stale = await core.post(
        f"{HERE}/amendments", {"version": 3, "change": {"kind": "undo", "amendment": 1}, "reason": "x"}
    )
    assert [finding["code"] for finding in stale.json["errors"]] == ["amend_not_applied"]


async def test_cover_names_who_could_stand_in(county: CountyServer) -> None:
    core = await county.person("core_director")
    body = {"teacher": "A0-t1", "first": day(1), "last": day(5)}
    plan = (await core.post("/api/cover", body)).json
    (need,) = plan["needs"]
    assert (need["occurrence"], need["role"], need["unit"]) == (occurrence(), "teaches", CORE)
    best = need["candidates"][0]
    assert best["teacher"] in {teacher["id"] for teacher in plan["teachers"]}
    done = await ask(
        core,
        {
            "kind": "substitute",
            "lesson": need["lesson"],
            "absent": "A0-t1",
            "substitute": best["teacher"],
            "first": need["date"],
            "last": need["date"],
        },
    )
    assert (done["state"], done["affected"]) == ("applied", [CORE])
    assert (await rows(core, 2, 2))[occurrence()]["parties"][0]["teachers"] == [best["teacher"]]
    for name, refusal in {
        "member_director": (403, "not_permitted"),
        "host_teacher": (403, "not_permitted"),
    }.items():
        assert (await (await county.person(name)).post("/api/cover", body)).refusal == refusal
    assert (await core.post("/api/cover", {**body, "teacher": "nobody"})).refusal == (404, "not_found")
    assert (await core.post("/api/cover", {**body, "last": day(-3)})).refusal == (422, "invalid_body")


async def test_another_community_does_not_read_the_changes(county: CountyServer) -> None:
    foreign = await county.person("foreign_director")
    for path in ("amendments", "occurrences", f"openings?occurrence={occurrence()}"):
        assert (await foreign.get(f"{HERE}/{path}")).refusal == (403, "not_permitted")
    panel = await county.panel(MEMBER)
    assert (await panel.get(f"{HERE}/occurrences")).status == 200
    assert FOREIGN.startswith("B")
