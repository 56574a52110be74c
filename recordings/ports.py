"""This module owns what reviews need of the world outside: where they are kept."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Protocol

from msgspec import Struct

from recordings.review import Dossier, Release, Review, Scope


class Summary(Struct, frozen=True):
    """A review as a list shows it: `written` are the units that attended and have concluded."""

    review: Review
    comments: int
    written: tuple[str, ...]
    scope: Scope = "teachers"
    """With whom the recording is shared."""

    @property
    def missing(self) -> tuple[str, ...]:
        """The units that attended and have not concluded."""
        return tuple(unit for unit in self.review.required if unit not in self.written)


class Viewing(Struct, frozen=True):
    """Somebody opened the review's recordings at this Unix time."""

    person: str
    at: float


class ReviewStore(Protocol):
    """Keeps reviews. Every call is one transaction."""

    async def add(self, review: Review) -> Review:
        """Keep a new review; the one that its session already has is returned instead."""
        ...

    async def get(self, review_id: str) -> Dossier | None: ...

    async def of_session(self, session: str) -> Review | None: ...

    async def release_of(self, review_id: str) -> Release:
        """With whom the recording is shared now; PRIVATE, also where there is no such review."""
        ...

    async def summaries(self, units: Collection[str] | None = None) -> list[Summary]:
        """The reviews in which any of these units (or any at all) had a part, the newest lesson first."""
        ...

    async def change(self, review_id: str, decide: Callable[[Dossier], Dossier]) -> Dossier:
        """Replace a dossier by what `decide` makes of it, with nobody writing in between; what it raises goes through
        and changes nothing. `decide` may be called more than once. Raises ReviewNotFound."""
        ...

    async def add_viewing(self, review_id: str, viewing: Viewing) -> None:
        """Raises ReviewNotFound."""
        ...

    async def viewings(self, review_id: str) -> list[Viewing]:
        """Everybody who watched, the latest first."""
        ...
