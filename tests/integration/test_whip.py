"""WHIP and WHEP as RFC 9725 wants them: what is refused and how, tags, relays in Link headers, foreign pages."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientSession, hdrs

from server.keys import relay_key
from server.relay import Relay
from signaling.media.hub import Answer
from tests.live_lessons import HOST_UNIT, plan, teacher
from tests.live_server import LiveServer
from tests.media_clients import Client, Picture, Tone, clients, until

PLAN = plan()
FRAGMENT = {hdrs.CONTENT_TYPE: "application/trickle-ice-sdpfrag"}
CANDIDATE = "a=candidate:1 1 udp 2122260223 192.0.2.1 61764 typ host"


class Program:
    """An HTTP client with one Bearer token."""

    def __init__(self, server: LiveServer, http: ClientSession, token: str | None) -> None:
        self.server, self.http = server, http
        self.headers = {} if token is None else {hdrs.AUTHORIZATION: f"Bearer {token}"}

    async def ask(self, method: str, path: str, body: str | None = None, **headers: str) -> tuple[int, Any, str]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        url = self.server.web.make_url(path)
        async with self.http.request(method, url, data=body, headers=self.headers | named) as response:
            return response.status, response.headers, await response.text()

    async def offer(self, path: str, sdp: str, **headers: str) -> tuple[int, Any, str]:
        return await self.ask("POST", path, sdp, **{"Content_Type": "application/sdp", **headers})

    async def patch(self, path: str, fragment: str, tag: str | None = None) -> tuple[int, Any, str]:
        headers = {"Content_Type": FRAGMENT[hdrs.CONTENT_TYPE]}
        return await self.ask("PATCH", path, fragment, **headers, **({} if tag is None else {"If_Match": tag}))


@pytest.fixture
async def server(server: LiveServer) -> LiveServer:
    await server.service.open(PLAN)
    return server


@pytest.fixture
async def http() -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session


@pytest.fixture
def encoder(server: LiveServer, http: ClientSession) -> Program:
    return Program(server, http, server.service.admission.invite_encoder(PLAN, 3600.0)[0])


@pytest.fixture
def player(server: LiveServer, http: ClientSession) -> Program:
    return Program(server, http, server.service.admission.invite_player(PLAN, 3600.0)[0])


@pytest.fixture
async def up(server: LiveServer) -> AsyncIterator[Client]:
    async with clients(server.hub, "s1", "encoder") as (client,):
        client.pc.addTransceiver(Tone(), "sendonly")
        client.pc.addTransceiver(Picture(), "sendonly")
        yield client


@pytest.mark.parametrize("path", ["/whip/s1", "/whep/s1"])
@pytest.mark.parametrize(
    ("token", "challenge"),
    [
        (None, 'Bearer realm="tongke"'),
        ("x", 'Bearer realm="tongke", error="invalid_token"'),
        ("live", 'Bearer realm="tongke", error="invalid_token"'),
        ("old", 'Bearer realm="tongke", error="invalid_token", error_description="expired"'),
    ],
)
async def test_program_without_a_good_token_is_challenged_whatever_it_sends(
    server: LiveServer, http: ClientSession, path: str, token: str | None, challenge: str
) -> None:
    held = {
        "live": server.service.admission.invite(teacher(HOST_UNIT), PLAN)[0],
        "old": server.service.admission.invite_encoder(PLAN, -1.0)[0],
    }
    program = Program(server, http, held.get(token, token) if token else None)
    for kind in ("application/sdp", "text/html"):
        status, headers, _ = await program.ask("POST", path, "v=0", Content_Type=kind)
        assert (status, headers[hdrs.WWW_AUTHENTICATE]) == (401, challenge)
    assert (await program.patch("/rtc/x", CANDIDATE))[0] == 401
    assert (await program.ask("DELETE", "/rtc/x"))[0] == 401


async def test_wrong_role_type_or_session_is_refused_by_code(encoder: Program, player: Program) -> None:
    for program, path, expected in (
        (player, "/whip/s1", (403, "not_in_lesson")),
        (encoder, "/whep/s1", (403, "not_in_lesson")),
        (encoder, "/whip/other", (404, "session_not_found")),
        (encoder, "/whip/s1", (400, "bad_offer")),
    ):
        status, _, body = await program.offer(path, "v=0")
        assert (status, re.search(r'"code":"(\w+)"', body)[1]) == expected  # type: ignore[index]
    assert (await encoder.offer("/whip/s1", "v=0", Content_Type="text/plain"))[0] == 415
    assert (await encoder.offer("/whip/s1", "x" * (600 << 10)))[0] == 413


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
async def test_other_methods_of_an_entry_are_not_allowed(encoder: Program, method: str) -> None:
    status, headers, _ = await encoder.ask(method, "/whip/s1")
    assert (status, set(headers[hdrs.ALLOW].split(","))) == (405, {"GET", "HEAD", "OPTIONS", "POST"})


async def test_addresses_have_no_representation(encoder: Program) -> None:
    for path in ("/whip/s1", "/whep/s1", "/rtc/x"):
        status, _, body = await encoder.ask("GET", path)
        assert (status, body) == (204, "")


async def test_offer_is_taken_whole_or_not_at_all(server: LiveServer, encoder: Program, up: Client) -> None:
    offer = await up.offer()
    unknown_video = re.sub(r"(H264|VP8|rtx)/90000", "X/90000", offer)
    with_data = offer + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:9\r\n"
    for sdp in (unknown_video, with_data):
        status, _, body = await encoder.offer("/whip/s1", sdp)
        assert (status, "nothing_acceptable" in body) == (422, True)
    assert server.hub.tracks("s1") == []
    assert server.room().participants == {}


async def test_answer_names_its_resource_tag_and_relays(server: LiveServer, encoder: Program, up: Client) -> None:
    relay = "turn:turn.test:3478?transport=udp"
    server.web.app[relay_key] = Relay(["stun:stun.test", relay], "s" * 20, 3600.0, server.clock)
    status, headers, _ = await encoder.offer("/whip/s1", await up.offer())
    assert (status, headers[hdrs.CONTENT_TYPE]) == (201, "application/sdp")
    assert headers["Accept-Patch"] == FRAGMENT[hdrs.CONTENT_TYPE]
    assert re.fullmatch(r"/rtc/[\w-]+", headers[hdrs.LOCATION])
    assert re.fullmatch(r'"\w+"', headers[hdrs.ETAG])
    stun, turn = headers.getall(hdrs.LINK)
    assert stun == '<stun:stun.test>; rel="ice-server"'
    found = re.fullmatch(
        r'<(.+)>; rel="ice-server"; username="(\d+):(\w+)"; credential="(.+)"; credential-type="password"', turn
    )
    assert found is not None
    assert (found[1], float(found[2])) == (relay, server.clock.now + 3600)
    assert len((await encoder.ask("OPTIONS", "/whip/s1"))[1].getall(hdrs.LINK)) == 2
    bare = Program(server, encoder.http, None)
    assert hdrs.LINK not in (await bare.ask("OPTIONS", "/whip/s1"))[1]


async def test_candidates_name_their_ice_session(server: LiveServer, encoder: Program, up: Client) -> None:
    _, headers, _ = await encoder.offer("/whip/s1", await up.offer())
    resource, tag = headers[hdrs.LOCATION], headers[hdrs.ETAG]
    status, answered, body = await encoder.patch(resource, CANDIDATE, tag)
    assert (status, body, hdrs.ETAG in answered) == (204, "", False)
    assert (await encoder.patch(resource, f"{CANDIDATE}\r\na=end-of-candidates\r\n", f'"x", {tag}'))[0] == 204
    assert (await encoder.patch(resource, CANDIDATE))[0] == 428
    for stale in ('"old"', f"W/{tag}", "", "x"):
        assert (await encoder.patch(resource, CANDIDATE, stale))[0] == 412
    assert (await encoder.ask("PATCH", resource, CANDIDATE, Content_Type="application/sdp", If_Match=tag))[0] == 415


@pytest.mark.parametrize(
    "fragment",
    [
        "",
        "garbage",
        "a=x",
        "v=0\r\no=-",
        "a=candidate:x",
        "a=ice-ufrag:abcd",
        "a=ice-ufrag:ab\r\na=ice-pwd:c",
        "\0",
        "é",
    ],
)
async def test_garbage_in_a_fragment_is_refused(encoder: Program, up: Client, fragment: str) -> None:
    _, headers, _ = await encoder.offer("/whip/s1", await up.offer())
    for tag in (headers[hdrs.ETAG], "*", '"old"', None):
        status, _, body = await encoder.patch(headers[hdrs.LOCATION], fragment, tag)
        assert (status, "bad_offer" in body) == (400, True)


async def test_ice_restart_brings_a_new_tag_and_keeps_the_tracks(
    server: LiveServer, encoder: Program, up: Client
) -> None:
    _, headers, _ = await encoder.offer("/whip/s1", await up.offer())
    tracks = server.hub.tracks("s1")
    fresh = f"a=ice-ufrag:Fresh\r\na=ice-pwd:{'p' * 24}\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n{CANDIDATE}\r\n"
    status, answered, body = await encoder.patch(headers[hdrs.LOCATION], fresh, "*")
    assert (status, answered[hdrs.CONTENT_TYPE]) == (200, FRAGMENT[hdrs.CONTENT_TYPE])
    assert answered[hdrs.ETAG] not in ("", headers[hdrs.ETAG])
    assert re.search(r"^a=ice-ufrag:\w+\r\na=ice-pwd:\w{22,}\r$", body, re.MULTILINE)
    assert (await encoder.patch(headers[hdrs.LOCATION], CANDIDATE, headers[hdrs.ETAG]))[0] == 412
    assert (await encoder.patch(headers[hdrs.LOCATION], CANDIDATE, answered[hdrs.ETAG]))[0] == 204
    assert server.hub.tracks("s1") == tracks


async def test_resource_ends_once_and_is_forgotten(server: LiveServer, encoder: Program, up: Client) -> None:
    _, headers, _ = await encoder.offer("/whip/s1", await up.offer())
    assert (await encoder.ask("DELETE", headers[hdrs.LOCATION], If_Match='"old"'))[0] == 200
    assert (await encoder.ask("DELETE", headers[hdrs.LOCATION]))[0] == 404
    _, headers, _ = await encoder.offer("/whip/s1", await up.offer())
    server.hub.drop("s1", "encoder.core")
    assert (await encoder.ask("DELETE", headers[hdrs.LOCATION]))[0] == 200
    _, headers, _ = await encoder.offer("/whip/s1", await up.offer())
    server.hub.drop("s1", "encoder.core")
    await until(lambda: server.pass_time(0.25) or not server.service.resources._owners)
    assert (await encoder.ask("DELETE", headers[hdrs.LOCATION]))[0] == 404


async def test_withdrawn_token_ends_what_it_began_and_begins_nothing(
    server: LiveServer, encoder: Program, up: Client
) -> None:
    await up.take(Answer("", (await encoder.offer("/whip/s1", await up.offer()))[2], "", ()))
    await until(lambda: len(server.hub.tracks("s1")) == 2)
    (used,) = server.service.tokens_in_use()
    server.service.withdraw_token(used)
    assert server.hub.tracks("s1") == []
    assert server.room().participants["encoder.core"].presence == "offline"
    assert server.service.tokens_in_use() == set()
    for status, _, body in (await encoder.offer("/whip/s1", "v=0"), await encoder.ask("OPTIONS", "/whip/s1")):
        assert (status, "token_invalid" in body) == (401, True)
    another = Program(server, encoder.http, server.service.admission.invite_encoder(PLAN, 3600.0)[0])
    assert (await another.offer("/whip/s1", "v=0"))[0] == 400


async def test_pages_of_other_origins_may_ask(server: LiveServer, encoder: Program, player: Program) -> None:
    for path, methods in (("/whip/s1", {"POST"}), ("/rtc/x", {"PATCH", "DELETE"})):
        bare = Program(server, encoder.http, None)
        status, headers, _ = await bare.ask(
            "OPTIONS", path, Origin="https://elsewhere.test", Access_Control_Request_Method="POST"
        )
        assert (status, headers["Access-Control-Allow-Origin"]) == (200, "*")
        assert methods <= set(headers["Access-Control-Allow-Methods"].split(", "))
        assert {"Authorization", "Content-Type", "If-Match"} <= set(headers["Access-Control-Allow-Headers"].split(", "))
        assert "Access-Control-Allow-Credentials" not in headers
    # errors can be read too
    status, headers, _ = await player.offer("/whep/s1", "v=0", Origin="https://elsewhere.test")
    assert (status, headers["Access-Control-Allow-Origin"]) == (400, "*")
    assert {"Location", "ETag", "Link"} <= set(headers["Access-Control-Expose-Headers"].split(", "))


async def test_draining_server_says_when_to_come_back(server: LiveServer, encoder: Program, up: Client) -> None:
    server.service._draining = True
    status, headers, _ = await encoder.offer("/whip/s1", await up.offer())
    assert (status, int(headers[hdrs.RETRY_AFTER]) > 0) == (503, True)
