"""Exercises over HTTP and the socket on the whole server: prepared, asked, answered by photo, and read by whom."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ElementTree

import pytest
from aiohttp import ClientSession

from signaling.commands import StartLesson
from signaling.exercises import Answer as GiveAnswer
from signaling.exercises import Answered, Exercise, ExercisePushed, PhotoAdded, PushExercise, ShowResult
from signaling.messages import Ack
from tests.county_server import MEMBER, SYNC, CountyServer
from tests.integration.test_api_sessions import enter
from tests.unit.test_photo import PICTURE

CHOICE = {"kind": "choice", "prompt": "反射角？", "options": ["35°", "55°"], "right": 0, "number": None}
DRAWING = Exercise(kind="photo", prompt="画出光路")


async def test_exercises_are_prepared_by_hosts_and_read_by_teachers(county: CountyServer) -> None:
    path = f"/api/lessons/{SYNC}/exercises"
    host, member = await county.person("host_teacher"), await county.person("member_teacher")
    assert (await host.get(path)).json["exercises"] == []
    kept = await host.put(path, {"revision": 0, "exercises": [CHOICE]})
    assert (kept.status, kept.json["revision"], kept.json["mayChange"]) == (200, 1, True)
    assert (await host.put(path, {"revision": 0, "exercises": []})).refusal == (409, "stale_version")
    seen = (await member.get(path)).json
    assert (seen["exercises"], seen["mayChange"]) == ([CHOICE], False)
    assert (await member.put(path, {"revision": 1, "exercises": []})).refusal == (403, "not_in_lesson")
    assert (await (await county.panel(MEMBER)).get(path)).refusal == (403, "not_in_lesson")
    unsound = CHOICE | {"options": ["35°"]}
    assert (await host.put(path, {"revision": 1, "exercises": [unsound]})).refusal == (409, "refused")
    assert (await host.get("/api/lessons/absent/exercises")).refusal == (404, "not_found")


async def test_photo_is_read_by_teachers_and_taken_back_by_its_class(county: CountyServer) -> None:
    host, member = await county.person("host_teacher"), await county.person("member_teacher")
    panel = await county.panel(MEMBER)
    session = (await host.post("/api/sessions", {"lesson": SYNC})).json["id"]
    photos = f"/api/sessions/{session}/photos"
    jpeg = {"Content-Type": "image/jpeg"}
    async with ClientSession() as http:
        teacher, assistant = await enter(county, http, host, session), await enter(county, http, member, session)
        room = await enter(county, http, panel, session)
        assert isinstance(await teacher.ask(StartLesson), Ack)
        assert isinstance(await teacher.ask(PushExercise, exercise=DRAWING), Ack)
        run = next(event.run for event in teacher.events if isinstance(event, ExercisePushed))
        target = f"{photos}?exercise={run}&pupil=7"

        refused = await member.ask("POST", target, data=b"<svg/>", headers=jpeg)
        assert refused.refusal == (422, "photo_unreadable")
        assert (await member.ask("POST", target, data=PICTURE)).refusal == (415, "unsupported_media_type")
        too_large = await member.ask("POST", target, data=io.BytesIO(b"x" * (2 << 20)), headers=jpeg)
        assert too_large.refusal == (413, "body_too_large")
        gone = await member.ask("POST", f"{photos}?exercise=x", data=PICTURE, headers=jpeg)
        assert gone.refusal == (409, "refused")

        sent = await member.ask("POST", target, data=PICTURE, headers=jpeg)
        photo = sent.json["photo"]
        await teacher.hears(PhotoAdded(run=run, unit=MEMBER, photo=photo, seat=7))
        shown = await host.get(f"{photos}/{photo}")
        assert (shown.status, shown.headers["Content-Type"], shown.body[:2]) == (200, "image/jpeg", b"\xff\xd8")
        assert (await panel.get(f"{photos}/{photo}")).refusal == (403, "not_in_lesson")
        assert (await (await county.person("researcher")).get(f"{photos}/{photo}")).refusal == (403, "not_in_lesson")
        assert (await host.delete(f"{photos}/{photo}")).refusal == (409, "refused")
        assert (await member.delete(f"{photos}/{photo}")).status == 204
        assert (await host.get(f"{photos}/{photo}")).refusal == (404, "not_found")
        for one in (teacher, assistant, room):
            await one.close()


async def test_panel_is_not_told_what_teachers_are(county: CountyServer) -> None:
    host, member = await county.person("host_teacher"), await county.person("member_teacher")
    session = (await host.post("/api/sessions", {"lesson": SYNC})).json["id"]
    async with ClientSession() as http:
        teacher = await enter(county, http, host, session)
        assistant = await enter(county, http, member, session)
        room = await enter(county, http, await county.panel(MEMBER), session)
        await teacher.ask(StartLesson)
        for exercise in (Exercise(kind="choice", prompt="？", options=("35°", "55°"), right=1), DRAWING):
            await teacher.ask(PushExercise, exercise=exercise)
        words = Exercise(kind="text", prompt="什么是法线？")
        await teacher.ask(PushExercise, exercise=words)
        run = [event.run for event in teacher.events if isinstance(event, ExercisePushed)][-1]
        await assistant.ask(GiveAnswer, exercise=run, seat=7, text="垂线")
        await teacher.ask(ShowResult, exercise=run)
        told = Answered(run=run, unit=MEMBER, seat=7, text="垂线")
        await teacher.hears(told)
        await room.hears(Answered(run=run, unit=MEMBER, seat=7, text=""))
        for panel, right in ((teacher, 1), (room, None)):
            assert next(e.exercise.right for e in panel.events if isinstance(e, ExercisePushed)) == right
        for one in (teacher, assistant, room):
            await one.close()


async def test_report_is_for_those_who_see_reviews_and_single_answers_for_fewer(county: CountyServer) -> None:
    host, member = await county.person("host_teacher"), await county.person("member_teacher")
    session = (await host.post("/api/sessions", {"lesson": SYNC})).json["id"]
    path = f"/api/sessions/{session}/report"
    async with ClientSession() as http:
        teacher, assistant = await enter(county, http, host, session), await enter(county, http, member, session)
        await teacher.ask(StartLesson)
        await teacher.ask(PushExercise, exercise=Exercise(kind="text", prompt="什么是法线？"))
        run = next(event.run for event in teacher.events if isinstance(event, ExercisePushed))
        await assistant.ask(GiveAnswer, exercise=run, seat=7, text="垂线")
        found = (await member.get(path)).json
        of_member = next(one for one in found["exercises"][0]["classes"] if one["unit"] == MEMBER)
        assert (found["state"], found["singleAnswers"], of_member["answered"]) == ("live", True, 1)
        assert [(one["seat"], one["text"]) for one in of_member["single"]] == [(7, "垂线")]
        seen = (await (await county.person("bureau_viewer")).get(path)).json
        assert (seen["singleAnswers"], [one["single"] for one in seen["exercises"][0]["classes"]]) == (
            False,
            [[] for _ in seen["exercises"][0]["classes"]],
        )
        assert (await (await county.person("foreign_director")).get(path)).refusal == (403, "not_permitted")
        assert (await (await county.panel(MEMBER)).get(path)).refusal == (403, "not_permitted")
        sheet = await host.get(f"{path}?form=csv&lang=en")
        assert (sheet.status, sheet.headers["Content-Type"]) == (200, "text/csv; charset=utf-8")
        assert "attachment" in sheet.headers["Content-Disposition"]
        assert (await host.get(f"{path}?form=xlsx")).body[:2] == b"PK"
        assert (await host.get(f"{path}?form=exe")).refusal == (422, "invalid_body")
        for one in (teacher, assistant):
            await one.close()


async def test_panel_gets_the_code_of_its_assistants_page(county: CountyServer) -> None:
    host = await county.person("host_teacher")
    session = (await host.post("/api/sessions", {"lesson": SYNC})).json["id"]
    reply = (await (await county.panel(MEMBER)).post(f"/api/sessions/{session}/join")).json
    assert reply["assistantUrl"].endswith(f"/classroom/{session}?as=assistant")
    code = reply["assistantQr"]
    drawn = f'<svg viewBox="0 0 {code["size"]} {code["size"]}"><path d="{code["path"]}"/></svg>'
    assert ElementTree.fromstring(drawn)[0].get("d")
    assert (await host.post(f"/api/sessions/{session}/join")).json["assistantQr"] is None


@pytest.mark.parametrize("seat", ["0", "100", "x", "-1"])
async def test_seat_that_is_none_is_refused(county: CountyServer, seat: str) -> None:
    host = await county.person("host_teacher")
    session = (await host.post("/api/sessions", {"lesson": SYNC})).json["id"]
    async with ClientSession() as http:
        teacher = await enter(county, http, host, session)
        answer = await host.ask(
            "POST",
            f"/api/sessions/{session}/photos?exercise=x&pupil={seat}",
            data=PICTURE,
            headers={"Content-Type": "image/jpeg"},
        )
        assert answer.refusal == (422, "invalid_body")
        await teacher.close()
