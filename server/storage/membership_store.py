"""Schools that are to leave a community on a date to come, as documents."""

from typing import Literal

import msgspec
from msgspec import Struct, structs
from sqlalchemy import Column, Double, Table, Text, insert, select, update

from server.storage.database import Database, metadata
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
    """A school that joins or leaves; `at` is unix seconds. A leaving one is `done` when its last lesson is over."""

    id: str
    community: str
    change: Membership
    by: str
    at: float
    state: State = "planned"


class SqlMembershipStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, change: MembershipChange) -> None:
        row = {"id": change.id, "community": change.community, "at": change.at, **_values(change)}
        await self._database.write(lambda connection: connection.execute(insert(changes).values(row)))

    async def set_state(self, change: MembershipChange, state: State) -> MembershipChange:
        changed = structs.replace(change, state=state)
        step = update(changes).where(changes.c.id == change.id).values(_values(changed))
        await self._database.write(lambda connection: connection.execute(step))
        return changed

    async def of(self, community: str) -> list[MembershipChange]:
        """The newest first."""
        return await self._find(changes.c.community == community)

    async def planned(self) -> list[MembershipChange]:
        return await self._find(changes.c.state == "planned")

    async def _find(self, wanted: object) -> list[MembershipChange]:
        query = select(changes.c.body).where(wanted).order_by(changes.c.at.desc(), changes.c.id)  # type: ignore[arg-type]
        bodies = await self._database.read(lambda connection: list(connection.execute(query).scalars()))
        return [msgspec.json.decode(body, type=MembershipChange) for body in bodies]


def _values(change: MembershipChange) -> dict[str, str]:
    return {"state": change.state, "body": msgspec.json.encode(change).decode()}
