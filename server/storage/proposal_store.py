"""Repairs that were worked out and wait to be accepted, so that a restart loses none of them."""

import msgspec
from msgspec import Struct
from sqlalchemy import Column, Connection, Double, Table, Text, delete, insert, select

from server.storage.database import Database, metadata
from timetable.repairing.repair import Repair

KEPT = 50
"""Proposals kept of every community."""

proposals = Table(
    "repair_proposal",
    metadata,
    Column("id", Text, primary_key=True),
    Column("community", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("body", Text, nullable=False),
)


class Proposal(Struct, frozen=True):
    """A repair that was worked out for a revision of the draft."""

    id: str
    community: str
    revision: int
    lesson: str
    repair: Repair


class SqlProposalStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, proposal: Proposal, at: float) -> None:
        """Keep one; the oldest of the community beyond KEPT go. `at` is unix seconds."""
        row = {
            "id": proposal.id,
            "community": proposal.community,
            "at": at,
            "body": msgspec.json.encode(proposal).decode(),
        }

        def body(connection: Connection) -> None:
            connection.execute(insert(proposals).values(row))
            here = proposals.c.community == proposal.community
            ids = select(proposals.c.id).where(here).order_by(proposals.c.at.desc(), proposals.c.id).offset(KEPT)
            old = list(connection.execute(ids.limit(KEPT)).scalars())
            connection.execute(delete(proposals).where(proposals.c.id.in_(old)))

        await self._database.write(body)

    async def get(self, community: str, id: str) -> Proposal | None:
        query = select(proposals.c.body).where(proposals.c.id == id, proposals.c.community == community)
        body = await self._database.read(lambda c: c.execute(query).scalar_one_or_none())
        return None if body is None else msgspec.json.decode(body, type=Proposal)

    async def forget(self, id: str) -> None:
        """It was accepted. The others stay, so that whoever accepts one hears that the draft is another one now."""
        await self._database.write(lambda c: c.execute(delete(proposals).where(proposals.c.id == id)))
