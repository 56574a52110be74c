"""This module owns the import of registers: files are read, checked as a whole, and taken entirely or not at all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol, TypeVar

from msgspec import Struct

from timetable.errors import InputRefused, NotFound, StaleVersion
from timetable.model import Finding, Register
from timetable.ports import RegisterStore
from timetable.register.check import check
from timetable.register.files import read_files
from timetable.register.findings import finding
from timetable.register.merge import good_part, over, without_repeats
from timetable.register.names import with_ids
from timetable.register.parts import assemble, rows_of
from timetable.register.reach import OutsideReach, Reach, reach
from timetable.register.rows import Source

T = TypeVar("T")


class Aside(Protocol):
    """Runs the reading, which takes a second or two for a county, where it holds up nobody else."""

    def __call__(self, body: Callable[[], T], /) -> Awaitable[T]: ...


class Followed(Protocol):
    """Does what a changed register asks for elsewhere, and says what that was. Begun again after it was cut short, it
    does what is left; StaleVersion where others keep changing the same things."""

    def __call__(self, before: Register, after: Register, author: str, /) -> Awaitable[Sequence[Finding]]: ...


class ImportReport(Struct, frozen=True, kw_only=True, rename="camel"):
    """What an import found, and what became of it. `counts` are the rows by sheet that the files give (or gave, of
    `good_rows_only` those that were taken); `version` is that of the register afterwards, None after a mere check."""

    findings: tuple[Finding, ...]
    counts: dict[str, int]
    version: int | None = None
    changed: bool = False

    @property
    def has_errors(self) -> bool:
        return any(problem.severity == "error" for problem in self.findings)


class Edit(Struct, frozen=True, kw_only=True):
    """A register as somebody wants it, made from version `base`; nothing is kept yet. `changed` is false for the same
    register again."""

    base: int
    register: Register
    findings: tuple[Finding, ...]
    changed: bool


class _Plan(Struct, frozen=True, kw_only=True):
    """What the files would make of the standing register; no `register` when they are refused."""

    findings: tuple[Finding, ...]
    counts: dict[str, int]
    register: Register | None


class ImportService:
    """The one door for registers, the demo's too. `clock` gives unix seconds; `follow` is awaited after each change."""

    def __init__(
        self,
        store: RegisterStore,
        clock: Callable[[], float],
        aside: Aside | None = None,
        follow: Followed | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._aside = aside or _at_once
        self._follow = follow or _nothing_follows

    async def version(self) -> int:
        """The number of the register that stands; 0 before the first import."""
        return await self._store.version()

    async def check(self, files: Mapping[str, bytes], *, replace: bool = False) -> ImportReport:
        """Everything that an import of these files would say, without taking anything."""
        standing = None if replace else await self._store.load()
        plan = await self._aside(lambda: _plan(files, standing, good_rows_only=False))
        return ImportReport(findings=plan.findings, counts=plan.counts)

    async def planned(self, files: Mapping[str, bytes]) -> tuple[Register, Register]:
        """The standing register, and what these files would make of it; nothing is taken. Raises NotFound before the
        first import, InputRefused."""
        standing = await self._store.load()
        if standing is None:
            raise NotFound("register", "county")
        plan = await self._aside(lambda: _plan(files, standing, good_rows_only=False))
        if plan.register is None:
            raise InputRefused(plan.findings)
        return standing, plan.register

    async def run(
        self,
        files: Mapping[str, bytes],
        author: str,
        *,
        good_rows_only: bool = False,
        expected_version: int | None = None,
        replace: bool = False,
        may: Callable[[Reach], bool] = lambda reach: True,
    ) -> ImportReport:
        """Take the files as one import over the standing register, or in its place with `replace`.

        Raises InputRefused with all findings when there are errors; with `good_rows_only` the faulty rows, and what
        needs them, are left out and listed instead. Raises StaleVersion when the register changed meanwhile. The same
        files again change nothing and add no version. `may` is asked whether the author may change what the import
        touches; OutsideReach otherwise.
        """
        version = await self._store.version()
        if expected_version is not None and expected_version != version:
            raise StaleVersion(expected_version, version)
        standing = await self._store.load()
        base = None if replace else standing
        plan = await self._aside(lambda: _plan(files, base, good_rows_only=good_rows_only))
        if plan.register is None:
            raise InputRefused(plan.findings)
        changed = plan.register != standing
        if changed and not may(touched := reach(standing, plan.register)):
            raise OutsideReach(touched.units)
        findings = plan.findings
        if changed:
            version = await self._store.save(plan.register, author, self._clock(), version)
            findings = (*findings, *await self._followed(version, standing, plan.register, author))
        return ImportReport(findings=findings, counts=plan.counts, version=version, changed=changed)

    async def edit(
        self,
        change: Callable[[Register], Register],
        author: str,
        *,
        keep: bool = True,
        expected_version: int | None = None,
        may: Callable[[Reach], bool] = lambda reach: True,
    ) -> ImportReport:
        """Change the standing register; with `keep` false only say what would be wrong.

        Raises NotFound before the first import, InputRefused when the change brings errors that were not there before,
        StaleVersion when the register changed meanwhile. `may` is asked as by `run`.
        """
        version, standing = await self._standing(expected_version)
        if not keep:
            return ImportReport(findings=(await self._aside(lambda: _edited(standing, change)))[1], counts={})
        edit = await self._prepared(version, standing, change)
        findings = edit.findings
        if edit.changed:
            if not may(touched := reach(standing, edit.register)):
                raise OutsideReach(touched.units)
            version = await self._store.save(edit.register, author, self._clock(), version)
            findings = (*findings, *await self._followed(version, standing, edit.register, author))
        return ImportReport(findings=findings, counts={}, version=version, changed=edit.changed)

    async def prepared(self, change: Callable[[Register], Register]) -> Edit:
        """The edit for who keeps it together with something else, in one transaction. Raises NotFound and InputRefused
        as `edit`."""
        version, standing = await self._standing(None)
        return await self._prepared(version, standing, change)

    async def catch_up(self, seconds: float = 0.0) -> None:
        """Let what stands on the register follow the versions whose importer was cut short before it did, as far as
        they are that old. A version that others stand in the way of waits for the next time."""
        for number in await self._store.unfollowed(self._clock() - seconds):
            before = await self._store.at(number - 1) if number > 1 else None
            await self._followed(number, before, await self._store.at(number), await self._store.author(number))

    async def _followed(
        self, version: int, before: Register | None, after: Register, author: str
    ) -> tuple[Finding, ...]:
        try:
            said = () if before is None else tuple(await self._follow(before, after, author))
        except StaleVersion:
            return (finding("tables_to_follow", Source("", "", 0)),)
        await self._store.followed(version)
        return said

    async def _standing(self, expected_version: int | None) -> tuple[int, Register]:
        version = await self._store.version()
        if expected_version is not None and expected_version != version:
            raise StaleVersion(expected_version, version)
        standing = await self._store.load()
        if standing is None:
            raise NotFound("register", "county")
        return version, standing

    async def _prepared(self, version: int, standing: Register, change: Callable[[Register], Register]) -> Edit:
        register, faults = await self._aside(lambda: _edited(standing, change))
        if any(fault.severity == "error" for fault in faults):
            raise InputRefused(faults)
        return Edit(base=version, register=register, findings=faults, changed=register != standing)


async def _nothing_follows(before: Register, after: Register, author: str, /) -> Sequence[Finding]:
    return ()


async def _at_once(body: Callable[[], T], /) -> T:
    return body()


def _edited(standing: Register, change: Callable[[Register], Register]) -> tuple[Register, tuple[Finding, ...]]:
    changed = change(standing)
    known = {(fault.code, str(fault.values)) for fault in check(rows_of(standing))}
    return changed, tuple(f for f in check(rows_of(changed)) if (f.code, str(f.values)) not in known)


def _plan(files: Mapping[str, bytes], standing: Register | None, *, good_rows_only: bool) -> _Plan:
    reading = read_files(files)
    base = rows_of(standing) if standing is not None else {}
    given = without_repeats(with_ids(reading.rows, over(base, reading.rows)))
    findings = list(reading.findings)
    if not any(given.values()):
        findings.append(finding("nothing_to_import", Source("", "", 0)))
    merged = over(base, given)
    found = check(merged)
    findings += found
    faulty = any(problem.severity == "error" for problem in findings)
    if faulty and good_rows_only:
        given, left_out = good_part(base, given, found, reading.broken)
        merged = over(base, given)
        unmended = [problem for problem in check(merged) if problem.severity == "error"]
        findings += left_out + [problem for problem in unmended if problem not in findings]
        faulty = bool(unmended) or not any(given.values())
    return _Plan(
        findings=tuple(findings),
        counts={key: len(rows) for key, rows in given.items() if rows},
        register=None if faulty else assemble(merged),
    )
