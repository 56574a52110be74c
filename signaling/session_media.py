"""This module owns a session's dealings with the media plane and the recordings: who is heard, shown and written."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Final, cast

from signaling.commands import LinkReport
from signaling.events import RecordingChanged
from signaling.line_log import LineLog
from signaling.links import LinkWatch
from signaling.media.errors import MediaError
from signaling.media.hub import Answer, TrackInfo
from signaling.messages import AnyRoomEvent
from signaling.plan import SessionPlan
from signaling.ports import Media, SessionRecording
from signaling.room import Room
from signaling.room_state import Link, Participant, Track
from signaling.wire import RecordingState, SessionState, TrackSource

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
        self._arriving: dict[str, TrackInfo] = {}
        self._looked_at = 0.0

    def tracks(self) -> tuple[Track, ...]:
        """What can be watched in the session."""
        return tuple(
            # the media plane knows no other sources than those that publish() was given, and its own defaults
            Track(id=info.id, participant=info.participant, kind=info.kind, source=cast(TrackSource, info.source))
            for info in self._media.tracks(self._plan.session)
        )

    def publish(self, participant: str, offer: str, sources: Mapping[str, TrackSource]) -> Answer:
        """Publish for a participant; its microphone obeys the room before the first packet is forwarded."""
        answer = self._media.publish(self._plan.session, participant, offer, sources)
        self.obey_mute(participant)
        return answer

    def subscribe(self, participant: str, offer: str, slots: Mapping[str, str]) -> Answer:
        """Let a participant receive."""
        return self._media.subscribe(self._plan.session, participant, offer, slots)

    def switch(self, participant: str, mid: str, track: str | None) -> None:
        """Point one of a participant's slots at another track."""
        self._media.switch(self._plan.session, participant, mid, track)

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
        """Stop or pass a participant's sound at the server, as the room says."""
        who = self._room.participants.get(participant)
        if who is None:
            return
        for track in self._media.tracks(self._plan.session):
            if track.participant == participant and track.kind == "audio":
                self._media.mute(track.id, who.muted)

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

    def track_ended(self, track: TrackInfo) -> None:
        """A track is over."""
        self._arriving.pop(track.id, None)
        self._recording.detach(self._plan.session, track)

    def recording_changed(self, participant: str, state: RecordingState) -> None:
        """A participant's recording fares differently."""
        known = self._room.participants.get(participant)
        if known is not None and known.recording != state and self._room.state in TAUGHT:
            self._commit([RecordingChanged(participant=participant, state=state)])

    def drop(self, participant: str) -> None:
        """The participant has given up its place."""
        self.links.pop(participant, None)
        self._media.drop(self._plan.session, participant)

    def observe(self, reports: Mapping[str, LinkReport | None], now: float) -> dict[str, Link]:
        """Sample who speaks; once a second, the links that have changed."""
        qualities = self._media.links(self._plan.session)
        talks = [
            talk
            for who in self._room.participants.values()
            if (talk := self._watch.hear(who, qualities.get(who.id), now)) is not None
        ]
        if talks and self._room.state in TAUGHT:
            self._commit([*talks])
        if now - self._looked_at < LINKS_EVERY:
            return {}
        self._looked_at = now
        filming = {track.participant for track in self._media.tracks(self._plan.session) if track.kind == "video"}
        changed: dict[str, Link] = {}
        for who in self._shown():
            link = self._watch.link(who, qualities.get(who.id), reports.get(who.id), video=who.id in filming, now=now)
            if self.links.get(who.id) != link:
                changed[who.id] = self.links[who.id] = link
        if self._room.state in TAUGHT and (measured := self.lines.look(self.links, now)):
            self._commit([*measured])
        return changed

    def last_words(self, now: float) -> list[AnyRoomEvent]:
        """The speech and the measurements of lines that the end of the lesson cuts off."""
        talks = (self._watch.silence(who) for who in self._room.participants)
        return [*(talk for talk in talks if talk is not None), *self.lines.rest(now)]

    def close(self) -> None:
        """Close every peer of the session."""
        self._media.close_session(self._plan.session)

    def _shown(self) -> list[Participant]:
        return [who for who in self._room.participants.values() if not who.hidden]

    def _record(self, track: TrackInfo) -> None:
        who = self._room.participants.get(track.participant)
        if who is None or self._room.state not in TAUGHT:
            return
        self.recording_changed(who.id, self._recording.attach(self._plan.session, who, track))
