"""Reviews and everything written into them. Who wrote and when are columns; what was written is JSON.

`recordings.ports.ReviewStore` says what each method promises.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import msgspec
from sqlalchemy import Column, Connection, Double, Integer, Table, Text, delete, func, insert, select, update

from recordings.errors import ReviewNotFound
from recordings.ports import Summary, Viewing
from recordings.review import PRIVATE, Comment, Conclusion, Dossier, Release, Review, Score
from server.storage.database import Database, metadata

reviews = Table(
    "review",
    metadata,
    Column("id", Text, primary_key=True),
    Column("session", Text, nullable=False, unique=True),
    Column("held_at", Double, nullable=False),
    Column("state", Text, nullable=False),
    Column("due_at", Double, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("body", Text, nullable=False),
)
parts = Table(
    "review_part",
    metadata,
    Column("review", Text, primary_key=True),
    Column("unit", Text, primary_key=True),
)
comments = Table(
    "review_comment",
    metadata,
    Column("id", Text, primary_key=True),
    Column("review", Text, nullable=False),
    Column("place", Integer, nullable=False),
    Column("body", Text, nullable=False),
)
scores = Table(
    "review_score",
    metadata,
    Column("review", Text, primary_key=True),
    Column("person", Text, primary_key=True),
    Column("given_at", Double, nullable=False),
    Column("body", Text, nullable=False),
)
conclusions = Table(
    "review_conclusion",
    metadata,
    Column("review", Text, primary_key=True),
    Column("person", Text, primary_key=True),
    Column("unit", Text, nullable=False),
    Column("written_at", Double, nullable=False),
    Column("body", Text, nullable=False),
)
releases = Table(
    "review_release",
    metadata,
    Column("review", Text, primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("scope", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("at", Double, nullable=False),
)
invitations = Table(
    "review_invited",
    metadata,
    Column("review", Text, primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("person", Text, primary_key=True),
)
viewings = Table(
    "review_viewing",
    metadata,
    Column("review", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("at", Double, nullable=False),
)


class SqlReviewStore:
    """On SQLite or PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, review: Review) -> Review:
        def body(connection: Connection) -> Review:
            known = _by_session(connection, review.session)
            if known is not None:
                return known
            connection.execute(insert(reviews).values(session=review.session, id=review.id, **_columns(review)))
            for unit in sorted({part.unit for part in review.parts}):
                connection.execute(insert(parts).values(review=review.id, unit=unit))
            return review

        return await self._database.write(body)

    async def get(self, review_id: str) -> Dossier | None:
        return await self._database.read(lambda connection: _dossier(connection, review_id))

    async def of_session(self, session: str) -> Review | None:
        return await self._database.read(lambda connection: _by_session(connection, session))

    async def release_of(self, review_id: str) -> Release:
        found = await self._database.read(lambda connection: _releases(connection, review_id))
        return found[-1] if found else PRIVATE

    async def summaries(self, units: Collection[str] | None = None) -> list[Summary]:
        return await self._database.read(lambda connection: _summaries(connection, units))

    async def change(self, review_id: str, decide: Callable[[Dossier], Dossier]) -> Dossier:
        def body(connection: Connection) -> Dossier:
            before = _dossier(connection, review_id)
            if before is None:
                raise ReviewNotFound(review_id)
            after = decide(before)
            _write_changes(connection, before, after)
            return after

        return await self._database.write(body)

    async def add_viewing(self, review_id: str, viewing: Viewing) -> None:
        def body(connection: Connection) -> None:
            if connection.execute(select(reviews.c.id).where(reviews.c.id == review_id)).one_or_none() is None:
                raise ReviewNotFound(review_id)
            connection.execute(insert(viewings).values(review=review_id, person=viewing.person, at=viewing.at))

        await self._database.write(body)

    async def viewings(self, review_id: str) -> list[Viewing]:
        query = (
            select(viewings.c.person, viewings.c.at)
            .where(viewings.c.review == review_id)
            .order_by(viewings.c.at.desc(), viewings.c.person)
        )
        return [Viewing(person, at) for person, at in await self._database.read(lambda c: list(c.execute(query)))]


def _columns(review: Review) -> dict[str, object]:
    return {
        "held_at": review.held_at,
        "state": review.state.value,
        "due_at": review.due_at,
        "revision": review.revision,
        "body": _json(review),
    }


def _by_session(connection: Connection, session: str) -> Review | None:
    row = connection.execute(select(reviews.c.body).where(reviews.c.session == session)).one_or_none()
    return None if row is None else msgspec.json.decode(row.body, type=Review)


