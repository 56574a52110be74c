"""Sudden closings over HTTP: who may, what everybody sees at once, and making up for what was lost."""

from __future__ import annotations

from datetime import date
from typing import Any

import icalendar
import pytest
from msgspec import structs

from server.keys import importing_key
from tests.county_server import CORE, FOREIGN, MEMBER, SYNC, THIRD, Caller, CountyServer
from tests.integration.test_api_amendments import HERE, answers, ask, day, occurrence, rows
from timetable.model import Mode, Register


def snow(ahead: int = 2, **more: Any) -> dict[str, Any]:
    return {"first": day(ahead), "last": day(ahead + 1), "reason": "暴雪", **more}


async def close(caller: Caller, **more: Any) -> Any:
    answer = await caller.post("/api/closings", snow(**more))
    assert answer.status == 201, answer
    return answer.json


async def test_the_bureau_closes_the_county_and_everybody_hears_at_once(county: CountyServer) -> None:
    bureau, member = await county.person("bureau_admin"), await county.person("member_director")
    feed = (await member.post("/api/feeds", {"kind": "unit", "target": MEMBER, "device": "手机"})).json
    looked = await bureau.post("/api/closings?check=1", snow())
    assert (looked.status, looked.json["id"], looked.json["mayReopen"]) == (200, "", False)
    assert {loss["community"]: (loss["shared"], loss["own"]) for loss in looked.json["losses"]} == {
        "A": (1, 1),
        "B": (1, 1),
    }
    view = (await bureau.get("/api/closings")).json
    assert (view["closings"], [len(one["units"]) for one in view["closable"]]) == ([], [3, 2])

    done = await close(bureau)
    assert set(done["units"]) == {CORE, MEMBER, THIRD, FOREIGN, "B1"}
    off = (await rows(member, 2, 3))[occurrence()]
    assert (off["change"], off["reason"]) == ("cancelled", "暴雪")
    assert (await member.get(f"/api/sessions?date={day(2)}")).json == []
    for name, link in (("member_director", "/year"), ("member_teacher", "/timetable?community=A")):
        needs = (await (await county.person(name)).get("/api/today")).json["needs"]
        assert [(need["code"], need["link"], need["severity"]) for need in needs] == [("schools_closed", link, "warn")]
    calendar = await county.nobody.get(feed["url"].split("tongke.test")[1])
    events = icalendar.Calendar.from_ical(calendar.body).walk("VEVENT")
    assert [str(e["STATUS"]) for e in events if "暴雪" in str(e["DESCRIPTION"])] == ["CANCELLED"]
    week = (await member.get(f"{HERE}/week?week=7")).json["days"]
    week += (await member.get(f"{HERE}/week?week=8")).json["days"]
    closed = {one["date"]: one for one in week if one["closed"]}
    assert set(closed) == {day(2), day(3)}
    assert (closed[day(2)]["note"], closed[day(2)]["standing"]) == ("暴雪", [])

    reopened = await bureau.post(f"/api/closings/{done['id']}/reopen", {"revision": done["revision"]})
    assert (reopened.status, reopened.json["mayReopen"]) == (200, False)
    assert (await rows(member, 2, 3))[occurrence()]["change"] == "none"
    again = await bureau.post(f"/api/closings/{done['id']}/reopen", {"revision": reopened.json["revision"]})
    assert again.refusal == (409, "not_allowed_now")
    stale = await bureau.post(f"/api/closings/{done['id']}/reopen", {"revision": 1})
    assert stale.refusal == (409, "stale_version")


@pytest.mark.parametrize(
    ("name", "units"),
    [("convenor", [CORE, MEMBER, THIRD]), ("member_director", [MEMBER]), ("member_principal", [MEMBER])],
)
async def test_each_closes_what_is_their_own(county: CountyServer, name: str, units: list[str]) -> None:
    caller = await county.person(name)
    assert (await close(caller))["units"] == units
    refused = await caller.post("/api/closings", snow(units=[FOREIGN]))
    assert refused.refusal == (403, "not_permitted")


async def test_a_school_that_is_shut_alone_leaves_the_others_their_lesson(county: CountyServer) -> None:
    done = await close(await county.person("member_director"))
    assert [(loss["shared"], loss["reduced"]) for loss in done["losses"]] == [(0, 1)]
    core = await county.person("core_director")
    row = (await rows(core, 2, 2))[occurrence()]
    assert (row["change"], [party["unit"] for party in row["parties"]]) == ("none", [CORE, THIRD])
    foreign = (await (await county.person("foreign_director")).get("/api/closings")).json
    assert (foreign["closings"], [[u["id"] for u in one["units"]] for one in foreign["closable"]]) == ([], [[FOREIGN]])
    reopen = await (await county.person("third_director")).post(f"/api/closings/{done['id']}/reopen", {"revision": 1})
    assert reopen.refusal == (403, "not_permitted")


