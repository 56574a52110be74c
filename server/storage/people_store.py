"""People, their grants, login sessions, paired rooms and pairings. Of every secret only the hash is kept."""

from collections.abc import Sequence
from typing import Any, Literal

from msgspec import Struct
from sqlalchemy import (
    Column,
    Connection,
    Double,
    ForeignKey,
    Integer,
    Table,
    Text,
    delete,
    insert,
    select,
    update,
)

from server.shapes.people import Grant
from server.storage.database import Database, metadata

people = Table(
    "person",
    metadata,
    Column("id", Text, primary_key=True),
    Column("login", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("unit", Text),
    Column("teacher", Text),
    Column("password_hash", Text, nullable=False),
    Column("active", Integer, nullable=False),
    Column("demo", Integer, nullable=False),
)
grants = Table(
    "person_grant",
    metadata,
    Column("person", Text, ForeignKey("person.id", ondelete="CASCADE"), primary_key=True),
    Column("role", Text, primary_key=True),
    Column("unit", Text, primary_key=True),
    Column("community", Text, primary_key=True),
)
sessions = Table(
    "login_session",
    metadata,
    Column("token_hash", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
)
paired_rooms = Table(
    "paired_room",
    metadata,
    Column("room", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("paired_at", Double, nullable=False),
    Column("paired_by", Text, nullable=False),
    Column("last_seen", Double),
)
pairings = Table(
    "pairing",
    metadata,
    Column("secret_hash", Text, primary_key=True),
    Column("code_hash", Text, nullable=False, unique=True),
    Column("expires_at", Double, nullable=False),
    Column("room", Text),
    Column("collected", Integer, nullable=False),
)


class Person(Struct, frozen=True, kw_only=True):
    id: str
    login: str
    name: str
    unit: str | None
    teacher: str | None
    password_hash: str
    grants: tuple[Grant, ...]
    active: bool = True
    demo: bool = False


class PairedRoom(Struct, frozen=True, kw_only=True):
    """A remote room with a panel of its own; times are unix seconds."""

    room: str
    name: str
    unit: str
    paired_at: float
    paired_by: str
    last_seen: float | None = None

    @property
    def pairing(self) -> str:
        """What tells this panel from an earlier or a later one of the same room."""
        return f"{self.room} {self.paired_at!r}"


class LoginSession(Struct, frozen=True, kw_only=True):
    kind: Literal["person", "room"]
    subject: str
    expires_at: float


class SqlPeopleStore:
    """On SQLite or PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # people

    async def save(self, persons: Sequence[Person]) -> None:
        """Add people, or replace those with the same id, each with all grants."""

        def body(connection: Connection) -> None:
            for person in persons:
                connection.execute(delete(grants).where(grants.c.person == person.id))
                connection.execute(delete(people).where(people.c.id == person.id))
            if persons:
                connection.execute(insert(people), [_person_row(person) for person in persons])
            rows = [_grant_row(person.id, grant) for person in persons for grant in person.grants]
            if rows:
                connection.execute(insert(grants), rows)

        await self._database.write(body)

    async def change(self, person: Person) -> None:
        """Keep a person's new password, or that the account is closed; the person's login sessions end."""
        row = {"password_hash": person.password_hash, "active": int(person.active)}

        def body(connection: Connection) -> None:
            connection.execute(update(people).where(people.c.id == person.id).values(**row))
            connection.execute(delete(sessions).where(sessions.c.kind == "person", sessions.c.subject == person.id))

        await self._database.write(body)

    async def by_login(self, login: str) -> Person | None:
        found = await self._database.read(lambda c: _people(c, people.c.login == login))
        return found[0] if found else None

    async def by_id(self, id: str) -> Person | None:
        found = await self._database.read(lambda c: _people(c, people.c.id == id))
        return found[0] if found else None

    async def all(self) -> list[Person]:
        return await self._database.read(lambda c: _people(c, None))

    # login sessions

    async def open_session(self, token_hash: str, session: LoginSession, now: float) -> None:
        row = {"token_hash": token_hash, "kind": session.kind, "subject": session.subject}

        def body(connection: Connection) -> None:
            connection.execute(delete(sessions).where(sessions.c.expires_at < now))
            connection.execute(insert(sessions).values(**row, created_at=now, expires_at=session.expires_at))

        await self._database.write(body)

    async def session(self, token_hash: str, now: float) -> LoginSession | None:
        query = select(sessions.c.kind, sessions.c.subject, sessions.c.expires_at).where(
            sessions.c.token_hash == token_hash, sessions.c.expires_at > now
        )
        row = await self._database.read(lambda c: c.execute(query).one_or_none())
        return None if row is None else LoginSession(kind=row.kind, subject=row.subject, expires_at=row.expires_at)

    async def prolong_session(self, token_hash: str, until: float) -> None:
        prolonged = update(sessions).where(sessions.c.token_hash == token_hash).values(expires_at=until)
        await self._database.write(lambda c: c.execute(prolonged))

    async def close_session(self, token_hash: str) -> None:
        await self._database.write(lambda c: c.execute(delete(sessions).where(sessions.c.token_hash == token_hash)))

    # rooms and pairing

    async def rooms(self) -> list[PairedRoom]:
        rows = await self._database.read(lambda c: list(c.execute(select(paired_rooms).order_by(paired_rooms.c.room))))
        return [PairedRoom(**row._asdict()) for row in rows]

    async def room(self, room: str) -> PairedRoom | None:
        query = select(paired_rooms).where(paired_rooms.c.room == room)
        row = await self._database.read(lambda c: c.execute(query).one_or_none())
        return None if row is None else PairedRoom(**row._asdict())

    async def pair(self, room: PairedRoom) -> None:
        """Record that `room` has a panel; the sessions of an earlier panel end."""

        def body(connection: Connection) -> None:
            _unpair(connection, room.room)
            connection.execute(insert(paired_rooms).values(**_fields(room)))

        await self._database.write(body)

    async def unpair(self, room: str) -> str | None:
        """The pairing of the panel that was its panel; None: it had none."""
        return await self._database.write(lambda c: _unpair(c, room))

    async def seen(self, room: str, now: float) -> None:
        await self._database.write(
            lambda c: c.execute(update(paired_rooms).where(paired_rooms.c.room == room).values(last_seen=now))
        )

    async def begin_pairing(self, secret_hash: str, code_hash: str, expires_at: float, now: float) -> None:
        def body(connection: Connection) -> None:
            connection.execute(delete(pairings).where(pairings.c.expires_at < now))
            connection.execute(
                insert(pairings).values(
                    secret_hash=secret_hash, code_hash=code_hash, expires_at=expires_at, room=None, collected=0
                )
            )

        await self._database.write(body)

    async def confirm_pairing(self, code_hash: str, room: PairedRoom, now: float) -> tuple[bool, str | None]:
        """Give the waiting panel with this code its room: (whether one waits, the pairing of the room's earlier panel).
        A code works once."""

        def body(connection: Connection) -> tuple[bool, str | None]:
            taken = connection.execute(
                update(pairings)
                .where(pairings.c.code_hash == code_hash, pairings.c.room.is_(None), pairings.c.expires_at > now)
                .values(room=room.room)
            )
            if taken.rowcount != 1:
                return False, None
            gone = _unpair(connection, room.room, code_hash)
            connection.execute(insert(paired_rooms).values(**_fields(room)))
            return True, gone

        return await self._database.write(body)

    async def collect_pairing(
        self, secret_hash: str, now: float, token_hash: str, until: float
    ) -> tuple[bool, str | None]:
        """(whether the pairing still stands, its room once confirmed). The room is handed out once, together with its
        login session: whoever replaces the panel finds both or neither."""

        def body(connection: Connection) -> tuple[bool, str | None]:
            row = connection.execute(
                select(pairings.c.room, pairings.c.collected, pairings.c.expires_at).where(
                    pairings.c.secret_hash == secret_hash
                )
            ).one_or_none()
            if row is None or row.collected or row.expires_at <= now:
                return False, None
            if row.room is not None:
                mine = update(pairings).where(pairings.c.secret_hash == secret_hash, pairings.c.collected == 0)
                if connection.execute(mine.values(collected=1)).rowcount != 1:
                    return False, None
                opened = {"token_hash": token_hash, "kind": "room", "subject": row.room, "expires_at": until}
                connection.execute(insert(sessions).values(**opened, created_at=now))
            return True, row.room

        return await self._database.write(body)


def _person_row(person: Person) -> dict[str, Any]:
    return {
        "id": person.id,
        "login": person.login,
        "name": person.name,
        "unit": person.unit,
        "teacher": person.teacher,
        "password_hash": person.password_hash,
        "active": int(person.active),
        "demo": int(person.demo),
    }


def _grant_row(person: str, grant: Grant) -> dict[str, str]:
    return {"person": person, "role": grant.role, "unit": grant.unit or "", "community": grant.community or ""}


def _fields(room: PairedRoom) -> dict[str, Any]:
    return {field: getattr(room, field) for field in room.__struct_fields__}


def _people(connection: Connection, where: Any) -> list[Person]:
    query = select(people).order_by(people.c.id)
    granted = select(grants)
    if where is not None:
        query = query.where(where)
        granted = granted.join(people, people.c.id == grants.c.person).where(where)
    rows = connection.execute(query).all()
    held: dict[str, list[Grant]] = {}
    for row in connection.execute(granted.order_by(grants.c.role, grants.c.unit, grants.c.community)):
        held.setdefault(row.person, []).append(
            Grant(role=row.role, unit=row.unit or None, community=row.community or None)
        )
    return [
        Person(
            id=row.id,
            login=row.login,
            name=row.name,
            unit=row.unit,
            teacher=row.teacher,
            password_hash=row.password_hash,
            grants=tuple(held.get(row.id, ())),
            active=bool(row.active),
            demo=bool(row.demo),
        )
        for row in rows
    ]


def _unpair(connection: Connection, room: str, code_hash: str = "") -> str | None:
    """Nobody is the room's panel any more, nor becomes it by another code than this one; the pairing that is gone."""
    row = connection.execute(select(paired_rooms).where(paired_rooms.c.room == room)).one_or_none()
    # a panel whose code was confirmed and that has not heard of it would come in as the later one; first, so that the
    # login session of one that hears of it just now is there to be ended
    connection.execute(delete(pairings).where(pairings.c.room == room, pairings.c.code_hash != code_hash))
    connection.execute(delete(paired_rooms).where(paired_rooms.c.room == room))
    connection.execute(delete(sessions).where(sessions.c.kind == "room", sessions.c.subject == room))
    return None if row is None else PairedRoom(**row._asdict()).pairing
