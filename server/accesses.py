"""This module owns the ways into a lesson beside its own people: tokens for encoders and players, links for guests, and
the host's word that the teachers of the schools taking part may watch.

Each has an id, an end, and can be taken back; then whoever came in by it is out at once. All are kept in memory,
because every token is looked at, and in the database, so that a restart forgets none.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from server.storage.access_store import AccessKind, GivenAccess, SqlAccessStore
from signaling.errors import TokenExpired, TokenInvalid
from signaling.plan import SessionPlan
from signaling.service import LiveService
from signaling.tokens import Claims

AFTER = 3600.0
"""Seconds after the lesson until which an access holds: lessons overrun."""
MOST = 20
"""Accesses of one lesson at a time: each is somebody whom the host has to keep in mind."""


class TooManyAccesses(Exception):
    """The host has given away too many; some must be taken back first."""

    code = "too_many_accesses"

    def __init__(self, most: int) -> None:
        super().__init__(f"more than {most}")
        self.most = most


async def _nobody(id: str) -> None:
    pass


class Accesses:
    """`clock` gives unix seconds."""

    def __init__(self, store: SqlAccessStore, live: LiveService, clock: Callable[[], float]) -> None:
        self.on_withdrawn: Callable[[str], Awaitable[None]] = _nobody
        """Awaited with the id when one was taken back here."""
        self._store = store
        self._live = live
        self._clock = clock
        self._given: dict[str, GivenAccess] = {}
        self._taken_back: set[str] = set()

    async def load(self) -> None:
        """Know what was given and taken back, before this process began or in another one."""
        for access in await self._store.unexpired(self._clock()):
            if access.withdrawn_at is not None:
                self.forget(access.id)
            elif access.id not in self._taken_back:
                self._given[access.id] = access

    def of(self, lesson: str) -> list[GivenAccess]:
        """Those that hold now, the oldest first."""
        now = self._clock()
        return [one for one in self._given.values() if one.lesson == lesson and one.expires_at > now]

    def find(self, lesson: str, id: str) -> GivenAccess | None:
        return next((one for one in self.of(lesson) if one.id == id), None)

    def peers(self, lesson: str) -> str:
        """The access by which the teachers of the lesson's schools may watch; empty: they may not."""
        return next((one.id for one in self.of(lesson) if one.kind == "peers"), "")

    def invited(self, plan: SessionPlan, invitation: str) -> str:
        """The access that a guest's link stands for in this lesson; empty: none."""
        try:
            claims = self._live.admission.guest(invitation)
        except (TokenInvalid, TokenExpired):
            return ""
        return claims.jti if claims.session == plan.lesson.id else ""

    async def give(self, giver: str, plan: SessionPlan, kind: AccessKind) -> tuple[str, Claims]:
        """A new access and the token that carries it. Peers have one at a time."""
        now = self._clock()
        self._given = {id: one for id, one in self._given.items() if one.expires_at > now}
        if len(self.of(plan.lesson.id)) >= MOST:
            raise TooManyAccesses(MOST)
        seconds = plan.lesson.ends + AFTER - now
        admission = self._live.admission
        invite = {"encoder": admission.invite_encoder, "player": admission.invite_player}
        token, claims = invite.get(kind, admission.invite_guest)(plan, seconds)
        access = GivenAccess(
            id=claims.jti, lesson=plan.lesson.id, kind=kind, given_by=giver, given_at=now, expires_at=claims.exp
        )
        await self._store.add(access)
        self._given[access.id] = access
        return token, claims

    async def withdraw(self, id: str) -> None:
        """Take one back; who is in by it leaves."""
        await self._store.withdraw(id, self._clock())
        self.forget(id)
        await self.on_withdrawn(id)

    def forget(self, id: str) -> None:
        """It was taken back, here or in another process."""
        if id not in self._taken_back:
            self._taken_back.add(id)
            self._given.pop(id, None)
            self._live.withdraw_token(id)
