"""All peers of the port, with the certificates and the clock that they share. This module owns their beginning and end,
and finding one by its resource id.
"""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import secrets
import time
from collections import Counter
from collections.abc import Callable, Collection

from signaling.media.dtls import CertificateStore
from signaling.media.errors import IceSessionChanged, IceSessionUnnamed, MediaError, UnknownResource
from signaling.media.negotiation import Offer
from signaling.media.peer import Peer
from signaling.media.rtp import NTP_EPOCH
from signaling.media.trickle import read_fragment, write_fragment
from signaling.media.udp_port import UdpPort


class Peers(dict[str, Peer]):
    """Resource id -> peer, from `start` on until it is closed."""

    def __init__(self, port: UdpPort) -> None:
        super().__init__()
        self.closing: set[asyncio.Task[None]] = set()
        self._port = port
        self._past: Counter[str] = Counter()  # of closed peers
        self._certificates = CertificateStore()
        self._ntp_base = int((time.time() + NTP_EPOCH - port.clock()) * 2**32)

    def make(self, key: tuple[str, str], offer: Offer) -> Peer:
        """For an offer of a participant, which names it towards others by nothing but a hash of `key`."""
        return Peer(
            self._port,
            self._certificates.current(),
            offer,
            resource=secrets.token_urlsafe(16),
            cname=hashlib.sha256("\0".join(key).encode()).hexdigest()[:16],
            session_id=secrets.randbits(31),
            ntp=lambda: self._ntp_base + int(self._port.clock() * 2**32),
        )

    def negotiated(self, peer: Peer, negotiate: Callable[[], str]) -> str:
        """The answer that `negotiate` makes; where it raises MediaError, a peer that was made for the offer is gone."""
        try:
            return negotiate()
        except MediaError:
            if peer.resource not in self:
                peer.ice.close()
            raise

    def find(self, resource: str) -> Peer:
        """Raises UnknownResource."""
        peer = self.get(resource)
        if peer is None:
            raise UnknownResource(resource)
        return peer

    def start(self, peer: Peer, ended: Callable[[], None], tell: Callable[[bool], None]) -> None:
        """ended: called when the peer is closed; tell: gets whether it is connected, whenever that changes."""
        self[peer.resource] = peer
        was_connected = False

        def connected() -> None:
            nonlocal was_connected
            was_connected = True
            tell(True)

        def closed() -> None:
            self.pop(peer.resource, None)
            self._past.update(dataclasses.asdict(peer.counters))
            ending = asyncio.get_running_loop().create_task(peer.wait_closed())
            self.closing.add(ending)
            ending.add_done_callback(self.closing.discard)
            ended()
            if was_connected:
                tell(False)

        peer.on_connected, peer.on_closed = connected, closed
        peer.start()

    def restart(self, resource: str, fragment: str, tags: Collection[str] | None) -> str:
        """See MediaHub.restart."""
        peer = self.find(resource)
        credentials = read_fragment(fragment)
        if tags is None:
            raise IceSessionUnnamed
        if "*" not in tags and peer.ice.local[0].ufrag not in tags:
            raise IceSessionChanged
        if credentials is None or credentials.ufrag == peer.ice.remote[0].ufrag:
            return ""
        peer.ice.restart(credentials)
        medias = [stream.media for stream in peer.inbound] + [out.media for out in peer.outbound]
        kind, mid = (medias[0].kind, medias[0].mid) if medias else ("audio", "0")
        return write_fragment(peer.ice.local[0], kind, mid, self._port.candidates())

    def counters(self) -> Counter[str]:
        """Of all peers so far."""
        found = Counter(self._past)
        for peer in self.values():
            found.update(dataclasses.asdict(peer.counters))
        return found

    def close(self) -> None:
        for peer in list(self.values()):
            peer.close()
