"""One slot of a subscriber: what it shows may change, what it sends has one SSRC and one continuous numbering. This
module owns that rewriting, the answers to NACKs from the source's ring, and the sender report.
"""

from __future__ import annotations

from struct import Struct
from typing import Any, Protocol

from aiortc.rtp import RtcpReceiverInfo, RtcpSdesPacket, RtcpSenderInfo, RtcpSourceInfo, RtcpSrPacket

from signaling.media.forwarding import Slot, Source
from signaling.media.ice import IceLite
from signaling.media.keyframes import vp8_descriptor
from signaling.media.negotiation import Format, Media
from signaling.media.numbering import Epoch, Paused, rewriter
from signaling.media.packet_slots import SLOT, srtp_lib
from signaling.media.rtp import OVERHEAD, nearest
from signaling.media.udp_port import UdpPort

FIRST_NUMBER = 1000  # far from a wrap, so that the receiver's SRTP counts the cycles as we do
EPOCHS = 4  # sources a late NACK may reach back to
RESEND_SHARE = 0.25  # of what the line carries: repairs must not be the congestion they answer
RESEND_LEAST = 12_000  # bytes a second
RESENT_AGAIN = 0.05  # seconds, or one round trip, in which a packet that was sent again cannot have been missed again
AGAIN_KEPT = 2.0  # seconds for which it is known what was sent again, or late
MOST_NACKED = 200  # in one report
BLANK = bytes(254) + b"\xff"  # as much padding as a packet can have
PADDING_FROM = 64  # newest packets that may be sent again to fill the line

_SEQUENCE = Struct("!H").pack_into


class Subscriber(Protocol):
    """What a slot needs of the peer that receives it."""

    @property
    def ice(self) -> IceLite: ...


