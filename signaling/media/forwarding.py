"""Where a stream meets the slots that show it. This module owns what each must know of the other, the header of a
slot's packets, and the hot loop that hands packets on to all of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from struct import Struct
from typing import Any, NamedTuple, Protocol

from aiortc.rtp import RtcpSenderInfo

from signaling.media.ice import IceLite
from signaling.media.keyframes import Vp8Descriptor, vp8_descriptor
from signaling.media.loss import ReportedLoss
from signaling.media.negotiation import Media
from signaling.media.packet_slots import SLOT, srtp_lib
from signaling.media.rtp import ABS_SEND_TIME, MID
from signaling.media.udp_port import UdpPort


class StoredPacket(NamedTuple):
    number: int
    timestamp: int
    marker: int
    padding: int  # 0 or 32
    payload: bytes


class Report(NamedTuple):
    arrival: float
    info: RtcpSenderInfo


class Source(Protocol):
    """What a slot must know of a stream. ring: its last packets, each at its number modulo the length."""

    media: Media
    codec: str
    clock_rate: int
    ring: list[StoredPacket | None]
    highest: int | None
    highest_at: float
    report: Report | None

    @property
    def ntp_offset(self) -> int: ...
    def join(self, slot: Slot) -> None: ...
    def leave(self, slot: Slot) -> None: ...
    def request_keyframe(self) -> None: ...


class Slot(ABC):
    """What a stream must know of a slot. begin: the first number it shows; shift, time_shift: from the stream's numbers
    and timestamps to its own; rewrite: what else changes in the payload; srtp: set once the subscriber is connected."""

    __slots__ = (
        "begin",
        "head",
        "ice",
        "losses",
        "media",
        "octets",
        "pack",
        "packets",
        "payload_type",
        "prefix",
        "rewrite",
        "shift",
        "srtp",
        "ssrc",
        "time_shift",
        "x",
    )

    def __init__(self, ice: IceLite, media: Media) -> None:
        self.ice, self.media, self.ssrc = ice, media, media.ssrc
        self.losses = ReportedLoss()
        self.srtp: Any = None
        self.payload_type = 0
        self.shift = self.time_shift = self.begin = self.packets = self.octets = 0
        self.rewrite: Callable[[Any, int, Vp8Descriptor], None] | None = None
        self.x, self.prefix, self.pack, self.head = _header(media)

    @abstractmethod
    def start(self, source: Source, number: int, timestamp: int, payload: bytes, now: float) -> None:
        """A keyframe of `source` begins at `number`: from here on the slot shows it."""

    @abstractmethod
    def suspend(self, new_clock: bool) -> bool:
        """The source forwards no more for now: muted, or beginning anew on another clock. Does the slot wait for it?"""

    @abstractmethod
    def source_closed(self, source: Source) -> None: ...


def _header(media: Media) -> tuple[int, bytes, Callable[..., None], int]:
    """(X bit, constant part of the header extension, packer, bytes of the whole header) of a slot's packets."""
    prefix = b""
    if MID in media.extensions:
        mid = media.mid.encode()
        prefix += bytes([media.extensions[MID] << 4 | len(mid) - 1]) + mid
    timed = ABS_SEND_TIME in media.extensions
    if timed:
        prefix += bytes([media.extensions[ABS_SEND_TIME] << 4 | 2])
    size = len(prefix) + 3 * timed
    fill = -size % 4
    if size:
        prefix = b"\xbe\xde" + ((size + fill) // 4).to_bytes(2, "big") + prefix
    packer = Struct(f"!BBHII{len(prefix)}s{'3s' if timed else '0s'}{fill}x")
    return 16 if size else 0, prefix, packer.pack_into, packer.size


def fan_out(port: UdpPort, outs: Iterable[Slot], packets: Sequence[StoredPacket]) -> None:
    """The hot loop: rewrite, encrypt in place, queue; all packets to one slot, then all to the next, so that what goes
    to one address stands together. It spells out UdpPort.queue: per packet and subscriber every call and every
    attribute is felt."""
    outbox, send_time, protect = port.outbox, port.send_time, srtp_lib.srtp_protect
    view, octets, pointers, count = outbox.view, outbox.octets, outbox.pointers, outbox.count
    sizes, targets, length = outbox.sizes, outbox.targets, outbox.length
    slot = port.used
    for out in outs:
        ice, head, pack, first, kind, srtp = out.ice, out.head, out.pack, 0x80 | out.x, out.payload_type, out.srtp
        ssrc, prefix, shift, time_shift, rewrite = out.ssrc, out.prefix, out.shift, out.time_shift, out.rewrite
        target = ice.target if ice.batched else None
        for number, timestamp, marker, padding, payload in packets:
            if slot >= count:
                slot = port.flush()
            size, at, place = len(payload), slot * SLOT, pointers[slot]
            pack(
                view,
                at,
                first | padding,
                kind | marker,
                (number + shift) & 0xFFFF,
                (timestamp + time_shift) & 0xFFFFFFFF,
                ssrc,
                prefix,
                send_time,
            )
            octets[at + head : at + head + size] = payload
            if rewrite is not None and (descriptor := vp8_descriptor(payload)) is not None:
                rewrite(view, at + head, descriptor)
            length[0] = head + size
            if protect(srtp, place, length):
                continue
            out.packets += 1
            out.octets += size
            if target is not None:
                sizes[slot], targets[slot] = length[0], target
                slot += 1
                port.used = slot
            else:
                port.queue(length[0], ice)
