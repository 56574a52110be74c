"""Joins the media plane to the recordings: which track of a live session is written, and when.

It decides about consent, because only here the class in the room and its guardians' answer meet: without consent
nothing of the room is written, and the recording says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Literal

import structlog

from recordings.errors import JournalLocked, RecordingsError
from recordings.recorder import SessionRecorder
from recordings.repair import repair, sessions
from server.county import Counties
from signaling.media.hub import MediaHub, TrackInfo
from signaling.plan import SessionPlan
from signaling.room_state import Participant, Snapshot
from signaling.wire import RecordingState
from timetable.errors import NotFound

log = structlog.get_logger()

OpenReview = Callable[[SessionPlan, Snapshot], Awaitable[str | None]]
Consents = Callable[[SessionPlan, Participant], bool]


class ClassConsents:
    """Whether the guardians of the classes in a participant's room have agreed to recording, as the register says now.
    A room without a class, such as the teacher's alone in a dedicated lesson, needs no guardian's consent."""

    def __init__(self, counties: Counties) -> None:
        self._counties = counties

    def __call__(self, plan: SessionPlan, participant: Participant) -> bool:
        part, county = plan.part_of(participant.unit), self._counties.latest
        if part is None or county is None:
            return False
        try:
            return all(county.school_class(id).recording_consent for id in part.classes)
        except NotFound:
            # a class that has left the register since: nobody's consent is known any more
            return False


class LiveRecording:
    """`signaling.ports.SessionRecording` on the media hub and the recorder. `clock` is the hub's clock (seconds),
    `wall_clock` gives unix seconds."""

    def __init__(
        self,
        hub: MediaHub,
        folder: Path,
        *,
        consents: Consents,
        open_review: OpenReview,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
        call_soon: Callable[[Callable[[], None]], object],
    ) -> None:
        self._hub = hub
        self._folder = folder
        self._consents = consents
        self._open_review = open_review
        self._clock = clock
        self._wall_clock = wall_clock
        self._call_soon = call_soon
        self._recorders: dict[str, SessionRecorder] = {}
        self._plans: dict[str, SessionPlan] = {}
        self._taps: dict[str, Callable[[], None]] = {}
        self._started: dict[tuple[str, str], set[str]] = {}
        self.on_state: Callable[[str, str, RecordingState], None] = lambda session, participant, state: None

    def folder(self, session: str) -> Path:
        """Where the recordings of a session lie. Session ids are made by the server and safe in a path."""
        return self._folder / session

    def start(self, plan: SessionPlan, at: float) -> None:
        if plan.session in self._recorders:
            return
        try:
            self._recorders[plan.session] = SessionRecorder(
                plan.session,
                self.folder(plan.session),
                self._clock,
                self._wall_clock,
                request_keyframe=lambda participant: self._ask_keyframe(plan.session, participant),
                on_state=lambda participant, state: self.on_state(plan.session, participant, state.value),
                post=self._call_soon,
            )
        except Exception as error:
            # the lesson goes on without its recording; the rooms are told by their recording state
            log.error("recording_not_started", session=plan.session, exc_info=error)
            return
        self._plans[plan.session] = plan

    def attach(self, session: str, participant: Participant, track: TrackInfo) -> RecordingState:
        recorder = self._recorders.get(session)
        if recorder is None:
            return "off"
        plan = self._plans[session]
        consent = self._consents(plan, participant)
        key = (session, participant.id)
        if key not in self._started:
            self._started[key] = set()
            side: Literal["host", "member"] = "host" if participant.unit == plan.host.unit else "member"
            recorder.start(participant.id, side, participant.unit, participant.name, consent)
        if not consent:
            return "no_consent"
        if track.id not in self._taps:
            tap = (
                recorder.audio_tap(participant.id)
                if track.kind == "audio"
                else recorder.video_tap(participant.id, track.source, track.codec)
            )
            self._taps[track.id] = self._hub.tap(track.id, tap)
            self._started[key].add(track.id)
        return "recording"

    def detach(self, session: str, track: TrackInfo) -> None:
        self._untap(track.id)
        key = (session, track.participant)
        tracks = self._started.get(key)
        if tracks is None:
            return
        tracks.discard(track.id)
        if not tracks:
            del self._started[key]
            recorder = self._recorders.get(session)
            if recorder is not None:
                recorder.leave(track.participant)

    async def stop(self, plan: SessionPlan, ended: Snapshot, reason: Literal["ended", "never_live"]) -> str | None:
        """Close the files and open the review. A session that was never live has nothing to review."""
        recorder = self._recorders.pop(plan.session, None)
        self._plans.pop(plan.session, None)
        for key in [key for key in self._started if key[0] == plan.session]:
            for track in self._started.pop(key):
                self._untap(track)
        if recorder is not None:
            await asyncio.to_thread(recorder.stop)
        if reason == "never_live":
            return None
        return await self._open_review(plan, ended)

    async def close(self) -> None:
        """The server stops: what is written so far is closed, the sessions go on after the restart."""
        recorders, self._recorders = list(self._recorders.values()), {}
        for track in list(self._taps):
            self._untap(track)
        for recorder in recorders:
            await asyncio.to_thread(recorder.stop)
            await asyncio.to_thread(recorder.join)

    def _untap(self, track: str) -> None:
        untap = self._taps.pop(track, None)
        if untap is not None:
            untap()

    def _ask_keyframe(self, session: str, participant: str) -> None:
        for track in self._hub.tracks(session):
            if track.participant == participant and track.kind == "video":
                self._hub.request_keyframe(track.id)


def repair_ended(folder: Path) -> None:
    """End and seal what a crash left open in the recordings of sessions that are over; reads whole files."""
    for session in sessions(folder):
        try:
            found = repair(session)
        except JournalLocked:
            continue  # a session that goes on mends its own
        except RecordingsError as error:
            log.error("recording_not_repaired", session=session.name, code=error.code, detail=str(error))
        else:
            if found:
                log.warning("recording_repaired", session=session.name, findings=[finding.code for finding in found])
