"""This module owns what is in force: versions, amendments and closings of all communities, read once and kept until
one of them changes."""

from msgspec import Struct

from timetable.agreement.ports import AmendmentStore, Mark, Tables
from timetable.days.dated import DatedTables
from timetable.days.effects import Applied
from timetable.days.grounds import Grounds


class Present(Struct, frozen=True):
    """Everything in force at one moment."""

    mark: Mark
    grounds: Grounds
    tables: DatedTables
    history: tuple[Applied, ...]
    """The amendments that were applied in this term, in that order, also those that were taken back."""
    ever: tuple[Applied, ...] = ()
    """Those of all terms."""


class InForce:
    """Everything in force, as long as nothing changes the same object."""

    def __init__(self, store: AmendmentStore, tables: Tables) -> None:
        self._store = store
        self._tables = tables
        self._present: Present | None = None

    async def now(self) -> Present:
        """NotFound before anything was imported."""
        register = await self._tables.register()
        mark = await self._store.mark()
        known = self._present
        if known is None or known.mark != mark or known.grounds.register is not register:
            histories = [await self._tables.history(community.id) for community in register.communities]
            ever = tuple(await self._store.applied())
            history = tuple(one for one in ever if one.belongs_to(register.term, histories))
            tables = DatedTables(register.term, histories, history, await self._store.closings())
            known = self._present = Present(mark, Grounds(register), tables, history, ever)
        return known
