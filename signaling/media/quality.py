"""How good the connections of a participant are. This module owns the figures that the service shows and records."""

from __future__ import annotations

import msgspec

from signaling.media.layers import Seen
from signaling.media.loss import share
from signaling.media.peer import Peer
from signaling.media.publication import Publication
from signaling.media.subscription import Subscription


class LinkQuality(msgspec.Struct, frozen=True):
    """Losses are fractions of the last second or the last report, before repair; times are seconds, rates bit/s.

    `connected`: every peer the participant has is connected and was heard from in the last 10 s. `audio_level`: -dBov
    (RFC 6464), 0 is the loudest and 127 silence; None until the publisher says. `sound`: its last `loudness.KEPT`
    values, then.
    """

    connected: bool
    publish_loss: float = 0.0
    publish_jitter: float = 0.0
    publish_rtt: float | None = None
    publish_bitrate: int = 0
    publish_frames: int = 0  # pictures of all cameras in the last second
    subscribe_loss: float = 0.0
    subscribe_rtt: float | None = None
    subscribe_estimate: int | None = None  # what the line down is believed to carry
    subscribe_bitrate: int = 0
    levels: dict[str, Seen] = {}  # track id -> what of a picture is really forwarded
    resting: bool = False  # nobody looks: little or nothing is sent by arrangement
    up_still: bool = False  # the line up carries no picture beside the sound: none is asked for
    audio_level: int | None = None
    sound: bytes = b""


SILENT_SECONDS = 10.0


def is_alive(peer: Peer, now: float) -> bool:
    return peer.connected and now - peer.ice.last_check < SILENT_SECONDS


def measure(publication: Publication | None, subscription: Subscription | None, now: float) -> LinkQuality:
    publish = publication.peer if publication is not None else None
    subscribe = subscription.peer if subscription is not None else None
    peers = [peer for peer in (publish, subscribe) if peer is not None]
    streams = publish.inbound if publish is not None else []
    outs = [out for out in subscribe.outbound if out.source is not None] if subscribe is not None else []
    missed = ((s.expected_now, max(0, s.expected_now - s.received_now + s.recovered_now)) for s in streams)
    rtts = [out.rtt for out in outs if out.rtt is not None]
    heard = [(stream.audio_level, stream) for stream in streams if stream.audio_level is not None and not stream.muted]
    loudest = min(heard, key=lambda one: one[0], default=None)
    return LinkQuality(
        connected=bool(peers) and all(is_alive(peer, now) for peer in peers),
        publish_loss=share(missed),
        publish_jitter=max((stream.transit.jitter / stream.clock_rate for stream in streams), default=0.0),
        publish_rtt=publish.rtt if publish is not None else None,
        publish_bitrate=sum(stream.bitrate for stream in streams),
        publish_frames=sum(stream.frames_now for stream in streams if stream.media.kind == "video"),
        subscribe_loss=share(out.losses.lately for out in outs),
        subscribe_rtt=max(rtts, default=subscribe.rtt if subscribe is not None else None),
        subscribe_estimate=subscription.line.rate if subscription is not None else None,
        subscribe_bitrate=subscription.sent if subscription is not None else 0,
        levels=subscription.received(now) if subscription is not None else {},
        resting=publication is not None and publication.resting,
        up_still=publication is not None and publication.uplink.still,
        audio_level=loudest[0] if loudest is not None else None,
        sound=loudest[1].loudness.past(now) if loudest is not None else b"",
    )
