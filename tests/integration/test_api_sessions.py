"""Which sessions the people of two communities see of each other, and the socket behind a join, on the whole server."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

import pytest
from aiohttp import ClientSession

from signaling.commands import Hello, RaiseHand, StartLesson
from signaling.events import Left
from signaling.frames import MSGPACK
from signaling.messages import Ack, Welcome
from tests.county_server import FOREIGN, MEMBER, PUBLIC, SYNC, THIRD, Caller, CountyServer, person_id, remote_room
from tests.live_server import Panel
from timetable.term import local_date


def lesson_day() -> str:
    return (local_date(time.time()) + timedelta(days=2)).isoformat()


async def roles(county: CountyServer, name: str) -> dict[str, str | None]:
    rows = (await (await county.person(name)).get(f"/api/sessions?date={lesson_day()}")).json
    return {row["lesson"]: row["role"] for row in rows}


async def test_everybody_sees_the_sessions_of_their_communities_and_who_they_would_be(county: CountyServer) -> None:
    assert {name: await roles(county, name) for name in PEOPLE_AND_ROLES} == PEOPLE_AND_ROLES


PEOPLE_AND_ROLES: dict[str, dict[str, str | None]] = {
    "host_teacher": {SYNC: "host"},
    "core_teacher": {SYNC: None},
    "core_director": {SYNC: "observer"},
    "member_teacher": {SYNC: "assistant"},
    "third_director": {SYNC: "observer"},
    "researcher": {SYNC: "observer"},
    "convenor": {SYNC: "observer"},
    "bureau_viewer": {SYNC: "patrol", "B-r1.1": "patrol"},
    "foreign_teacher": {"B-r1.1": "host"},
    "foreign_researcher": {"B-r1.1": "observer"},
}


async def test_a_session_of_another_community_is_not_there(county: CountyServer) -> None:
    session = f"{SYNC}.{lesson_day()}"
    host, stranger = await county.person("host_teacher"), await county.person("foreign_director")
    rehearsal = (await host.post("/api/sessions", {"lesson": SYNC})).json["id"]
    assert (await host.get(f"/api/sessions/{rehearsal}")).json["role"] == "host"
    for id in (rehearsal, session):
        assert (await stranger.get(f"/api/sessions/{id}")).refusal == (404, "session_not_found")
    assert (await stranger.get("/api/sessions")).json == []
    assert (await stranger.post(f"/api/sessions/{rehearsal}/join")).refusal == (403, "not_in_lesson")
    assert (await stranger.post("/api/sessions", {"lesson": SYNC})).refusal == (403, "not_in_lesson")


async def test_who_opens_a_rehearsal_at_one_moment_meets_in_one(county: CountyServer) -> None:
    """The teacher's computer and phone, or a button pressed twice."""
    host = await county.person("host_teacher")
    opened = await asyncio.gather(*(host.post("/api/sessions", {"lesson": SYNC}) for _ in range(4)))
    assert [answer.status for answer in opened] == [201] * 4
    assert len({answer.json["id"] for answer in opened}) == 1
    assert [row["id"] for row in (await host.get("/api/sessions")).json] == [opened[0].json["id"]]


@pytest.mark.parametrize("day", ["tomorrow", "2026-02-30", "9999-12-31", "0001-01-01", "%00", "2026-11-22T00:00"])
async def test_a_date_that_is_none_is_refused(county: CountyServer, day: str) -> None:
    answer = await (await county.person("host_teacher")).get(f"/api/sessions?date={day}")
    assert answer.refusal in ((422, "invalid_body"), (400, "bad_request"))


async def test_a_lesson_to_come_has_closed_doors(county: CountyServer) -> None:
    panel = await county.panel(MEMBER)
    [row] = (await panel.get(f"/api/sessions?date={lesson_day()}")).json
    assert (row["state"], row["role"], row["review"]) == ("scheduled", "endpoint", None)
    assert (await panel.post(f"/api/sessions/{row['id']}/join")).refusal == (409, "session_not_open")


