"""The sessions that were ever created: what they were planned to be, and how far they came."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Double,
    Row,
    Table,
    Text,
    delete,
    insert,
    select,
    update,
)

from server.storage.database import Database, metadata
from signaling.plan import SessionPlan, SessionRecord
from signaling.wire import SessionState

live_sessions = Table(
    "live_session",
    metadata,
    Column("id", Text, primary_key=True),
    Column("lesson", Text, nullable=False),
    Column("occurrence", Text, nullable=False),
    Column("community", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("starts", Double, nullable=False),
    Column("ends", Double, nullable=False),
    Column("plan", Text, nullable=False),
    Column("journal", Text, nullable=False),
    Column("review", Text),
    Column("ended_at", Double),
)


class SqlSessionStore:
    """`signaling.ports.SessionStore` on SQLite or PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, record: SessionRecord) -> bool:
        """Keep a new session; False when one of that id exists already."""
        plan = record.plan

        def body(connection: Connection) -> bool:
            if connection.execute(select(live_sessions.c.id).where(live_sessions.c.id == record.id)).first():
                return False
            connection.execute(
                insert(live_sessions).values(
                    id=record.id,
                    lesson=plan.lesson.id,
                    occurrence=plan.occurrence,
                    community=plan.community,
                    kind=record.kind,
                    state=record.state,
                    starts=plan.lesson.starts,
                    ends=plan.lesson.ends,
                    plan=msgspec.json.encode(plan).decode(),
                    journal=record.journal,
                    review=record.review,
                    ended_at=record.ended_at,
                )
            )
            return True

        return await self._database.write(body)

    async def get(self, session: str) -> SessionRecord | None:
        found = await self._find(live_sessions.c.id == session)
        return found[0] if found else None

    async def between(self, first: float, last: float, community: str | None = None) -> list[SessionRecord]:
        """The sessions whose window begins in [first, last), earliest first."""
        wanted = [live_sessions.c.starts >= first, live_sessions.c.starts < last]
        if community is not None:
            wanted.append(live_sessions.c.community == community)
        return await self._find(*wanted)

    async def of_lesson(self, lesson: str) -> list[SessionRecord]:
        """The sessions of one lesson, newest first."""
        return list(reversed(await self._find(live_sessions.c.lesson == lesson)))

    async def unfinished(self) -> list[SessionRecord]:
        """Those that are not ended, or whose end was not completed."""
        return await self._find(live_sessions.c.ended_at.is_(None))

    async def set_state(self, session: str, state: SessionState) -> None:
        await self._database.write(
            lambda c: c.execute(update(live_sessions).where(live_sessions.c.id == session).values(state=state))
        )

    async def remove(self, session: str) -> None:
        """Forget a session that has not begun."""
        not_begun = live_sessions.c.state.in_(("scheduled", "open"))
        await self._database.write(
            lambda c: c.execute(delete(live_sessions).where(live_sessions.c.id == session, not_begun))
        )

    async def finish(self, session: str, ended_at: float, review: str | None) -> None:
        """The session is over and its recordings are closed."""
        over = update(live_sessions).where(live_sessions.c.id == session)
        await self._database.write(lambda c: c.execute(over.values(state="ended", ended_at=ended_at, review=review)))

    async def _find(self, *wanted: ColumnElement[bool]) -> list[SessionRecord]:
        query = select(live_sessions).where(*wanted).order_by(live_sessions.c.starts, live_sessions.c.id)
        rows: Sequence[Row[tuple[object, ...]]] = await self._database.read(lambda c: c.execute(query).all())
        return [_record(row) for row in rows]


def _record(row: Row[tuple[object, ...]]) -> SessionRecord:
    return SessionRecord(
        plan=msgspec.json.decode(row.plan, type=SessionPlan),
        kind=row.kind,
        state=row.state,
        journal=row.journal,
        review=row.review,
        ended_at=row.ended_at,
    )
