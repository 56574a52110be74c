"""Searches for what a school that joins or leaves comes to, as people see them: started, watched, cancelled."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import Literal

import msgspec
import structlog
from msgspec import Struct

from server.membership_course import SEARCH_SECONDS, Fitted
from server.membership_register import MembershipRefused
from server.memberships import Memberships
from server.solver_process import SolverProcess
from server.watched import State, Watched
from timetable.errors import InputRefused, NotFound, TimetableError
from timetable.model import Finding
from timetable.repairing.ladder import Rung
from timetable.repairing.refit import RefitStep
from timetable.years.membership import Membership

log = structlog.get_logger()

KEPT = 20

Wanted = Literal["look", "plan", "withdraw"]


class SearchRunning(TimetableError):
    """One community's change is searched for at a time."""

    code = "search_running"


class SearchState(Struct, frozen=True, kw_only=True):
    """What is known by now. Tables of `of` dates are looked for, that of the `step`th now; `rung` says which other
    lessons may move there, `found` that a table is there and only gets better. `error` is a code, with its reasons."""

    state: State = "running"
    phase: Literal["searching", "done"] = "searching"
    seconds: float = 0.0
    step: int = 0
    of: int = 0
    rung: Rung | None = None
    found: bool = False
    fitted: Fitted | None = None
    error: str | None = None
    findings: tuple[Finding, ...] = ()


class MembershipSearch(Watched[SearchState]):
    """One search, for a change of a community."""

    def __init__(self, community: str, wanted: Wanted, change: Membership, by: str, clock: Callable[[], float]) -> None:
        super().__init__(SearchState(), clock)
        self.id = secrets.token_hex(8)
        self.community = community
        self.wanted = wanted
        self.change = change
        self.by = by
        self.process = SolverProcess()

    @property
    def limit(self) -> float:
        """Seconds, at most."""
        return SEARCH_SECONDS * max(self._view.of, 1)

    def begun(self, step: int, of: int) -> None:
        self._show(step=step, of=of, rung=None, found=False)

    def told(self, line: bytes) -> None:
        said = msgspec.json.decode(line, type=RefitStep)
        self._show(rung=said.rung, found=said.found)

    def finished(self, fitted: Fitted) -> None:
        self._end("done", fitted=fitted)

    def failed(self, error: str, findings: tuple[Finding, ...] = ()) -> None:
        if self.process.stopped:
            self._end("cancelled")
        else:
            self._end("failed", error=error, findings=findings)


class MembershipSearches:
    """The searches of this process; the last KEPT are remembered. `clock` need not be the wall's."""

    def __init__(self, memberships: Memberships, clock: Callable[[], float]) -> None:
        self._memberships = memberships
        self._clock = clock
        self._known: dict[str, MembershipSearch] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def get(self, id: str) -> MembershipSearch:
        try:
            return self._known[id]
        except KeyError:
            raise NotFound("search", id[:32]) from None

    def running(self, community: str) -> MembershipSearch | None:
        return next((one for one in self._known.values() if one.community == community and one.running), None)

    def shown(self, community: str) -> MembershipSearch | None:
        """The search that runs; else the newest where it is a look that ended: it may be put before the schools."""
        newest = next((one for one in reversed(self._known.values()) if one.community == community), None)
        looked = newest is not None and newest.wanted == "look" and newest.view().state == "done"
        return newest if looked else self.running(community)

    def look(self, community: str, change: Membership, *, by: str) -> MembershipSearch:
        """Begin to look at a change. Raises SearchRunning."""
        search = self._remember(community, "look", change, by)
        return self._begin(search, lambda: self._memberships.look(community, change, search))

    async def plan(self, community: str, change: Membership, *, by: str, revision: int) -> MembershipSearch:
        """Begin to put a change before those concerned. Raises SearchRunning, StaleVersion."""
        await self._memberships.current(community, revision)
        search = self._remember(community, "plan", change, by)

        async def planned() -> Fitted:
            return (await self._memberships.plan(community, change, search, by=by, revision=revision))[0]

        return self._begin(search, planned)

    async def withdraw(self, community: str, id: str, *, by: str, revision: int) -> MembershipSearch:
        """Begin to take a change back. Raises SearchRunning, StaleVersion, NotFound, MembershipRefused."""
        await self._memberships.current(community, revision)
        kept = await self._memberships.withdrawable(community, id)
        search = self._remember(community, "withdraw", kept.change, by)
        return self._begin(search, lambda: self._memberships.withdraw(community, id, search, by=by, revision=revision))

    async def close(self) -> None:
        await asyncio.gather(*(one.process.stop() for one in self._known.values() if one.running))
        await asyncio.gather(*self._tasks)

    def _remember(self, community: str, wanted: Wanted, change: Membership, by: str) -> MembershipSearch:
        if self.running(community) is not None:
            raise SearchRunning(community)
        search = MembershipSearch(community, wanted, change, by, self._clock)
        self._known[search.id] = search
        while len(self._known) > KEPT:
            del self._known[next(iter(self._known))]
        return search

    def _begin(self, search: MembershipSearch, work: Callable[[], Awaitable[Fitted]]) -> MembershipSearch:
        task = asyncio.create_task(_carried_out(search, work), name=f"membership search {search.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return search


async def _carried_out(search: MembershipSearch, work: Callable[[], Awaitable[Fitted]]) -> None:
    try:
        search.finished(await work())
    except (MembershipRefused, InputRefused) as refused:
        search.failed(refused.code, refused.findings)
    except TimetableError as error:
        log.warning("membership_search_failed", community=search.community, code=error.code, detail=str(error))
        search.failed(error.code)
    except Exception as error:
        # the people who watch must hear of an end that nobody foresaw, too
        log.error("membership_search_failed", community=search.community, exc_info=error)
        search.failed("internal_error")
