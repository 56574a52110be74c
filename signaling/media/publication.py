"""What one participant publishes. This module owns the tracks of a publishing peer through its negotiations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import msgspec

from signaling.media.inbound import Inbound
from signaling.media.negotiation import Accepted, Media, Offer, accept, commit, write_answer
from signaling.media.peer import Peer

MOST_TRACKS = 8
_VIDEO_SOURCES = ("teacher", "pupils", "screen")


class TrackInfo(msgspec.Struct, frozen=True):
    """One published stream. source: "mic", "teacher", "pupils" or "screen"; codec: "opus", "h264" or "vp8"."""

    id: str
    session: str
    participant: str
    kind: Literal["audio", "video"]
    source: str
    codec: str = ""


class Track:
    def __init__(self, info: TrackInfo, inbound: Inbound) -> None:
        self.info = info
        self.inbound = inbound
        self.live = False  # has media arrived?


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
    ) -> None:
        self.session, self.participant, self.peer = session, participant, peer
        self.tracks: dict[str, Track] = {}  # mid -> track
        self._medias: dict[str, Media] = {}
        self._make_inbound, self._make_id = make_inbound, make_id
        self._on_live, self._on_ended = on_live, on_ended

    def negotiate(self, offer: Offer, sources: Mapping[str, str]) -> str:
        """The answer. Raises MediaError and changes nothing when the offer cannot be taken."""
        accepted = accept(offer, "recvonly", self._medias, MOST_TRACKS)
        self.peer.follow(offer)
        commit(accepted, "recvonly")
        medias = {item.media.mid: item.media for item in accepted if item.media is not None}
        for mid in [mid for mid in self.tracks if mid not in medias or not medias[mid].active]:
            self._end(mid)
        self._medias = medias
        names = self._sources(accepted, sources)
        for mid, media in medias.items():
            if media.active and mid not in self.tracks:
                self._begin(media, names[mid])
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

    def _begin(self, media: Media, source: str) -> None:
        info = TrackInfo(self._make_id(), self.session, self.participant, media.kind, source, media.formats[0].name)

        def first_packet() -> None:
            track.live = True
            self._on_live(track)

        track = Track(info, self._make_inbound(self.peer, media, first_packet))
        self.tracks[media.mid] = track
        self.peer.add_inbound(track.inbound)

    def _end(self, mid: str) -> None:
        track = self.tracks.pop(mid)
        self.peer.remove_inbound(track.inbound)
        self._on_ended(track)

    def infos(self) -> tuple[TrackInfo, ...]:
        return tuple(track.info for track in self.tracks.values())

    def end(self) -> None:
        """The peer is closed."""
        for mid in list(self.tracks):
            self._end(mid)