async def dial(county: CountyServer, http: ClientSession, **headers: str) -> Panel:
    socket = await http.ws_connect(f"{county.base}/ws/live", protocols=[MSGPACK.subprotocol], headers=headers)
    return Panel(socket, MSGPACK)


async def enter(county: CountyServer, http: ClientSession, caller: Caller, session: str, wish: str = "") -> Panel:
    reply = await caller.post(f"/api/sessions/{session}/join{wish}")
    assert reply.status == 200, reply
    panel = await dial(county, http, Origin=PUBLIC)
    await panel.send(Hello(token=reply.json["token"], device="d"))
    panel.welcome = await panel.expect(Welcome)
    assert panel.welcome.participant == reply.json["participant"]
    return panel


async def test_a_rehearsal_is_joined_by_those_of_the_lesson_with_what_the_join_says(county: CountyServer) -> None:
    host = await county.person("host_teacher")
    session = (await host.post("/api/sessions", {"lesson": SYNC})).json["id"]
    async with ClientSession() as http:
        teacher = await enter(county, http, host, session)
        room = await enter(county, http, await county.panel(MEMBER), session)
        assistant = await enter(county, http, await county.person("member_teacher"), session)
        watcher = await enter(county, http, await county.person("researcher"), session)
        assert [panel.welcome.role for panel in (teacher, room, assistant, watcher)] == [
            "host",
            "endpoint",
            "assistant",
            "observer",
        ]
        assert isinstance(await teacher.ask(StartLesson), Ack)
        assert isinstance(await room.ask(RaiseHand), Ack)
        assert (await watcher.refusal(RaiseHand))[0] == "role_may_not"
        [row] = (await host.get("/api/sessions")).json
        assert (row["id"], row["state"]) == (session, "live")
        live = (await host.get("/api/today?community=A")).json["live"]
        assert [(now["session"], now["rehearsal"]) for now in live] == [(session, True)]
        assert {part["unit"]: part["state"] for part in live[0]["rooms"]} == {MEMBER: "connected", THIRD: "offline"}
        for panel in (teacher, room, assistant, watcher):
            await panel.close()


async def test_peers_watch_when_the_host_lets_them_and_leave_when_no_more(county: CountyServer) -> None:
    host, peer = await county.person("host_teacher"), await county.person("core_teacher")
    session = (await host.post("/api/sessions", {"lesson": SYNC})).json["id"]
    access = f"/api/sessions/{session}/access"
    offices = {"researcher": "observer", "core_principal": "observer", "bureau_viewer": "patrol"}
    for name, role in offices.items():
        assert (await (await county.person(name)).post(f"/api/sessions/{session}/join")).json["role"] == role
    assert (await peer.post(f"/api/sessions/{session}/join")).refusal == (403, "not_in_lesson")
    for name in ("core_teacher", "member_teacher", "researcher", "foreign_director"):
        other = await county.person(name)
        assert (await other.post(access, {"kind": "peers"})).refusal == (403, "not_in_lesson")
        assert (await other.get(access)).refusal == (403, "not_in_lesson")
    given = (await host.post(access, {"kind": "peers"})).json
    assert given["token"] == ""
    stranger = await county.person("foreign_teacher")
    assert (await stranger.post(f"/api/sessions/{session}/join")).refusal == (403, "not_in_lesson")
    assert (await county.person("member_teacher")) is not None
    async with ClientSession() as http:
        watching = await enter(county, http, peer, session)
        assert watching.welcome.role == "observer"
        [row] = (await host.get(access)).json
        assert (row["id"], row["kind"], row["inUse"]) == (given["id"], "peers", True)
        token = (await peer.post(f"/api/sessions/{session}/join")).json["token"]
        other = await county.person("researcher")
        assert (await other.delete(f"{access}/{given['id']}")).refusal == (403, "not_in_lesson")
        assert (await host.delete(f"{access}/{given['id']}")).status == 204
        assert await watching.closed() == "unauthorized"
        again = await dial(county, http, Origin=PUBLIC)
        await again.send(Hello(token=token, device="d"))
        assert await again.closed() == "unauthorized"
        assert (await peer.post(f"/api/sessions/{session}/join")).refusal == (403, "not_in_lesson")
        assert (await host.get(access)).json == []
        for panel in (watching, again):
            await panel.close()


