"""Joins the media plane to the recordings: which track of a live session is written, and when.

It decides about consent, because only here the class in the room and its guardians' answer meet: without consent
nothing of the room is written, and the recording says so. A class may withdraw while the lesson goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Literal, Protocol

import structlog

from recordings.errors import JournalLocked, RecordingsError
from recordings.recorder import SessionRecorder
from recordings.repair import repair, sessions
from recordings.taps import Tap
from server.county import Counties
from signaling.media.hub import TrackInfo
from signaling.plan import SessionPlan
from signaling.room_state import Participant, Snapshot
from signaling.wire import RecordingState

log = structlog.get_logger()

OpenReview = Callable[[SessionPlan, Snapshot], Awaitable[str | None]]
Consents = Callable[[SessionPlan, Participant], bool]

LOOK_SECONDS = 10.0
"""A consent that is withdrawn in the lesson counts after at most as long, once the register is read again."""


class ClassConsents:
    """Whether the guardians of the classes in a participant's room have agreed to recording, as the register says now.
    A room without a class, such as the teacher's alone in a dedicated lesson, needs no guardian's consent."""

    def __init__(self, counties: Counties) -> None:
        self._counties = counties

    def __call__(self, plan: SessionPlan, participant: Participant) -> bool:
        part, county = plan.part_of(participant.unit), self._counties.latest
        return part is not None and county is not None and county.agreed(part.classes)


class Tapped(Protocol):
    """What recordings need of the media plane, `signaling.media.hub.MediaHub`."""

    def tap(self, track: str, tap: Tap) -> Callable[[], None]: ...
    def tracks(self, session: str) -> list[TrackInfo]: ...
    def request_keyframe(self, track: str) -> None: ...


class _Attached:
    """A participant with tracks: whether they may be written, and how their recording fares where they may."""

    def __init__(self, participant: Participant, consent: bool) -> None:
        self.participant = participant
        self.consent = consent
        self.tracks: dict[str, TrackInfo] = {}
        self.state: RecordingState = "recording"


class LiveRecording:
    """`signaling.ports.SessionRecording` on the media hub and the recorder. `clock` is the hub's clock (seconds),
    `wall_clock` gives unix seconds."""

    def __init__(
        self,
        hub: Tapped,
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
        self._attached: dict[tuple[str, str], _Attached] = {}
        self._taps: dict[str, Callable[[], None]] = {}
        self.on_state: Callable[[str, str, RecordingState], None] = lambda session, participant, state: None

    def folder(self, session: str) -> Path:
        """Where the recordings of a session lie. Session ids are made by the server and safe in a path."""
        return self._folder / session

    def start(self, plan: SessionPlan, at: float) -> None:
        if plan.session not in self._plans:
            self._plans[plan.session] = plan
            self._begin(plan)

    def attach(self, session: str, participant: Participant, track: TrackInfo) -> RecordingState:
        plan = self._plans.get(session)
        if plan is None:
            return "off"
        recorder, key = self._recorders.get(session), (session, participant.id)
        attached = self._attached.get(key)
        if attached is None:
            attached = self._attached[key] = _Attached(participant, self._consents(plan, participant))
            if recorder is not None:
                self._introduce(recorder, plan, attached)
        attached.tracks[track.id] = track
        if not attached.consent:
            return "no_consent"
        if recorder is None:
            return "paused"
        self._write(recorder, participant.id, track)
        return attached.state

    def detach(self, session: str, track: TrackInfo) -> None:
        self._untap(track.id)
        key = (session, track.participant)
        attached = self._attached.get(key)
        if attached is None:
            return
        attached.tracks.pop(track.id, None)
        if not attached.tracks:
            del self._attached[key]
            recorder = self._recorders.get(session)
            if recorder is not None:
                recorder.leave(track.participant)
            # nothing of it is written any more, and nobody may be shown that it is
            self.on_state(session, track.participant, "off")

    async def stop(self, plan: SessionPlan, ended: Snapshot, reason: Literal["ended", "never_live"]) -> str | None:
        """Close the files and open the review. A session that was never live has nothing to review."""
        recorder = self._recorders.pop(plan.session, None)
        self._plans.pop(plan.session, None)
        for key in [key for key in self._attached if key[0] == plan.session]:
            for track in self._attached.pop(key).tracks:
                self._untap(track)
        if recorder is not None:
            await asyncio.to_thread(recorder.stop)
        if reason == "never_live":
            return None
        return await self._open_review(plan, ended)

    async def run(self) -> None:
        """Look again and again until cancelled: a class may withdraw in the lesson, a full disk may get room."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                self.look()
            except Exception as error:
                log.error("recordings_not_looked_at", exc_info=error)

    def look(self) -> None:
        """Follow what has changed: stop writing whose consent was withdrawn, begin where there is consent now, and
        begin the recordings that could not begin."""
        for plan in list(self._plans.values()):
            if plan.session not in self._recorders and self._begin(plan):
                log.info("recording_started_late", session=plan.session)
        for (session, _), attached in list(self._attached.items()):
            consent = self._consents(self._plans[session], attached.participant)
            if consent != attached.consent:
                attached.consent = consent
                self._renew(session, attached)

    async def close(self) -> None:
        """The server stops: what is written so far is closed, the sessions go on after the restart."""
        recorders, self._recorders = list(self._recorders.values()), {}
        for track in list(self._taps):
            self._untap(track)
        for recorder in recorders:
            await asyncio.to_thread(recorder.stop)
            await asyncio.to_thread(recorder.join)

    def _begin(self, plan: SessionPlan) -> bool:
        """Whether the session is being recorded now, with everybody who is there."""
        try:
            recorder = SessionRecorder(
                plan.session,
                self.folder(plan.session),
                self._clock,
                self._wall_clock,
                request_keyframe=lambda participant: self._ask_keyframe(plan.session, participant),
                on_state=lambda participant, state: self._told(plan.session, participant, state.value),
                post=self._call_soon,
            )
        except Exception as error:
            # the lesson goes on without its recording; the rooms are told by their recording state
            log.error("recording_not_started", session=plan.session, exc_info=error)
            return False
        self._recorders[plan.session] = recorder
        for (session, _), attached in self._attached.items():
            if session == plan.session:
                self._renew(session, attached)
        return True

    def _renew(self, session: str, attached: _Attached) -> None:
        """Write a participant from now on, or no more, as the consent stands."""
        for id in attached.tracks:
            self._untap(id)
        recorder = self._recorders.get(session)
        if recorder is None:
            return
        self._introduce(recorder, self._plans[session], attached)
        if attached.consent:
            for track in attached.tracks.values():
                self._write(recorder, attached.participant.id, track)

    def _introduce(self, recorder: SessionRecorder, plan: SessionPlan, attached: _Attached) -> None:
        who = attached.participant
        side: Literal["host", "member"] = "host" if who.unit == plan.host.unit else "member"
        attached.state = "recording"
        recorder.start(who.id, side, who.unit, who.name, attached.consent)

    def _write(self, recorder: SessionRecorder, participant: str, track: TrackInfo) -> None:
        if track.id in self._taps:
            return
        tap = (
            recorder.audio_tap(participant)
            if track.kind == "audio"
            else recorder.video_tap(participant, track.source, track.codec)
        )
        self._taps[track.id] = self._hub.tap(track.id, tap)

    def _told(self, session: str, participant: str, state: RecordingState) -> None:
        attached = self._attached.get((session, participant))
        if attached is not None:
            attached.state = state if state in ("paused", "unsupported") else "recording"
        self.on_state(session, participant, state)

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
