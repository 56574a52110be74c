"""Repairs that wait to be accepted outlive a restart, on SQLite and on PostgreSQL."""

from __future__ import annotations

from server.storage.database import Database
from server.storage.proposal_store import KEPT, Proposal, SqlProposalStore
from timetable.model import Slot, Table
from timetable.repairing.repair import Move, Repair


def proposal(number: int, community: str = "A") -> Proposal:
    move = Move(lesson="a.1", source=Slot(weekday=1, period=1), target=Slot(weekday=2, period=3))
    repair = Repair(
        table=Table(community=community, term="2026a", lessons=()),
        moves=(move,),
        cost_before=1,
        cost_after=2,
        units=("A0",),
        rung="alone",
        seconds=0.1,
        verified=True,
    )
    return Proposal(f"{community}{number}", community, number, "a.1", repair)


async def test_proposals_outlive_the_process_until_one_is_accepted(database: Database) -> None:
    await SqlProposalStore(database).add(proposal(1), 1.0)
    await SqlProposalStore(database).add(proposal(1, "B"), 1.0)
    again = SqlProposalStore(database)
    assert await again.get("A", "A1") == proposal(1)
    assert (await again.get("B", "A1"), await again.get("A", "none")) == (None, None)
    await again.forget("A1")
    assert (await again.get("A", "A1"), await again.get("B", "B1")) == (None, proposal(1, "B"))


async def test_the_oldest_go(database: Database) -> None:
    store = SqlProposalStore(database)
    for number in range(KEPT + 2):
        await store.add(proposal(number), float(number))
    assert [await store.get("A", f"A{n}") is None for n in (0, 1, 2, KEPT + 1)] == [True, True, False, False]
