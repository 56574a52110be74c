"""Sign-in, login sessions and the pairing of rooms."""

import asyncio
import hashlib
import secrets
from collections.abc import Callable
from functools import cache
from typing import Literal

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from msgspec import Struct

from server.auth.errors import NotSignedIn, PairingCodeWrong, WrongPassword
from server.auth.principal import Principal
from server.auth.throttle import Throttle
from server.storage.people_store import LoginSession, PairedRoom, Person, SqlPeopleStore

PAIRING_SECONDS = 300.0
ROOM_SESSION_SECONDS = 400 * 86400.0
"""A paired room stays signed in over the holidays; it ends when the room is unpaired. No browser keeps a
cookie longer."""
PROLONGED_AFTER = 7 * 86400.0
"""So old a room's session is prolonged where its panel is in use: else it would end in the middle of some lesson."""
CODE_DIGITS = 8

LOGIN_BURST, LOGIN_SECONDS = 8, 20.0
ADDRESS_BURST, ADDRESS_SECONDS = 60, 2.0
PAIRING_BURST, PAIRING_REFILL_SECONDS = 10, 30.0
LONGEST = 200
"""Signs of a login or password that are looked at: longer ones are no one's, and must not fill the throttle."""


HASHER = PasswordHasher()


@cache
def _nobodys(hasher: PasswordHasher) -> str:
    """The hash of a password that nobody knows."""
    return hasher.hash(secrets.token_hex(16))


class NewPairing(Struct, frozen=True):
    code: str
    secret: str
    expires_at: float


class AuthService:
    """`clock` gives unix seconds. Argon2 runs in threads: it takes tens of milliseconds and 64 MB on purpose."""

    def __init__(
        self,
        store: SqlPeopleStore,
        *,
        clock: Callable[[], float],
        session_seconds: float,
        hasher: PasswordHasher | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._session_seconds = session_seconds
        self._hasher = hasher or HASHER
        self._nobody = _nobodys(self._hasher)
        self._logins = Throttle(LOGIN_BURST, LOGIN_SECONDS, clock)
        self._addresses = Throttle(ADDRESS_BURST, ADDRESS_SECONDS, clock)
        self._codes = Throttle(PAIRING_BURST, PAIRING_REFILL_SECONDS, clock)

    async def hash(self, password: str) -> str:
        return await asyncio.to_thread(self._hasher.hash, password)

    async def sign_in(self, login: str, password: str, address: str) -> str:
        """Check the password and open a session; the token goes into the cookie and is kept nowhere."""
        self._addresses.spend(address)
        if max(len(login), len(password)) > LONGEST:
            raise WrongPassword
        self._logins.spend(login)
        person = await self._store.by_login(login)
        # an unknown login costs the same time as a wrong password, so that it cannot be told apart
        kept = person.password_hash if person is not None and person.active else self._nobody
        fits = await asyncio.to_thread(self._fits, kept, password)
        if person is None or not person.active or not fits:
            raise WrongPassword
        self._logins.forgive(login)
        return await self.open_session("person", person.id)

    async def open_session(self, kind: Literal["person", "room"], subject: str) -> str:
        token = secrets.token_urlsafe(32)
        now = self._clock()
        seconds = self._session_seconds if kind == "person" else ROOM_SESSION_SECONDS
        session = LoginSession(kind=kind, subject=subject, expires_at=now + seconds)
        await self._store.open_session(_hash(token), session, now)
        return token

    async def prolong(self, token: str) -> bool:
        """Keep a panel signed in that is in use; whether its cookie has to be given out again."""
        now = self._clock()
        session = await self._store.session(_hash(token), now)
        until = now + ROOM_SESSION_SECONDS
        if session is None or session.kind != "room" or until - session.expires_at < PROLONGED_AFTER:
            return False
        await self._store.prolong_session(_hash(token), until)
        return True

    async def sign_out(self, token: str) -> None:
        await self._store.close_session(_hash(token))

    async def principal(self, token: str) -> Principal:
        """Who holds `token`, or NotSignedIn."""
        session = await self._store.session(_hash(token), self._clock())
        if session is None:
            raise NotSignedIn
        if session.kind == "room":
            room = await self._store.room(session.subject)
            if room is None:
                raise NotSignedIn
            return Principal(kind="room", id=room.room, name=room.name, unit=room.unit, pairing=room.pairing)
        person = await self._store.by_id(session.subject)
        if person is None or not person.active:
            raise NotSignedIn
        return as_principal(person)

    # pairing

    async def begin_pairing(self, address: str) -> NewPairing:
        """A panel that belongs to no room yet asks for a code to show."""
        self._codes.spend(f"begin {address}")
        now = self._clock()
        pairing = NewPairing(
            code="".join(secrets.choice("0123456789") for _ in range(CODE_DIGITS)),
            secret=secrets.token_urlsafe(32),
            expires_at=now + PAIRING_SECONDS,
        )
        await self._store.begin_pairing(_hash(pairing.secret), _hash(pairing.code), pairing.expires_at, now)
        return pairing

    async def confirm_pairing(self, code: str, room: PairedRoom) -> str | None:
        """A person who stands before the panel types its code: from now on it is `room`. The pairing of the panel that
        was it before; None: there was none."""
        self._codes.spend(f"confirm {room.paired_by}")
        digits = "".join(character for character in code if character.isdigit())
        waited, gone = await self._store.confirm_pairing(_hash(digits), room, self._clock())
        if not waited:
            raise PairingCodeWrong
        return gone

    async def collect_pairing(self, secret: str) -> tuple[Literal["waiting", "confirmed", "expired"], str, str]:
        """(state, session token, room name): the panel asks whether somebody has confirmed its code."""
        token, now = secrets.token_urlsafe(32), self._clock()
        until = now + ROOM_SESSION_SECONDS
        standing, room = await self._store.collect_pairing(_hash(secret), now, _hash(token), until)
        if room is not None:
            paired = await self._store.room(room)
            return "confirmed", token, paired.name if paired else room
        return ("waiting" if standing else "expired"), "", ""

    def _fits(self, kept: str, password: str) -> bool:
        try:
            return self._hasher.verify(kept, password)
        except (Argon2Error, InvalidHashError):
            return False


def as_principal(person: Person) -> Principal:
    return Principal(
        kind="person",
        id=person.id,
        name=person.name,
        unit=person.unit,
        teacher=person.teacher,
        grants=person.grants,
        demo=person.demo,
    )


def _hash(secret: str) -> str:
    # a cookie may hold any bytes; those that are no text are somebody's mistake and fit no session
    return hashlib.sha256(secret.encode(errors="surrogateescape")).hexdigest()
