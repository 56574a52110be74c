"""This module owns what the timetable needs from outside and what it expects of it."""

from typing import Protocol

from timetable.model import Register


class RegisterStore(Protocol):
    """Where the county's register is kept, as numbered versions that never change."""

    async def load(self) -> Register | None:
        """The newest version, or None before the first import."""
        ...

    async def version(self) -> int:
        """The number of the newest version; 0 before the first import."""
        ...

    async def save(self, register: Register, author: str, at: float, expected_version: int) -> int:
        """Keep `register` as the next version and return its number; `at` is in unix seconds. Raises StaleVersion
        unless the newest version is `expected_version`. In the same transaction the version becomes unfollowed."""
        ...

    async def at(self, number: int) -> Register:
        """The register as it was in that version."""
        ...

    async def author(self, number: int) -> str:
        """Who made that version."""
        ...

    async def unfollowed(self, until: float) -> list[int]:
        """The versions, the oldest first, kept until then (unix seconds), that what stands on the register does not
        follow yet."""
        ...

    async def followed(self, number: int) -> None:
        """That version is followed by everything that stands on it."""
        ...
