"""This module owns one session at work: its room, its journal, the sockets in it, and what its events set off.

Everything that happens goes one way: decided by the rules, written to the journal, folded into the room, told to
everybody, and only then acknowledged. What sockets ask for in one moment is written together, by one write, before the
first byte of it is told; where the disk refuses, the room is what the journal says it is.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, cast

from signaling.cameras import CameraChanged, RoomCamera
from signaling.clock import AskTime, TimeTold, in_step, lead
from signaling.commands import Hello, Leave, LinkReport, Publish, Subscribe, Switch
from signaling.connection import CloseCode, Connection, WriteAll
from signaling.effects import WITH_EFFECTS, Effects
from signaling.errors import Refusal
from signaling.events import Joined, SessionEnded
from signaling.fanout import Fanout, Soon
from signaling.greeting import HEARTBEAT, greeting
from signaling.history import Cause, History, JournalRefused
from signaling.materials import Material, MaterialsShelved, OpenMaterial, TurnPage
from signaling.media.errors import MediaError
from signaling.media.hub import Answer, Layer, TrackInfo
from signaling.messages import Ack, AnyRoomEvent, Links, MediaAnswer, Moved, Refused, ServerMessage, Tracks
from signaling.pictures import View
from signaling.plan import SessionPlan
from signaling.ports import Journal, Media, SessionRecording
from signaling.programs import Programs
from signaling.room import Room
from signaling.roster import Roster
from signaling.rules import DURING, arrive, decide, depart, due, permit, vanish
from signaling.session_media import SessionMedia
from signaling.wire import Command, RecordingState, RoomState, TrackSource
from signaling.writing import Writing

_AT_MEDIA = frozenset({Publish, Subscribe, Switch})
_IN_STEP = frozenset({OpenMaterial, TurnPage})
_COMMANDS = frozenset(DURING)

log = logging.getLogger(__name__)


class SessionHooks(Protocol):
    """What a session tells its service."""

    def changed(self, session: LiveSession) -> None:
        """Its state is another one."""
        ...

    def ended(self, session: LiveSession) -> None:
        """It has ended; recordings and sockets wait to be closed."""
        ...


class LiveSession:
    """One session of one process, from its opening until its recordings are closed."""

    def __init__(
        self,
        plan: SessionPlan,
        journal: Journal,
        *,
        media: Media,
        recording: SessionRecording,
        hooks: SessionHooks,
        clock: Callable[[], float],
        new_id: Callable[[], str],
        soon: Soon,
        write_all: WriteAll,
    ) -> None:
        self.plan = plan
        self.room = Room(plan.session, plan.lesson)
        self._history = History(plan.session, journal)
        self._media = SessionMedia(plan, self.room, media, recording, self.commit)
        self._effects = Effects(self._media, lambda: hooks.changed(self), lambda: hooks.ended(self))
        self._clock = clock
        self._new_id = new_id
        self._fanout = Fanout(soon, clock, write_all)
        self._writing = Writing(self.room, self._history, self._fanout)
        self._roster = Roster(self._fanout)
        self.programs = Programs(plan, self.room, self._media, self.commit, self._give_up)

    @property
    def id(self) -> str:
        return self.plan.session

    @property
    def roster(self) -> frozenset[str]:
        """Who has an open socket."""
        return self._roster.participants

    def link_state(self, participant: str) -> RoomState:
        """How the line of a participant is; `offline` for one who has never come."""
        known = self.room.participants.get(participant)
        if known is None or known.presence == "offline":
            return "offline"
        if known.presence == "reconnecting":
            return "reconnecting"
        link = self._media.links.get(participant)
        return link.state if link is not None else "connected"

    def replay(self) -> None:
        """Rebuild the room from its journal; `tick` then gives those who were there a minute to come back."""
        for event, at in self._history.replay():
            self.room.evolve(event, at)
        self._media.record_all()

    # from the sockets

    def shelve(self, materials: Sequence[Material]) -> None:
        """Say which materials may be opened in the rooms now."""
        if self.room.state != "ended" and self.room.board.shelf != tuple(materials):
            self.commit([MaterialsShelved(materials=tuple(materials))])

    def attach(self, connection: Connection, arrival: Joined, hello: Hello) -> None:
        """Let a participant in, or back in: its newest socket is the one that counts."""
        self.commit(arrive(self.room, arrival))
        self._roster.seat(connection)
        for message in greeting(connection, hello, self.room, self._history, self._media, self._clock()):
            self._fanout.send(connection, message)

    def detach(self, connection: Connection) -> None:
        """A socket is gone. If a newer one has taken its place, nothing has happened to the participant."""
        if self._roster.lost(connection):
            self._keep_places()

    def receive(self, connection: Connection, messages: Sequence[bytes | str]) -> None:
        """Take what came together from a socket; whatever is wrong with it stays between the two."""
        now = self._clock()
        admitted = len(messages) > 1 and connection.admit(now, len(messages))
        for data in messages:
            if connection.closed is not None:
                break  # who was turned out, or replaced, does nothing in the room any more
            if admitted or connection.admit(now):
                self._take(connection, data, now)
            else:
                self._fanout.send(connection, Refused(msg_id="", code="too_many_messages"))
        if connection.closed is not None:
            self.detach(connection)

    def obey(self, participant: str, command: Command, now: float | None = None) -> ServerMessage:
        """Carry out a command and answer it; a repeated one gets the answer it got before. `now`: what the clock said
        when it came."""
        answer = self._obeyed(participant, command, self._clock() if now is None else now)
        return answer if self._writing.settle() else Refused(msg_id=command.msg_id, code=JournalRefused.code)

    def dismiss(self, participant: str) -> None:
        """What let this participant in was taken back: it is out, even where the disk refuses to say so."""
        self._give_up(participant)
        connection = self._roster.get(participant)
        if connection is not None:
            self._roster.part(connection, "unauthorized")

    # from programs and cameras, the media plane, the recordings and the clock

    def publish(
        self,
        participant: str,
        offer: str,
        sources: Mapping[str, TrackSource],
        layers: Mapping[str, Layer] | None = None,
    ) -> Answer:
        """Publish for a participant; raises Refusal or MediaError."""
        answer = self._media.publish(participant, offer, sources, layers or {})
        self._tell_tracks()
        return answer

    def tell_camera(self, camera: RoomCamera) -> None:
        """How the camera of a classroom fares, where that is news."""
        known = self.room.cameras.get(camera.room, RoomCamera(room=camera.room, state="off"))
        if self.room.state != "ended" and known != camera:
            self.commit([CameraChanged(camera=camera)])

    def track_changed(self, track: TrackInfo, present: bool) -> None:
        """Media of a track has begun to arrive, or is over."""
        if present:
            self._media.track_began(track)
        else:
            self._media.track_ended(track)
        self._tell_tracks()

    def recording_changed(self, participant: str, state: RecordingState) -> None:
        """A participant's recording fares differently."""
        self._media.recording_changed(participant, state)

    def limits_changed(self, participant: str) -> None:
        """A participant should send something else of its pictures."""
        connection, asked = self._roster.get(participant), self._media.sending(participant)
        if connection is not None and asked is not None:
            self._fanout.send(connection, asked)

    def tick(self, now: float) -> None:
        """Let time have come as far as `now`."""
        for connection in list(self._fanout.connections):
            self._look_after(connection, now)
        self._keep_places()
        self.programs.look_after()
        while events := due(self.room, now):
            self.commit(events)
        if self.room.state in ("open", "live", "overrun"):
            if changed := self._media.observe(self._roster.reports(), now):
                self._fanout.post(Links(links=changed), presence=True)
            for participant, received in self._media.received().items():
                if (own := self._roster.get(participant)) is not None:
                    self._fanout.send(own, received)

    def commit(self, events: Sequence[AnyRoomEvent], cause: Cause | None = None, at: float | None = None) -> int:
        """Make events happen, now or `at`: journal, room, everybody, effects. Returns the number of the last event;
        raises JournalRefused."""
        if at is None:
            at = self._clock()
        with_effects = False
        for event in events:
            kind = type(event)
            if kind is SessionEnded:
                self._writing.demand()
                events = [*self._media.last_words(at), *events]
            with_effects = with_effects or kind in WITH_EFFECTS
        self._writing.commit(events, cause, at)
        if with_effects:
            for event in events:
                self._effects.set_off(event)
        return self._history.last_seq

    def close(
        self,
        code: CloseCode,
        within: float = 0.0,
        moved: Callable[[Connection], Moved | None] = lambda connection: None,
    ) -> None:
        """Close sockets, peers and journal; the room stays as it is. `within`: the seconds over which the sockets are
        told to come back, evenly; `moved`: where to, and with which token."""
        self._roster.close(code, within, moved)
        self.programs.clear()
        self._media.close()
        self._history.close()

    # inside

    def _take(self, connection: Connection, data: bytes | str, now: float) -> None:
        try:
            message = connection.encoding.read(data)
        except Refusal as refusal:
            self._fanout.send(connection, Refused(msg_id="", code=refusal.reason))
            connection.malformed()
            return
        if type(message) in _COMMANDS:
            self._fanout.send(connection, self._obeyed(connection.participant, cast(Command, message), now))
            if type(message) is Leave and not self.room.present(connection.participant):
                self._roster.part(connection, "left")
        elif isinstance(message, LinkReport):
            connection.report = message
            self._media.lines.reported(connection.participant, message)
        elif isinstance(message, AskTime):
            connection.behind = message.behind
            self._fanout.send(connection, TimeTold(sent=message.sent, server_time=self._clock()))
        elif isinstance(message, View):
            self._media.view(connection.participant, message.heights)
        else:
            self._fanout.send(connection, Refused(msg_id="", code="already_joined"))

    def _obeyed(self, participant: str, command: Command, now: float) -> ServerMessage:
        """The answer to a command, to be told when what waits is written."""
        known = self._history.answer(participant, command.msg_id)
        if known is not None:
            return known
        answer: ServerMessage
        try:
            answer = self._carry_out(participant, command, now)
        except Refusal as refusal:
            answer = Refused(msg_id=command.msg_id, code=refusal.reason, values=refusal.values)
        except MediaError as error:
            answer = Refused(msg_id=command.msg_id, code=error.code)
        except JournalRefused as error:
            # not remembered: the client may try again once there is room on the disk
            return Refused(msg_id=command.msg_id, code=error.code)
        self._history.remember(participant, command.msg_id, answer)
        return answer

    def _carry_out(self, participant: str, command: Command, now: float) -> ServerMessage:
        # asked by the type itself: `isinstance` of a struct costs more than the rules
        kind = type(command)
        if kind in _AT_MEDIA:
            return self._carry_to_media(participant, command)
        events = decide(self.room, command, participant, now, self._new_id)
        if kind in _IN_STEP:
            events = in_step(events, lead(self._roster.delays(self.room)))
        cause = (participant, command.msg_id)
        for event in events:
            if type(event) in WITH_EFFECTS:
                return Ack(msg_id=command.msg_id, seq=self.commit(events, cause, now))
        return Ack(msg_id=command.msg_id, seq=self._writing.expect(events, cause, now))

    def _carry_to_media(self, participant: str, command: Command) -> ServerMessage:
        msg_id = command.msg_id
        self._writing.demand()
        match command:
            case Publish():
                answer = self.publish(participant, command.sdp, command.sources, command.layers)
                return MediaAnswer(msg_id=msg_id, sdp=answer.sdp)
            case Subscribe():
                answer = self._media.subscribe(participant, command.sdp, command.slots)
                return MediaAnswer(msg_id=msg_id, sdp=answer.sdp, slots=answer.slots)
            case Switch():
                permit(self.room, participant, Switch)
                self._media.switch(participant, command.mid, command.track)
        return Ack(msg_id=msg_id, seq=self._history.last_seq)

    def _look_after(self, connection: Connection, now: float) -> None:
        if connection.check_pressure(now):
            self._fanout.send(connection, Links(links=dict(self._media.links)))
        elif connection.closed is not None:
            self.detach(connection)
        elif not 0 <= now - max(connection.last_written, self._fanout.last_told) < HEARTBEAT:  # a clock may be put back
            self._fanout.send(connection, Links(links={}))

    def _give_up(self, participant: str) -> None:
        try:
            self.commit(depart(self.room, participant, "left"))
        except JournalRefused:
            # nothing reaches it any more; the room shows it as soon as there is space, by `_keep_places`
            log.warning("participant %s of session %s is out, not written yet", participant, self.id)
            self._media.drop(participant)

    def _keep_places(self) -> None:
        """Whoever the room takes for present and has no socket is reconnecting."""
        now = self._clock()
        for who in list(self.room.participants.values()):
            if who.presence == "connected" and who.id not in self._roster and who.id not in self.programs:
                try:
                    self.commit(vanish(self.room, who.id, now))
                except JournalRefused:
                    # the disk is full: the room shows it one tick later, or as soon as there is space
                    log.warning("participant %s of session %s is gone, not written yet", who.id, self.id)

    def _tell_tracks(self) -> None:
        self._fanout.post(Tracks(tracks=self._media.tracks()))
        self.programs.show()
