"""WHIP bodies and trickle fragments of any kind: taken or refused by code, and nothing of them stays."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import random
import tracemalloc
from pathlib import Path

import pytest
from aiohttp import ClientSession
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.storage.database import Database
from signaling.media.errors import BadOffer, MediaError
from signaling.media.ice import Credentials
from signaling.media.trickle import read_fragment
from tests.live_lessons import plan
from tests.live_server import live_server
from tests.media_clients import Client, Picture, Tone, loopback_candidates, media_hub, until

PLAN = plan()

GOOD = "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n"
GOOD += "a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag EsAw network-id 1\r\n"
GOOD += "a=end-of-candidates\r\n"


def damaged(text: str) -> st.SearchStrategy[str]:
    """The text with some places cut out, doubled or overwritten."""
    place = st.integers(0, len(text))
    damage = st.tuples(place, st.integers(0, 60), st.text(max_size=12))
    return st.lists(damage, min_size=1, max_size=6).map(lambda wounds: _wounded(text, wounds))


def _wounded(text: str, wounds: list[tuple[int, int, str]]) -> str:
    for at, length, instead in wounds:
        text = text[:at] + instead + text[at + length :]
    return text


@given(st.one_of(st.text(), damaged(GOOD)))
def test_fragments_are_read_or_refused(text: str) -> None:
    with contextlib.suppress(BadOffer):
        assert isinstance(read_fragment(text), Credentials | None)


def test_a_good_fragment_is_read() -> None:
    assert read_fragment(GOOD) == Credentials("EsAw", "P2uYro0UCOQ4zxjKXaWCBui1")


ROUNDS, WARM_UP = 6, 2
GROWTH = 300_000
"""Bytes by which the rounds after the first ones may grow together: caches of interned names, not offers."""


@pytest.mark.slow
async def test_refused_and_dropped_offers_take_no_memory(
    sqlite_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # the lines of the log are kept for a failing test's report, and are no memory of the product's
    caplog.set_level(logging.CRITICAL, "aiohttp.access")
    database = Database.open(sqlite_url)
    async with live_server(database, tmp_path / "journals") as server, ClientSession() as http:
        await server.service.open(PLAN)
        token = server.service.admission.invite_encoder(PLAN, 3600.0)[0]
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/sdp"}
        with loopback_candidates():
            client = Client(server.hub, "s1", "p")
            client.pc.addTransceiver(Tone(), "sendonly")
            client.pc.addTransceiver(Picture(), "sendonly")
            offer = await client.offer()
        rng = random.Random(4711)

        def broken() -> str:
            at = rng.randrange(len(offer))
            return offer[:at] + offer[at + rng.randrange(1, 400) :]

        async def ask(method: str, path: str, body: str = "") -> tuple[int, str]:
            async with http.request(method, server.web.make_url(path), data=body, headers=headers) as response:
                return response.status, response.headers.get("Location", "")

        async def one_round() -> int:
            taken = 0
            for _ in range(40):
                status, resource = await ask("POST", "/whip/s1", broken())
                assert status in (201, 400, 422)
                if status == 201:
                    taken += 1
                    assert (await ask("DELETE", resource))[0] == 200
            status, resource = await ask("POST", "/whip/s1", offer)
            assert status == 201
            assert (await ask("DELETE", resource))[0] == 200
            gone = server.hub._peers, server.hub._port.ice.by_ufrag, server.hub._tracks, server.hub._publications
            await until(lambda: not any(gone) and server.service.resources._owners == {})
            assert server.service.tokens_in_use() == set()
            assert {who.presence for who in server.room().participants.values()} <= {"offline"}
            gc.collect()
            return taken

        tracemalloc.start()
        try:
            held = []
            for _ in range(ROUNDS):
                await one_round()
                held.append(tracemalloc.get_traced_memory()[0])
        finally:
            tracemalloc.stop()
        assert held[-1] - held[WARM_UP] < GROWTH, held
        await client.close()
    await database.close()


@pytest.mark.slow
async def test_damaged_offers_leave_nothing_behind() -> None:
    async with media_hub() as hub:
        with loopback_candidates():
            client = Client(hub, "s", "p")
            client.pc.addTransceiver(Tone(), "sendonly")
            client.pc.addTransceiver(Picture(), "sendonly")
            offer = await client.offer()
        loop = asyncio.get_running_loop()

        async def post(text: str) -> str:
            try:
                hub.demand_whole(text)
                answer = hub.publish("s", "p", text)
            except MediaError as error:
                return error.code
            hub.release(answer.resource)
            return "taken"

        @settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
        @given(st.one_of(st.text(max_size=300), damaged(offer)))
        def fuzz(text: str) -> None:
            found = asyncio.run_coroutine_threadsafe(post(text), loop).result(20)
            assert found in ("taken", "bad_offer", "nothing_acceptable")

        await asyncio.to_thread(fuzz)
        async with asyncio.timeout(10):
            while hub._peers or hub._port.ice.by_ufrag:  # noqa: ASYNC110 - peers say goodbye by themselves
                await asyncio.sleep(0.02)
        assert (hub.tracks("s"), hub._publications) == ([], {})
        await client.close()
