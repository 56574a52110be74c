"""This module owns all live sessions of one process: opened from plans, restored from journals, joined, and ended."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Literal

from signaling.admission import Admission
from signaling.audience import audience_of
from signaling.cameras import RoomCamera
from signaling.commands import Hello
from signaling.connection import Connection, Outlet, WriteAll, write_each
from signaling.errors import Draining, SessionNotFound, SessionNotOpen, SessionOver
from signaling.events import ReviewOpened
from signaling.fanout import Soon
from signaling.frames import Encoding
from signaling.history import JournalRefused
from signaling.invitations import arrival_of
from signaling.media.hub import Limits, TrackInfo
from signaling.messages import Moved
from signaling.plan import SessionPlan, SessionRecord
from signaling.ports import Journals, Media, SessionRecording, SessionStore
from signaling.resources import Resources
from signaling.rules import OPENS_BEFORE
from signaling.session import LiveSession
from signaling.wire import RecordingState

CLOSING = 15.0
"""Seconds that recordings get to close when the process stops."""
RETURN_SPACING = 0.001
"""Seconds between two sockets that come back after a restart: each costs the server less than half of it."""
TICK = 0.25
"""Seconds between two looks at the clock: how finely speech is sampled."""

log = logging.getLogger(__name__)


async def _nothing(plan: SessionPlan) -> None:
    pass


class LiveService:
    """The sessions of this process. `secret` signs join tokens; time and ids are parameters."""

    def __init__(
        self,
        *,
        store: SessionStore,
        journals: Journals,
        media: Media,
        recording: SessionRecording,
        secret: bytes,
        clock: Callable[[], float],
        new_id: Callable[[], str],
        soon: Soon | None = None,
        write_all: WriteAll = write_each,
    ) -> None:
        self.on_ended: Callable[[SessionPlan, str | None], None] = lambda plan, review: None
        """Called with the plan and the review's id when a session is over and its recordings are closed."""
        self.on_opened: Callable[[SessionPlan], Awaitable[None]] = _nothing
        """Awaited when a session is there, new or after a restart, before anybody is let in."""
        self.admission = Admission(secret, clock, new_id)
        self.resources = Resources(media, self.admission, self._entered, lambda id: self._sessions.get(id))
        self._store = store
        self._journals = journals
        self._media = media
        self._recording = recording
        self._clock = clock
        self._new_id = new_id
        self._soon = soon
        self._write_all = write_all
        self._sessions: dict[str, LiveSession] = {}
        self._opening = asyncio.Lock()
        self._draining = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._writing: dict[str, asyncio.Lock] = {}
        media.on_track = self._track_changed
        media.on_limits = self._limits_changed
        recording.on_state = self._recording_changed

    # the sessions

    @property
    def sessions(self) -> tuple[LiveSession, ...]:
        """All that run here."""
        return tuple(self._sessions.values())

    def running(self, name: str) -> LiveSession:
        """The running session of this id, or the newest one of the lesson of this id; raises SessionNotFound."""
        found = self._sessions.get(name)
        if found is None:
            of_lesson = (s for s in self._sessions.values() if s.plan.lesson.id == name and s.room.state != "ended")
            found = max(of_lesson, key=lambda session: session.plan.lesson.starts, default=None)
        if found is None:
            raise SessionNotFound(name)
        return found

    async def open(self, plan: SessionPlan) -> LiveSession:
        """The session of `plan`, created when there is none yet. Raises SessionOver when it has ended, SessionNotOpen
        more than a quarter of an hour before the lesson."""
        async with self._opening:
            return await self._opened(plan)

    async def rehearse(self, plan: SessionPlan) -> LiveSession:
        """The rehearsal of the plan's lesson that is open now, or else the one of `plan`: however many ask at one
        moment, they meet in one."""
        async with self._opening:
            for running in self.sessions:
                lesson = running.plan.lesson
                if lesson.rehearsal and lesson.id == plan.lesson.id and running.room.state != "ended":
                    return running
            return await self._opened(plan)

    async def withdraw(self, session: str, *, reopens: bool) -> bool:
        """Take back a session whose lesson was moved, called off or given to somebody else before it began; False
        where it has begun. Everybody is let go, to come back at once where it `reopens` from another plan."""
        async with self._opening:
            found = self._sessions.get(session)
            if found is None or found.room.state not in ("scheduled", "open"):
                return False
            del self._sessions[session]
            found.close("drain" if reopens else "ended")
            await self._write(session, lambda: self._store.remove(session))
            self._writing.pop(session, None)
            return True

    async def restore(self) -> None:
        """Bring back every session that was not over when the process last stopped."""
        for record in await self._store.unfinished():
            try:
                session = self._start(record)
            except Exception:
                # one journal that cannot be opened must not keep the other lessons from going on
                log.exception("session %s cannot be restored", record.id)
                continue
            if session.room.state == "ended":
                self.ended(session)
            else:
                await self.on_opened(record.plan)

    async def run(self) -> None:
        """Let time pass in every session, until cancelled."""
        while True:
            self.tick()
            await asyncio.sleep(TICK)

    def tick(self) -> None:
        """Let time have come as far as the clock says."""
        now = self._clock()
        for session in self.sessions:
            try:
                session.tick(now)
            except JournalRefused:
                log.warning("session %s waits for its journal", session.id)
            except Exception:
                log.exception("session %s failed at its tick", session.id)
        self.admission.tick(now, self._sessions)
        self.resources.tick()

    async def close(self, address: str = "") -> None:
        """Close every socket, peer and journal; the sessions go on when the process is back. Everybody is told to come
        to `address` then, with a new token. Closing twice is allowed: sockets must be closed before the web server
        waits for their handlers."""
        self._draining = True
        sessions, self._sessions = self.sessions, {}
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=CLOSING)
        within = RETURN_SPACING * sum(len(session.roster) for session in sessions)
        for session in sessions:
            session.close("drain", within, lambda connection: self._moved(connection, address))

    # who is in by what

    def withdraw_token(self, id: str) -> None:
        """A token, an access or a pairing is good no more; who came in by it is out."""
        for place in self.admission.withdraw(id):
            self.resources.end_all(place)
            session, participant = place
            if session in self._sessions:
                self._sessions[session].dismiss(participant)
            self.admission.let_go(place)

    def panels(self) -> set[str]:
        """The pairings of the panels that have a place in a session here."""
        return {
            used
            for (session, participant), used in self.admission.used.items()
            if session in self._sessions
            and (who := self._sessions[session].room.participants.get(participant)) is not None
            and who.role == "endpoint"
        }

    def tokens_in_use(self) -> set[str]:
        """The tokens and accesses by which somebody is in a session now."""
        return {
            used
            for (session, participant), used in self.admission.used.items()
            if session in self._sessions and self._sessions[session].room.present(participant)
        }

    # sockets

    def enter(self, hello: Hello, outlet: Outlet, encoding: Encoding) -> tuple[LiveSession, Connection]:
        """Let a socket in by its first message; raises a SignalingError otherwise."""
        now = self._clock()
        claims = self.admission.newcomer(hello, now)
        session = self._entered(claims.session)
        connection = Connection(
            claims.participant, hello.device, encoding, outlet, now, audience_of(claims.role), claims
        )
        session.attach(connection, arrival_of(claims), hello)
        if claims.access:
            self.admission.use((session.id, claims.participant), claims.access)
        return session, connection

    def tell_camera(self, session: str, camera: RoomCamera) -> None:
        """Say in a session how the camera of one of its classrooms fares."""
        if session in self._sessions:
            self._sessions[session].tell_camera(camera)

    # what sessions tell

    def changed(self, session: LiveSession) -> None:
        state = session.room.state
        self._spawn(self._write(session.id, lambda: self._store.set_state(session.id, state)))

    def ended(self, session: LiveSession) -> None:
        self._spawn(self._finish(session))

    # inside

    async def _opened(self, plan: SessionPlan) -> LiveSession:
        if self._draining:
            raise Draining(plan.session)
        running = self._sessions.get(plan.session)
        if running is not None:
            return running
        opens = plan.lesson.starts - OPENS_BEFORE
        if self._clock() < opens:
            raise SessionNotOpen(plan.session, opens)
        record = await self._store.get(plan.session)
        if record is None:
            record = SessionRecord(
                plan=plan,
                kind="rehearsal" if plan.lesson.rehearsal else "lesson",
                state="scheduled",
                journal=self._journals.locate(plan.session),
            )
            await self._store.add(record)
        elif record.state == "ended":
            raise SessionOver(plan.session)
        session = self._start(record)
        session.tick(self._clock())
        await self.on_opened(plan)
        return session

    def _start(self, record: SessionRecord) -> LiveSession:
        session = LiveSession(
            record.plan,
            self._journals.open(record.journal),
            media=self._media,
            recording=self._recording,
            hooks=self,
            clock=self._clock,
            new_id=self._new_id,
            soon=self._soon or asyncio.get_running_loop().call_soon,
            write_all=self._write_all,
        )
        session.replay()
        self._sessions[record.id] = session
        return session

    async def _finish(self, session: LiveSession) -> None:
        """Close the recordings, open the review, say so, and let everybody go."""
        review: str | None = None
        room = session.room
        try:
            reason: Literal["ended", "never_live"] = "never_live" if room.live_since is None else "ended"
            review = await self._recording.stop(session.plan, room.snapshot(), reason)
        except Exception:
            # the session stays unfinished in the store, so the next start closes its recordings again
            log.exception("the recordings of session %s could not be closed", session.id)
        else:
            ended_at = self._clock()
            await self._write(session.id, lambda: self._store.finish(session.id, ended_at, review))
            # whoever is told of it asks the store next
            if review is not None and room.review != review:
                self._tell_review(session, review)
        self._sessions.pop(session.id, None)
        self._writing.pop(session.id, None)
        session.close("ended")
        self.on_ended(session.plan, review)

    def _tell_review(self, session: LiveSession, review: str) -> None:
        try:
            session.commit([ReviewOpened(review=review)])
        except JournalRefused:
            # a full disk must keep nobody in the lesson
            log.warning("the rooms of session %s are not told of their review", session.id)

    async def _write(self, session: str, write: Callable[[], Awaitable[None]]) -> None:
        """Writes about one session reach the store in the order in which they were asked for."""
        async with self._writing.setdefault(session, asyncio.Lock()):
            try:
                await write()
            except Exception:
                # the journal has it; the store's list of sessions is late, not wrong for good
                log.exception("the store did not take the state of session %s", session)

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _moved(self, connection: Connection, address: str) -> Moved | None:
        if connection.claims is None or not address:
            return None
        return Moved(address=address, token=self.admission.invite_again(connection.claims))

    def _entered(self, name: str) -> LiveSession:
        if self._draining:
            raise Draining(name)
        session = self.running(name)
        if session.room.state == "ended":
            raise SessionOver(session.id)
        return session

    def _track_changed(self, track: TrackInfo, present: bool) -> None:
        session = self._sessions.get(track.session)
        if session is not None:
            session.track_changed(track, present)

    def _limits_changed(self, session: str, participant: str, limits: dict[str, Limits]) -> None:
        found = self._sessions.get(session)
        if found is not None:
            found.limits_changed(participant)

    def _recording_changed(self, session: str, participant: str, state: RecordingState) -> None:
        found = self._sessions.get(session)
        if found is not None:
            found.recording_changed(participant, state)
