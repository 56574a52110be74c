"""This module owns a session's dealings with the media plane and the recordings: who is heard, shown and written."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Final, cast

from signaling.commands import LinkReport, Publish, Subscribe
from signaling.events import RecordingChanged
from signaling.feedback import FeedbackWatch
from signaling.history import JournalRefused
from signaling.line_log import LineLog
from signaling.links import LinkWatch
from signaling.media.errors import MediaError
from signaling.media.hub import Answer, Layer, LinkQuality, Seen, TrackInfo
from signaling.messages import AnyRoomEvent
from signaling.pictures import LayerLimits, Receiving, Sending
from signaling.plan import SessionPlan
from signaling.ports import Media, SessionRecording
from signaling.room import Room
from signaling.room_state import Link, Participant, Track
from signaling.rules import permit
from signaling.wire import Echo, RecordingState, Role, SessionState, TrackSource

BEST_FIRST: Final[tuple[Seen, ...]] = ("high", "low", "still", "unsent")
TEACHING: Final[frozenset[Role]] = frozenset({"host", "encoder"})
LOOKING_ON: Final[frozenset[Role]] = frozenset({"observer", "patrol"})

LINKS_EVERY = 1.0
"""Seconds between two looks at the lines."""

TAUGHT: Final[frozenset[SessionState]] = frozenset({"live", "overrun"})

log = logging.getLogger(__name__)


class SessionMedia:
    """The media of one session. What follows for the room is handed to `commit`."""

    def __init__(
        self,
        plan: SessionPlan,
        room: Room,
        media: Media,
        recording: SessionRecording,
        commit: Callable[[list[AnyRoomEvent]], object],
    ) -> None:
        self.links: dict[str, Link] = {}
        """As they were last told to the room."""
        self._plan = plan
        self._room = room
        self._media = media
        self._recording = recording
        self._commit = commit
        self.lines = LineLog()
        self._watch = LinkWatch()
        self._feedback = FeedbackWatch()
        self._levels: dict[str, dict[str, Seen]] = {}
        self._received: dict[str, dict[str, Seen]] = {}
        self._echoes: dict[str, Echo] = {}
        self._arriving: dict[str, TrackInfo] = {}
        self._unwritten: dict[str, RecordingState] = {}
        """By participant: how its recording fares, where the journal did not take that."""
        self._looked_at = 0.0
        self._cameras = {part.camera: part.room for part in plan.parts if part.room}
        """Participants that stand for a classroom's own camera, by the room."""

    def tracks(self) -> tuple[Track, ...]:
        """What can be watched in the session."""
        return tuple(
            # the media plane knows no other sources than those that publish() was given, and its own defaults
            Track(
                id=info.id,
                participant=info.participant,
                kind=info.kind,
                source=cast(TrackSource, info.source),
                codec=info.codec,
            )
            for info in self._media.tracks(self._plan.session)
        )

    def publish(
        self, participant: str, offer: str, sources: Mapping[str, TrackSource], layers: Mapping[str, Layer]
    ) -> Answer:
        """Publish for a participant; its microphone obeys the room before the first packet is forwarded. Raises Refusal
        or MediaError."""
        permit(self._room, participant, Publish)
        answer = self._media.publish(self._plan.session, participant, offer, sources, layers)
        self.obey_mute(participant)
        return answer

    def subscribe(self, participant: str, offer: str, slots: Mapping[str, str]) -> Answer:
        """Let a participant receive; raises Refusal or MediaError."""
        permit(self._room, participant, Subscribe)
        return self._media.subscribe(self._plan.session, participant, offer, slots)

    def switch(self, participant: str, mid: str, track: str | None) -> None:
        """Point one of a participant's slots at another track."""
        self._media.switch(self._plan.session, participant, mid, track)

    def view(self, participant: str, heights: Mapping[str, int]) -> None:
        """How high a participant sees each track."""
        self._media.view(self._plan.session, participant, heights)

    def rank(self) -> None:
        """Whose pictures come first on a weak line: whoever is shown to all, then the teaching side. Who only looks on
        takes the lesson as it is."""
        room = self._room
        shown = self._on_program()
        host = self._plan.host.unit
        ranks = {who.id: 1 for who in room.participants.values() if who.role in TEACHING and who.unit == host}
        onlookers = {who.id for who in room.participants.values() if who.role in LOOKING_ON}
        self._media.rank(self._plan.session, ranks | ({shown: 0} if shown is not None else {}), onlookers)

    def sending(self, participant: str) -> Sending | None:
        """What the participant should send of its pictures; None: it publishes none."""
        session = self._plan.session
        limits = self._media.limits(session, participant)
        told = {source: LayerLimits(high=limit.high, low=limit.low) for source, limit in limits.items()}
        if not told:
            return None
        return Sending(limits=cast(dict[TrackSource, LayerLimits], told), codec=self._media.codec(session, participant))

    def received(self) -> dict[str, Receiving]:
        """By participant: what it gets of the pictures it sees, where that has changed since it was last asked."""
        changed: dict[str, Receiving] = {}
        for participant, levels in self._levels.items():
            if self._received.get(participant, {}) != levels:
                changed[participant] = Receiving(levels=levels)
        self._received = self._levels
        return changed

    def show(self, participant: str, slots: Mapping[str, str]) -> None:
        """Point a participant's slots at these tracks, as far as they can carry them."""
        for mid, track in slots.items():
            try:
                self.switch(participant, mid, track)
            except MediaError as error:
                log.info("a slot of %s shows nothing new: %s", participant, error)

    def peers(self) -> set[str]:
        """The participants that have a peer on the media plane."""
        return set(self._media.links(self._plan.session))

    def obey_mute(self, participant: str) -> None:
        """Stop or pass the sound of a participant at the server, and that of its classroom's other microphone, as the
        room says: of one classroom one microphone at most is heard."""
        who = self._room.participants.get(participant)
        if who is None:
            return
        concerned = [who, *(p for p in self._room.participants.values() if who.room and p.room == who.room)]
        heard = {p.id: self._is_heard(p) for p in concerned}
        for track in self._media.tracks(self._plan.session):
            if track.participant in heard and track.kind == "audio":
                self._media.mute(track.id, not heard[track.participant])

    def record_all(self) -> None:
        """The lesson is live: write everything that arrives already."""
        if self._room.state in TAUGHT and self._room.live_since is not None:
            self._recording.start(self._plan, self._room.live_since)
            for track in self._arriving.values():
                self._record(track)

    def track_began(self, track: TrackInfo) -> None:
        """Media of a track has begun to arrive."""
        self._arriving[track.id] = track
        self._record(track)
        self._follow_sound(track)

    def track_ended(self, track: TrackInfo) -> None:
        """A track is over."""
        self._arriving.pop(track.id, None)
        self._follow_sound(track)
        self._recording.detach(self._plan.session, track)

    def recording_changed(self, participant: str, state: RecordingState) -> None:
        """A participant's recording fares differently."""
        self._unwritten.pop(participant, None)
        known = self._room.participants.get(participant)
        if known is None or known.recording == state or self._room.state not in TAUGHT:
            return
        try:
            self._commit([RecordingChanged(participant=participant, state=state)])
        except JournalRefused:
            # pictures and their tracks do not wait for the disk; the room shows it once there is space
            self._unwritten[participant] = state
            log.warning("the recording of %s is %s, not written yet", participant, state)

    def drop(self, participant: str) -> None:
        """The participant has given up its place."""
        self.links.pop(participant, None)
        self._media.drop(self._plan.session, participant)

    def observe(self, reports: Mapping[str, LinkReport | None], now: float) -> dict[str, Link]:
        """Sample who speaks; once a second, the links that have changed."""
        for participant, state in list(self._unwritten.items()):
            self.recording_changed(participant, state)
        qualities = self._media.links(self._plan.session)
        self._echoes = self._feedback.hear(self._open_microphones(qualities), now)
        talks = [
            talk
            for who in self._room.participants.values()
            if (talk := self._watch.hear(who, qualities.get(self._voice(who)), now)) is not None
        ]
        if talks and self._room.state in TAUGHT:
            self._write_down([*talks])
        if now - self._looked_at < LINKS_EVERY:
            return {}
        self._looked_at = now
        filming = {track.participant for track in self._media.tracks(self._plan.session) if track.kind == "video"}
        self._levels = {who: quality.levels for who, quality in qualities.items()}
        program = self._program()
        changed: dict[str, Link] = {}
        for who in self._shown():
            report = reports.get(who.id)
            link = self._watch.link(
                who,
                qualities.get(who.id),
                report,
                video=who.id in filming,
                now=now,
                sees=self._sees(who.id, program),
                echo=self._echoes.get(who.id),
            )
            if self.links.get(who.id) != link:
                changed[who.id] = self.links[who.id] = link
        if self._room.state in TAUGHT and (measured := self.lines.look(self.links, now)):
            self._write_down([*measured])
        return changed

    def last_words(self, now: float) -> list[AnyRoomEvent]:
        """The speech and the measurements of lines that the end of the lesson cuts off."""
        talks = (self._watch.silence(who) for who in self._room.participants)
        return [*(talk for talk in talks if talk is not None), *self.lines.rest(now)]

    def close(self) -> None:
        """Close every peer of the session."""
        self._media.close_session(self._plan.session)

    def _write_down(self, measured: list[AnyRoomEvent]) -> None:
        try:
            self._commit(measured)
        except JournalRefused:
            # a figure less in the report; the rooms are told of their lines all the same
            log.warning("%d measurements of session %s are lost", len(measured), self._plan.session)

    def _on_program(self) -> str | None:
        """Who is shown to all."""
        if self._room.spotlight is not None:
            return self._room.spotlight
        here = (who for who in self._room.participants.values() if who.presence != "offline")
        return next((who.id for who in here if who.role == "host"), None)

    def _program(self) -> frozenset[str]:
        """The pictures of whoever is shown to all."""
        shown = self._on_program()
        tracks = self._media.tracks(self._plan.session)
        return frozenset(track.id for track in tracks if track.kind == "video" and track.participant == shown)

    def _sees(self, participant: str, program: frozenset[str]) -> Seen | None:
        """The best that a participant gets of them."""
        levels = {level for track, level in self._levels.get(participant, {}).items() if track in program}
        return next((level for level in BEST_FIRST if level in levels), None)

    def _open_microphones(self, qualities: Mapping[str, LinkQuality]) -> dict[str, bytes]:
        found = {who: quality.sound for who, quality in qualities.items()}
        return {
            who.id: sound
            for who in self._room.participants.values()
            if self._is_heard(who) and (sound := found.get(who.id, b""))
        }

    def _follow_sound(self, track: TrackInfo) -> None:
        if track.kind == "audio" and track.participant in self._cameras:
            self.obey_mute(track.participant)

    def _classroom(self, room: str) -> Participant | None:
        """Who speaks for a classroom: its panel or its host."""
        people = self._room.participants.values()
        here = (p for p in people if p.room == room and p.role in ("host", "endpoint") and p.presence != "offline")
        return next(here, None)

    def _stand_in(self, who: Participant) -> str | None:
        """The camera whose sound is taken instead of this participant's own, while it comes."""
        if not who.room or who.role not in ("host", "endpoint"):
            return None
        sending = (track.participant for track in self._arriving.values() if track.kind == "audio")
        return next((camera for camera in sending if self._cameras.get(camera) == who.room), None)

    def _is_heard(self, who: Participant) -> bool:
        if who.id in self._cameras:
            return not (self._classroom(self._cameras[who.id]) or who).muted
        return not who.muted and self._stand_in(who) is None

    def _voice(self, who: Participant) -> str:
        """Whose sound counts as this participant's; nobody's for a camera that stands in for somebody."""
        if who.id in self._cameras and self._classroom(self._cameras[who.id]) is not None:
            return ""
        return self._stand_in(who) or who.id

    def _shown(self) -> list[Participant]:
        return [who for who in self._room.participants.values() if not who.hidden]

    def _record(self, track: TrackInfo) -> None:
        who = self._room.participants.get(track.participant)
        if who is None or self._room.state not in TAUGHT:
            return
        self.recording_changed(who.id, self._recording.attach(self._plan.session, who, track))