def _dossier(connection: Connection, review_id: str) -> Dossier | None:
    row = connection.execute(select(reviews.c.body).where(reviews.c.id == review_id)).one_or_none()
    if row is None:
        return None
    written = select(comments.c.body).where(comments.c.review == review_id).order_by(comments.c.place)
    given = select(scores.c.body).where(scores.c.review == review_id).order_by(scores.c.given_at, scores.c.person)
    concluded = (
        select(conclusions.c.body)
        .where(conclusions.c.review == review_id)
        .order_by(conclusions.c.written_at, conclusions.c.person)
    )
    return Dossier(
        msgspec.json.decode(row.body, type=Review),
        tuple(msgspec.json.decode(body, type=Comment) for body in connection.scalars(written)),
        tuple(msgspec.json.decode(body, type=Score) for body in connection.scalars(given)),
        tuple(msgspec.json.decode(body, type=Conclusion) for body in connection.scalars(concluded)),
        _releases(connection, review_id),
    )


def _releases(connection: Connection, review_id: str) -> tuple[Release, ...]:
    """In the order of their making."""
    invited: dict[int, list[str]] = {}
    for place, person in connection.execute(
        select(invitations.c.place, invitations.c.person)
        .where(invitations.c.review == review_id)
        .order_by(invitations.c.person)
    ):
        invited.setdefault(place, []).append(person)
    made = select(releases).where(releases.c.review == review_id).order_by(releases.c.place)
    return tuple(
        Release(scope=row.scope, invited=tuple(invited.get(row.place, ())), by=row.person, at=row.at)
        for row in connection.execute(made)
    )


def _summaries(connection: Connection, units: Collection[str] | None) -> list[Summary]:
    query = select(reviews.c.id, reviews.c.body).order_by(reviews.c.held_at.desc(), reviews.c.id)
    if units is not None:
        query = query.where(reviews.c.id.in_(select(parts.c.review).where(parts.c.unit.in_(sorted(units)))))
    chosen = query.with_only_columns(reviews.c.id).order_by(None)
    counts = dict(
        tuple(row)
        for row in connection.execute(
            select(comments.c.review, func.count()).where(comments.c.review.in_(chosen)).group_by(comments.c.review)
        )
    )
    written: dict[str, set[str]] = {}
    for review, unit in connection.execute(
        select(conclusions.c.review, conclusions.c.unit).where(conclusions.c.review.in_(chosen))
    ):
        written.setdefault(review, set()).add(unit)
    scopes = dict(
        tuple(row)
        for row in connection.execute(
            select(releases.c.review, releases.c.scope).where(releases.c.review.in_(chosen)).order_by(releases.c.place)
        )
    )
    found = []
    for id, body in connection.execute(query):
        review = msgspec.json.decode(body, type=Review)
        done = written.get(id, set())
        written_by = tuple(unit for unit in review.required if unit in done)
        found.append(Summary(review, counts.get(id, 0), written_by, scopes.get(id, "teachers")))
    return found


def _write_changes(connection: Connection, before: Dossier, after: Dossier) -> None:
    id = after.review.id
    if after.review != before.review:
        connection.execute(update(reviews).where(reviews.c.id == id).values(**_columns(after.review)))
    for place in range(len(before.comments), len(after.comments)):
        new = after.comments[place]
        connection.execute(insert(comments).values(id=new.id, review=id, place=place, body=_json(new)))
    for given in after.scores:
        if given not in before.scores:
            keys = {"review": id, "person": given.author.person}
            _put(connection, scores, keys, {"given_at": given.given_at, "body": _json(given)})
    for concluded in after.conclusions:
        if concluded not in before.conclusions:
            keys = {"review": id, "person": concluded.author.person}
            values = {"unit": concluded.author.unit, "written_at": concluded.written_at, "body": _json(concluded)}
            _put(connection, conclusions, keys, values)
    for place in range(len(before.releases), len(after.releases)):
        made = after.releases[place]
        connection.execute(
            insert(releases).values(review=id, place=place, scope=made.scope, person=made.by, at=made.at)
        )
        for person in made.invited:
            connection.execute(insert(invitations).values(review=id, place=place, person=person))


def _put(connection: Connection, table: Table, keys: dict[str, str], values: dict[str, object]) -> None:
    connection.execute(delete(table).where(*(table.c[name] == value for name, value in keys.items())))
    connection.execute(insert(table).values(**keys, **values))


def _json(value: msgspec.Struct) -> str:
    return msgspec.json.encode(value).decode()
