"""What one participant publishes. This module owns the tracks of a publishing peer through its negotiations."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Literal

import msgspec

from signaling.media.codec_choice import sent_by
from signaling.media.congestion import Uplink
from signaling.media.inbound import Inbound
from signaling.media.layers import GROWN_AFTER, HIGH_RATE, REST_AFTER, Layer, Limits, carries_one, limits
from signaling.media.negotiation import Accepted, Media, Offer, accept, commit, write_answer
from signaling.media.peer import Peer

MOST_SECTIONS = 8
UNSEEN_RATE = 100_000  # bit/s for an encoder that nobody looks at and that can be told nothing else
_VIDEO_SOURCES = ("teacher", "pupils", "screen")


class TrackInfo(msgspec.Struct, frozen=True):
    """One published source. source: "mic", "teacher", "pupils" or "screen"; codec: "opus", "h264" or "vp8"."""

    id: str
    session: str
    participant: str
    kind: Literal["audio", "video"]
    source: str
    codec: str = ""


class Track:
    """One source, in as many layers as its publisher sends; what it knows of who looks decides what is asked for."""

    def __init__(self, info: TrackInfo) -> None:
        self.info = info
        self.layers: dict[Layer, Inbound] = {}
        self.live = False  # has media arrived?
        self.limits: Limits | None = None  # as they were last told to the publisher; None: never
        self.high_alone = False  # does the publisher's line carry but one of its layers?
        self._full_rate: int | None = None  # bit/s of the high layer on a line, when it was last asked for in full
        self._full_since: float | None = None
        self._grown = True  # is what is measured of the high layer what it is when somebody looks?
        self._watched_at: dict[Layer, float] = {}

    @property
    def main(self) -> Inbound:
        """The stream that recordings hold."""
        return self.layers.get("high") or self.layers["low"]

    @property
    def layered(self) -> bool:
        return len(self.layers) > 1

    def at(self, layer: Layer) -> Inbound:
        """The stream of a layer, or the other one where there is but one."""
        return self.layers.get(layer) or self.main

    def carries(self, codec: Callable[[str], bool]) -> bool:
        """Is every layer in a codec that the slot has?"""
        return all(codec(stream.codec) for stream in self.layers.values())

    def settle(self, watched: Collection[Layer], uplink: Uplink, now: float) -> bool:
        """Work out what the publisher should send; True: something else than before."""
        for layer in watched:
            self._watched_at[layer] = now
        recent = {layer for layer, at in self._watched_at.items() if now - at < REST_AFTER}
        found = limits(
            layered=self.layered,
            high_watched="high" in recent,
            low_watched="low" in recent,
            # a recorder listens only once media arrives: a camera told to rest before that would never be recorded
            recorded=bool(self.main.taps.listening) or not self.live,
            uplink=uplink.rate,
            still=uplink.still,
        )
        self.high_alone = self.layered and carries_one(uplink.rate) and found.high > 0
        self._weigh(found, now)
        changed, self.limits = found != self.limits, found
        return changed

    def _weigh(self, asked: Limits, now: float) -> None:
        if asked.high < HIGH_RATE:
            self._full_since = None
        elif self._full_since is None:
            self._full_since = now  # what is measured grows only from now on
        in_full = self._full_since is not None and now - self._full_since >= GROWN_AFTER
        if in_full and self.main.flowing(now):
            self._full_rate = self.main.rate
        self._grown = in_full or asked.high == 0

    def grows_to(self, shown: bool) -> int:
        """bit/s to count on for the high layer, whatever is measured now: while it is only recorded it is a fraction of
        what it becomes as soon as somebody looks. shown: by the slot in question, whose line has carried it so far."""
        if self._grown:
            return 0
        return self._full_rate or (0 if shown else HIGH_RATE)


class Publication:
    def __init__(
        self,
        session: str,
        participant: str,
        peer: Peer,
        *,
        make_inbound: Callable[[Peer, Media, Callable[[], None]], Inbound],
        make_id: Callable[[], str],
        on_live: Callable[[Track], None],
        on_ended: Callable[[Track], None],
        on_recoded: Callable[[Track, TrackInfo | None], None],
    ) -> None:
        """on_recoded: gets a track that comes in another codec from now on, and what it was where media had arrived."""
        self.session, self.participant, self.peer = session, participant, peer
        self.tracks: list[Track] = []
        self.uplink = Uplink()
        self._by_mid: dict[str, tuple[Track, Layer]] = {}
        self._medias: dict[str, Media] = {}
        self._make_inbound, self._make_id = make_inbound, make_id
        self._on_live, self._on_ended, self._on_recoded = on_live, on_ended, on_recoded
        self.asked_for = ""  # the codec of pictures that it was told last
        self._offered: frozenset[str] = frozenset()
        self._sent: frozenset[str] = frozenset()

    def negotiate(self, offer: Offer, sources: Mapping[str, str], layers: Mapping[str, Layer], codec: str) -> str:
        """The answer. layers: mid -> layer; two sections of one source are one track. codec: of pictures, where they
        are offered in it. Raises MediaError and changes nothing when the offer cannot be taken."""
        accepted = accept(offer, "recvonly", self._medias, MOST_SECTIONS, codec)
        self.peer.follow(offer)
        commit(accepted, "recvonly")
        medias = {item.media.mid: item.media for item in accepted if item.media is not None}
        for mid in [mid for mid in self._by_mid if mid not in medias or not medias[mid].active]:
            self._end(mid)
        recoded = [mid for mid in self._by_mid if medias[mid] is not self._medias[mid]]
        self._medias = medias
        pictures = [media for media in medias.values() if media.kind == "video" and media.active]
        self._sent = frozenset(media.formats[0].name for media in pictures)
        self._offered = frozenset.intersection(*(media.offered for media in pictures)) if pictures else frozenset()
        self._recode(recoded)
        names = self._sources(accepted, sources)
        for mid, media in medias.items():
            if media.active and mid not in self._by_mid:
                self._begin(media, names[mid], layers.get(mid, "high"))
        return write_answer(accepted, "recvonly", self.peer.local())

    def _sources(self, accepted: list[Accepted], given: Mapping[str, str]) -> dict[str, str]:
        names: dict[str, str] = {}
        videos = 0
        for item in accepted:
            if item.media is None:
                continue
            if item.media.kind == "audio":
                default = "mic"
            else:
                default = _VIDEO_SOURCES[min(videos, len(_VIDEO_SOURCES) - 1)]
                videos += 1
            names[item.media.mid] = given.get(item.media.mid, default)
        return names

    def _begin(self, media: Media, source: str, layer: Layer) -> None:
        track = next((t for t in self.tracks if t.info.source == source and layer not in t.layers), None)
        if track is None or media.kind == "audio":
            codec = media.formats[0].name
            track = Track(TrackInfo(self._make_id(), self.session, self.participant, media.kind, source, codec))
            self.tracks.append(track)
        self._by_mid[media.mid] = (track, layer)
        self._receive(media, track, layer)

    def _receive(self, media: Media, track: Track, layer: Layer) -> None:
        def first_packet() -> None:
            if not track.live:
                track.live = True
                self._on_live(track)

        stream = track.layers[layer] = self._make_inbound(self.peer, media, first_packet)
        self.peer.add_inbound(stream)

    def _recode(self, mids: Collection[str]) -> None:
        """These sections are answered with another codec than before: the tracks stay, their streams do not."""
        before: dict[Track, TrackInfo | None] = {}
        for mid in mids:
            track, layer = self._by_mid[mid]
            if track not in before:
                before[track] = track.info if track.live else None
                track.live = False
            self.peer.remove_inbound(track.layers[layer])
            self._receive(self._medias[mid], track, layer)
        for track, info in before.items():
            track.info = msgspec.structs.replace(track.info, codec=track.main.codec)
            self._on_recoded(track, info)

    def _end(self, mid: str) -> None:
        track, layer = self._by_mid.pop(mid)
        self.peer.remove_inbound(track.layers.pop(layer))
        if not track.layers:
            self.tracks.remove(track)
            self._on_ended(track)

    def infos(self) -> tuple[TrackInfo, ...]:
        return tuple(track.info for track in self.tracks)

    def sends(self, codec: str, *, obeys: bool) -> str:
        """Which codec its pictures are in when the lesson's is `codec`. obeys: it offers again when it is asked to."""
        return sent_by(self.able(obeys=obeys), codec)

    def able(self, *, obeys: bool) -> frozenset[str]:
        """The codecs that its pictures can be in; empty where it sends none."""
        return self._offered if obeys else self._sent

    def sample(self, now: float, most: int) -> None:
        """Once a second, after the receiver reports: how the line up fares. most: bit/s it may carry at all."""
        streams = self.peer.inbound
        expected = sum(stream.expected_now for stream in streams)
        lost = max(0, expected - sum(stream.received_now for stream in streams))
        self.uplink.sample(
            now,
            received=sum(stream.bitrate for stream in streams),
            packets=expected,
            lost=lost,
            queue=min((stream.transit.queue for stream in streams if stream.transit.queue is not None), default=0.0),
            most=most,
        )

    @property
    def resting(self) -> bool:
        """Are all its cameras asked to send nothing, because nobody looks?"""
        if self.uplink.still:
            return False
        found = [track.limits for track in self.tracks if track.info.kind == "video" and track.limits is not None]
        return bool(found) and not any(limit.high or limit.low for limit in found)

    def allowance(self, most: int, *, obeys: bool) -> int:
        """bit/s of pictures it may send. obeys: it is told its limits, which a browser can follow at once; when REMB is
        lowered and raised again, a browser takes half a minute to come back."""
        rate = most if self.uplink.rate is None else min(most, self.uplink.rate)
        if not obeys:
            videos = [track for track in self.tracks if track.info.kind == "video"]
            if all(track.limits is not None and not track.limits.high for track in videos):
                rate = min(rate, UNSEEN_RATE)
        return rate

    def end(self) -> None:
        """The peer is closed."""
        for mid in list(self._by_mid):
            self._end(mid)
