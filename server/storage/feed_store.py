"""The secret addresses of calendar feeds. Only the hash of a secret is kept; a revoked one is remembered as gone."""

from collections.abc import Sequence

from msgspec import Struct, structs
from sqlalchemy import Column, Double, Table, Text, insert, select, update

from server.storage.database import Database, metadata
from timetable.export.feeds import FeedKind

feeds = Table(
    "feed",
    metadata,
    Column("id", Text, primary_key=True),
    Column("secret_hash", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("device", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("last_read", Double),
    Column("revoked_at", Double),
)


class Feed(Struct, frozen=True, kw_only=True):
    """An address of one person on one device; times are unix seconds."""

    id: str
    secret_hash: str
    kind: FeedKind
    target: str
    owner: str
    device: str
    created_at: float
    last_read: float | None = None
    revoked_at: float | None = None


class SqlFeedStore:
    """On SQLite or PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, added: Sequence[Feed]) -> None:
        await self._database.write(lambda c: c.execute(insert(feeds), [structs.asdict(feed) for feed in added]))

    async def by_secret(self, secret_hash: str) -> Feed | None:
        query = select(feeds).where(feeds.c.secret_hash == secret_hash)
        row = await self._database.read(lambda c: c.execute(query).one_or_none())
        return None if row is None else Feed(**row._asdict())

    async def of(self, owner: str) -> list[Feed]:
        """Those that still work, the oldest first."""
        query = (
            select(feeds)
            .where(feeds.c.owner == owner, feeds.c.revoked_at.is_(None))
            .order_by(feeds.c.created_at, feeds.c.id)
        )
        return [Feed(**row._asdict()) for row in await self._database.read(lambda c: list(c.execute(query)))]

    async def revoke(self, id: str, owner: str, now: float) -> bool:
        """Whether `owner` had such an address that still worked."""
        change = (
            update(feeds)
            .where(feeds.c.id == id, feeds.c.owner == owner, feeds.c.revoked_at.is_(None))
            .values(revoked_at=now)
        )
        return await self._database.write(lambda c: c.execute(change).rowcount == 1)

    async def read_at(self, id: str, now: float) -> None:
        await self._database.write(lambda c: c.execute(update(feeds).where(feeds.c.id == id).values(last_read=now)))
