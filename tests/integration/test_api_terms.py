"""The turn of a term over HTTP: seen first, taken once, and what was stays readable."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import icalendar
from msgspec import structs

from server.keys import counties_key, importing_key, timetable_key
from tests.county_server import CORE, SYNC, CountyServer, agree_on, county_table
from tests.integration.test_api_amendments import HERE, ask, day, occurrence
from timetable.model import Register


async def plan_of(county: CountyServer, **more: Any) -> dict[str, Any]:
    """The next term, from the Monday after the running one."""
    term = (await county.app[counties_key].now()).register.term
    monday = date.fromisoformat(term.last_day) + timedelta(days=1)
    next_term = {
        "id": "2027-spring",
        "name": "第二学期",
        "firstDay": monday.isoformat(),
        "lastDay": (monday + timedelta(weeks=10, days=4)).isoformat(),
        "weekOne": monday.isoformat(),
    }
    return {"term": next_term, "endRunning": True, **more}


async def turn(county: CountyServer, **more: Any) -> Any:
    bureau = await county.person("bureau_admin")
    version = (await bureau.get("/api/terms")).json["registerVersion"]
    answer = await bureau.post("/api/rollover", {"registerVersion": version, "plan": await plan_of(county, **more)})
    assert answer.status == 201, answer
    return answer.json


async def test_the_preview_changes_nothing_and_only_the_bureau_turns(county: CountyServer) -> None:
    director = await county.person("core_director")
    seen = (await director.get("/api/terms")).json
    assert ([one["id"] for one in seen["terms"]], seen["mayTurn"]) == (["2026-autumn"], False)
    wanted = {"registerVersion": seen["registerVersion"], "plan": await plan_of(county)}
    looked = (await director.post("/api/rollover?check=1", wanted)).json
    assert (looked["taken"], looked["possible"], looked["classes"]) == (False, True, [])
    year = {"registerVersion": seen["registerVersion"], "plan": await plan_of(county, promote=True)}
    looked = (await director.post("/api/rollover?check=1", year)).json
    assert {one["unit"] for one in looked["classes"]} == {"A0", "A1", "A2", "B0", "B1"}
    # all classes of this county are in grade 5: nothing says what grade 6 learns
    assert (looked["possible"], looked["findings"][0]["code"]) == (False, "rollover_no_template")
    assert (await director.get("/api/terms")).json == seen
    assert (await director.post("/api/rollover", wanted)).refusal == (403, "not_permitted")


async def test_a_running_term_and_a_stale_look_are_refused(county: CountyServer) -> None:
    bureau = await county.person("bureau_admin")
    version = (await bureau.get("/api/terms")).json["registerVersion"]
    running = await plan_of(county, endRunning=False)
    refused = await bureau.post("/api/rollover", {"registerVersion": version, "plan": running})
    assert refused.refusal == (422, "rollover_refused")
    assert [finding["code"] for finding in refused.json["errors"]] == ["rollover_running"]
    stale = await bureau.post("/api/rollover", {"registerVersion": version - 1, "plan": running})
    assert stale.refusal == (409, "stale_version")


async def test_what_was_stays_readable_and_the_new_term_begins_with_an_empty_table(county: CountyServer) -> None:
    core = await county.person("core_director")
    feed = (await core.post("/api/feeds", {"kind": "community", "target": "A", "device": "手机"})).json
    path = feed["url"].split("tongke.test")[1]
    await ask(core, {"kind": "cancel", "occurrence": occurrence("A-r2.1", 3)})
    before = (await core.get(f"{HERE}/timetable")).json
    events = uids((await county.nobody.get(path)).body)

    done = await turn(county)
    assert (done["taken"], done["requirements"]["changed"]) == (True, 0)
    now = (await core.get(f"{HERE}/timetable")).json
    assert (now["status"], now["version"], now["lessons"], now["termId"]) == ("none", 0, [], "2027-spring")
    assert [one["id"] for one in now["terms"]] == ["2027-spring", "2026-autumn"]
    then = (await core.get(f"{HERE}/timetable?term=2026-autumn")).json
    assert (then["lessons"], then["versions"], then["term"]["name"]) == (
        before["lessons"],
        before["versions"],
        before["term"]["name"],
    )
    assert then["negotiation"] is None
    assert (await core.get(f"{HERE}/timetable?term=1999")).refusal == (404, "not_found")
    assert uids((await county.nobody.get(path)).body) == events
    assert (await core.get(f"{HERE}/occurrences?first={day(2)}&last={day(3)}")).json == []
    assert [row["state"] for row in (await core.get(f"{HERE}/amendments")).json] == ["applied"]

    register = (await county.app[counties_key].now()).register
    community = register.communities[0]
    await agree_on(county.app[timetable_key], county_table(register, "A", 3), community.units)
    new = (await core.get(f"{HERE}/timetable")).json
    assert (new["status"], new["version"], [row["number"] for row in new["versions"]]) == ("published", 2, [2])
    both = uids((await county.nobody.get(path)).body)
    assert events < both
    assert any(".2027-spring.w1" in uid for uid in both)
    first = register.term.first_day
    wednesday = (date.fromisoformat(first) + timedelta(days=2)).isoformat()
    rows = (await core.get(f"{HERE}/occurrences?first={wednesday}")).json
    assert {row["lesson"] for row in rows if row["kind"] == "sync"} == {SYNC}
    # a change of the new term counts there
    done = await ask(core, {"kind": "cancel", "occurrence": f"{SYNC}.{wednesday}"}, version=2)
    assert done["state"] == "asked"


async def test_classes_that_left_keep_their_calendar(county: CountyServer) -> None:
    register = (await county.app[counties_key].now()).register
    leaving = next(c for c in register.classes if c.unit == CORE)
    core = await county.person("core_director")
    feed = (await core.post("/api/feeds", {"kind": "class", "target": leaving.id, "device": "手机"})).json
    path = feed["url"].split("tongke.test")[1]
    events = uids((await county.nobody.get(path)).body)
    assert events
    await turn(county)

    def without(register: Register) -> Register:
        return structs.replace(
            register,
            classes=tuple(c for c in register.classes if c.id != leaving.id),
            requirements=tuple(r for r in register.requirements if not any(leaving.id in p.classes for p in r.parties)),
        )

    await county.app[importing_key].edit(without, "tests")
    answer = await county.nobody.get(path)
    assert (answer.status, uids(answer.body)) == (200, events)
    assert leaving.name in answer.body.decode()


def uids(body: bytes) -> set[str]:
    return {str(event["UID"]) for event in icalendar.Calendar.from_ical(body).walk("VEVENT")}