async def test_guest_watches_by_a_link_until_it_is_taken_back(county: CountyServer) -> None:
    host, guest = await county.person("host_teacher"), await county.person("foreign_teacher")
    session = (await host.post("/api/sessions", {"lesson": SYNC})).json["id"]
    access = f"/api/sessions/{session}/access"
    given = (await host.post(access, {"kind": "guest"})).json
    page, _, invitation = given["url"].partition("#")
    assert page.endswith(f"/classroom/{session}?as=observer")
    join = f"/api/sessions/{session}/join?as=observer"
    player = (await host.post(access, {"kind": "player"})).json
    for wrong in ("", "x", player["token"]):
        assert (await guest.post(join, {"invitation": wrong})).refusal == (403, "not_in_lesson")
    panel = await county.panel(FOREIGN)
    assert (await panel.post(join, {"invitation": invitation})).refusal == (403, "not_in_lesson")
    reply = await guest.post(join, {"invitation": invitation})
    async with ClientSession() as http:
        watching = await dial(county, http, Origin=PUBLIC)
        await watching.send(Hello(token=reply.json["token"], device="d"))
        await watching.expect(Welcome)
        assert (await guest.get(f"/api/sessions/{session}/materials")).status == 200
        assert (await host.delete(f"{access}/{given['id']}")).status == 204
        assert await watching.closed() == "unauthorized"
        await watching.close()
    assert (await guest.post(join, {"invitation": invitation})).refusal == (403, "not_in_lesson")
    assert (await guest.get(f"/api/sessions/{session}/materials")).refusal == (403, "not_in_lesson")


async def test_a_panel_that_is_unpaired_leaves_the_lesson_at_once(county: CountyServer) -> None:
    host = await county.person("host_teacher")
    session = (await host.post("/api/sessions", {"lesson": SYNC})).json["id"]
    async with ClientSession() as http:
        teacher = await enter(county, http, host, session)
        panel = await county.panel(MEMBER)
        room = await enter(county, http, panel, session)
        director = await county.person("member_director")
        assert (await director.delete(f"/api/rooms/{remote_room(MEMBER)}/device")).status == 204
        assert await room.closed() == "unauthorized"
        await teacher.hears(Left(participant=room.welcome.participant, reason="left"))
        assert (await panel.post(f"/api/sessions/{session}/join")).refusal == (401, "not_signed_in")
        await teacher.close()


async def test_tokens_are_for_those_who_have_a_place(county: CountyServer) -> None:
    host = await county.person("host_teacher")
    session = (await host.post("/api/sessions", {"lesson": SYNC})).json["id"]
    join = f"/api/sessions/{session}/join"
    assert (await county.nobody.post(join)).refusal == (401, "not_signed_in")
    assert (await (await county.panel(FOREIGN)).post(join)).refusal == (403, "not_in_lesson")
    assert (await (await county.panel(MEMBER)).post(f"{join}?as=host")).refusal == (403, "not_in_lesson")
    assert (await (await county.person("member_teacher")).post(f"{join}?as=host")).refusal == (403, "not_in_lesson")
    reply = (await (await county.panel(MEMBER)).post(join)).json
    assert 290 < reply["expiresAt"] - time.time() <= 300
    assert (reply["participant"], reply["socketUrl"]) == (remote_room(MEMBER), "ws://tongke.test/ws/live")
    assert reply["token"] not in reply["socketUrl"] + reply["assistantUrl"]
    assert person_id("host_teacher") in (await host.post(join)).json["participant"]


async def test_the_socket_is_not_for_other_sites(county: CountyServer) -> None:
    host = await county.person("host_teacher")
    refused = await host.get(
        "/ws/live",
        headers={
            "Origin": "https://evil.example",
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Protocol": MSGPACK.subprotocol,
        },
    )
    assert refused.refusal == (403, "foreign_request")
    async with ClientSession() as http:
        panel = await dial(county, http, Origin=PUBLIC)
        await panel.send(Hello(token="x.y", device="d"))
        assert await panel.closed() == "unauthorized"
        await panel.close()
