"""This module owns the admission to this process's sessions: the tokens it gives, whom they let in, and what it takes
back."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping

from msgspec.structs import replace

from signaling.commands import Hello
from signaling.errors import NotInLesson, TokenInvalid, TokenUsed
from signaling.invitations import camera_claims, claims_for, encoder_claims, guest_claims, player_claims
from signaling.plan import SessionPlan, UnitPart
from signaling.roles import Asker, roles_for
from signaling.tokens import LIFETIME, Claims, sign, verify
from signaling.wire import Role

Place = tuple[str, str]
"""Session and participant."""


class Admission:
    """`secret` signs the tokens; time and ids are parameters."""

    def __init__(self, secret: bytes, clock: Callable[[], float], new_id: Callable[[], str]) -> None:
        self._secret = secret
        self._clock = clock
        self._new_id = new_id
        self._first_devices: dict[str, tuple[str, float]] = {}
        self._withdrawn: set[str] = set()
        self._used: dict[Place, str] = {}

    # tokens

    def invite(self, asker: Asker, plan: SessionPlan, wish: Role | None = None, access: str = "") -> tuple[str, Claims]:
        """A join token, for the role that the asker wishes or that fits best; raises NotInLesson. `access`: by which
        the host lets the asker watch."""
        own = roles_for(asker, plan)
        roles = roles_for(asker, plan, guest=bool(access))
        if not roles or (wish is not None and wish not in roles):
            raise NotInLesson(plan.session, wish or "participant")
        role = wish or roles[0]
        by = asker.pairing if role == "endpoint" else "" if role in own else access
        exp = self._clock() + LIFETIME
        return self._signed(claims_for(asker, plan, role, aud="live", exp=exp, jti=self._new_id(), access=by))

    def invite_encoder(self, plan: SessionPlan, seconds: float) -> tuple[str, Claims]:
        """A Bearer token to publish by WHIP from the host classroom."""
        return self._signed(encoder_claims(plan, exp=self._clock() + seconds, jti=self._new_id()))

    def invite_camera(self, plan: SessionPlan, part: UnitPart, seconds: float) -> tuple[str, Claims]:
        """A Bearer token for the camera of one classroom, which this server pulls and publishes."""
        return self._signed(camera_claims(plan, part, exp=self._clock() + seconds, jti=self._new_id()))

    def invite_player(self, plan: SessionPlan, seconds: float) -> tuple[str, Claims]:
        """A Bearer token to watch by WHEP."""
        return self._signed(player_claims(plan, exp=self._clock() + seconds, jti=self._new_id()))

    def invite_guest(self, plan: SessionPlan, seconds: float) -> tuple[str, Claims]:
        """What a link holds by which a person may watch."""
        return self._signed(guest_claims(plan, exp=self._clock() + seconds, jti=self._new_id()))

    def invite_again(self, claims: Claims) -> str:
        """A new join token for whom an older one let in."""
        return sign(replace(claims, exp=self._clock() + LIFETIME, jti=self._new_id()), self._secret)

    def guest(self, token: str) -> Claims:
        """What a guest's link says; raises TokenInvalid or TokenExpired."""
        return self._held(verify(token, self._secret, "guest", self._clock()))

    def bearer(self, token: str) -> Claims:
        """Whom a Bearer token stands for; raises TokenInvalid or TokenExpired."""
        return self._held(verify(token, self._secret, "rtc", self._clock()))

    def newcomer(self, hello: Hello, now: float) -> Claims:
        """Whom the join token of a socket stands for; raises TokenInvalid, TokenExpired, or TokenUsed where it has let
        another device in."""
        claims = self._held(verify(hello.token, self._secret, "live", now))
        device, _ = self._first_devices.setdefault(claims.jti, (hello.device, claims.exp))
        if device != hello.device:
            raise TokenUsed(claims.session)
        return claims

    # who is in by what

    @property
    def used(self) -> Mapping[Place, str]:
        """The token of a program, the access of a guest, or the pairing of a panel, by whoever came in by it."""
        return self._used

    def use(self, place: Place, id: str) -> None:
        """This is what somebody came in by."""
        self._used[place] = id

    def withdraw(self, id: str) -> list[Place]:
        """A token, an access or a pairing is good no more; who came in by it, and must be let go."""
        self._withdrawn.add(id)
        return [place for place, used in self._used.items() if used == id]

    def let_go(self, place: Place) -> None:
        """Whoever came in is out."""
        self._used.pop(place, None)

    def tick(self, now: float, sessions: Container[str]) -> None:
        """Forget the devices of tokens that are over, and who was in other sessions than these."""
        self._first_devices = {jti: used for jti, used in self._first_devices.items() if used[1] >= now}
        self._used = {place: used for place, used in self._used.items() if place[0] in sessions}

    def _held(self, claims: Claims) -> Claims:
        if claims.jti in self._withdrawn or (claims.access and claims.access in self._withdrawn):
            raise TokenInvalid("withdrawn")
        return claims

    def _signed(self, claims: Claims) -> tuple[str, Claims]:
        return sign(claims, self._secret), claims
