"""This module owns building the tables of several communities that share teachers and rooms.

Communities are solved one after the other, each around what the others already hold: first a table for every one,
then the time that is left improves them in turn, the last one at once, while its model is there. When a community finds
no room among the others it goes first.
"""

import time
from collections.abc import Callable, Iterable, Sequence

from msgspec import structs

from timetable.commitments import commitments_of
from timetable.model import Register, Table
from timetable.solving import solver
from timetable.solving.progress import Build, Outcome, Progress

WORTH_IMPROVING = 1.0
"""Seconds; with less left per community its first table is not touched again."""


def build_all(
    register: Register,
    *,
    seconds: float,
    seed: int = 1,
    workers: int = 2,
    only: Sequence[str] = (),
    around: Iterable[Table] = (),
    on_progress: Callable[[Progress], None] = solver.ignore,
    on_tables: Callable[[Sequence[Table]], None] = solver.ignore,
    should_stop: Callable[[], bool] = solver.never,
    clock: Callable[[], float] = time.monotonic,
) -> Build:
    """Build the tables of the communities in `only` (all when empty) within about `seconds` in all.

    `around` are standing tables of other communities, which stay as they are. `on_tables` gets the tables of all once
    each has one, and now and then better ones. Raises NotFound for an unknown id.
    """
    wanted = list(only) or [community.id for community in register.communities]
    fixed = [table for table in around if table.community not in wanted]
    county = _County(register, wanted, fixed, seconds, seed, workers, on_progress, on_tables, should_stop, clock)
    improved = county.find_first()
    county.improve_others(improved)
    return county.build()


class _County:
    def __init__(
        self,
        register: Register,
        wanted: Sequence[str],
        fixed: Sequence[Table],
        seconds: float,
        seed: int,
        workers: int,
        on_progress: Callable[[Progress], None],
        on_tables: Callable[[Sequence[Table]], None],
        should_stop: Callable[[], bool],
        clock: Callable[[], float],
    ) -> None:
        self._register = register
        self._wanted = wanted
        self._fixed = fixed
        self._seconds = seconds
        self._seed = seed
        self._workers = workers
        self._tell = on_progress
        self._keep = on_tables
        self._should_stop = should_stop
        self._clock = clock
        self._began = clock()
        self._seconds_to_first: float | None = None
        self.outcomes: dict[str, Outcome] = {}

    def elapsed(self) -> float:
        return round(self._clock() - self._began, 3)

    def _left(self) -> float:
        return self._seconds - self.elapsed()

    def _solve(self, community: str, seconds: float, *, improve_until: float, explain: bool = True) -> Outcome:
        standing = self.outcomes.get(community)
        others = [o.table for id, o in self.outcomes.items() if id != community and o.table is not None]
        return solver.solve(
            self._register,
            community,
            seconds=seconds,
            seed=self._seed,
            workers=self._workers,
            busy=commitments_of(self._register, [*self._fixed, *others]),
            start=None if standing is None else standing.table,
            improve_until=improve_until,
            explain=explain,
            on_progress=self._tell,
            on_table=self._kept,
            should_stop=self._should_stop,
            clock=self._clock,
        )

    def _kept(self, table: Table) -> None:
        """Hand out the tables that exist, with this one in place of its community's, once they are complete."""
        tables = {id: outcome.table for id, outcome in self.outcomes.items()} | {table.community: table}
        found = [tables.get(id) for id in self._wanted]
        complete = [one for one in found if one is not None]
        if len(complete) == len(found):
            if self._seconds_to_first is None:
                self._seconds_to_first = self.elapsed()
            self._keep(complete)

    def find_first(self) -> Sequence[str]:
        """A table for every community; one that fits in nowhere is moved to the front, each at most once. Returns which
        was improved, too: the last."""
        order = list(self._wanted)
        moved: set[str] = set()
        at = 0
        while at < len(order):
            community = order[at]
            movable = community not in moved and any(o.table is not None for o in self.outcomes.values())
            share = self._left() / len(order) if at == len(order) - 1 else 0.0
            outcome = self._solve(community, self._left(), improve_until=share, explain=not movable)
            if outcome.table is None and movable and not self._should_stop():
                moved.add(community)
                order.insert(0, order.pop(at))
                self.outcomes.clear()
                at = 0
                continue
            self.outcomes[community] = outcome
            at += 1
        return order[-1:]

    def improve_others(self, improved: Sequence[str]) -> None:
        """Share what is left of the time among the other communities, each improved around the present others."""
        others = [community for community in self._wanted if community not in improved]
        for number, community in enumerate(others):
            first = self.outcomes[community]
            share = self._left() / (len(others) - number)
            if first.table is None or share < WORTH_IMPROVING or self._should_stop():
                continue
            better = self._solve(community, share, improve_until=share)
            if better.table is None or better.table.cost > first.table.cost:
                better = first
            self.outcomes[community] = structs.replace(
                better,
                seconds_to_first=first.seconds_to_first,
                seconds=round(first.seconds + better.seconds, 3),
                findings=first.findings,
            )

    def build(self) -> Build:
        return Build(
            outcomes=tuple(self.outcomes[id] for id in self._wanted),
            seconds_to_first=self._seconds_to_first,
            seconds=self.elapsed(),
        )
