"""What one participant receives. This module owns the slots of a subscribing peer through its negotiations, and which
layer each of them shows as far as the line down goes.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from signaling.media.allocation import UNSEEN_SIZE, Wanted, allocate
from signaling.media.burst import Finding
from signaling.media.congestion import Downlink
from signaling.media.errors import NothingAcceptable, UnknownSlot, UnknownTrack
from signaling.media.layers import LOW_RATE, NOMINAL, Layer, Level, Seen
from signaling.media.negotiation import MOST_SECTIONS, Media, Offer, accept, commit, write_answer
from signaling.media.outbound import Outbound
from signaling.media.peer import Peer
from signaling.media.probe import Probe
from signaling.media.publication import Track

FRESH = 3.0  # seconds for which a reported round trip counts
SPARE = 1.05
"""More than is missing is asked of a line: what it carries already is not the same from second to second."""
UNSENT_AFTER = 2.0
"""Seconds without a picture that the line would carry, after which its sender is said to send none."""


class _Sums(NamedTuple):
    """Of slots, ever: bytes as the line saw them, those of pictures, and those sent again; packets reported on, and
    how many of them were lost."""

    octets: int
    pictures: int
    again: int
    packets: int
    lost: int


class Subscription:
    def __init__(
        self,
        session: str,
        participant: str,
        peer: Peer,
        *,
        make_outbound: Callable[[Peer, Media], Outbound],
        find_track: Callable[[str], Track],
        rank_of: Callable[[Track], int],
        clock: Callable[[], float],
        on_levels: Callable[[], None],
    ) -> None:
        """find_track: raises UnknownTrack for what this session does not have; rank_of: 0 matters most; on_levels: the
        levels or what is wished for have changed."""
        self.session, self.participant, self.peer = session, participant, peer
        self.slots: dict[str, Outbound] = {}  # mid -> slot
        self.line = Downlink()
        self.sent = 0  # bit/s
        self.receives: frozenset[str] = frozenset()  # the codecs that its slots have for pictures
        self._medias: dict[str, Media] = {}
        self._asked: dict[str, Track] = {}  # mid -> what it is pointed at
        self._shown: dict[str, Track] = {}  # the same, as far as the slot has the track's codec
        self._levels: dict[str, Level] = {}  # mid -> what it is meant to show
        self._unsent_since: dict[str, float] = {}  # mid -> since when nothing comes of what it is meant to show
        self._heights: dict[str, int] | None = None  # track id -> pixels; None: the receiver has not said
        self._make_outbound, self._find_track, self._rank_of = make_outbound, find_track, rank_of
        self._clock, self._on_levels = clock, on_levels
        self._probe = Probe(self, clock)
        self._past = _sums(())  # of slots that are no more
        self._sampled: tuple[float, _Sums] | None = None

    def negotiate(self, offer: Offer, wanted: Mapping[str, str]) -> str:
        """The answer. Raises MediaError and changes nothing when the offer or a wanted track cannot be taken.

        A track whose codec the offer lacks leaves its slot empty, until it comes in another one: see `shown`.
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
            gone = self.slots.pop(mid)
            self._past = _added(self._past, _sums([gone]))
            self.peer.remove_outbound(gone)
            self._levels.pop(mid, None)
        self._medias = medias
        pictures = (media for media in medias.values() if media.kind == "video" and media.active)
        self.receives = frozenset(form.name for media in pictures for form in media.formats)
        self._asked, self._shown = {}, {}
        for mid, media in medias.items():
            asked = tracks.get(mid) if media.active else None
            if asked is not None:
                self._asked[mid] = asked
            shown = asked if asked is not None and _carries(media, asked) else None
            media.stream = _stream(asked.info.participant) if asked is not None else f"slot{mid}"
            if mid not in self.slots:
                self.slots[mid] = self._make_outbound(self.peer, media)
                self.peer.add_outbound(self.slots[mid])
            self._point(mid, shown)
        self.adapt()
        return write_answer(accepted, "sendonly", self.peer.local())

    def switch(self, mid: str, track: Track | None) -> None:
        out = self.slots.get(mid)
        if out is None or not self._medias[mid].active:
            raise UnknownSlot(mid)
        if track is not None and track.info.kind != out.media.kind:
            raise UnknownTrack(track.info.id)
        if track is not None and not _carries(out.media, track):
            raise NothingAcceptable("the slot was not negotiated for the codec of this track")
        self._asked.pop(mid, None)
        if track is not None:
            self._asked[mid] = track
        self._point(mid, track)
        self.adapt()

    def _point(self, mid: str, track: Track | None) -> None:
        if self._shown.get(mid) is not track:
            self._levels.pop(mid, None)
            self._unsent_since.pop(mid, None)
        if track is None:
            self._shown.pop(mid, None)
            self.slots[mid].show(None)
        else:
            self._shown[mid] = track

    def recoded(self, track: Track) -> None:
        """The track comes in another codec from now on: the slots that have it go on with the next keyframe."""
        for mid, asked in self._asked.items():
            if asked is track:
                self._point(mid, track if _carries(self._medias[mid], track) else None)
        self.adapt()

    def forget(self, track: str) -> None:
        """The track has ended."""
        self._asked = {mid: asked for mid, asked in self._asked.items() if asked.info.id != track}
        for mid in [mid for mid, shown in self._shown.items() if shown.info.id == track]:
            del self._shown[mid]
            self._levels.pop(mid, None)
            self._unsent_since.pop(mid, None)
        self._on_levels()

    def shown(self) -> dict[str, str]:
        return {mid: track.info.id for mid, track in self._shown.items()}

    def view(self, heights: Mapping[str, int]) -> None:
        """How high each track stands on the receiver's screen, in pixels; those left out are not seen."""
        self._heights = dict(heights)
        self.adapt()

    # what the line carries

    def sample(self, now: float) -> None:
        """Once a second: judge the line by what was sent and reported since the last time."""
        self._look_for_senders(now)
        outs = list(self.slots.values())
        for out in outs:
            out.allow(self.line.rate)
        sums = self._ever()
        sampled, self._sampled = self._sampled, (now, sums)
        if sampled is None:
            return
        seconds, before = max(now - sampled[0], 0.001), sampled[1]
        self.sent = int((sums.octets - before.octets) * 8 / seconds)
        rtts = [out.rtt for out in outs if out.rtt is not None and now - out.rtt_at < FRESH]
        self.line.sample(
            now,
            sent=self.sent,
            video=int((sums.pictures - before.pictures) * 8 / seconds),
            packets=sums.packets - before.packets,
            lost=sums.lost - before.lost,
            rtt=None if self._probe.running else min(rtts, default=None),
            remb=None if self._probe.running else self.peer.estimate(now),
            upward=self.upward,
        )
        self.adapt()

    upward = 0.0
    """Seconds of queue on the same participant's line up: round trips hold it, too."""

    def adapt(self) -> None:
        """Give each slot the layer that the line, the size of the picture and its rank allow."""
        now = self._clock()
        found = allocate(self.line.rate, [self._wanted(mid, track, now) for mid, track in self._shown.items()])
        changed = False
        for mid, level in found.levels.items():
            changed = changed or self._levels.get(mid) != level
            self._levels[mid] = level
            self._show(mid, level, now)
        if changed:
            self._on_levels()
            return  # what is sent is about to be something else than what was measured
        missing = found.missing
        if missing is None or not self.peer.connected or self._probe.running:
            return
        if self.line.wants_probe(missing, now):
            rate = int(missing * SPARE)
            self._probe.start(rate, lambda finding: self._probed(rate, finding), self._fell)

    def _probed(self, rate: int, finding: Finding) -> None:
        self.line.longer(self._probe.base)
        self.line.probed(rate, finding, self._clock())
        if finding == "carries":
            self.adapt()

    def _fell(self) -> None:
        self.line.fell(self._clock())
        self.adapt()

    # the line, as a probe uses it

    def ping(self) -> asyncio.Future[float]:
        return self.peer.ice.ping()

    def shortest_trip(self) -> float | None:
        return self.peer.ice.shortest_trip()

    def octets_sent(self) -> int:
        sums = self._ever()
        return sums.octets + sums.again

    def _ever(self) -> _Sums:
        return _added(self._past, _sums(self.slots.values()))

    def pad(self, octets: int) -> int:
        pictures = [out for out in self.slots.values() if out.media.kind == "video"]
        return max(pictures, key=lambda out: (out.source is not None, out.octets)).pad(octets) if pictures else 0

    def _wanted(self, mid: str, track: Track, now: float) -> Wanted:
        audio = track.info.kind == "audio"
        height = UNSEEN_SIZE if self._heights is None else self._heights.get(track.info.id, 0)
        costs: dict[Layer, int] = {}
        for layer, stream in track.layers.items():
            nominal = NOMINAL[layer] if track.layered else LOW_RATE
            costs[layer] = stream.rate if stream.flowing(now) and stream.rate else 0 if audio else nominal
            if not audio and not track.layered and not self.line.limited:
                costs[layer] = min(costs[layer], nominal)  # there is nothing less to begin with: trying tells
        if track.layered and track.high_alone and not track.layers["low"].flowing(now):
            del costs["low"]
        elif track.layered:
            costs["high"] = max(costs["high"], track.grows_to(shown=self._levels.get(mid) == "high"))
        rank = self._rank_of(track)
        high, low = costs.get("high"), costs.get("low")
        return Wanted(mid, audio, rank, height, high, low, self._levels.get(mid, "still"))

    def _show(self, mid: str, level: Level, now: float) -> None:
        out, track = self.slots[mid], self._shown[mid]
        if level == "still":
            out.show(None)
            return
        stream = track.at(level)
        if not stream.flowing(now) and out.source not in track.layers.values():
            other = next((s for s in track.layers.values() if s.flowing(now)), None)
            if other is not None and level == "high":
                stream = other  # the high layer rests: it is asked for, and the low one is there at once
        out.show(stream)

    # what is told

    def wished(self) -> dict[str, set[Layer]]:
        """Track id -> the layers that are meant to be shown."""
        found: dict[str, set[Layer]] = {}
        for mid, track in self._shown.items():
            level = self._levels.get(mid, "still")
            if level != "still":
                found.setdefault(track.info.id, set()).add(level)
        return found

    def received(self, now: float) -> dict[str, Seen]:
        """Track id -> what of a picture is really forwarded now. What the receiver does not see is left out, and so is
        what is on its way."""
        found: dict[str, Seen] = {}
        for mid, track in self._shown.items():
            unseen = self._heights is not None and not self._heights.get(track.info.id)
            if track.info.kind == "audio" or unseen or not self.peer.connected:
                continue
            source, since = self.slots[mid].source, self._unsent_since.get(mid)
            layer = next((layer for layer, stream in track.layers.items() if stream is source), None)
            if self._levels.get(mid, "still") == "still":
                found[track.info.id] = "still"
            elif since is not None and now - since >= UNSENT_AFTER:
                found[track.info.id] = "unsent"
            elif layer is not None:
                found[track.info.id] = layer
        return found

    def _look_for_senders(self, now: float) -> None:
        for mid, track in self._shown.items():
            if self._levels.get(mid, "still") == "still" or self._comes(mid, track, now):
                self._unsent_since.pop(mid, None)
            else:
                self._unsent_since.setdefault(mid, now)

    def _comes(self, mid: str, track: Track, now: float) -> bool:
        source = next((stream for stream in track.layers.values() if stream is self.slots[mid].source), None)
        # a screen that stands still needs no packets
        return source is not None and (source.flowing(now) or track.info.source == "screen")

    def close(self) -> None:
        self._probe.close()


def _sums(outs: Iterable[Outbound]) -> _Sums:
    octets = pictures = again = packets = lost = 0
    for out in outs:
        sent = out.wire_octets()
        octets += sent
        pictures += sent if out.media.kind == "video" else 0
        again += out.extra_octets
        packets += out.losses.packets
        lost += out.losses.lost
    return _Sums(octets, pictures, again, packets, lost)


def _added(one: _Sums, other: _Sums) -> _Sums:
    return _Sums(*(a + b for a, b in zip(one, other, strict=True)))


def _carries(media: Media, track: Track) -> bool:
    return track.carries(lambda codec: media.format(codec) is not None)


def _stream(participant: str) -> str:
    """A participant's id may hold characters that SDP does not allow."""
    return hashlib.sha256(participant.encode()).hexdigest()[:16]
