"""RTCP of one peer. This module owns what its reports and requests mean for its streams and slots, and what it is told
itself, once a second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from aiortc.rtp import (
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSrPacket,
    pack_remb_fci,
)

from signaling.media.arrivals import Arrivals
from signaling.media.estimate import Estimates
from signaling.media.inbound import Inbound
from signaling.media.outbound import Outbound
from signaling.media.rtp import read_rtcp

LARGEST_COMPOUND = 1100  # bytes of sender reports in one datagram
_PLI, _FIR, _APPLICATION = 1, 4, 15  # payload-specific feedback (RFC 4585, RFC 5104)
_SECOND = 1 << 32  # of NTP time


class Control:
    """slots: of the peer, by their SSRC."""

    def __init__(
        self,
        arrivals: Arrivals,
        slots: dict[int, Outbound],
        *,
        clock: Callable[[], float],
        ntp: Callable[[], int],
        waited: Callable[[], float],
    ) -> None:
        """waited: seconds that what is being read has stood in the socket."""
        self.ntp_offset = 0
        """From the peer's NTP time to ours."""
        self._arrivals, self._slots, self._clock, self._ntp = arrivals, slots, clock, ntp
        self._waited = waited
        self._estimates = Estimates()
        self._timed = False

    def read(self, data: bytes) -> None:
        """What the peer says. Raises ValueError, and has done nothing, where it is malformed."""
        for packet in read_rtcp(data):
            if isinstance(packet, RtcpSrPacket):
                stream = self._arrivals.of(packet.ssrc)
                if stream is not None:
                    self._on_time(packet.sender_info.ntp_timestamp)
                    stream.on_sender_report(packet.sender_info)
            if isinstance(packet, RtcpSrPacket | RtcpRrPacket):
                self._on_reports(packet.reports)
            elif isinstance(packet, RtcpRtpfbPacket) and packet.fmt == 1:
                out = self._slots.get(packet.media_ssrc)
                if out is not None:
                    out.on_nack(packet.lost)
            elif isinstance(packet, RtcpPsfbPacket):
                self._on_feedback(packet)

    def _on_time(self, ntp: int) -> None:
        """Fix where the publisher's clock stands on ours, once, unless it has jumped."""
        offset = self._ntp() - ntp
        if not self._timed or abs(offset - self.ntp_offset) > _SECOND:
            self._timed, self.ntp_offset = True, offset

    def _on_reports(self, reports: Iterable[RtcpReceiverInfo]) -> None:
        now = self._clock() - self._waited()
        for report in reports:
            out = self._slots.get(report.ssrc)
            if out is not None:
                out.on_report(report, now)

    def _on_feedback(self, packet: RtcpPsfbPacket) -> None:
        fci = packet.fci
        targets: list[int] = []
        if packet.fmt == _APPLICATION:
            sent = frozenset(ssrc for out in self._slots.values() for ssrc in (out.ssrc, out.media.rtx_ssrc))
            self._estimates.read(fci, sent, self._clock())
        elif packet.fmt == _PLI:
            targets = [packet.media_ssrc]
        elif packet.fmt == _FIR:
            targets = [int.from_bytes(fci[at : at + 4], "big") for at in range(0, len(fci) - 3, 8)]
        for target in targets:
            out = self._slots.get(target)
            if out is not None:
                out.on_keyframe_request()

    def estimate(self, now: float) -> int | None:
        """What the receiver believes its line can carry of pictures (REMB), bit/s; None: it has not said lately."""
        return self._estimates.total(now)


def publisher_report(streams: Sequence[Inbound], allowance: Callable[[], int]) -> bytes:
    """Receiver reports, with the allowance that follows from them as the upper limit (REMB) of what a publisher may
    send; nothing while nothing has come."""
    reports = [report for stream in streams if (report := stream.receiver_report()) is not None]
    if not reports:
        return b""
    bitrate = allowance()
    sender = streams[0].media.ssrc
    data = b"".join(bytes(RtcpRrPacket(sender, reports[i : i + 31])) for i in range(0, len(reports), 31))
    video = [stream.ssrc for stream in streams if stream.media.kind == "video" and stream.ssrc is not None]
    if video:
        limit = pack_remb_fci(bitrate, video)
        data += bytes(RtcpPsfbPacket(fmt=_APPLICATION, ssrc=sender, media_ssrc=0, fci=limit))
    return data


def sender_reports(slots: Iterable[Outbound], now: float) -> list[bytes]:
    """As compounds of which each fits a datagram."""
    compounds = [b""]
    for out in slots:
        told = out.sender_report(now)
        if compounds[-1] and len(compounds[-1]) + len(told) > LARGEST_COMPOUND:
            compounds.append(b"")
        compounds[-1] += told
    return [compound for compound in compounds if compound]
