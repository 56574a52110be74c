"""Where a stream meets the slots that show it. This module owns what each must know of the other, the header of a
slot's packets, and the hot loop that hands packets on to all of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
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


make_packet = tuple.__new__
"""make_packet(StoredPacket, (...)): what StoredPacket(...) does, at a third of its cost."""


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
    def late(self, number: int) -> None:
        """The source's packet of that number, which had been lost on the way to us, was handed on just now."""

    @abstractmethod
    def suspend(self, new_clock: bool) -> bool:
        """The source forwards no more for now: muted, or beginning anew on another clock. Does the slot wait for it?"""

    @abstractmethod
    def source_closed(self, source: Source) -> None: ...


def _header(media: Media) -> tuple[int, bytes, Callable[..., None], int]:
    """(X bit, constant part of the header extension, packer, bytes of the whole header) of a slot's packets."""
    return _layout(media.mid.encode(), media.extensions.get(MID), media.extensions.get(ABS_SEND_TIME))


@lru_cache(maxsize=256)
def _layout(mid: bytes, mid_id: int | None, time_id: int | None) -> tuple[int, bytes, Callable[..., None], int]:
    """One for all slots that are alike: then it stays in the processor's cache while they take turns."""
    prefix = b""
    if mid_id is not None:
        prefix += bytes([mid_id << 4 | len(mid) - 1]) + mid
    if time_id is not None:
        prefix += bytes([time_id << 4 | 2])
    timed = 3 if time_id is not None else 0
    size = len(prefix) + timed
    fill = -size % 4
    if size:
        prefix = b"\xbe\xde" + ((size + fill) // 4).to_bytes(2, "big") + prefix
    packer = Struct(f"!BBHII{len(prefix)}s{timed}s{fill}x")
    return 16 if size else 0, prefix, packer.pack_into, packer.size


def fan_out(port: UdpPort, outs: Iterable[Slot], packets: Sequence[StoredPacket]) -> None:
    """The hot loop: rewrite, encrypt in place, queue; all packets to one slot, then all to the next, so that what goes
    to one address stands together. It spells out Outbox.add: per packet and subscriber every call and every attribute
    is felt."""
    outbox, send_time, protect = port.outbox, port.send_time, srtp_lib.srtp_protect
    view, octets, pointers, count = outbox.view, outbox.octets, outbox.pointers, outbox.count
    sizes, length = outbox.sizes, outbox.length
    runs = _runs(packets, outbox.most)
    for out in outs:
        head, pack, first, kind, srtp = out.head, out.pack, 0x80 | out.x, out.payload_type, out.srtp
        ssrc, prefix, shift, time_shift, rewrite = out.ssrc, out.prefix, out.shift, out.time_shift, out.rewrite
        target, tcp = out.ice.target, out.ice.tcp
        for run in runs:
            begin = slot = outbox.used if outbox.used + len(run) <= count else port.flush()
            for number, timestamp, marker, padding, payload in run:
                size, at = len(payload), slot * SLOT
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
                at += head
                octets[at : at + size] = payload
                if rewrite is not None and (descriptor := vp8_descriptor(payload)) is not None:
                    rewrite(view, at, descriptor)
                length[0] = head + size
                if protect(srtp, pointers[slot], length):
                    continue
                sizes[slot] = length[0]
                slot += 1
                out.octets += size
            if slot == begin:
                continue
            out.packets += slot - begin
            if target is not None:
                outbox.used = slot
                outbox.message(begin, slot - begin, target)
            elif tcp is not None:
                for sealed in range(begin, slot):
                    port.write(tcp, view[sealed * SLOT : sealed * SLOT + sizes[sealed]])


def _runs(packets: Sequence[StoredPacket], most: int) -> Sequence[Sequence[StoredPacket]]:
    """What may go as one message each: at most `most` neighbours of one size, of which the last may be shorter."""
    if len(packets) == 1:
        return (packets,)
    runs: list[list[StoredPacket]] = []
    room = -1  # what the next packet may have at most
    for packet in packets:
        size = len(packet.payload)
        if size > room or len(runs[-1]) >= most:
            runs.append([packet])
            room = size
        else:
            runs[-1].append(packet)
            if size < room:
                room = -1
    return runs
