"""What schools said of their classes' consent to recording beside the register, word for word; and where a class was.

A word is given on a page, by a person, and only another one takes its place: no sheet that is imported again does.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import msgspec
from msgspec import Struct
from sqlalchemy import Column, Connection, Double, Integer, Row, Select, Table, Text, delete, func, insert, select

from recordings.withdrawal import Naming
from server.storage.database import Database, metadata
from server.storage.review_store import parts as review_parts
from server.storage.review_store import reviews
from server.storage.session_store import live_sessions
from timetable.errors import StaleVersion

consent_words = Table(
    "consent_word",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("class", Text, nullable=False),
    Column("agreed", Integer, nullable=False),
    Column("person", Text, nullable=False),
    Column("at", Double, nullable=False),
)
refused = Table("consent_refused", metadata, Column("class", Text, primary_key=True))
"""Classes whose last word in the register was no, also those that have left it since."""
pupils_named = Table(
    "pupil_named",
    metadata,
    Column("class", Text, primary_key=True),
    Column("review", Text, primary_key=True),
    Column("word", Text, primary_key=True),
    Column("person", Text, nullable=False),
    Column("at", Double, nullable=False),
)


class ConsentWord(Struct, frozen=True):
    """The last that was said of a class on the page; `number` counts all words of the county."""

    number: int
    agreed: bool
    person: str
    at: float


class ClassSeat(Struct, frozen=True, kw_only=True, rename="camel"):
    """Where classes sat in a lesson, as its plan has it."""

    unit: str
    unit_name: str
    class_name: str = ""
    classes: tuple[str, ...] = ()


class _Planned(Struct, frozen=True):
    parts: tuple[ClassSeat, ...]


class _Part(Struct, frozen=True):
    unit: str
    attended: bool


class _Held(Struct, frozen=True):
    title: str
    held_at: float
    parts: tuple[_Part, ...]


class HeldLesson(Struct, frozen=True, kw_only=True):
    """A lesson that has a review, with the rooms that were there."""

    review: str
    session: str
    community: str
    rehearsal: bool
    title: str
    held_at: float
    ended_at: float | None
    seats: tuple[ClassSeat, ...]


class SqlConsentStore:
    """On SQLite or PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def words(self) -> dict[str, ConsentWord]:
        """The last word of every class that ever had one."""
        query = _last_words().order_by(consent_words.c.number)
        rows = await self._database.read(lambda c: c.execute(query).all())
        return {row[1]: ConsentWord(row[0], bool(row[2]), row[3], row[4]) for row in rows}

    async def say(self, school_class: str, *, agreed: bool, person: str, at: float, expected: int) -> None:
        """Keep the next word of a class; StaleVersion unless its last one is number `expected` (0: none yet)."""

        def body(connection: Connection) -> None:
            numbers = select(func.max(consent_words.c.number))
            known = connection.execute(numbers.where(consent_words.c["class"] == school_class)).scalar() or 0
            if known != expected:
                raise StaleVersion(expected, known)
            row = {"class": school_class, "agreed": int(agreed), "person": person, "at": at}
            number = (connection.execute(numbers).scalar() or 0) + 1
            connection.execute(insert(consent_words).values(number=number, **row))
            if agreed:
                # the word of one that has left the register: no version of it will ever say otherwise
                connection.execute(delete(refused).where(refused.c["class"] == school_class))

        await self._database.write(body)

    async def namings(self, review: str) -> list[Naming]:
        """What schools said names pupils of theirs in a review."""
        query = select(pupils_named.c["class"], pupils_named.c.word).where(pupils_named.c.review == review)
        return [Naming(*row) for row in await self._database.read(lambda c: c.execute(query).all())]

    async def name(self, school_class: str, words: Collection[tuple[str, str]], *, person: str, at: float) -> None:
        """These words (the review, and the word in it) name pupils of the class; said again it is the same."""

        def body(connection: Connection) -> None:
            columns = pupils_named.c
            known = select(columns.review, columns.word).where(columns["class"] == school_class)
            fresh = set(words) - {(row[0], row[1]) for row in connection.execute(known)}
            said = {"class": school_class, "person": person, "at": at}
            if fresh:
                connection.execute(
                    insert(pupils_named), [{**said, "review": review, "word": word} for review, word in sorted(fresh)]
                )

        await self._database.write(body)

    async def held(self, units: Collection[str] | None = None) -> list[HeldLesson]:
        """The lessons with a review in which one of the units (any, without units) had a part, the newest first."""
        query = _held()
        if units is not None:
            query = query.where(
                reviews.c.id.in_(select(review_parts.c.review).where(review_parts.c.unit.in_(sorted(units))))
            )
        return await self._database.read(lambda c: _lessons(c.execute(query).all()))

    async def held_with(self, school_class: str) -> list[HeldLesson]:
        """Those in which the class was there, wherever it belongs by now, the newest first."""
        quoted = msgspec.json.encode(school_class).decode()
        query = _held().where(live_sessions.c.plan.contains(quoted, autoescape=True))
        found = await self._database.read(lambda c: _lessons(c.execute(query).all()))
        return [one for one in found if any(school_class in seat.classes for seat in one.seats)]


def newest_word(connection: Connection) -> int:
    return connection.execute(select(func.max(consent_words.c.number))).scalar() or 0


def withdrawn_classes(connection: Connection) -> set[str]:
    """Those whose last word on the page is no."""
    return {row[1] for row in connection.execute(_last_words()) if not row[2]}


def _last_words() -> Select[int, str, int, str, float]:
    last = select(func.max(consent_words.c.number)).group_by(consent_words.c["class"])
    return select(consent_words).where(consent_words.c.number.in_(last))


def _held() -> Select[str, str, str, str, str, str, float | None]:
    columns = (
        reviews.c.id,
        reviews.c.session,
        reviews.c.body,
        live_sessions.c.community,
        live_sessions.c.kind,
        live_sessions.c.plan,
        live_sessions.c.ended_at,
    )
    joined = reviews.join(live_sessions, live_sessions.c.id == reviews.c.session)
    return select(*columns).select_from(joined).order_by(reviews.c.held_at.desc(), reviews.c.id)


def _lessons(rows: Iterable[Row[str, str, str, str, str, str, float | None]]) -> list[HeldLesson]:
    found = []
    for id, session, body, community, kind, plan, ended_at in rows:
        held = msgspec.json.decode(body, type=_Held)
        there = {part.unit for part in held.parts if part.attended}
        seats = msgspec.json.decode(plan, type=_Planned).parts
        found.append(
            HeldLesson(
                review=id,
                session=session,
                community=community,
                rehearsal=kind == "rehearsal",
                title=held.title,
                held_at=held.held_at,
                ended_at=ended_at,
                seats=tuple(seat for seat in seats if seat.unit in there),
            )
        )
    return found
