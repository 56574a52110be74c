"""One peer of the port: ICE-lite below, DTLS beside, what it sends and what it is sent above. This module owns a peer's
life.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from aiortc.rtcdtlstransport import RTCCertificate

from signaling.media.arrivals import Arrivals, PeerCounters
from signaling.media.control import Control, publisher_report, sender_reports
from signaling.media.dtls import DtlsSession, Fingerprint, Role
from signaling.media.ice import IceLite
from signaling.media.inbound import Inbound
from signaling.media.negotiation import Local, Offer
from signaling.media.outbound import Outbound
from signaling.media.udp_port import UdpPort

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 30.0


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
        self.outbound: list[Outbound] = []
        self._port = port
        self._role: Role = offer.role
        self._dtls = DtlsSession(self.ice, certificate)
        self._session_id, self._version = session_id, 0
        self._by_slot: dict[int, Outbound] = {}
        self._arrivals = Arrivals(self._on_rtcp)
        self._control = Control(self._arrivals, self._by_slot, clock=port.clock, ntp=ntp, waited=port.waited)
        self._srtp: Any = None  # libsrtp's session for what it is sent
        self._connecting: asyncio.Task[None] | None = None
        self._stopping: asyncio.Task[None] | None = None

    @property
    def rtt(self) -> float | None:
        """Seconds, by ICE."""
        return self.ice.rtt

    @property
    def ntp_offset(self) -> int:
        """From its NTP time to ours."""
        return self._control.ntp_offset

    @property
    def inbound(self) -> list[Inbound]:
        return self._arrivals.streams

    @property
    def counters(self) -> PeerCounters:
        return self._arrivals.counters

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
        received, self._srtp = self._dtls.srtp_pointers()
        self._arrivals.open(self._port.inbox, received)
        self.ice.on_rtp = self._arrivals.receive
        self.connected = True
        for out in self.outbound:
            out.attach(self._srtp)
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
        self._arrivals.add(stream)

    def remove_inbound(self, stream: Inbound) -> None:
        self._arrivals.remove(stream)

    def add_outbound(self, out: Outbound) -> None:
        self.outbound.append(out)
        self._by_slot[out.ssrc] = out
        if self.connected:
            out.attach(self._srtp)

    def remove_outbound(self, out: Outbound) -> None:
        if out in self.outbound:
            self.outbound.remove(out)
            self._by_slot.pop(out.ssrc, None)
            out.detach()

    # RTCP

    def _on_rtcp(self, data: bytes) -> None:
        try:
            self._control.read(self._dtls.unprotect_rtcp(data))
        except ValueError:
            self.counters.bad_rtcp += 1

    def estimate(self, now: float) -> int | None:
        """What the receiver believes its line can carry of pictures (REMB), bit/s; None: it has not said lately."""
        return self._control.estimate(now)

    def send_rtcp(self, data: bytes) -> None:
        if self.connected and self.ice.selected:
            self._port.send_to(self._dtls.protect_rtcp(data), self.ice.selected)

    def tick(self, allowance: Callable[[], int]) -> None:
        """Once a second: reports. allowance: bit/s that it may send, as follows from what is reported to it. What it
        is told of its slots goes with the port's next flush."""
        if not self.connected:
            return
        told = publisher_report(self.inbound, allowance)
        if told:
            self.send_rtcp(told)
        for compound in sender_reports(self.outbound, self._port.clock()):
            self._port.post(self._dtls.protect_rtcp(compound), self.ice)
