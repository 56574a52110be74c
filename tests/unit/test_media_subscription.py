"""What a subscriber's line is judged by, when its slots come and go."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from signaling.media.errors import UnknownTrack
from signaling.media.negotiation import parse_offer
from signaling.media.outbound import Outbound
from signaling.media.peers import Peers
from signaling.media.publication import Track
from signaling.media.subscription import Subscription
from signaling.media.udp_port import UdpPort
from tests.unit.test_media_sdp import offer, section

BOTH = offer(section("0", direction="recvonly"), section("1", direction="recvonly"))
ONE_STOPPED = offer(section("0", direction="recvonly"), section("1", direction="recvonly", port=0))


def no_track(id: str) -> Track:
    raise UnknownTrack(id)


@asynccontextmanager
async def subscription() -> AsyncIterator[Subscription]:
    """Of two slots for pictures."""
    async with contextlib.AsyncExitStack() as stack:
        port = UdpPort(time.monotonic)
        await port.open("127.0.0.1", 0)
        stack.push_async_callback(port.close)
        parsed = parse_offer(BOTH)
        peer = Peers(port).make(("lesson", "member"), parsed)
        stack.callback(peer.ice.close)
        made = Subscription(
            "lesson",
            "member",
            peer,
            make_outbound=lambda peer, media: Outbound(peer, port, media, peer.cname),
            find_track=no_track,
            rank_of=lambda track: 0,
            clock=time.monotonic,
            on_levels=lambda: None,
        )
        made.negotiate(parsed, {})
        yield made


def sends(out: Outbound, packets: int, *, lost: int = 0) -> None:
    """So many packets of a thousand bytes went, and were reported on."""
    out.packets += packets
    out.octets += packets * 1000
    out.losses.packets += packets
    out.losses.lost += lost


async def test_what_a_slot_sent_that_is_no_more_counts_for_no_second_after_it() -> None:
    async with subscription() as member:
        first, second = member.slots["0"], member.slots["1"]
        sends(second, 40_000)  # minutes of pictures
        member.sample(1.0)
        sends(first, 100)
        sends(second, 100)
        member.sample(2.0)
        sent, ever = member.sent, member.octets_sent()
        member.negotiate(parse_offer(ONE_STOPPED), {})
        assert list(member.slots) == ["0"]
        assert member.octets_sent() == ever
        sends(first, 100)
        member.sample(3.0)
        assert member.sent == sent // 2
        assert not member.line.limited
        for second_ in (4.0, 5.0, 6.0):
            sends(first, 100, lost=60)
            member.sample(second_)
        assert member.line.limited  # what is lost by then is heard of
