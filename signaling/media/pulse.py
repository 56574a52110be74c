"""What the media plane does again and again: reports, estimates and, when what is looked at changes, what each
publisher is asked to send: how much, and in which codec. This module owns the second's rhythm and that answer to
demand.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Mapping

from signaling.media.codec_choice import BEST_FIRST, Ability, CodecChoice
from signaling.media.layers import Layer, Limits
from signaling.media.publication import Publication, Track
from signaling.media.subscription import Subscription
from signaling.media.udp_port import UdpPort

logger = logging.getLogger(__name__)

TICK = 1.0

Key = tuple[str, str]
"""Session and participant."""


class Pulse:
    """publications, subscriptions, onlookers: the hub's own; onlookers: by session, for whose sake no codec changes;
    most: bit/s of pictures that one publisher may send; tell: gets what a publisher should send, by source, whenever
    that changes."""

    def __init__(
        self,
        port: UdpPort,
        publications: Mapping[Key, Publication],
        subscriptions: Mapping[Key, Subscription],
        onlookers: Mapping[str, Collection[str]],
        *,
        clock: Callable[[], float],
        most: int,
        tell: Callable[[Key, dict[str, Limits]], None],
    ) -> None:
        self.obedient: set[Key] = set()
        """Publishers that are told their limits and keep to them."""
        self._port, self._publications, self._subscriptions = port, publications, subscriptions
        self._onlookers = onlookers
        self._clock, self._most, self._tell = clock, most, tell
        self._unsettled: set[str] = set()
        self._choices: dict[str, CodecChoice] = {}

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
        self._choose(sessions, now)
        for key, publication in list(self._publications.items()):
            if key[0] not in sessions:
                continue
            uplink = publication.uplink
            pictures = [track for track in publication.tracks if track.info.kind == "video"]
            changed = [track.settle(watched.get(track.info.id, ()), uplink, now) for track in pictures]
            codec = self.asked(key)
            if any(changed) or (codec and codec != publication.asked_for):
                publication.asked_for = codec
                self._tell(key, told_of(pictures))

    def codec(self, session: str) -> str:
        """Which one pictures of the session should be in."""
        found = self._choices.get(session)
        return found.codec if found is not None else BEST_FIRST[0]

    def asked(self, key: Key) -> str:
        """Which codec a publisher should send its pictures in; empty: it sends none."""
        publication = self._publications.get(key)
        return publication.sends(self.codec(key[0]), obeys=key in self.obedient) if publication is not None else ""

    def _choose(self, sessions: Collection[str], now: float) -> None:
        able: dict[str, dict[str, Ability]] = {session: {} for session in sessions}
        for (session, who), publication in self._publications.items():
            if session in able:
                able[session][who] = Ability(sends=publication.able(obeys=(session, who) in self.obedient))
        for (session, who), subscription in self._subscriptions.items():
            if session in able and who not in self._onlookers.get(session, ()):
                known = able[session].get(who, Ability())
                able[session][who] = known._replace(receives=subscription.receives)
        for session, abilities in able.items():
            if not abilities:
                self._choices.pop(session, None)
            elif (choice := self._choices.setdefault(session, CodecChoice())).settle(abilities.values(), now):
                logger.info("the pictures of session %s are to come in %s", session, choice.codec)


def told_of(tracks: Iterable[Track]) -> dict[str, Limits]:
    """What their publisher was told to send, by source."""
    return {track.info.source: track.limits for track in tracks if track.limits is not None}
