"""The county's register: one document per version, none ever changed."""

import msgspec
from msgspec import Struct
from sqlalchemy import Column, Connection, Double, Integer, Table, Text, bindparam, delete, func, insert, select

from server.storage.consent_store import newest_word, refused, withdrawn_classes
from server.storage.database import Database, metadata
from timetable.errors import StaleVersion
from timetable.model import Register, Term

versions = Table(
    "register_version",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("author", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("body", Text, nullable=False),
    Column("term", Text, nullable=False),
)
unfollowed = Table("register_unfollowed", metadata, Column("number", Integer, primary_key=True, autoincrement=False))

TERMS_KEPT = 2
"""Decoded registers of earlier terms that are kept at hand."""


class _Dated(Struct, frozen=True):
    """A register as far as its term goes; nothing else is decoded."""

    term: Term


class SqlRegisterStore:
    """`timetable.ports.RegisterStore` on SQLite or PostgreSQL. The decoded newest version is kept at hand."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: tuple[int, Register] | None = None
        self._earlier: dict[int, Register] = {}
        self._terms: dict[int, Term] = {}

    async def load(self) -> Register | None:
        number = await self.version()
        if number == 0:
            return None
        if self._known is None or self._known[0] != number:
            self._known = number, msgspec.json.decode(await self._body(number), type=Register)
        return self._known[1]

    async def version(self) -> int:
        return await self._database.read(_newest)

    async def state(self) -> tuple[int, int]:
        """The newest version, and the newest word on a consent that was given beside it: the county stands by both."""
        return await self._database.read(lambda c: (_newest(c), newest_word(c)))

    async def refused(self) -> frozenset[str]:
        """The classes whose last word on being recorded was no, in the register or beside it, also those that no
        version has any more."""
        return await self._database.read(
            lambda c: frozenset(c.execute(select(refused)).scalars()) | withdrawn_classes(c)
        )

    async def terms(self) -> list[tuple[Term, int]]:
        """Every term that the register was ever in, the newest first, with its last version."""
        last = func.max(versions.c.number)
        query = select(last).group_by(versions.c.term).order_by(last.desc())
        numbers = await self._database.read(lambda c: list(c.execute(query).scalars()))
        for number in numbers:
            if number not in self._terms:
                self._terms[number] = msgspec.json.decode(await self._body(number), type=_Dated).term
        return [(self._terms[number], number) for number in numbers]

    async def at(self, number: int) -> Register:
        """The register as it was in that version."""
        if self._known is not None and self._known[0] == number:
            return self._known[1]
        known = self._earlier.get(number)
        if known is None:
            known = self._earlier[number] = msgspec.json.decode(await self._body(number), type=Register)
            while len(self._earlier) > TERMS_KEPT:
                del self._earlier[next(iter(self._earlier))]
        return known

    async def _body(self, number: int) -> str:
        query = select(versions.c.body).where(versions.c.number == number)
        body: str = await self._database.read(lambda c: c.execute(query).scalar_one())
        return body

    async def save(self, register: Register, author: str, at: float, expected_version: int) -> int:
        return await self._database.write(lambda c: append(c, register, author, at, expected_version))

    async def unfollowed(self, until: float) -> list[int]:
        query = select(unfollowed.c.number).join(versions, versions.c.number == unfollowed.c.number)
        query = query.where(versions.c.at <= until).order_by(unfollowed.c.number)
        return await self._database.read(lambda c: list(c.execute(query).scalars()))

    async def author(self, number: int) -> str:
        query = select(versions.c.author).where(versions.c.number == number)
        author: str = await self._database.read(lambda c: c.execute(query).scalar_one())
        return author

    async def followed(self, number: int) -> None:
        which = delete(unfollowed).where(unfollowed.c.number == number)
        await self._database.write(lambda c: c.execute(which))


def append(connection: Connection, register: Register, author: str, at: float, expected_version: int) -> int:
    """Keep the next version, as part of a transaction; StaleVersion unless `expected_version` is the newest."""
    newest = _newest(connection)
    if newest != expected_version:
        raise StaleVersion(expected_version, newest)
    body = msgspec.json.encode(register).decode()
    row = {"number": newest + 1, "author": author, "at": at, "body": body, "term": register.term.id}
    connection.execute(insert(versions).values(row))
    connection.execute(insert(unfollowed).values(number=newest + 1))
    _note_refusals(connection, register)
    return newest + 1


def _note_refusals(connection: Connection, register: Register) -> None:
    """A class that leaves the register keeps its last word: what was recorded of it is there after it has gone."""
    standing = set(connection.execute(select(refused)).scalars())
    agreed = standing.intersection(one.id for one in register.classes if one.recording_consent)
    fresh = {one.id for one in register.classes if not one.recording_consent} - standing
    if agreed:
        which = delete(refused).where(refused.c["class"] == bindparam("agreed"))
        connection.execute(which, [{"agreed": id} for id in sorted(agreed)])
    if fresh:
        connection.execute(insert(refused), [{"class": id} for id in sorted(fresh)])


def _newest(connection: Connection) -> int:
    newest: int | None = connection.execute(select(func.max(versions.c.number))).scalar()
    return newest or 0
