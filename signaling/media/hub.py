"""The media plane's one door: who publishes what in which session, and who receives it. Media is forwarded, never
decoded. This module owns the participants' peers; everybody outside `signaling.media` talks to MediaHub alone.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import secrets
import time
from collections.abc import Callable, Collection, Mapping

import msgspec

from signaling.media.errors import (
    MediaError,
    NothingAcceptable,
    UnknownSlot,
    UnknownTrack,
)
from signaling.media.inbound import Inbound
from signaling.media.layers import Layer, Limits, Seen
from signaling.media.negotiation import Media, accept, parse_offer
from signaling.media.outbound import Outbound
from signaling.media.peer import Peer
from signaling.media.peers import Peers
from signaling.media.publication import MOST_SECTIONS, Publication, Track, TrackInfo
from signaling.media.pulse import Key, Pulse, told_of
from signaling.media.quality import LinkQuality, measure
from signaling.media.subscription import Subscription
from signaling.media.taps import PacketTap
from signaling.media.udp_port import UdpPort

__all__ = [
    "Answer",
    "Layer",
    "Limits",
    "LinkQuality",
    "MediaConfig",
    "MediaError",
    "MediaHub",
    "PacketTap",
    "Seen",
    "TrackInfo",
]

logger = logging.getLogger(__name__)

LOWEST = 9  # rank of whom nobody has ranked


class MediaConfig(msgspec.Struct, frozen=True):
    """host, port: bound (0: any free port); public: addresses peers are told (port 0: the bound one), needed when the
    host is a wildcard; tcp_port: for media over TCP, None: UDP alone; max_publish_bitrate: bit/s of all video that one
    publisher may send."""

    host: str = "127.0.0.1"
    port: int = 0
    public: tuple[tuple[str, int], ...] = ()
    tcp_port: int | None = None
    max_publish_bitrate: int = 2_500_000


class Answer(msgspec.Struct, frozen=True):
    """resource: names the peer, for restart() and release(); etag: of its ICE session (RFC 9725); tracks: what it
    publishes; slots: mid -> track id of what it is shown."""

    resource: str
    sdp: str
    etag: str
    tracks: tuple[TrackInfo, ...] = ()
    slots: dict[str, str] = {}


class MediaHub:
    def __init__(
        self,
        config: MediaConfig,
        *,
        clock: Callable[[], float] = time.monotonic,
        make_id: Callable[[], str] = lambda: secrets.token_urlsafe(12),
        tap_keyframe_interval: float = 2.0,
    ) -> None:
        """tap_keyframe_interval: seconds between the keyframes asked of a publisher while a tap listens."""
        self.on_track: Callable[[TrackInfo, bool], None] = lambda track, present: None
        self.on_connection: Callable[[str, str, str, bool], None] = lambda session, participant, kind, connected: None
        self.on_limits: Callable[[str, str, dict[str, Limits]], None] = lambda session, participant, limits: None
        """Called with session, participant and, by source, what it should send of its pictures, whenever that or
        the codec for them changes."""
        self._config, self._clock, self._make_id = config, clock, make_id
        self._tap_keyframe_interval = tap_keyframe_interval
        self._port = UdpPort(clock)
        self._publications: dict[Key, Publication] = {}
        self._subscriptions: dict[Key, Subscription] = {}
        self._peers = Peers(self._port)
        self._ranks: dict[str, dict[str, int]] = {}  # session -> participant -> rank
        self._onlookers: dict[str, frozenset[str]] = {}
        self._pulse = Pulse(
            self._port,
            self._publications,
            self._subscriptions,
            self._onlookers,
            clock=clock,
            most=config.max_publish_bitrate,
            tell=lambda key, told: self._tell(lambda: self.on_limits(*key, told)),
        )
        self._tracks: dict[str, Track] = {}
        self._ticker: asyncio.Task[None] | None = None

    async def open(self) -> None:
        config = self._config
        await self._port.open(config.host, config.port, config.public, config.tcp_port)
        self._ticker = asyncio.get_running_loop().create_task(self._pulse.run())

    async def close(self) -> None:
        if self._ticker is None:
            return
        self._ticker.cancel()
        self._peers.close()
        await asyncio.wait({self._ticker, *self._peers.closing})
        self._ticker = None
        await self._port.close()

    @property
    def address(self) -> tuple[str, int]:
        """(host, port) of the bound UDP socket."""
        return self._port.local

    # negotiation

    def publish(
        self,
        session: str,
        participant: str,
        offer: str,
        sources: Mapping[str, str] | None = None,
        layers: Mapping[str, Layer] | None = None,
    ) -> Answer:
        """Answer what a participant offers to send. sources: mid -> source name; the defaults are "mic" for audio, and
        "teacher", "pupils", "screen" for the videos in order. layers: mid -> layer, "high" by default; a publisher that
        names any is told its limits, and in which codec it should offer its pictures again.

        The same certificate as before goes on with the same connection (renegotiation; with other ICE credentials an
        ICE restart); another one, such as a reloaded page's, replaces it. Raises BadOffer or NothingAcceptable; then
        everything stays as it was.
        """
        parsed, key = parse_offer(offer), (session, participant)
        publication = self._publications.get(key)
        if publication is None or not publication.peer.follows(parsed):
            publication = Publication(
                session,
                participant,
                self._peers.make(key, parsed),
                make_inbound=self._make_inbound,
                make_id=self._make_id,
                on_live=self._on_live,
                on_ended=self._on_ended,
                on_recoded=self._on_recoded,
            )
        text = self._peers.negotiated(
            publication.peer,
            lambda: publication.negotiate(parsed, sources or {}, layers or {}, self._pulse.codec(session)),
        )
        if self._publications.get(key) is not publication:
            self._replace(self._publications.get(key))
            self._publications[key] = publication
            self._start(key, publication.peer, "publish", lambda: self._publication_closed(key, publication))
        for track in publication.tracks:
            self._tracks[track.info.id] = track
        if layers:
            self._pulse.obedient.add(key)
        self._pulse.unsettle(session)
        peer = publication.peer
        return Answer(peer.resource, text, peer.ice.local[0].ufrag, publication.infos())

    def subscribe(self, session: str, participant: str, offer: str, slots: Mapping[str, str]) -> Answer:
        """Answer what a participant offers to receive. slots: mid -> track id; a section that is not in it stays open
        as an empty slot. In a renegotiation `slots` is the whole new mapping. Raises BadOffer, NothingAcceptable or
        UnknownTrack; then everything stays as it was.
        """
        parsed, key = parse_offer(offer), (session, participant)
        subscription = self._subscriptions.get(key)
        if subscription is None or not subscription.peer.follows(parsed):
            subscription = Subscription(
                session,
                participant,
                self._peers.make(key, parsed),
                make_outbound=self._make_outbound,
                find_track=lambda track: self._find_track(session, track),
                rank_of=lambda track: self._ranks.get(session, {}).get(track.info.participant, LOWEST),
                clock=self._clock,
                on_levels=lambda: self._pulse.unsettle(session),
            )
        text = self._peers.negotiated(subscription.peer, lambda: subscription.negotiate(parsed, slots))
        if self._subscriptions.get(key) is not subscription:
            self._replace(self._subscriptions.get(key))
            self._subscriptions[key] = subscription
            self._start(
                key,
                subscription.peer,
                "subscribe",
                lambda: self._subscription_closed(key, subscription),
                subscription.adapt,
            )
        peer = subscription.peer
        return Answer(peer.resource, text, peer.ice.local[0].ufrag, slots=subscription.shown())

    def switch(self, session: str, participant: str, mid: str, track: str | None) -> None:
        """Show another track of the same kind in a slot, from its next keyframe on; None: silence. Raises UnknownSlot,
        UnknownTrack, or NothingAcceptable when the slot cannot carry the codec."""
        subscription = self._subscriptions.get((session, participant))
        if subscription is None:
            raise UnknownSlot(mid)
        subscription.switch(mid, self._find_track(session, track) if track is not None else None)

    def view(self, session: str, participant: str, heights: Mapping[str, int]) -> None:
        """How large a participant sees each track: track id -> pixels of height; what is left out it does not see, and
        gets no pictures of. Until it says so, everything is taken for large."""
        subscription = self._subscriptions.get((session, participant))
        if subscription is not None:
            subscription.view(heights)

    def rank(self, session: str, ranks: Mapping[str, int], onlookers: Collection[str] = ()) -> None:
        """Whose pictures matter most when a line is weak: participant -> rank, 0 first; all others come last. For the
        sake of `onlookers` no sender is asked for another codec."""
        if self._onlookers.get(session, frozenset()) != frozenset(onlookers):
            self._onlookers[session] = frozenset(onlookers)
            self._pulse.unsettle(session)
        if self._ranks.get(session, {}) == ranks:
            return
        self._ranks[session] = dict(ranks)
        for key, subscription in self._subscriptions.items():
            if key[0] == session:
                subscription.adapt()

    def demand_whole(self, offer: str) -> None:
        """Raise NothingAcceptable unless every section of an offer to send can be taken: a program cannot be told that
        a part of it is missing (RFC 9725, section 4.2). Raises BadOffer."""
        for item in accept(parse_offer(offer), "recvonly", {}, MOST_SECTIONS):
            if item.media is None:
                raise NothingAcceptable(f"section {item.section.mid or '?'} ({item.section.kind}) cannot be taken")

    def restart(self, resource: str, fragment: str, tags: Collection[str] | None = ("*",)) -> str:
        """ICE restart by a trickle-ice-sdpfrag (RFC 9725): the fragment to answer with. An empty string: it only
        brought candidates, of which ICE-lite has no use. `tags`: which ICE session is meant, "*": whichever there is.
        Raises UnknownResource, BadOffer, IceSessionUnnamed or IceSessionChanged."""
        return self._peers.restart(resource, fragment, tags)

    def holds(self, resource: str) -> bool:
        """Is there (still) a peer of this id?"""
        return resource in self._peers

    def etag(self, resource: str) -> str:
        return self._peers.find(resource).ice.local[0].ufrag

    # ending

    def release(self, resource: str) -> None:
        """Close one peer. Raises UnknownResource."""
        self._peers.find(resource).close()

    def drop(self, session: str, participant: str) -> None:
        """Close both peers of a participant, where it has any."""
        for found in (self._publications.get((session, participant)), self._subscriptions.get((session, participant))):
            if found is not None:
                found.peer.close()

    def close_session(self, session: str) -> None:
        for key in {key for key in (*self._publications, *self._subscriptions) if key[0] == session}:
            self.drop(*key)
        self._ranks.pop(session, None)
        self._onlookers.pop(session, None)

    # tracks

    def tracks(self, session: str) -> list[TrackInfo]:
        """Everything that is published in a session, whether media has arrived yet or not."""
        return [track.info for track in self._tracks.values() if track.info.session == session]

    def tap(self, track: str, tap: PacketTap) -> Callable[[], None]:
        """Let a recorder listen to the high layer; the function that is returned ends it. Raises UnknownTrack."""
        found = self._track(track)
        taps = found.main.taps
        taps.add(tap)
        self._pulse.unsettle(found.info.session)
        return lambda: taps.remove(tap)

    def request_keyframe(self, track: str) -> None:
        self._track(track).main.request_keyframe()

    def mute(self, track: str, muted: bool) -> None:
        """Stop forwarding and recording a track at the server, whatever the publisher does."""
        for stream in self._track(track).layers.values():
            stream.mute(muted)

    def links(self, session: str) -> dict[str, LinkQuality]:
        """By participant."""
        now = self._clock()
        found: dict[str, LinkQuality] = {}
        for key in dict.fromkeys((*self._publications, *self._subscriptions)):
            if key[0] == session:
                found[key[1]] = measure(self._publications.get(key), self._subscriptions.get(key), now)
        return found

    def limits(self, session: str, participant: str) -> dict[str, Limits]:
        """By source: what the participant should send of its pictures."""
        publication = self._publications.get((session, participant))
        return told_of(publication.tracks) if publication is not None else {}

    def codec(self, session: str, participant: str) -> str:
        """Which codec the participant should send its pictures in; empty: it sends none."""
        return self._pulse.asked((session, participant))

    def counters(self) -> dict[str, int]:
        """Of the port and of all peers so far, for operators."""
        found = self._peers.counters()
        found.update(dataclasses.asdict(self._port.counters))
        found.update(dataclasses.asdict(self._port.ice.counters))
        return dict(found)

    # inside

    def _make_inbound(self, peer: Peer, media: Media, on_first_packet: Callable[[], None]) -> Inbound:
        return Inbound(
            peer,
            self._port,
            media,
            clock=self._clock,
            tap_keyframe_interval=self._tap_keyframe_interval,
            on_first_packet=on_first_packet,
        )

    def _make_outbound(self, peer: Peer, media: Media) -> Outbound:
        return Outbound(peer, self._port, media, peer.cname)

    def _replace(self, old: Publication | Subscription | None) -> None:
        if old is not None:
            old.peer.close()

    def _start(
        self,
        key: Key,
        peer: Peer,
        kind: str,
        ended: Callable[[], None],
        connected: Callable[[], None] = lambda: None,
    ) -> None:
        def tell(there: bool) -> None:
            if there:
                connected()
            self._tell(lambda: self.on_connection(*key, kind, there))

        self._peers.start(peer, ended, tell)

    def _publication_closed(self, key: Key, publication: Publication) -> None:
        if self._publications.get(key) is publication:
            del self._publications[key]
            self._pulse.obedient.discard(key)
        publication.end()
        self._pulse.unsettle(key[0])

    def _subscription_closed(self, key: Key, subscription: Subscription) -> None:
        if self._subscriptions.get(key) is subscription:
            del self._subscriptions[key]
        subscription.close()
        self._pulse.unsettle(key[0])

    def _on_live(self, track: Track) -> None:
        self._tell(lambda: self.on_track(track.info, True))

    def _on_ended(self, track: Track) -> None:
        self._tracks.pop(track.info.id, None)
        for subscription in self._subscriptions.values():
            subscription.forget(track.info.id)
        if track.live:
            self._tell(lambda: self.on_track(track.info, False))

    def _on_recoded(self, track: Track, before: TrackInfo | None) -> None:
        for (session, _), subscription in self._subscriptions.items():
            if session == track.info.session:
                subscription.recoded(track)
        if before is not None:
            self._tell(lambda: self.on_track(before, False))

    def _tell(self, call: Callable[[], None]) -> None:
        """A listener's exception must not undo what has happened."""
        try:
            call()
        except Exception:
            logger.exception("a listener of the media hub failed")

    def _track(self, track: str) -> Track:
        found = self._tracks.get(track)
        if found is None:
            raise UnknownTrack(track)
        return found

    def _find_track(self, session: str, track: str) -> Track:
        found = self._track(track)
        if found.info.session != session:
            raise UnknownTrack(track)
        return found
