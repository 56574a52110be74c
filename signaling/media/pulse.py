"""What the media plane does again and again: reports, estimates and, when what is looked at changes, what each
publisher is asked to send. This module owns the second's rhythm and that answer to demand.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping

from signaling.media.layers import Layer, Limits
from signaling.media.publication import Publication, Track
from signaling.media.subscription import Subscription
from signaling.media.udp_port import UdpPort

logger = logging.getLogger(__name__)

TICK = 1.0

Key = tuple[str, str]
"""Session and participant."""


class Pulse:
    """publications, subscriptions: the hub's own; most: bit/s of pictures that one publisher may send; tell: gets what
    a publisher should send, by source, whenever that changes."""

    def __init__(
        self,
        port: UdpPort,
        publications: Mapping[Key, Publication],
        subscriptions: Mapping[Key, Subscription],
        *,
        clock: Callable[[], float],
        most: int,
        tell: Callable[[Key, dict[str, Limits]], None],
    ) -> None:
        self.obedient: set[Key] = set()
        """Publishers that are told their limits and keep to them."""
        self._port, self._publications, self._subscriptions = port, publications, subscriptions
        self._clock, self._most, self._tell = clock, most, tell
        self._unsettled: set[str] = set()

    async def run(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            self.tick()

    def tick(self) -> None:
        self._port.ice.tick()
        now = self._clock()
        for key, publication in list(self._publications.items()):
            try:
                self._report_to_publisher(key, publication, now)
            except Exception:  # the reports of the other peers must go on
                logger.exception("the reports to publisher %s failed", publication.peer.resource)
        for key, subscription in list(self._subscriptions.items()):
            try:
                publication_of_same = self._publications.get(key)
                subscription.upward = publication_of_same.uplink.queue if publication_of_same is not None else 0.0
                subscription.peer.tick(lambda: 0)
                self._port.flush()  # its round trip is counted from here on
                subscription.sample(now)
            except Exception:  # the reports of the other peers must go on
                logger.exception("the reports to subscriber %s failed", subscription.peer.resource)
        for session in {session for session, _ in self._publications}:
            self.unsettle(session)

    def _report_to_publisher(self, key: Key, publication: Publication, now: float) -> None:
        def allowance() -> int:
            publication.sample(now, self._most)
            return publication.allowance(self._most, obeys=key in self.obedient)

        publication.peer.tick(allowance)

    def unsettle(self, session: str) -> None:
        """What somebody wishes to see has changed: tell the publishers, once for everything that happens now."""
        if not self._unsettled:
            asyncio.get_running_loop().call_soon(self._settle)
        self._unsettled.add(session)

    def _settle(self) -> None:
        sessions, self._unsettled = self._unsettled, set()
        watched: dict[str, set[Layer]] = {}
        for key, subscription in self._subscriptions.items():
            if key[0] in sessions:
                for track, layers in subscription.wished().items():
                    watched.setdefault(track, set()).update(layers)
        now = self._clock()
        for key, publication in list(self._publications.items()):
            if key[0] not in sessions:
                continue
            uplink = publication.uplink
            pictures = [track for track in publication.tracks if track.info.kind == "video"]
            changed = [track.settle(watched.get(track.info.id, ()), uplink, now) for track in pictures]
            if any(changed):
                self._tell(key, told_of(pictures))


def told_of(tracks: Iterable[Track]) -> dict[str, Limits]:
    """What their publisher was told to send, by source."""
    return {track.info.source: track.limits for track in tracks if track.limits is not None}
