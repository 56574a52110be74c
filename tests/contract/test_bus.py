"""The in-process bus and the Redis bus keep the same promises."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from server.bus import Bus, BusOverflow, BusUnavailable, open_bus
from server.bus.inbox import Inbox
from tests.services import free_port, redis_server


async def take(messages: AsyncIterator[bytes], count: int) -> list[bytes]:
    async with asyncio.timeout(10):
        return [await anext(messages) for _ in range(count)]


async def test_a_subscriber_gets_later_messages_in_order(bus: Bus) -> None:
    await bus.publish("lesson", b"before")
    async with bus.subscribe("lesson") as messages:
        sent = [b"%d" % number for number in range(50)]
        for payload in sent:
            await bus.publish("lesson", payload)
        assert await take(messages, 50) == sent


async def test_every_subscriber_of_a_topic_gets_every_message(bus: Bus) -> None:
    async with bus.subscribe("lesson") as first, bus.subscribe("lesson") as second:
        await bus.publish("lesson", b"\x00\xff")
        assert await take(first, 1) == [b"\x00\xff"]
        assert await take(second, 1) == [b"\x00\xff"]


async def test_topics_are_apart(bus: Bus) -> None:
    async with bus.subscribe("one") as one, bus.subscribe("two") as two:
        await bus.publish("one", b"1")
        await bus.publish("two", b"2")
        assert await take(one, 1) == [b"1"]
        assert await take(two, 1) == [b"2"]


async def test_a_reader_that_never_reads_holds_up_nobody(bus: Bus) -> None:
    async with bus.subscribe("lesson"), bus.subscribe("lesson") as reader:
        for number in range(200):
            await bus.publish("lesson", b"%d" % number)
        assert (await take(reader, 200))[-1] == b"199"


async def test_close_ends_the_subscriptions(bus: Bus) -> None:
    async with bus.subscribe("lesson") as messages:
        await bus.publish("lesson", b"last")
        assert await take(messages, 1) == [b"last"]
        await bus.close()
        async with asyncio.timeout(10):
            assert [message async for message in messages] == []


async def test_leaving_a_subscription_while_waiting_is_clean(bus: Bus) -> None:
    async with bus.subscribe("lesson") as messages:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await anext(messages)
    await bus.publish("lesson", b"nobody listens")


async def test_a_full_inbox_says_that_it_spilled() -> None:
    inbox = Inbox(capacity=2)
    for payload in (b"1", b"2", b"3"):
        inbox.put(payload)
    messages = aiter(inbox)
    assert await take(messages, 2) == [b"1", b"2"]
    with pytest.raises(BusOverflow):
        await anext(messages)


async def test_processes_reach_each_other_through_redis(redis_url: str) -> None:
    here, there = open_bus(redis_url), open_bus(redis_url)
    async with here.subscribe("lesson") as messages:
        await there.publish("lesson", b"hello")
        assert await take(messages, 1) == [b"hello"]
    await here.close()
    await there.close()


async def test_a_subscription_survives_a_restart_of_redis() -> None:
    port = free_port()
    with redis_server(port) as url:
        bus = open_bus(url)
        subscription = bus.subscribe("lesson")
        messages = await subscription.__aenter__()
        await bus.publish("lesson", b"before")
        assert await take(messages, 1) == [b"before"]
    with pytest.raises(BusUnavailable):
        await bus.publish("lesson", b"while Redis is away")
    with redis_server(port):
        await publish_until_heard(bus, messages)
        await subscription.__aexit__(None, None, None)
        await bus.close()


async def publish_until_heard(bus: Bus, messages: AsyncIterator[bytes]) -> None:
    """The subscriber reconnects in its own time, and what is sent before that is lost by contract."""
    heard = asyncio.ensure_future(anext(messages))
    async with asyncio.timeout(20):
        while not heard.done():
            with suppress(BusUnavailable):
                await bus.publish("lesson", b"after")
            await asyncio.wait([heard], timeout=0.05)
    assert heard.result() == b"after"


async def test_redis_out_of_reach_is_told_by_code() -> None:
    bus = open_bus(f"redis://127.0.0.1:{free_port()}/0")
    with pytest.raises(BusUnavailable):
        async with bus.subscribe("lesson"):
            pass
    with pytest.raises(BusUnavailable) as refusal:
        await bus.publish("lesson", b"")
    assert refusal.value.code == "bus_unavailable"
    await bus.close()
