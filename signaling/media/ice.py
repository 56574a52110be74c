"""ICE-lite for all peers of one port (RFC 8445). This module owns which source address belongs to which peer.

Binding requests are looked up by the local ufrag in USERNAME and their MESSAGE-INTEGRITY is verified; only then does
the source address belong to that peer. What comes from any other address is never given to a peer's DTLS or SRTP.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from struct import error as struct_error
from typing import NamedTuple, Protocol

from aioice import stun

from signaling.media.outbox import Target

CONSENT_SECONDS = 30.0  # RFC 7675: without an authenticated check for this long the peer is gone
MAX_ADDRESSES = 8  # that one peer may own at a time
PROBE_SECONDS = 5.0
MAX_PROBES = 4  # of one peer's new addresses under way
GENERATIONS = 3  # of credentials that stay valid while restarts are under way
RTT_EVERY = 5.0
TRIPS, TRIP_SECONDS = 128, 60.0  # round trips among which the shortest is the empty line's


class Credentials(NamedTuple):
    ufrag: str
    password: str

    @classmethod
    def random(cls) -> Credentials:
        return cls(secrets.token_hex(4), secrets.token_hex(12))


class Path(NamedTuple):
    """The credentials with which a peer checks from one address: ours and its own."""

    local: Credentials
    remote: Credentials


class Wire(Protocol):
    """What ICE needs of the port."""

    def send_to(self, data: bytes, address: bytes) -> None: ...
    def stream(self, address: bytes) -> asyncio.Transport | None: ...
    def text(self, address: bytes) -> tuple[str, int]: ...
    def waited(self) -> float:
        """Seconds that the datagram in hand has stood in the socket, because we were busy."""


@dataclass
class IceCounters:
    bad_stun: int = 0
    bad_integrity: int = 0
    unknown_ufrag: int = 0
    address_owned: int = 0
    roamed: int = 0


@dataclass
class _Probe:
    agent: IceLite
    address: bytes
    password: bytes
    sent: float
    answer: asyncio.Future[float] | None = None


class IceLite:
    """The agent of one peer. It is also the `transport` that aiortc's RTCDtlsTransport runs on, which needs `_recv`,
    `_send` and `role` and nothing else."""

    role = "controlled"

    def __init__(self, agents: IceAgents, remote: Credentials) -> None:
        self._agents = agents
        # Newest first; several after an ICE restart. A browser may go on for good with a path that joins its new
        # credentials to our old ones.
        self.local: list[Credentials] = []
        self.remote: list[Credentials] = []
        self.addresses: dict[bytes, Path] = {}  # every address proved by a check, oldest first
        self.selected = b""
        self.target: Target | None = None  # set while the selected path is UDP, so that packets may go in batches
        self.tcp: asyncio.Transport | None = None  # set while it is a TCP connection
        self.ready = asyncio.Event()
        self.last_check = agents.clock()
        self.rtt: float | None = None
        self._trips: deque[tuple[float, float]] = deque(maxlen=TRIPS)  # on the selected path: when, seconds
        self.on_rtp: Callable[[int, int], None] | None = None  # (slot, size); None: it goes to `_recv`
        self.on_expired: Callable[[], None] = lambda: None
        self.closed = False
        self.dropped = 0
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue(maxsize=256)
        self.restart(remote)

    def restart(self, remote: Credentials) -> None:
        """New local credentials. The old ones, and the path in use, stay until a check nominates with the new ones."""
        credentials = Credentials.random()
        self.local.insert(0, credentials)
        self.remote.insert(0, remote)
        self._agents.by_ufrag[credentials.ufrag] = (self, credentials)
        self.keep(GENERATIONS)

    def keep(self, generations: int) -> None:
        for credentials in self.local[generations:]:
            self._agents.forget(credentials)
        del self.local[generations:], self.remote[generations:]

    async def _recv(self) -> bytes:
        data = None if self.closed else await self._queue.get()
        if data is None:
            raise ConnectionError("ICE transport is closed")
        return data

    async def _send(self, data: bytes) -> None:
        if self.closed or not self.selected:
            raise ConnectionError("no address is selected")
        self._agents.wire.send_to(data, self.selected)

    def deliver(self, data: bytes) -> None:
        try:
            self._queue.put_nowait(data)
        except asyncio.QueueFull:
            self.dropped += 1

    def select(self, address: bytes) -> None:
        if address == self.selected:
            return
        self.selected = address
        self._trips.clear()
        self.tcp = self._agents.wire.stream(address)
        self.target = None
        if self.tcp is None:
            self.target = Target()
            self.target.set(address)
        self.ready.set()

    def ping(self) -> asyncio.Future[float]:
        """Asks at once; the round trip on the selected path, when and if an answer comes."""
        answer: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        if not self.closed and self.selected:
            self._agents.probe(self, self.selected, answer)
        return answer

    def measured(self, seconds: float, address: bytes) -> None:
        """A round trip."""
        self.rtt = seconds if self.rtt is None else self.rtt + (seconds - self.rtt) / 4
        if address == self.selected:
            self._trips.append((self._agents.clock(), seconds))

    def shortest_trip(self) -> float | None:
        """Seconds: the round trip while nothing stands in line; None: not measured in the last minute."""
        since = self._agents.clock() - TRIP_SECONDS
        return min((seconds for at, seconds in self._trips if at >= since), default=None)

    def lose(self, address: bytes) -> None:
        """The TCP connection of this address is gone."""
        self.addresses.pop(address, None)
        if self.selected == address:
            self.selected, self.tcp = b"", None

    def close(self) -> None:
        if self.closed:
            return
        self.closed = True
        for credentials in self.local:
            self._agents.forget(credentials)
        for address in self.addresses:
            if self._agents.by_address.get(address) is self:
                del self._agents.by_address[address]
            stream = self._agents.wire.stream(address)
            if stream is not None:
                stream.close()
        while self._queue.full():
            self._queue.get_nowait()
        self._queue.put_nowait(None)


@dataclass
class IceAgents:
    """All agents of one port."""

    wire: Wire
    clock: Callable[[], float]
    consent_seconds: float = CONSENT_SECONDS
    by_ufrag: dict[str, tuple[IceLite, Credentials]] = field(default_factory=dict)
    by_address: dict[bytes, IceLite] = field(default_factory=dict)
    counters: IceCounters = field(default_factory=IceCounters)
    _probes: dict[bytes, _Probe] = field(default_factory=dict)
    _rtt_asked: dict[int, float] = field(default_factory=dict)

    def forget(self, credentials: Credentials) -> None:
        self.by_ufrag.pop(credentials.ufrag, None)

    def receive(self, data: bytes, address: bytes) -> None:
        """A STUN message. Whatever is wrong with it is counted and ignored."""
        try:
            message = stun.parse_message(data)
        except (ValueError, IndexError, KeyError, struct_error):
            self.counters.bad_stun += 1
            return
        if message.message_method != stun.Method.BINDING:
            self.counters.bad_stun += 1
        elif message.message_class == stun.Class.REQUEST:
            self._on_check(message, address)
        elif message.message_class == stun.Class.RESPONSE:
            self._on_probe_answer(message, address)

    def _on_check(self, message: stun.Message, address: bytes) -> None:
        ufrag, _, remote_ufrag = message.attributes.get("USERNAME", "").partition(":")
        known = self.by_ufrag.get(ufrag)
        if known is None:
            self.counters.unknown_ufrag += 1
            return
        agent, credentials = known
        remote = next((r for r in agent.remote if r.ufrag == remote_ufrag), None)
        if remote is None:
            self.counters.unknown_ufrag += 1
            return
        if not message.check_message_integrity(credentials.password.encode()):
            self.counters.bad_integrity += 1
            return
        now = self.clock()
        owner = self.by_address.get(address)
        if owner is not agent:
            # A peer may forge the source address of its own, correctly signed, checks: it must not take the address
            # in use by another peer.
            in_use = owner is not None and owner.selected == address
            if owner is not None and in_use and now - owner.last_check < self.consent_seconds:
                self.counters.address_owned += 1
                return
            self._own(agent, address)
        agent.addresses[address] = Path(credentials, remote)
        agent.last_check = now
        answer = stun.Message(
            stun.Method.BINDING,
            stun.Class.RESPONSE,
            message.transaction_id,
            {"XOR-MAPPED-ADDRESS": self.wire.text(address)},
        )
        answer.add_message_integrity(credentials.password.encode())
        self.wire.send_to(bytes(answer), address)
        if "USE-CANDIDATE" not in message.attributes:
            return
        if address != agent.selected:
            if not agent.selected:
                agent.select(address)
            else:
                self.probe(agent, address)
        if credentials is agent.local[0] and remote is agent.remote[0]:
            agent.keep(1)  # an ICE restart is complete

    def _own(self, agent: IceLite, address: bytes) -> None:
        self.by_address[address] = agent
        if len(agent.addresses) >= MAX_ADDRESSES:
            oldest = next(known for known in agent.addresses if known != agent.selected)
            del agent.addresses[oldest]
            if self.by_address.get(oldest) is agent:
                del self.by_address[oldest]

    def probe(self, agent: IceLite, address: bytes, answer: asyncio.Future[float] | None = None) -> None:
        """Ask an address for a signed answer: before a peer in the middle of a lesson moves there (ICE-lite does not
        demand it, but one forged datagram could otherwise point its media stream at a victim), and for the round trip
        time of the address in use. answer: gets that time."""
        path = agent.addresses.get(address)
        if path is None or (answer is None and self._asked(agent) >= MAX_PROBES):
            return
        password = path.remote.password.encode()
        request = stun.Message(
            stun.Method.BINDING,
            stun.Class.REQUEST,
            attributes={
                "USERNAME": f"{path.remote.ufrag}:{path.local.ufrag}",
                "PRIORITY": 1862270975,
                "ICE-CONTROLLED": secrets.randbits(64),
            },
        )
        request.add_message_integrity(password)
        self._probes[request.transaction_id] = _Probe(agent, address, password, self.clock(), answer)
        self.wire.send_to(bytes(request), address)

    def _asked(self, agent: IceLite) -> int:
        return sum(1 for probe in self._probes.values() if probe.agent is agent and probe.answer is None)

    def _on_probe_answer(self, message: stun.Message, address: bytes) -> None:
        probe = self._probes.get(message.transaction_id)
        if probe is None or probe.address != address or not message.check_message_integrity(probe.password):
            self.counters.bad_stun += 1
            return
        del self._probes[message.transaction_id]
        agent = probe.agent
        sample = max(0.0, self.clock() - self.wire.waited() - probe.sent)
        if probe.answer is not None and not probe.answer.done():
            probe.answer.set_result(sample)
        agent.measured(sample, address)
        if agent.selected != address and not agent.closed:
            self.counters.roamed += 1
            agent.select(address)

    def drop_address(self, address: bytes) -> None:
        """A TCP connection is closed."""
        agent = self.by_address.pop(address, None)
        if agent is not None:
            agent.lose(address)

    def tick(self) -> None:
        """Once a second: expire peers without consent and old probes, measure round trips."""
        now = self.clock()
        for agent in self._all():
            if now - agent.last_check > self.consent_seconds:
                agent.close()
                agent.on_expired()
            elif agent.selected and agent.on_rtp is not None and now - self._rtt_asked.get(id(agent), 0.0) > RTT_EVERY:
                self._rtt_asked[id(agent)] = now
                self.probe(agent, agent.selected)
        alive = {id(agent) for agent in self._all()}
        self._rtt_asked = {key: at for key, at in self._rtt_asked.items() if key in alive}
        for key in [key for key, probe in self._probes.items() if now - probe.sent > PROBE_SECONDS]:
            del self._probes[key]

    def _all(self) -> Iterable[IceLite]:
        return list({id(agent): agent for agent, _ in self.by_ufrag.values()}.values())
