"""This module owns what live sessions need of the world outside: small protocols, filled in by the server."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Literal, Protocol

from signaling.media.hub import Answer, Layer, Limits, LinkQuality, TrackInfo
from signaling.plan import SessionPlan, SessionRecord
from signaling.room_state import Participant, Snapshot
from signaling.wire import RecordingState, SessionState


class JournalEntry(Protocol):
    """One event as a journal gives it back; `event` is the plain map of its fields."""

    @property
    def seq(self) -> int: ...
    @property
    def epoch(self) -> int: ...
    @property
    def at(self) -> float: ...
    @property
    def event(self) -> dict[str, Any]: ...


class Journal(Protocol):
    """One session's events, append-only. `extend` adds packed events with their times, all of them or none: it returns
    once they outlive the process, and raises when the disk refuses. `epoch` goes up by one at every opening."""

    @property
    def epoch(self) -> int: ...
    @property
    def last_seq(self) -> int: ...
    def extend(self, events: Sequence[tuple[bytes, float]]) -> int: ...
    def read(self, after: int = 0) -> Sequence[JournalEntry]: ...
    def close(self) -> None: ...


class Journals(Protocol):
    """Where the journals lie. `locate` names the one of a new session, `open` opens a named one for writing."""

    def locate(self, session: str) -> str: ...
    def open(self, name: str) -> Journal: ...


class Media(Protocol):
    """The media plane: `signaling.media.hub.MediaHub`, or as much of it as a session uses."""

    on_track: Callable[[TrackInfo, bool], None]

    on_limits: Callable[[str, str, dict[str, Limits]], None]

    def publish(
        self,
        session: str,
        participant: str,
        offer: str,
        sources: Mapping[str, str] | None = None,
        layers: Mapping[str, Layer] | None = None,
    ) -> Answer: ...
    def subscribe(self, session: str, participant: str, offer: str, slots: Mapping[str, str]) -> Answer: ...
    def switch(self, session: str, participant: str, mid: str, track: str | None) -> None: ...
    def view(self, session: str, participant: str, heights: Mapping[str, int]) -> None: ...
    def rank(self, session: str, ranks: Mapping[str, int], onlookers: Collection[str] = ()) -> None: ...
    def limits(self, session: str, participant: str) -> dict[str, Limits]: ...
    def codec(self, session: str, participant: str) -> str: ...
    def demand_whole(self, offer: str) -> None: ...
    def restart(self, resource: str, fragment: str, tags: Collection[str] | None = ("*",)) -> str: ...
    def holds(self, resource: str) -> bool: ...
    def etag(self, resource: str) -> str: ...
    def release(self, resource: str) -> None: ...
    def drop(self, session: str, participant: str) -> None: ...
    def close_session(self, session: str) -> None: ...
    def tracks(self, session: str) -> list[TrackInfo]: ...
    def mute(self, track: str, muted: bool) -> None: ...
    def links(self, session: str) -> dict[str, LinkQuality]: ...


class SessionStore(Protocol):
    """The sessions that were ever created. What happened in them is in their journals."""

    async def add(self, record: SessionRecord) -> bool:
        """Keep a new session; False when one of that id exists already."""
        ...

    async def get(self, session: str) -> SessionRecord | None: ...

    async def between(self, first: float, last: float, community: str | None = None) -> list[SessionRecord]:
        """The sessions whose window begins in [first, last), earliest first."""
        ...

    async def of_lesson(self, lesson: str) -> list[SessionRecord]:
        """The sessions of one lesson, newest first."""
        ...

    async def unfinished(self) -> list[SessionRecord]:
        """Those that are not ended, or whose end was not completed."""
        ...

    async def set_state(self, session: str, state: SessionState) -> None: ...

    async def remove(self, session: str) -> None:
        """Forget a session that has not begun."""
        ...

    async def finish(self, session: str, ended_at: float, review: str | None) -> None:
        """The session is over and its recordings are closed."""
        ...


class SessionRecording(Protocol):
    """The recordings of the sessions. They decide about consent; without it nothing is written. None of these may
    raise but `stop`: a lesson goes on when its recording cannot."""

    on_state: Callable[[str, str, RecordingState], None]
    """Called with session, participant and the new state of its recording."""

    def start(self, plan: SessionPlan, at: float) -> None:
        """The lesson is live: time 0 of its timeline. Called again, with the same `at`, after a restart."""
        ...

    def attach(self, session: str, participant: Participant, track: TrackInfo) -> RecordingState:
        """Write this track from now on, where that is agreed to; the state of the participant's recording then."""
        ...

    def detach(self, session: str, track: TrackInfo) -> None:
        """The track is gone. With a participant's last one its recording is off, which is told like every state."""
        ...

    async def stop(self, plan: SessionPlan, ended: Snapshot, reason: Literal["ended", "never_live"]) -> str | None:
        """Close everything and open the review; its id, None where there is nothing to review. Called again after a
        crash in between."""
        ...
