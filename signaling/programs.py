"""This module owns the programs in a session, which have no socket: encoders, classrooms' cameras, and players.

A player cannot choose: it is shown the teaching side, whatever comes and goes there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from signaling.events import Joined
from signaling.media.hub import Answer
from signaling.messages import AnyRoomEvent
from signaling.plan import SessionPlan
from signaling.player import Section, sections_of, teaching_side
from signaling.room import Room
from signaling.rules import arrive
from signaling.session_media import SessionMedia
from signaling.wire import TrackSource


class Programs:
    """The programs that are in one session. What follows for the room is handed to `commit`, and who gives up its place
    to `give_up`, which raises nothing."""

    def __init__(
        self,
        plan: SessionPlan,
        room: Room,
        media: SessionMedia,
        commit: Callable[[Sequence[AnyRoomEvent]], object],
        give_up: Callable[[str], object],
    ) -> None:
        self._host = plan.host.unit
        self._cameras = {part.camera for part in plan.members}
        self._room = room
        self._media = media
        self._commit = commit
        self._give_up = give_up
        self._here: set[str] = set()
        self._players: dict[str, tuple[Section, ...]] = {}

    def __contains__(self, participant: str) -> bool:
        return participant in self._here

    def enter(self, arrival: Joined) -> None:
        """Let a program in; raises JournalRefused."""
        self._commit(arrive(self._room, arrival))
        self._here.add(arrival.participant)

    def leave(self, participant: str) -> None:
        """A program is gone, if it was there."""
        if participant in self._here:
            self._here.discard(participant)
            self._players.pop(participant, None)
            self._give_up(participant)

    def sources(self, participant: str, offer: str) -> dict[str, TrackSource]:
        """What a program's sections show (by mid), where that is not what the media plane takes them for. A member's
        camera is one more picture of its classroom, under a name of its own."""
        if participant not in self._cameras:
            return {}
        return {mid: "room" for mid, kind in sections_of(offer) if kind == "video"}

    def watch(self, participant: str, offer: str) -> Answer:
        """Show a program the teaching side; raises Refusal or MediaError."""
        sections = sections_of(offer)
        answer = self._media.subscribe(participant, offer, self._teaching_side(sections))
        self._players[participant] = sections
        return answer

    def show(self) -> None:
        """The tracks are others now."""
        for participant, sections in self._players.items():
            self._media.show(participant, self._teaching_side(sections))

    def look_after(self) -> None:
        """Whose peer is gone is gone itself."""
        for participant in self._here - self._media.peers() if self._here else ():
            self.leave(participant)

    def clear(self) -> None:
        """Forget all; the room stays as it is."""
        self._here.clear()
        self._players.clear()

    def _teaching_side(self, sections: tuple[Section, ...]) -> dict[str, str]:
        roles = {who.id: who.role for who in self._room.participants.values() if who.unit == self._host}
        return teaching_side(sections, self._media.tracks(), roles)
