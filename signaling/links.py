"""This module owns what the room is shown of each line, and who was heard: from media figures to links and speech.

Pure: figures in, presence out. Levels are in -dBov (RFC 6464): 0 is the loudest, 127 is silence.
"""

from __future__ import annotations

from msgspec import Struct

from signaling.commands import LinkReport
from signaling.events import TalkMeasured
from signaling.media.layers import Seen
from signaling.media.quality import LinkQuality
from signaling.room_state import Link, Participant
from signaling.wire import Echo, RoomState

WEAK_LOSS = 0.05
WEAK_RTT = 0.6
"""Seconds there and back from which a conversation stumbles."""
STARVED_AFTER = 5.0
"""Seconds without a picture after which a participant that publishes video counts as sending sound alone: a camera that
starts is no line that fails. How many bits a picture takes says nothing: a covered lens takes hardly any."""
SPEECH_LEVEL = 45
"""-dBov: what is louder counts as speech in a classroom."""
PAUSE = 1.5
"""Seconds of silence that end a span of speech."""
LONGEST_SPAN = 30.0
"""Seconds after which a span is written down, so that a crash loses no more."""
SHORTEST_SPAN = 0.5


class _Span(Struct):
    since: float
    last: float


class LinkWatch:
    """The lines of one session."""

    def __init__(self) -> None:
        self._starved_since: dict[str, float] = {}
        self._spans: dict[str, _Span] = {}

    def link(
        self,
        who: Participant,
        quality: LinkQuality | None,
        report: LinkReport | None,
        *,
        video: bool,
        now: float,
        sees: Seen | None = None,
        echo: Echo | None = None,
    ) -> Link:
        """The state of one participant's line now. `video`: it publishes at least one camera; `sees`: what it gets of
        the picture that is shown to all; `echo`: what its microphone is suspected of."""
        if who.presence != "connected":
            self._starved_since.pop(who.id, None)
            return Link(state=who.presence)
        if quality is None:
            return Link(state="weak" if report is not None and report.lost > WEAK_LOSS else "connected")
        loss = max(quality.publish_loss, quality.subscribe_loss, report.lost if report else 0.0)
        rtt = max(quality.publish_rtt or 0.0, quality.subscribe_rtt or 0.0)
        level = 127 if quality.audio_level is None or who.muted else quality.audio_level
        return Link(
            state=self._state(who.id, quality, loss, rtt, video, now),
            loss=round(loss, 2),
            rtt_ms=round(rtt * 1000, -1),
            kbps=round(quality.publish_bitrate / 1000, -1),
            level=level,
            speaking=who.id in self._spans,
            down_kbps=round(quality.subscribe_bitrate / 1000, -1),
            sees=sees,
            height=report.height if report else 0,
            fps=round(report.fps) if report else 0.0,
            freezes=report.freezes if report else 0,
            concealed=round(report.concealed, 2) if report else 0.0,
            echo=echo,
            up_still=quality.up_still,
        )

    def hear(self, who: Participant, quality: LinkQuality | None, now: float) -> TalkMeasured | None:
        """Take one sample of a participant's level; the span of speech that this ends, if any."""
        level = 127 if quality is None or quality.audio_level is None or who.muted else quality.audio_level
        span = self._spans.get(who.id)
        if level <= SPEECH_LEVEL and who.presence == "connected":
            if span is None:
                self._spans[who.id] = _Span(now, now)
                return None
            span.last = now
            if now - span.since < LONGEST_SPAN:
                return None
            self._spans[who.id] = _Span(now, now)
            return _measured(who.id, span)
        if span is not None and now - span.last >= PAUSE:
            del self._spans[who.id]
            return _measured(who.id, span)
        return None

    def silence(self, participant: str) -> TalkMeasured | None:
        """End the participant's span, such as when the lesson ends."""
        span = self._spans.pop(participant, None)
        return _measured(participant, span) if span else None

    def _state(
        self, participant: str, quality: LinkQuality, loss: float, rtt: float, video: bool, now: float
    ) -> RoomState:
        if video and quality.connected and not quality.resting and quality.publish_frames == 0:
            if now - self._starved_since.setdefault(participant, now) >= STARVED_AFTER:
                return "audio_only"
        else:
            self._starved_since.pop(participant, None)
        return "weak" if not quality.connected or loss > WEAK_LOSS or rtt > WEAK_RTT else "connected"


def _measured(participant: str, span: _Span) -> TalkMeasured | None:
    seconds = span.last - span.since
    if seconds < SHORTEST_SPAN:
        return None
    return TalkMeasured(participant=participant, since=span.since, seconds=round(seconds, 2))