class Outbound(Slot):
    __slots__ = (
        "_again_at",
        "_budget",
        "_cname",
        "_epochs",
        "_format",
        "_new_clock",
        "_paused",
        "_port",
        "_rtx_sequence",
        "_sent_reports",
        "extra_octets",
        "keyframe_requests",
        "nacked",
        "pending",
        "resent",
        "rtt",
        "rtt_at",
        "source",
        "unanswered",
    )

    def __init__(self, subscriber: Subscriber, port: UdpPort, media: Media, cname: str) -> None:
        super().__init__(subscriber.ice, media)
        self.source: Source | None = None  # forwarded now
        self.pending: Source | None = None  # forwarded from its next keyframe on
        self.nacked = self.resent = self.unanswered = self.keyframe_requests = 0
        self.extra_octets = 0  # on the wire, sent again
        self.rtt: float | None = None
        self.rtt_at = 0.0
        self._port, self._cname = port, cname.encode()
        self._format: Format | None = None
        self._epochs: list[Epoch] = []
        self._paused: Paused | None = None
        self._new_clock = False
        self._budget = RESEND_LEAST * 4
        self._again_at: dict[int, float] = {}
        self._rtx_sequence = 0
        self._sent_reports: dict[int, float] = {}

    # what it shows

    def show(self, source: Source | None) -> None:
        """None: silence. Another source takes over at its next keyframe; until then the present one goes on."""
        if source is not None and source is self.pending:
            return
        if self.pending is not None:
            self.pending.leave(self)
        self.pending = None
        if source is None:
            self._leave()
        elif source is not self.source:
            self.pending = source
            self._wait()

    def attach(self, srtp: Any) -> None:
        """The subscriber is connected."""
        self.srtp = srtp
        self._wait()

    def _wait(self) -> None:
        if self.srtp is not None and self.pending is not None:
            self.pending.join(self)

    def start(self, source: Source, number: int, timestamp: int, payload: bytes, now: float) -> None:
        """A keyframe of `source` begins at `number`; the source puts this slot among its outs."""
        last = self._epochs[-1] if self._epochs else None
        again = last if last is not None and last.source is source and not self._new_clock else None
        self._new_clock = False
        if self.source is not None and self.source is not source:
            self._leave()
        paused, self._paused = self._paused, None
        self.source, self.pending = source, None
        self._format = self.media.format(source.codec)
        if self._format is None or self._format.codec.payloadType is None:
            raise AssertionError("the hub gives a slot only tracks whose codec it negotiated")
        self.payload_type = self._format.codec.payloadType
        first = FIRST_NUMBER if paused is None else paused.number + 1
        self.shift, self.begin = first - number, number
        picture_shift = tl0_shift = 0
        if paused is None:
            self.time_shift = 0
        elif again is not None:
            self.time_shift = again.time_shift
        else:
            elapsed = max(1, int((now - paused.at) * source.clock_rate))
            self.time_shift = (paused.timestamp + elapsed - timestamp) & 0xFFFFFFFF
        descriptor = vp8_descriptor(payload) if source.codec == "vp8" else None
        if paused is not None and descriptor is not None:
            picture_shift = paused.picture + 1 - descriptor.picture if paused.picture >= 0 else 0
            tl0_shift = paused.tl0 + 1 - descriptor.tl0 if paused.tl0 >= 0 else 0
        epoch = Epoch(first, source, self.shift, self.time_shift, picture_shift, tl0_shift)
        self._epochs = [*self._epochs[1 - EPOCHS :], epoch]
        self.rewrite = rewriter(epoch)

    def late(self, number: int) -> None:
        """The subscriber misses it already, too, and asks for what is on its way: that is not its line's loss."""
        self._again_at[(number + self.shift) & 0xFFFF] = self._port.clock()

    def suspend(self, new_clock: bool) -> bool:
        """The source forwards no more for now: muted, or beginning anew on another clock. Does the slot wait for it?"""
        self._pause()
        source, self.source = self.source, None
        if new_clock:
            self._new_clock = True
        if self.pending is not None:
            return False
        self.pending = source
        return True

    def source_closed(self, source: Source) -> None:
        if self.source is source:
            self._pause()
            self.source = None
        if self.pending is source:
            self.pending = None

    def _leave(self) -> None:
        if self.source is None:
            return
        self._pause()
        self.source.leave(self)
        self.source = None

    def _pause(self) -> None:
        source = self.source
        if source is None or source.highest is None:
            return
        stored = source.ring[source.highest % len(source.ring)]
        timestamp, picture, tl0 = 0, -1, -1
        if stored is not None:
            timestamp = (stored.timestamp + self.time_shift) & 0xFFFFFFFF
            descriptor = vp8_descriptor(stored.payload) if source.codec == "vp8" else None
            if descriptor is not None and self._epochs:
                epoch = self._epochs[-1]
                picture = descriptor.picture + epoch.picture_shift if descriptor.picture_at else -1
                tl0 = descriptor.tl0 + epoch.tl0_shift if descriptor.tl0_at else -1
        self._paused = Paused(source.highest + self.shift, timestamp, source.highest_at, picture, tl0)

    def detach(self) -> None:
        """The subscriber is gone."""
        self.show(None)
        self.srtp = None

    # feedback

    def on_nack(self, lost: list[int]) -> None:
        now = self._port.clock()
        recent = now - max(self.rtt or 0.0, RESENT_AGAIN)
        for low in lost[:MOST_NACKED]:
            self.nacked += 1
            number = low & 0xFFFF
            if self._again_at.get(number, 0.0) > recent:
                continue  # on its way
            before = self.extra_octets
            if self._budget > 0 and self._resend(number):
                if number not in self._again_at:
                    self.losses.asked(number)
                self._again_at[number] = now
                self._budget -= self.extra_octets - before
                self.resent += 1
            else:
                self.unanswered += 1  # lost on the way to us, too: forwarded when the publisher sends it again

    def _resend(self, low: int) -> bool:
        if self.srtp is None or not self._epochs or self._format is None:
            return False
        source = self.source
        newest = source.highest + self.shift if source is not None and source.highest is not None else None
        if newest is None:
            newest = self._paused.number if self._paused is not None else self._epochs[-1].first
        number = nearest(low, newest)
        epoch = next((e for e in reversed(self._epochs) if e.first <= number), None)
        if epoch is None:
            return False
        wanted = number - epoch.shift
        stored = epoch.source.ring[wanted % len(epoch.source.ring)]
        form = self.media.format(epoch.source.codec)
        if stored is None or stored.number != wanted or not stored.payload or form is None:
            return False
        port, payload = self._port, stored.payload
        slot = port.slot()
        view, at, head = port.outbox.view, slot * SLOT, self.head
        first = 0x80 | stored.padding | self.x
        timestamp = (stored.timestamp + epoch.time_shift) & 0xFFFFFFFF
        if form.rtx is None or form.rtx.payloadType is None:
            second = (form.codec.payloadType or 0) | stored.marker
            self.pack(view, at, first, second, low, timestamp, self.ssrc, self.prefix, port.send_time)
        else:
            self._rtx_sequence = (self._rtx_sequence + 1) & 0xFFFF
            second = form.rtx.payloadType | stored.marker
            ssrc = self.media.rtx_ssrc
            self.pack(view, at, first, second, self._rtx_sequence, timestamp, ssrc, self.prefix, port.send_time)
            _SEQUENCE(view, at + head, low)
            head += 2
        view[at + head : at + head + len(payload)] = payload
        rewrite = rewriter(epoch)
        descriptor = vp8_descriptor(payload) if rewrite is not None else None
        if rewrite is not None and descriptor is not None:
            rewrite(view, at + head, descriptor)
        length = port.outbox.length
        length[0] = head + len(payload)
        if srtp_lib.srtp_protect(self.srtp, port.outbox.pointers[slot], length):
            return False
        port.queue(length[0], self.ice)
        self.extra_octets += length[0] + 28
        return True

    def pad(self, octets: int) -> int:
        """Send again about so many bytes of what the subscriber has already, to fill its line, or empty packets where
        it was shown nothing yet; how many it were."""
        source = self.source
        before = self.extra_octets
        if source is None or source.highest is None:
            self._send_blanks(octets)
            return self.extra_octets - before
        number = source.highest
        while self.extra_octets - before < octets:
            sent = self.extra_octets
            for number in range(source.highest, max(self.begin, source.highest - PADDING_FROM) - 1, -1):
                self._resend((number + self.shift) & 0xFFFF)
                if self.extra_octets - before >= octets:
                    break
            if self.extra_octets == sent:
                break
        self._port.flush()
        return self.extra_octets - before

    def _send_blanks(self, octets: int) -> None:
        """Padding alone, in the stream of what is sent again: its numbers are nobody's (RFC 4588, section 4)."""
        form = next((form for form in self.media.formats if form.rtx is not None), None)
        if form is None or form.rtx is None or form.rtx.payloadType is None or self.srtp is None:
            return
        port, sent = self._port, 0
        while sent < octets:
            slot = port.slot()
            at = slot * SLOT
            self._rtx_sequence = (self._rtx_sequence + 1) & 0xFFFF
            first, ssrc = 0x80 | 32 | self.x, self.media.rtx_ssrc
            self.pack(
                port.outbox.view,
                at,
                first,
                form.rtx.payloadType,
                self._rtx_sequence,
                0,
                ssrc,
                self.prefix,
                port.send_time,
            )
            at += self.head
            port.outbox.view[at : at + len(BLANK)] = BLANK
            length = port.outbox.length
            length[0] = self.head + len(BLANK)
            if srtp_lib.srtp_protect(self.srtp, port.outbox.pointers[slot], length):
                return
            port.queue(length[0], self.ice)
            sent += length[0] + 28
        self.extra_octets += sent
        port.flush()

    def wire_octets(self) -> int:
        """Sent so far, as the line saw it, without what was sent again."""
        return self.octets + self.packets * OVERHEAD

    def allow(self, rate: int) -> None:
        """Once a second: the line carries `rate` bit/s."""
        self._budget = max(RESEND_LEAST, int(rate * RESEND_SHARE / 8))
        kept = self._port.clock() - AGAIN_KEPT
        self._again_at = {number: at for number, at in self._again_at.items() if at > kept}
        self.losses.settle()

    def on_keyframe_request(self) -> None:
        self.keyframe_requests += 1
        source = self.source or self.pending
        if source is not None:
            source.request_keyframe()

    def on_report(self, report: RtcpReceiverInfo, now: float) -> None:
        self.losses.report(report.highest_sequence, report.fraction_lost / 256)
        sent = self._sent_reports.get(report.lsr)
        if sent is not None:
            self.rtt, self.rtt_at = max(0.0, now - sent - report.dlsr / 65536), now

    def sender_report(self, now: float) -> bytes:
        """Called once a second. All slots report on the server's clock, so that a switch does not jump in time; both
        streams of a publisher are shifted alike, so that they stay in step."""
        source = self.source
        if source is None or source.report is None or not self.packets:
            return b""
        info = source.report.info
        elapsed = now - source.report.arrival
        ntp = (info.ntp_timestamp + source.ntp_offset + int(elapsed * 2**32)) & 0xFFFFFFFFFFFFFFFF
        rtp = (info.rtp_timestamp + self.time_shift + int(elapsed * source.clock_rate)) & 0xFFFFFFFF
        self._sent_reports[ntp >> 16 & 0xFFFFFFFF] = now
        if len(self._sent_reports) > 8:
            self._sent_reports.pop(next(iter(self._sent_reports)))
        sent = RtcpSenderInfo(ntp, rtp, self.packets & 0xFFFFFFFF, self.octets & 0xFFFFFFFF)
        name = RtcpSdesPacket([RtcpSourceInfo(self.ssrc, [(1, self._cname)])])
        return bytes(RtcpSrPacket(self.ssrc, sent)) + bytes(name)
