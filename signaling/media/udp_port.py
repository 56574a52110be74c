"""One UDP socket (and one TCP port) for every peer of the server. This module owns the sockets and the demultiplexing:
STUN goes to ICE; everything else goes to the peer that has proved to own its source address, or nowhere.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aiortc.rtcicetransport import RTCIceCandidate

from signaling.media.ice import IceAgents, IceLite
from signaling.media.outbox import Outbox
from signaling.media.packet_slots import LARGEST, SLOT, SO_TIMESTAMPNS, PacketSlots
from signaling.media.tcp_path import TCP_MARK, TcpPath

logger = logging.getLogger(__name__)

RECEIVE_BATCH = 32
SEND_BATCH = 256
SOCKET_BUFFER = 4 << 20
SOON = 0.002  # seconds in which a datagram is usually read
TCP_BACKLOG = 256 << 10  # bytes waiting on a TCP path beyond which its packets are lost, as they would be on UDP


@dataclass
class PortCounters:
    datagrams: int = 0
    unknown_address: int = 0
    oversized: int = 0
    handler_failed: int = 0
    sent: int = 0
    send_calls: int = 0
    receive_calls: int = 0
    send_failed: int = 0


class UdpPort:
    """Packets are written into `outbox` and queued; one sendmmsg sends the batch."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.ice = IceAgents(self, clock)
        self.counters = PortCounters()
        self.tcp: dict[bytes, asyncio.Transport] = {}
        self.send_time = b"\0\0\0"  # abs-send-time header extension of the packets of this batch
        self._at_end: list[Callable[[], None]] = []
        self._in_hand: int | None = None  # the slot of the datagram that is being read
        self._empty_at = self._came_after = clock()  # when nothing stood in the socket: last, and before this batch
        self._behind = False  # did the first of this batch stand in the socket for longer than usual?
        self._tcp_server: asyncio.Server | None = None
        self._candidates: list[RTCIceCandidate] = []

    async def open(
        self, host: str, port: int, public: Sequence[tuple[str, int]] = (), tcp_port: int | None = None
    ) -> None:
        """public: the addresses peers are told, port 0 being the bound one; without any it is the bound address, which
        then must not be a wildcard."""
        if not public and host in ("", "0.0.0.0", "::"):  # noqa: S104
            raise ValueError("a wildcard media host needs at least one public address")
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._family = family
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
                self._socket.setsockopt(socket.SOL_SOCKET, option, SOCKET_BUFFER)
            self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            self._socket.bind((host, port))
            self.local: tuple[str, int] = self._socket.getsockname()[:2]
            loop = asyncio.get_running_loop()
            if tcp_port is not None:
                self._tcp_server = await loop.create_server(lambda: TcpPath(self), host, tcp_port)
        except BaseException:
            self._socket.close()
            raise
        self._fd = self._socket.fileno()
        self.inbox = PacketSlots(RECEIVE_BATCH, family)
        self.outbox = Outbox(SEND_BATCH, family)
        self._candidates = self._make_candidates(
            [(ip, number or self.local[1]) for ip, number in public] or [self.local]
        )
        self._loop = loop
        loop.add_reader(self._fd, self._readable)

    async def close(self) -> None:
        self._loop.remove_reader(self._fd)
        if self._tcp_server is not None:
            self._tcp_server.close()
        for transport in list(self.tcp.values()):
            transport.abort()
        if self._tcp_server is not None:
            await self._tcp_server.wait_closed()
        self._socket.close()

    def candidates(self) -> list[RTCIceCandidate]:
        return self._candidates

    def _make_candidates(self, public: list[tuple[str, int]]) -> list[RTCIceCandidate]:
        found = [
            RTCIceCandidate(
                component=1,
                foundation=str(i),
                ip=ip,
                port=port,
                priority=2130706431 - i,
                protocol="udp",
                type="host",
            )
            for i, (ip, port) in enumerate(public, 1)
        ]
        if self._tcp_server is not None:
            tcp_port = self._tcp_server.sockets[0].getsockname()[1]
            found += [
                RTCIceCandidate(
                    component=1,
                    foundation=str(100 + i),
                    ip=ip,
                    port=tcp_port,
                    priority=1518280447 - i,
                    protocol="tcp",
                    type="host",
                    tcpType="passive",
                )
                for i, ip in enumerate(dict.fromkeys(ip for ip, _ in public))
            ]
        return found

    # receiving

    def _readable(self) -> None:
        inbox, by_address, octets = self.inbox, self.ice.by_address, self.inbox.octets
        count = inbox.receive(self._fd)
        if not count:
            return
        counters = self.counters
        counters.receive_calls += 1
        counters.datagrams += count
        self._came_after = self._empty_at
        now = self.clock()
        if count < RECEIVE_BATCH:
            self._empty_at = now
        self._behind = self._stood(0, now) > SOON
        self._stamp(now)
        for slot in range(count):
            size = inbox.sizes[slot]
            if not 0 < size <= LARGEST:
                counters.oversized += 1
                continue
            at = slot * SLOT
            first = octets[at]
            self._in_hand = slot
            try:
                if first < 4:
                    self.ice.receive(octets[at : at + size].tobytes(), inbox.address(slot))
                    continue
                agent = by_address.get(inbox.address(slot))
                if agent is None:
                    counters.unknown_address += 1
                elif 127 < first < 192 and agent.on_rtp is not None:
                    agent.on_rtp(slot, size)
                else:
                    agent.deliver(octets[at : at + size].tobytes())
            except Exception:  # the packets of the other peers in this batch must go on
                self._log_failure()
        self._in_hand = None
        self._end()

    def waited(self) -> float:
        """Seconds that the datagram in hand has stood in the socket because we were busy: its line took so much less.
        Not known of what comes over TCP."""
        return self._stood(self._in_hand, self.clock()) if self._behind and self._in_hand is not None else 0.0

    def _stood(self, slot: int, now: float) -> float:
        stamp = self.inbox.stamp(slot)
        if stamp is None:
            return 0.0
        # by the kernel's clock, which may be set at any time: no more than by ours
        return min(max(0.0, (time.time_ns() - stamp) / 1e9), now - self._came_after)

    def on_frame(self, data: bytes, address: bytes) -> None:
        """A datagram that came over TCP."""
        self._stamp(self.clock())
        try:
            agent = self.ice.by_address.get(address)
            if data[0] < 4:
                self.ice.receive(data, address)
            elif agent is None:
                self.counters.unknown_address += 1
            elif 127 < data[0] < 192 and agent.on_rtp is not None:
                self.inbox.view[: len(data)] = data
                agent.on_rtp(0, len(data))
            else:
                agent.deliver(data)
        except Exception:  # one peer's packet must not end the reader
            self._log_failure()
        self._end()

    def at_end(self, call: Callable[[], None]) -> None:
        """Call this once all packets of the batch being received are read, before it is flushed."""
        self._at_end.append(call)

    def _end(self) -> None:
        if self._at_end:
            calls, self._at_end = self._at_end, []
            for call in calls:
                try:
                    call()
                except Exception:  # the other streams of this batch must go on
                    self._log_failure()
        self.flush()

    def _log_failure(self) -> None:
        self.counters.handler_failed += 1
        if self.counters.handler_failed & (self.counters.handler_failed - 1) == 0:  # 1, 2, 4, 8 ...: no log flood
            logger.exception("packet handler failed (%d so far)", self.counters.handler_failed)

    def _stamp(self, now: float) -> None:
        self.send_time = (int(now * 262144) & 0xFFFFFF).to_bytes(3, "big")  # 6.18 fixed point

    def knows(self, address: bytes) -> bool:
        return address in self.ice.by_address

    def on_stream_closed(self, address: bytes) -> None:
        self.ice.drop_address(address)

    # sending

    def text(self, address: bytes) -> tuple[str, int]:
        """(host, port) of a raw address."""
        if address.startswith(TCP_MARK):
            transport = self.tcp.get(address)
            peer = transport.get_extra_info("peername") if transport is not None else None
            return (str(peer[0]), int(peer[1])) if peer else ("0.0.0.0", 0)  # noqa: S104
        port = int.from_bytes(address[2:4], "big")
        if self._family == socket.AF_INET:
            return socket.inet_ntoa(address[4:8]), port
        host = socket.inet_ntop(socket.AF_INET6, address[8:24])
        return host.removeprefix("::ffff:"), port

    def stream(self, address: bytes) -> asyncio.Transport | None:
        return self.tcp.get(address)

    def send_to(self, data: bytes, address: bytes) -> None:
        """One datagram at once: STUN, DTLS, RTCP."""
        if address.startswith(TCP_MARK):
            self.write(self.tcp.get(address), data)
            return
        host, port = self.text(address)
        if self._family == socket.AF_INET6 and "." in host:
            host = "::ffff:" + host
        try:
            self._socket.sendto(data, (host, port))
        except OSError:
            self.counters.send_failed += 1

    def write(self, transport: asyncio.Transport | None, data: bytes) -> None:
        """One datagram over TCP."""
        if transport is None or transport.is_closing() or transport.get_write_buffer_size() > TCP_BACKLOG:
            self.counters.send_failed += 1
        else:
            transport.write(len(data).to_bytes(2, "big") + data)
            self.counters.sent += 1

    def post(self, data: bytes, agent: IceLite) -> None:
        """One datagram with the next flush."""
        at = self.slot() * SLOT
        self.outbox.view[at : at + len(data)] = data
        self.queue(len(data), agent)

    def slot(self) -> int:
        """The next free slot of the outbox, to be written and queued."""
        return self.outbox.used if self.outbox.used < self.outbox.count else self.flush()

    def queue(self, size: int, agent: IceLite) -> None:
        """The next free slot of the outbox holds `size` bytes for the selected path of `agent`."""
        if agent.target is not None:
            self.outbox.add(size, agent.target)
        elif agent.tcp is not None:
            at = self.outbox.used * SLOT
            self.write(agent.tcp, self.outbox.view[at : at + size])

    def flush(self) -> int:
        """Send what is queued; 0, the next free slot."""
        if self.outbox.used:
            sent, refused, calls = self.outbox.send(self._fd)
            counters = self.counters
            counters.sent += sent
            counters.send_failed += refused
            counters.send_calls += calls
        return 0
