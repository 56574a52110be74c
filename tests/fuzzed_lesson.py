"""A lesson under way while somebody throws mangled things at its media: nothing escapes, nothing grows, and the others
hear and see without a gap."""

from __future__ import annotations

import asyncio
import gc
import logging
import random
import re
import traceback
import tracemalloc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any, NamedTuple

import pytest

from signaling.media.hub import MediaHub
from tests.integration.test_media_forwarding import Wire
from tests.media_clients import Client, Coded, Tone, clients, media_hub, until

BURST = 40
"""Datagrams between two turns of the loop: fewer than a socket's buffer holds."""
ROUND = 250
ROUNDS = 4
GROWTH = 32 << 10
"""Bytes that a round may leave behind: counters that became longer, tables that Python made larger."""

SERVER = re.compile(r"/signaling/|/aioice/stun\.py|/aiortc/(sdp|rtcdtlstransport)\.py")

Make = Callable[[random.Random], bytes]


class Lesson(NamedTuple):
    """A lesson under way, and somebody in it who means harm: both of its peers are connected."""

    hub: MediaHub
    host: Client
    member: Client
    wire: Wire
    sender: Client
    receiver: Client


@asynccontextmanager
async def lesson() -> AsyncIterator[Lesson]:
    async with (
        media_hub(tcp_port=0) as hub,
        clients(hub, "lesson", "host", "member") as (host, member),
        clients(hub, "lesson", "mallory", "mallory") as (sender, receiver),
    ):
        await host.publish(Tone(), Coded(160, 96, 100_000, 60))
        await sender.publish(Tone(), Coded(160, 96, 100_000, 90))
        await member.subscribe(host.track(0), host.track(1))
        await receiver.subscribe(host.track(0), host.track(1))
        wire = Wire(member)
        await until(lambda: member.watcher(1).frames >= 3 and receiver.watcher(1).frames >= 3)
        yield Lesson(hub, host, member, wire, sender, receiver)


@asynccontextmanager
async def nothing_escapes(running: Lesson, caplog: pytest.LogCaptureFixture) -> AsyncIterator[None]:
    """Nothing reaches the loop's exception handler or is logged as an error, and the others' lesson has no gap."""
    escaped: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: escaped.append(context))
    caplog.set_level(logging.WARNING)
    heard = {mid: len(headers) for mid, headers in running.wire.headers.items()}
    yield
    seen = running.member.watcher(1).frames
    await until(lambda: running.member.watcher(1).frames >= seen + 3)
    assert [context for context in escaped if ours(context.get("exception"))] == []
    assert [record.getMessage() for record in caplog.records if record.name.startswith("signaling")] == []
    assert running.hub.counters()["handler_failed"] == 0
    for mid, headers in running.wire.headers.items():
        numbers = sorted(number for number, _ in headers[heard[mid] :])
        assert all(after - before == 1 for before, after in pairwise(numbers))


def ours(error: BaseException | None) -> bool:
    """Has it passed through the server? The clients that are shown such media have troubles of their own."""
    return error is None or any("/signaling/" in frame.filename for frame in traceback.extract_tb(error.__traceback__))


async def throw(make: Make, send: Callable[[bytes], Any], seed: int, count: int = ROUND) -> None:
    chance = random.Random(seed)
    for number in range(count):
        found = send(make(chance))
        if found is not None:
            await found
        if number % BURST == 0:
            await asyncio.sleep(0.002)


async def rounds_leave_nothing(make: Make, send: Callable[[bytes], Any], count: int = ROUND) -> None:
    """The first rounds fill what may be filled; of those after it, one at least must add nothing."""
    await throw(make, send, 0, count)
    tracemalloc.start()
    try:
        kept: list[int] = []
        for seed in range(1, ROUNDS):
            await throw(make, send, seed, count)
            gc.collect()
            taken = tracemalloc.take_snapshot().traces
            kept.append(sum(trace.size for trace in taken if SERVER.search(trace.traceback[0].filename)))
    finally:
        tracemalloc.stop()
    grown = [after - before for before, after in pairwise(kept)]
    assert min(grown) < GROWTH, kept
