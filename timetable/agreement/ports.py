"""This module owns what changes after publication need from outside and what they expect of it."""

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from msgspec import Struct

from timetable.agreement.amendments import Amendment
from timetable.days.closings import Closing
from timetable.days.effects import Applied
from timetable.days.versions import Version
from timetable.model import Community, Register

T = TypeVar("T")


class Mark(Struct, frozen=True):
    """Changes whenever the tables in force do: how many versions were published, how many amendments applied or
    undone, how often schools were closed or opened again."""

    versions: int
    amendments: int
    closings: int = 0


class AmendmentStore(Protocol):
    """Where amendments are kept."""

    async def mark(self) -> Mark: ...

    async def add(self, amendment: Amendment) -> Amendment:
        """Keep a new amendment under the next number of its community; that is what is returned."""
        ...

    async def save(self, amendment: Amendment, *, expected: int) -> None:
        """Keep a changed amendment; StaleVersion unless the revision kept now is `expected`."""
        ...

    async def carry_out(
        self, amendment: Amendment, *, expected: int, mark: Mark, undone: Amendment | None, version: Version | None
    ) -> None:
        """Keep an applied amendment, the one that it takes back and the version that it makes, all or nothing.
        StaleVersion unless revision and mark are those given."""
        ...

    async def get(self, community: str, number: int) -> Amendment | None: ...

    async def of(self, community: str) -> list[Amendment]:
        """The newest first."""
        ...

    async def waiting(self) -> list[Amendment]:
        """Those that are asked for, or agreed and not carried out yet."""
        ...

    async def applied(self) -> list[Applied]:
        """All that were ever applied, in that order."""
        ...

    async def closings(self) -> list[Closing]:
        """All sudden closings of schools."""
        ...


class ClosingStore(Protocol):
    """Where closings are kept."""

    async def all(self) -> list[Closing]:
        """The newest first."""
        ...

    async def add(self, closing: Closing) -> None: ...

    async def save(self, closing: Closing, *, expected: int) -> None:
        """Keep a changed closing; StaleVersion unless the revision kept now is `expected`."""
        ...


class Tables(Protocol):
    """What it needs of the communities' tables: `timetable.agreement.service.TimetableService`."""

    async def register(self) -> Register: ...
    async def community(self, community: str) -> Community: ...
    async def history(self, community: str) -> list[Version]: ...


class Aside(Protocol):
    """Runs work of a second or so where it holds up nobody else."""

    def __call__(self, body: Callable[[], T], /) -> Awaitable[T]: ...
