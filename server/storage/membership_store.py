"""Schools that join or leave a community, as documents; kept together with the register and draft that go with them."""

from typing import Literal

import msgspec
from msgspec import Struct
from sqlalchemy import Column, Connection, Double, Table, Text, delete, insert, select

from server.storage.database import Database, metadata
from server.storage.draft_history import keep_draft
from server.storage.register_store import append
from timetable.agreement.service import Draft
from timetable.errors import StaleVersion
from timetable.register.importing import Edit
from timetable.years.membership import Membership

State = Literal["planned", "done", "withdrawn"]

changes = Table(
    "membership_change",
    metadata,
    Column("id", Text, primary_key=True),
    Column("community", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("body", Text, nullable=False),
)


class MembershipChange(Struct, frozen=True, kw_only=True, rename="camel"):
    """A school that joins or leaves; `at` is unix seconds. A leaving one is `done` when its last lesson is over, a
    joining one at once. `register_before` is the register's version before a school joined; 0: unknown."""

    id: str
    community: str
    change: Membership
    by: str
    at: float
    state: State = "planned"
    register_before: int = 0


class SqlMembershipStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(
        self,
        change: MembershipChange,
        *,
        was: State | None,
        by: str,
        at: float,
        draft: Draft | None = None,
        edit: Edit | None = None,
    ) -> None:
        """Keep the change, new or in its next state, and with it the draft and the register where they are given: all
        or nothing. StaleVersion when another draft or register stands by now, or the state is not what it `was`."""

        def body(connection: Connection) -> None:
            state = connection.execute(select(changes.c.state).where(changes.c.id == change.id)).scalar()
            if state != was:
                raise StaleVersion(0, 0)
            if edit is not None and edit.changed:
                append(connection, edit.register, by, at, edit.base)
            if draft is not None:
                keep_draft(connection, draft, draft.revision - 1)
            connection.execute(delete(changes).where(changes.c.id == change.id))
            connection.execute(
                insert(changes).values(
                    id=change.id,
                    community=change.community,
                    state=change.state,
                    at=change.at,
                    body=msgspec.json.encode(change).decode(),
                )
            )

        await self._database.write(body)

    async def get(self, community: str, id: str) -> MembershipChange | None:
        return next((change for change in await self.of(community) if change.id == id), None)

    async def of(self, community: str) -> list[MembershipChange]:
        """The newest first."""
        return await self._find(changes.c.community == community)

    async def planned(self) -> list[MembershipChange]:
        return await self._find(changes.c.state == "planned")

    async def _find(self, wanted: object) -> list[MembershipChange]:
        query = select(changes.c.body).where(wanted).order_by(changes.c.at.desc(), changes.c.id)  # type: ignore[arg-type]
        bodies = await self._database.read(lambda connection: list(connection.execute(query).scalars()))
        return [msgspec.json.decode(body, type=MembershipChange) for body in bodies]