async def test_lost_lessons_are_made_up_by_consent_and_taken_back_when_schools_open(county: CountyServer) -> None:
    done = await close(await county.person("bureau_admin"))
    core = await county.person("core_director")
    path = f"{HERE}/closings/{done['id']}/make-ups"
    view = (await core.get(path)).json
    (lost,) = view["plan"]["lost"]
    assert (lost["occurrence"], lost["state"], view["plan"]["own"], view["mayAsk"]) == (occurrence(), "open", 1, True)
    best = lost["choices"][0]
    wanted = {"occurrence": lost["occurrence"], "date": best["date"], "period": best["period"]}
    answer = await core.post(path, {"version": view["version"], "choices": [wanted]})
    asked = answer.json[0]["amendment"]
    assert (answer.status, asked["state"], asked["reason"]) == (201, "asked", "暴雪")
    assert (await core.get(path)).json["plan"]["lost"][0]["state"] == "asked"
    await answers(county, asked, "member_director", "third_director")
    assert (await core.get(path)).json["plan"]["lost"][0]["state"] == "made_up"
    extra = f"{occurrence()}.x{asked['number']}"
    found = {row["occurrence"]: row for row in (await core.get(f"{HERE}/occurrences?first={best['date']}")).json}
    assert found[extra]["change"] == "made_up"
    twice = await core.post(path, {"version": view["version"], "choices": [wanted]})
    assert [f["code"] for f in twice.json[0]["findings"]] == ["amend_made_up"]

    bureau = await county.person("bureau_admin")
    await bureau.post(f"/api/closings/{done['id']}/reopen", {"revision": done["revision"]})
    assert (await rows(core, 2, 3))[occurrence()]["change"] == "none"
    left = (await core.get(f"{HERE}/occurrences?first={best['date']}")).json
    assert extra not in {row["occurrence"] for row in left}
    assert [row["state"] for row in (await core.get(f"{HERE}/amendments")).json] == ["undone"]


async def test_a_school_makes_up_its_own_by_one_press_and_loses_what_takes_place_after_all(
    county: CountyServer,
) -> None:
    bureau = await county.person("bureau_admin")
    done = await close(bureau)
    owner = next(loss["units"][0]["unit"] for loss in done["losses"] if loss["community"] == "A")
    names = {CORE: "core_director", MEMBER: "member_director", THIRD: "third_director"}
    school = await county.person(names[owner])
    other = await county.person(next(name for unit, name in names.items() if unit not in (owner, CORE)))
    path = f"{HERE}/closings/{done['id']}/make-ups/{owner}"
    view = (await school.get(path)).json
    (lost,) = view["plan"]["lost"]
    assert (lost["state"], lost["units"], view["mayAsk"], view["plan"]["daysShort"]) == ("open", [owner], True, 0)
    best = lost["choices"][0]
    wanted = {"occurrence": lost["occurrence"], "date": best["date"], "period": best["period"]}
    assert (await other.post(path, {"version": view["version"], "choices": [wanted]})).refusal == (403, "not_permitted")
    assert (await other.get(path)).json["mayAsk"] is False
    assert (await school.get(f"{HERE}/closings/{done['id']}/make-ups/B1")).refusal == (404, "not_found")
    answer = await school.post(path, {"version": view["version"], "choices": [wanted]})
    assert (answer.status, answer.json["state"], answer.json["affected"]) == (201, "applied", [owner])
    assert (await school.get(path)).json["plan"]["lost"][0]["state"] == "made_up"
    (closing,) = (await school.get("/api/closings")).json["closings"]
    (loss,) = [loss for loss in closing["losses"] if loss["community"] == "A"]
    assert (loss["ownMadeUp"], loss["units"]) == (1, [{"unit": owner, "own": 1, "madeUp": 1}])
    twice = await school.post(path, {"version": view["version"], "choices": [wanted]})
    assert twice.refusal == (422, "amendment_refused")
    extra = f"{lost['occurrence']}.x{answer.json['number']}"
    there = (await school.get(f"{HERE}/occurrences?first={best['date']}")).json
    assert extra in {row["occurrence"] for row in there}
    await bureau.post(f"/api/closings/{done['id']}/reopen", {"revision": done["revision"]})
    there = (await school.get(f"{HERE}/occurrences?first={best['date']}")).json
    assert extra not in {row["occurrence"] for row in there}
    assert [row["state"] for row in (await school.get(f"{HERE}/amendments")).json] == ["undone"]


