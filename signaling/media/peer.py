"""One peer of the port: ICE-lite below, DTLS beside, its RTP streams above. This module owns a peer's life, decrypting
in the receive buffer, finding the stream of a packet, and RTCP.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiortc.rtcdtlstransport import RTCCertificate
from aiortc.rtp import (
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSrPacket,
    pack_remb_fci,
)

from signaling.media.dtls import DtlsSession, Fingerprint, Role
from signaling.media.estimate import Estimates
from signaling.media.ice import IceLite
from signaling.media.inbound import Inbound
from signaling.media.negotiation import Local, Offer
from signaling.media.outbound import Outbound
from signaling.media.packet_slots import SLOT, srtp_ffi, srtp_lib
from signaling.media.rtp import AUDIO_LEVEL, MID, Octets, RtpHeader, header_extensions, read_rtcp, read_rtp
from signaling.media.udp_port import UdpPort

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 30.0
MOST_SSRCS = 64  # that one peer may send
LARGEST_COMPOUND = 1100  # bytes of sender reports in one datagram
_PLI, _FIR, _APPLICATION = 1, 4, 15  # payload-specific feedback (RFC 4585, RFC 5104)
_SECOND = 1 << 32  # of NTP time


@dataclass
class PeerCounters:
    not_authentic: int = 0
    bad_rtp: int = 0
    bad_rtcp: int = 0
    unknown_stream: int = 0


class Peer:
    def __init__(
        self,
        port: UdpPort,
        certificate: RTCCertificate,
        offer: Offer,
        *,
        resource: str,
        cname: str,
        session_id: int,
        ntp: Callable[[], int],
    ) -> None:
        self.resource = resource
        self.cname = cname
        self.ice = IceLite(port.ice, offer.credentials)
        self.ice.on_expired = self.close
        self.fingerprints: frozenset[Fingerprint] = offer.fingerprints
        self.connected = False
        self.closed = False
        self.on_connected: Callable[[], None] = lambda: None
        self.on_closed: Callable[[], None] = lambda: None
        self.inbound: list[Inbound] = []
        self.outbound: list[Outbound] = []
        self.counters = PeerCounters()
        self.ntp_offset = 0
        self._estimates = Estimates()
        self._port = port
        self._role: Role = offer.role
        self._dtls = DtlsSession(self.ice, certificate)
        self._ntp = ntp
        self._timed = False
        self._session_id, self._version = session_id, 0
        self._by_ssrc: dict[int, tuple[Inbound, bool]] = {}  # -> (stream, is it RTX)
        self._strangers: set[int] = set()
        self._by_slot: dict[int, Outbound] = {}
        self._length: Any = srtp_ffi.new("int *")
        self._rx: Any = None
        self._tx: Any = None
        self._connecting: asyncio.Task[None] | None = None
        self._stopping: asyncio.Task[None] | None = None

    @property
    def rtt(self) -> float | None:
        """Seconds, by ICE."""
        return self.ice.rtt

    # negotiation

    def local(self) -> Local:
        self._version += 1
        return Local(
            self.ice.local[0],
            self._port.candidates(),
            self._dtls.fingerprints(),
            self._role,
            self.cname,
            self._session_id,
            self._version,
        )

    def follows(self, offer: Offer) -> bool:
        """Does the offer come from the same connection (and not, say, from a reloaded page)?"""
        return not self.closed and offer.fingerprints == self.fingerprints

    def follow(self, offer: Offer) -> None:
        """Other ICE credentials than before are an ICE restart."""
        if offer.credentials.ufrag != self.ice.remote[0].ufrag:
            self.ice.restart(offer.credentials)

    # life

    def start(self) -> None:
        self._connecting = asyncio.get_running_loop().create_task(self._connect())

    async def _connect(self) -> None:
        done = False
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await self.ice.ready.wait()
                done = await self._dtls.connect(self._role, self.fingerprints, self._on_dtls_change)
        except TimeoutError:
            logger.info("peer %s did not connect in time", self.resource)
        except Exception:  # OpenSSL met something it has no name for: this peer's trouble alone
            logger.exception("the handshake of peer %s failed", self.resource)
        if self.closed:
            return
        if not done:
            self.close()
            return
        self._rx, self._tx = self._dtls.srtp_pointers()
        self.ice.on_rtp = self._on_rtp
        self.connected = True
        for out in self.outbound:
            out.attach(self._tx)
        self.on_connected()

    def _on_dtls_change(self) -> None:
        if self._dtls.state in ("closed", "failed"):
            self.close()

    def close(self) -> None:
        if self.closed:
            return
        self.closed = True
        self.connected = False
        self.ice.on_rtp = None
        for out in self.outbound:
            out.detach()
        for stream in self.inbound:
            stream.close()
        if self._connecting is not None and self._connecting is not asyncio.current_task():
            self._connecting.cancel()
        self._stopping = asyncio.get_running_loop().create_task(self._stop())
        self.on_closed()

    async def _stop(self) -> None:
        try:
            await self._dtls.stop()  # sends close_notify while there is still an address
        finally:
            self.ice.close()

    async def wait_closed(self) -> None:
        tasks = [task for task in (self._stopping, self._connecting) if task is not None]
        if tasks:
            await asyncio.wait(tasks)

    # streams

    def add_inbound(self, stream: Inbound) -> None:
        self.inbound.append(stream)
        self._strangers.clear()
        if stream.media.remote_ssrc is not None:
            self._bind(stream.media.remote_ssrc, stream, rtx=False)
        if stream.media.remote_rtx_ssrc is not None:
            self._bind(stream.media.remote_rtx_ssrc, stream, rtx=True)

    def remove_inbound(self, stream: Inbound) -> None:
        if stream in self.inbound:
            self.inbound.remove(stream)
            self._by_ssrc = {ssrc: found for ssrc, found in self._by_ssrc.items() if found[0] is not stream}
            stream.close()

    def add_outbound(self, out: Outbound) -> None:
        self.outbound.append(out)
        self._by_slot[out.ssrc] = out
        if self.connected:
            out.attach(self._tx)

    def remove_outbound(self, out: Outbound) -> None:
        if out in self.outbound:
            self.outbound.remove(out)
            self._by_slot.pop(out.ssrc, None)
            out.detach()

    def _bind(self, ssrc: int, stream: Inbound, *, rtx: bool) -> tuple[Inbound, bool]:
        if not rtx and stream.ssrc != ssrc:
            stream.restart(ssrc)
        self._by_ssrc[ssrc] = (stream, rtx)
        return stream, rtx

    def _find(self, header: RtpHeader, data: Octets) -> tuple[Inbound, bool] | None:
        """The stream of an SSRC that SDP did not announce: by mid, else by a payload type that only one stream has."""
        mid: str | None = None
        for stream in self.inbound:
            wanted = stream.media.extensions.get(MID)
            for number, value in header_extensions(data, header.extension):
                if number == wanted:
                    mid = bytes(value).decode("ascii", "replace")
        kind = header.payload_type
        found = [
            (stream, kind == stream.rtx_payload_type)
            for stream in self.inbound
            if mid in (None, stream.media.mid) and kind in (stream.payload_type, stream.rtx_payload_type)
        ]
        if len(found) == 1 and len(self._by_ssrc) < MOST_SSRCS:
            return self._bind(header.ssrc, found[0][0], rtx=found[0][1])
        self._strangers.add(header.ssrc)
        return None

    def _on_rtp(self, slot: int, size: int) -> None:
        """One SRTP or SRTCP datagram, still in its receive buffer."""
        inbox = self._port.inbox
        octets, at = inbox.octets, slot * SLOT
        if size < 12:
            self.counters.bad_rtp += 1
            return
        if 192 <= octets[at + 1] <= 223:
            self._on_rtcp(bytes(octets[at : at + size]))
            return
        ssrc = int.from_bytes(octets[at + 8 : at + 12], "big")
        found = self._by_ssrc.get(ssrc)
        if found is None and (ssrc in self._strangers or len(self._strangers) >= MOST_SSRCS):
            self.counters.unknown_stream += 1  # libsrtp would keep a context for each
            return
        length = self._length
        length[0] = size
        if srtp_lib.srtp_unprotect(self._rx, inbox.pointers[slot], length):
            self.counters.not_authentic += 1
            return
        data = octets[at : at + length[0]]
        try:
            header = read_rtp(data)
        except ValueError:
            self.counters.bad_rtp += 1
            return
        if found is None:
            found = self._find(header, data)
        if found is None:
            self.counters.unknown_stream += 1
            return
        stream, rtx = found
        start, sequence = header.start, header.sequence
        if rtx:
            if len(data) - start - header.padding < 3:  # padding only: a bandwidth probe
                return
            sequence = int.from_bytes(data[start : start + 2], "big")
            start += 2
        elif header.payload_type != stream.payload_type:
            self.counters.unknown_stream += 1
            return
        if header.extension and stream.media.kind == "audio":
            self._read_level(stream, data, header.extension)
        stream.receive(rtx, sequence, header.timestamp, header.marker, header.padding, bytes(data[start:]))

    def _read_level(self, stream: Inbound, data: Octets, extension: int) -> None:
        wanted = stream.media.extensions.get(AUDIO_LEVEL)
        for number, value in header_extensions(data, extension):
            if number == wanted:
                stream.hear(value[0] & 127)

    # RTCP

    def _on_rtcp(self, data: bytes) -> None:
        try:
            packets = read_rtcp(self._dtls.unprotect_rtcp(data))
        except ValueError:
            self.counters.bad_rtcp += 1
            return
        for packet in packets:
            if isinstance(packet, RtcpSrPacket):
                found = self._by_ssrc.get(packet.ssrc)
                if found is not None and not found[1]:
                    self._on_time(packet.sender_info.ntp_timestamp)
                    found[0].on_sender_report(packet.sender_info)
            if isinstance(packet, RtcpSrPacket | RtcpRrPacket):
                self._on_reports(packet.reports)
            elif isinstance(packet, RtcpRtpfbPacket) and packet.fmt == 1:
                out = self._by_slot.get(packet.media_ssrc)
                if out is not None:
                    out.on_nack(packet.lost)
            elif isinstance(packet, RtcpPsfbPacket):
                self._on_feedback(packet)

    def _on_time(self, ntp: int) -> None:
        """Fix where the publisher's clock stands on ours, once, unless it has jumped."""
        offset = self._ntp() - ntp
        if not self._timed or abs(offset - self.ntp_offset) > _SECOND:
            self._timed, self.ntp_offset = True, offset

    def _on_reports(self, reports: list[RtcpReceiverInfo]) -> None:
        now = self._port.clock()
        for report in reports:
            out = self._by_slot.get(report.ssrc)
            if out is not None:
                out.on_report(report, now)

    def _on_feedback(self, packet: RtcpPsfbPacket) -> None:
        fci = packet.fci
        targets: list[int] = []
        if packet.fmt == _APPLICATION:
            self._estimates.read(fci, self._sent_streams(), self._port.clock())
        elif packet.fmt == _PLI:
            targets = [packet.media_ssrc]
        elif packet.fmt == _FIR:
            targets = [int.from_bytes(fci[at : at + 4], "big") for at in range(0, len(fci) - 3, 8)]
        for target in targets:
            out = self._by_slot.get(target)
            if out is not None:
                out.on_keyframe_request()

    def _sent_streams(self) -> frozenset[int]:
        return frozenset(ssrc for out in self.outbound for ssrc in (out.ssrc, out.media.rtx_ssrc))

    def estimate(self, now: float) -> int | None:
        """What the receiver believes its line can carry of pictures (REMB), bit/s; None: it has not said lately."""
        return self._estimates.total(now)

    def send_rtcp(self, data: bytes) -> None:
        if self.connected and self.ice.selected:
            self._port.send_to(self._dtls.protect_rtcp(data), self.ice.selected)

    def tick(self, allowance: Callable[[], int]) -> None:
        """Once a second: receiver reports, with the allowance that follows from them as the upper limit (REMB) of what
        a publisher may send; sender reports, with the port's next flush."""
        if not self.connected:
            return
        reports = [report for stream in self.inbound if (report := stream.receiver_report()) is not None]
        if reports:
            bitrate = allowance()
            sender = self.inbound[0].media.ssrc
            data = b"".join(bytes(RtcpRrPacket(sender, reports[i : i + 31])) for i in range(0, len(reports), 31))
            video = [s.ssrc for s in self.inbound if s.media.kind == "video" and s.ssrc is not None]
            if video:
                limit = pack_remb_fci(bitrate, video)
                data += bytes(RtcpPsfbPacket(fmt=_APPLICATION, ssrc=sender, media_ssrc=0, fci=limit))
            self.send_rtcp(data)
        now = self._port.clock()
        compound = b""
        for out in self.outbound:
            told = out.sender_report(now)
            if compound and len(compound) + len(told) > LARGEST_COMPOUND:
                self._port.post(self._dtls.protect_rtcp(compound), self.ice)
                compound = b""
            compound += told
        if compound:
            self._port.post(self._dtls.protect_rtcp(compound), self.ice)
