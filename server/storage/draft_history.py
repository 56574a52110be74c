"""The draft of every community, those that another table took its place of, and those that were taken back: undoing
and redoing go through both, the last KEPT of each."""

from typing import NamedTuple

import msgspec
from msgspec import Struct
from sqlalchemy import Column, Connection, Integer, Table, Text, delete, insert, select, update

from server.storage.database import Database, metadata
from timetable.agreement.service import Draft
from timetable.errors import StaleVersion

KEPT = 20

drafts = Table(
    "table_draft",
    metadata,
    Column("community", Text, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("body", Text, nullable=False),
)
replaced = Table(
    "table_draft_history",
    metadata,
    Column("community", Text, primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("body", Text, nullable=False),
)
undone = Table(
    "table_draft_undone",
    metadata,
    Column("community", Text, primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("body", Text, nullable=False),
)


class _Row(NamedTuple):
    revision: int
    body: str


class _Talks(Struct, frozen=True):
    draft: int


class _OfTerm(Struct, frozen=True):
    term: str


class _Numbered(Struct, frozen=True):
    """A draft as far as its number and its term go; its lessons are not decoded."""

    negotiation: _Talks
    table: _OfTerm


class Steps(Struct, frozen=True):
    """Whether the draft's last change can be taken back, and whether what was taken back can be done again."""

    back: bool
    forward: bool


def keep_draft(connection: Connection, draft: Draft, expected: int) -> None:
    """Keep the draft, as part of a transaction; StaleVersion unless the revision kept now is `expected`. With another
    table than before, the one before can be gone back to, and what was undone is over."""
    kept = _replace(connection, draft, expected)
    if kept is None:
        return
    before = msgspec.json.decode(kept.body, type=_Numbered)
    if before.negotiation.draft == draft.negotiation.draft and before.table.term == draft.table.term:
        return
    connection.execute(delete(undone).where(undone.c.community == draft.community))
    if before.table.term == draft.table.term:
        _push(connection, replaced, draft.community, kept)
    else:
        connection.execute(delete(replaced).where(replaced.c.community == draft.community))


def _replace(connection: Connection, draft: Draft, expected: int) -> _Row | None:
    """Write the draft; the one that stood there before, as revision and body."""
    columns = select(drafts.c.revision, drafts.c.body).where(drafts.c.community == draft.community)
    found = connection.execute(columns).first()
    kept = None if found is None else _Row(*found)
    if (kept.revision if kept else 0) != expected:
        raise StaleVersion(expected, kept.revision if kept else 0)
    values = {"revision": draft.revision, "body": msgspec.json.encode(draft).decode()}
    if kept is None:
        connection.execute(insert(drafts).values(community=draft.community, **values))
    else:
        connection.execute(update(drafts).where(drafts.c.community == draft.community).values(**values))
    return kept


def _push(connection: Connection, stack: Table, community: str, kept: _Row) -> None:
    """Lay a draft onto the others of its community; the oldest beyond KEPT go."""
    here = stack.c.community == community
    connection.execute(delete(stack).where(here, stack.c.revision >= kept.revision))
    connection.execute(insert(stack).values(community=community, revision=kept.revision, body=kept.body))
    surplus = select(stack.c.revision).where(here).order_by(stack.c.revision.desc()).offset(KEPT).limit(1)
    oldest = connection.execute(surplus).scalar()
    if oldest is not None:
        connection.execute(delete(stack).where(here, stack.c.revision <= oldest))


class SqlDraftHistory:
    """What was on the table before, and what was taken from it, the newest first."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def newest(self, community: str) -> Draft | None:
        """The draft that undoing goes back to."""
        return await self._top(replaced, community)

    async def newest_undone(self, community: str) -> Draft | None:
        """The draft that redoing brings back."""
        return await self._top(undone, community)

    async def steps(self, community: str) -> Steps:
        def any_in(connection: Connection, stack: Table) -> bool:
            one = select(stack.c.revision).where(stack.c.community == community).limit(1)
            return connection.execute(one).first() is not None

        return await self._database.read(lambda c: Steps(back=any_in(c, replaced), forward=any_in(c, undone)))

    async def go_back(self, draft: Draft, revision: int) -> None:
        """Keep the draft, made of the replaced one of that revision; the one that it takes the place of can be brought
        back. StaleVersion when another one stands there by now."""
        await self._step(draft, revision, source=replaced, target=undone)

    async def go_forward(self, draft: Draft, revision: int) -> None:
        """Keep the draft, made of the undone one of that revision; the one that it takes the place of can be gone back
        to. StaleVersion when another one stands there by now."""
        await self._step(draft, revision, source=undone, target=replaced)

    async def _step(self, draft: Draft, revision: int, *, source: Table, target: Table) -> None:
        def body(connection: Connection) -> None:
            kept = _replace(connection, draft, draft.revision - 1)
            assert kept is not None
            _push(connection, target, draft.community, kept)
            gone = delete(source).where(source.c.community == draft.community, source.c.revision >= revision)
            connection.execute(gone)

        await self._database.write(body)

    async def _top(self, stack: Table, community: str) -> Draft | None:
        query = select(stack.c.body).where(stack.c.community == community)
        newest = query.order_by(stack.c.revision.desc()).limit(1)
        body = await self._database.read(lambda c: c.execute(newest).scalar())
        return None if body is None else msgspec.json.decode(body, type=Draft)