@pytest.mark.parametrize(
    ("mode", "consent", "state"),
    [
        ("collaborative", "must_agree", "asked"),
        ("co_built", "may_object", "asked"),
        ("merged", "none", "applied"),
    ],
)
async def test_the_convenor_asks_for_a_member_schools_own_as_the_mode_says(
    county: CountyServer, mode: Mode, consent: str, state: str
) -> None:
    await county.app[importing_key].edit(lambda register: led_by_another(register, mode), "tests")
    convenor, school = await county.person("convenor"), await county.person("core_director")
    done = await close(convenor)
    (listed,) = (await convenor.get("/api/closings")).json["closings"]
    assert listed["plansFor"] == [CORE, MEMBER, THIRD]
    assert (await school.get("/api/closings")).json["closings"][0]["plansFor"] == [CORE]
    path = f"{HERE}/closings/{done['id']}/make-ups/{CORE}"
    plan = (await convenor.get(path)).json
    assert (plan["mayAsk"], plan["consent"], (await school.get(path)).json["consent"]) == (True, consent, "none")
    (lost,) = plan["plan"]["lost"]
    best = lost["choices"][0]
    choices = [{"occurrence": lost["occurrence"], "date": best["date"], "period": best["period"]}]
    asked = (await convenor.post(path, {"version": plan["version"], "choices": choices})).json
    assert (asked["state"], asked["unit"], asked["affected"]) == (state, MEMBER, [CORE])
    for caller in (convenor, school):
        (row,) = (await caller.get(path)).json["plan"]["lost"]
        assert row["state"] == ("made_up" if state == "applied" else "asked")
    needs = (await (await county.person("core_director")).get("/api/today")).json["needs"]
    assert [one["code"] for one in needs].count("amendment_asked") == (state == "asked")
    if mode == "collaborative":
        assert (await answers(county, asked, "core_director"))["state"] == "applied"
        assert (await school.get(path)).json["plan"]["lost"][0]["state"] == "made_up"
    elif mode == "co_built":
        # opened again, nobody has to answer any more
        await convenor.post(f"/api/closings/{done['id']}/reopen", {"revision": done["revision"]})
        assert [row["state"] for row in (await school.get(f"{HERE}/amendments")).json] == ["withdrawn"]


def led_by_another(register: Register, mode: Mode) -> Register:
    """The school that has lessons of its own is a member here, not the core."""
    here, *others = register.communities
    return structs.replace(
        register, communities=(structs.replace(here, mode=mode, core=MEMBER, members=(CORE, THIRD)), *others)
    )


async def test_impossible_closings_come_back_with_their_reasons(county: CountyServer) -> None:
    bureau = await county.person("bureau_admin")
    for body, code in (
        (snow(ahead=400), "closing_dates"),
        (snow(ahead=-10), "closing_past"),
        ({**snow(), "last": day(1)}, "closing_dates"),
        ({**snow(), "last": day(2), "start": "11:00", "end": "10:00"}, "closing_empty"),
        ({**snow(), "makeUpDays": [{"date": day(4), "followsWeekday": 1}]}, "closing_make_up_day"),
    ):
        refused = await bureau.post("/api/closings", body)
        assert refused.refusal == (422, "closing_refused"), body
        assert [finding["code"] for finding in refused.json["errors"]] == [code]
    unknown = await bureau.post("/api/closings", snow(units=["nobody"]))
    assert unknown.refusal == (404, "not_found")
    for path in ("closings/nobody/reopen",):
        assert (await bureau.post(f"/api/{path}", {"revision": 1})).refusal == (404, "not_found")


async def test_a_week_on_its_dates_names_what_stands_and_shows_what_does_not(county: CountyServer) -> None:
    core = await county.person("core_director")

    async def week(ahead: int) -> Any:
        term = (await core.get(f"{HERE}/timetable")).json["term"]
        number = (date.fromisoformat(day(ahead)) - date.fromisoformat(term["weekOne"])).days // 7 + 1
        view = (await core.get(f"{HERE}/week?week={number}&version=1")).json
        return next(one for one in view["days"] if one["date"] == day(ahead)), view["changed"]

    there, changed = await week(2)
    assert (there["school"], there["standing"], there["note"], changed) == (True, [SYNC], "", [])
    move = {"kind": "move", "occurrence": occurrence(), "date": day(10), "period": 5}
    await answers(county, await ask(core, move), "member_director", "third_director")
    there, changed = await week(2)
    assert (there["standing"], [(row["change"], row["date"], row["plannedDate"]) for row in changed]) == (
        [],
        [("moved", day(10), day(2))],
    )
    there, changed = await week(10)
    assert [(row["change"], row["date"]) for row in changed] == [("moved", day(10))]
    await ask(core, {"kind": "cancel", "occurrence": occurrence("A-r2.1", 3)})
    _, changed = await week(3)
    assert ("cancelled", day(3)) in [(row["change"], row["date"]) for row in changed]
    for wrong, refusal in (("week=0", (422, "invalid_body")), ("week=x", (422, "invalid_body"))):
        assert (await core.get(f"{HERE}/week?{wrong}")).refusal == refusal
    assert (await core.get(f"{HERE}/week?week=7&version=9")).refusal == (404, "not_found")
