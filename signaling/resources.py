"""This module owns the resources of WHIP and WHEP: what programs have begun by HTTP, and who may change and end it."""

from __future__ import annotations

from collections.abc import Callable, Collection

from signaling.admission import Admission, Place
from signaling.commands import Publish, Subscribe
from signaling.errors import NotInLesson
from signaling.invitations import arrival_of
from signaling.media.errors import UnknownResource
from signaling.media.hub import Answer
from signaling.ports import Media
from signaling.roles import MAY
from signaling.session import LiveSession
from signaling.tokens import Claims
from signaling.wire import Command


class Resources:
    """The resources of one process. `enter`: the running session of an id, its own or its lesson's, for somebody to
    come in, or raises SignalingError; `find`: that of its own id, where there is one."""

    def __init__(
        self,
        media: Media,
        admission: Admission,
        enter: Callable[[str], LiveSession],
        find: Callable[[str], LiveSession | None],
    ) -> None:
        self._media = media
        self._admission = admission
        self._enter = enter
        self._find = find
        self._owners: dict[str, Place] = {}

    def publish(self, name: str, token: str, offer: str) -> Answer:
        """Publish into a session (its id or its lesson's) with a Bearer token; raises SignalingError or MediaError."""
        session, claims = self._by_bearer(name, token, Publish)
        self._media.demand_whole(offer)
        session.programs.enter(arrival_of(claims))
        sources = session.programs.sources(claims.participant, offer)
        return self._kept(session, claims, session.publish(claims.participant, offer, sources))

    def watch(self, name: str, token: str, offer: str) -> Answer:
        """Watch the teaching side of a session with a Bearer token; raises SignalingError or MediaError."""
        session, claims = self._by_bearer(name, token, Subscribe)
        session.programs.enter(arrival_of(claims))
        return self._kept(session, claims, session.programs.watch(claims.participant, offer))

    def owner(self, resource: str, token: str) -> Place:
        """The session and participant of a resource that the token's bearer made; raises UnknownResource."""
        claims = self._admission.bearer(token)
        owner = self._owners.get(resource)
        if owner is None or owner[1] != claims.participant:
            raise UnknownResource(resource)
        return owner

    def restart(self, resource: str, token: str, fragment: str, tags: Collection[str] | None) -> tuple[str, str]:
        """The ICE fragment that answers `fragment` (empty: nothing to say) and the entity tag it leaves. `tags`: the
        ICE session that is meant."""
        self.owner(resource, token)
        return self._media.restart(resource, fragment, tags), self._media.etag(resource)

    def release(self, resource: str, token: str) -> None:
        """End what a resource stands for."""
        self._end(resource, self.owner(resource, token))

    def end_all(self, place: Place) -> None:
        """End all that a participant has begun."""
        for resource, owner in list(self._owners.items()):
            if owner == place:
                self._end(resource, place)

    def tick(self) -> None:
        """Forget what is over."""
        self._owners = {name: owner for name, owner in self._owners.items() if self._media.holds(name)}

    def _by_bearer(self, name: str, token: str, command: type[Command]) -> tuple[LiveSession, Claims]:
        claims = self._admission.bearer(token)
        session = self._enter(name)
        if claims.session not in (session.id, session.plan.lesson.id) or command not in MAY[claims.role]:
            raise NotInLesson(session.id, claims.role)
        return session, claims

    def _kept(self, session: LiveSession, claims: Claims, answer: Answer) -> Answer:
        place = (session.id, claims.participant)
        self._owners[answer.resource] = place
        self._admission.use(place, claims.jti)
        return answer

    def _end(self, resource: str, place: Place) -> None:
        self._owners.pop(resource, None)
        # a program that closes its connection first is gone already when its request comes
        if self._media.holds(resource):
            self._media.release(resource)
        session, participant = place
        found = self._find(session)
        if found is not None:
            found.programs.leave(participant)
