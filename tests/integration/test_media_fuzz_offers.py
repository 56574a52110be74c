"""Mangled offers and fragments: refused by code, and nothing of them stays."""

from __future__ import annotations

import contextlib
import logging
import random

import pytest

from signaling.media.errors import MediaError
from signaling.media.trickle import read_fragment
from tests.fuzzed_lesson import ROUND, rounds_leave_nothing
from tests.mangling import mangled_text
from tests.media_clients import Coded, Tone, clients, media_hub, until

pytestmark = pytest.mark.usefixtures("short_memory")


async def test_mangled_offers_and_fragments(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    async with media_hub() as hub, clients(hub, "lesson", "host", "member") as (host, member):
        await host.publish(Tone(), Coded(160, 96, 100_000, 60))
        await member.subscribe(host.track(0), host.track(1))
        offers = [host.pc.localDescription.sdp, member.pc.localDescription.sdp]
        fragment = hub.restart(host.resource, "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n")
        hub.close_session("lesson")
        await until(lambda: not hub._peers.closing)
        taken, refused = 0, set[str]()

        def ask(data: bytes) -> None:
            nonlocal taken
            chance = random.Random(data)
            text, other = mangled_text(chance.choice(offers), chance), mangled_text(fragment, chance)
            try:
                if chance.random() < 0.5:
                    hub.publish("other", "mallory", text)
                else:
                    hub.subscribe("other", "mallory", text, {"0": "none"} if chance.random() < 0.1 else {})
                taken += 1
            except MediaError as error:
                refused.add(error.code)
            with contextlib.suppress(MediaError):
                hub.demand_whole(text)
            with contextlib.suppress(MediaError):
                read_fragment(other)
            hub.close_session("other")

        await rounds_leave_nothing(lambda chance: chance.randbytes(8), ask, ROUND // 4)
        assert taken > ROUND / 10
        assert refused == {"bad_offer", "nothing_acceptable", "unknown_track"}
        await until(lambda: not hub._peers.closing)
        assert (hub._peers, hub._port.ice.by_ufrag, hub._port.ice.by_address) == ({}, {}, {})
        assert [record.getMessage() for record in caplog.records if record.name.startswith("signaling")] == []
