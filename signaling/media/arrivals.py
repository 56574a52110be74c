"""What one peer sends. This module owns decrypting it in the receive buffer, and whose stream a packet is: an SSRC that
SDP did not announce is told by its mid, else by a payload type that only one stream has.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from struct import Struct
from typing import Any

from signaling.media.inbound import Inbound
from signaling.media.packet_slots import SLOT, PacketSlots, srtp_ffi, srtp_lib
from signaling.media.rtp import MID, audio_level, header_extensions, payload_bounds

MOST_SSRCS = 64  # that one peer may send
_HEADER = Struct("!BBHII").unpack_from
_SEQUENCE = Struct("!H").unpack_from


@dataclass
class PeerCounters:
    not_authentic: int = 0
    bad_rtp: int = 0
    bad_rtcp: int = 0
    unknown_stream: int = 0


class Arrivals:
    """streams: to be added and removed here alone."""

    def __init__(self, on_rtcp: Callable[[bytes], None]) -> None:
        """on_rtcp: gets RTCP as it came, sealed."""
        self.streams: list[Inbound] = []
        self.counters = PeerCounters()
        self.strangers: set[int] = set()
        """SSRCs of nobody's stream."""
        self._by_ssrc: dict[int, tuple[Inbound, bool]] = {}  # -> (stream, is it RTX)
        self._on_rtcp = on_rtcp
        self._length: Any = srtp_ffi.new("int *")

    def open(self, inbox: PacketSlots, srtp: Any) -> None:
        """The peer is connected. inbox: where `receive` finds what came; srtp: libsrtp's session for it."""
        self._octets, self._pointers, self._srtp = inbox.octets, inbox.pointers, srtp

    def add(self, stream: Inbound) -> None:
        self.streams.append(stream)
        self.strangers.clear()
        if stream.media.remote_ssrc is not None:
            self._bind(stream.media.remote_ssrc, stream, rtx=False)
        if stream.media.remote_rtx_ssrc is not None:
            self._bind(stream.media.remote_rtx_ssrc, stream, rtx=True)

    def remove(self, stream: Inbound) -> None:
        if stream in self.streams:
            self.streams.remove(stream)
            self._by_ssrc = {ssrc: found for ssrc, found in self._by_ssrc.items() if found[0] is not stream}
            stream.close()

    def of(self, ssrc: int) -> Inbound | None:
        """The stream whose own packets, not those sent again, have this SSRC."""
        found = self._by_ssrc.get(ssrc)
        return found[0] if found is not None and not found[1] else None

    def _bind(self, ssrc: int, stream: Inbound, *, rtx: bool) -> tuple[Inbound, bool]:
        if not rtx and stream.ssrc != ssrc:
            stream.restart(ssrc)
        self._by_ssrc[ssrc] = (stream, rtx)
        return stream, rtx

    def _find(self, ssrc: int, kind: int, octets: memoryview, extension: int, end: int) -> tuple[Inbound, bool] | None:
        """kind: the payload type; extension, end: where the header extension begins (0: none) and the packet ends."""
        mid: str | None = None
        for stream in self.streams:
            wanted = stream.media.extensions.get(MID)
            for number, value in header_extensions(octets, extension, end):
                if number == wanted:
                    mid = bytes(value).decode("ascii", "replace")
        found = [
            (stream, kind == stream.rtx_payload_type)
            for stream in self.streams
            if mid in (None, stream.media.mid) and kind in (stream.payload_type, stream.rtx_payload_type)
        ]
        if len(found) == 1 and len(self._by_ssrc) < MOST_SSRCS:
            return self._bind(ssrc, found[0][0], rtx=found[0][1])
        self.strangers.add(ssrc)
        return None

    def receive(self, slot: int, size: int) -> None:
        """One SRTP or SRTCP datagram, still in its receive buffer."""
        if size < 12:
            self.counters.bad_rtp += 1
            return
        octets, at = self._octets, slot * SLOT
        first, second, sequence, timestamp, ssrc = _HEADER(octets, at)
        if 192 <= second <= 223:
            self._on_rtcp(octets[at : at + size].tobytes())
            return
        found = self._by_ssrc.get(ssrc)
        if found is None and (ssrc in self.strangers or len(self.strangers) >= MOST_SSRCS):
            self.counters.unknown_stream += 1  # libsrtp would keep a context for each
            return
        length = self._length
        length[0] = size
        if srtp_lib.srtp_unprotect(self._srtp, self._pointers[slot], length):
            self.counters.not_authentic += 1
            return
        end = at + length[0]
        try:
            extension, start, padding = payload_bounds(first, octets, at, end)
        except ValueError:
            self.counters.bad_rtp += 1
            return
        kind = second & 127
        if found is None:
            found = self._find(ssrc, kind, octets, extension, end)
            if found is None:
                self.counters.unknown_stream += 1
                return
        stream, rtx = found
        if rtx:
            if end - start - padding < 3:  # padding only: a bandwidth probe
                return
            sequence = _SEQUENCE(octets, start)[0]
            start += 2
        elif kind != stream.payload_type:
            self.counters.unknown_stream += 1
            return
        if extension and stream.level_id is not None:
            level = audio_level(octets, extension, end, stream.level_id)
            if level is not None:
                stream.hear(level)
        stream.receive(rtx, sequence, timestamp, second & 128, padding, octets[start:end].tobytes())
