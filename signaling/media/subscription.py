"""What one participant receives. This module owns the slots of a subscribing peer through its negotiations."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

from signaling.media.errors import NothingAcceptable, UnknownSlot, UnknownTrack
from signaling.media.negotiation import MOST_SECTIONS, Media, Offer, accept, commit, write_answer
from signaling.media.outbound import Outbound
from signaling.media.peer import Peer
from signaling.media.publication import Track


class Subscription:
    def __init__(
        self,
        session: str,
        participant: str,
        peer: Peer,
        *,
        make_outbound: Callable[[Peer, Media], Outbound],
        find_track: Callable[[str], Track],
    ) -> None:
        """find_track: raises UnknownTrack for what this session does not have."""
        self.session, self.participant, self.peer = session, participant, peer
        self.slots: dict[str, Outbound] = {}  # mid -> slot
        self._medias: dict[str, Media] = {}
        self._shown: dict[str, str] = {}  # mid -> track id
        self._make_outbound, self._find_track = make_outbound, find_track

    def negotiate(self, offer: Offer, wanted: Mapping[str, str]) -> str:
        """The answer. Raises MediaError and changes nothing when the offer or a wanted track cannot be taken.

        A track whose codec the offer lacks leaves its slot empty: see `shown`.
        """
        tracks = {mid: self._find_track(track) for mid, track in wanted.items()}
        accepted = accept(offer, "sendonly", self._medias, MOST_SECTIONS)
        medias = {item.media.mid: item.media for item in accepted if item.media is not None}
        for mid, track in tracks.items():
            if mid in medias and medias[mid].kind != track.info.kind:
                raise UnknownTrack(track.info.id)
        self.peer.follow(offer)
        commit(accepted, "sendonly")
        for mid in [mid for mid in self.slots if mid not in medias]:
            self.peer.remove_outbound(self.slots.pop(mid))
        self._medias = medias
        self._shown = {}
        for mid, media in medias.items():
            shown = tracks.get(mid) if media.active else None
            if shown is not None and media.format(shown.inbound.codec) is None:
                shown = None
            media.stream = _stream(shown.info.participant) if shown is not None else f"slot{mid}"
            out = self.slots.get(mid)
            if out is None:
                out = self.slots[mid] = self._make_outbound(self.peer, media)
                self.peer.add_outbound(out)
            self._point(mid, out, shown)
        return write_answer(accepted, "sendonly", self.peer.local())

    def _point(self, mid: str, out: Outbound, track: Track | None) -> None:
        if track is None:
            self._shown.pop(mid, None)
        else:
            self._shown[mid] = track.info.id
        out.show(track.inbound if track is not None else None)

    def switch(self, mid: str, track: Track | None) -> None:
        out = self.slots.get(mid)
        if out is None or not self._medias[mid].active:
            raise UnknownSlot(mid)
        if track is not None and track.info.kind != out.media.kind:
            raise UnknownTrack(track.info.id)
        if track is not None and out.media.format(track.inbound.codec) is None:
            raise NothingAcceptable("the slot was not negotiated for the codec of this track")
        self._point(mid, out, track)

    def forget(self, track: str) -> None:
        """The track has ended."""
        self._shown = {mid: shown for mid, shown in self._shown.items() if shown != track}

    def shown(self) -> dict[str, str]:
        return dict(self._shown)


def _stream(participant: str) -> str:
    """A participant's id may hold characters that SDP does not allow."""
    return hashlib.sha256(participant.encode()).hexdigest()[:16]
