"""This module owns the materials of lessons: who may read and change them, adding, replacing, deleting, and what the
rooms of a running session are told of it.

A material is there whole or not at all: its pages are drawn and kept before its row is written, and what no row needs
is deleted. Rooms get only what may be shown to classes.
"""

from __future__ import annotations

import asyncio
import secrets
import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol

import structlog
from msgspec import Struct

from server.auth.principal import Principal
from server.materials.errors import MaterialInUse, MaterialNotFound, TooManyMaterials
from server.materials.model import Blobs, MaterialStore, StoredMaterial, StoredPage, StoredVersion
from server.materials.pictures import PagePictures
from server.shapes.materials import MaterialRow, MaterialsView, MaterialVersionRow, Preparing
from signaling.errors import NotInLesson
from signaling.materials import NOT_FOR_CLASSES, MaterialKind
from signaling.plan import SessionPlan
from signaling.roles import Asker
from signaling.session import LiveSession
from signaling.wire import Role

MOST_MATERIALS = 60
"""Of a lesson, those of every week and those of one day together."""
MOST_VERSIONS = 30
INCOMING = "incoming"

log = structlog.get_logger()


class Sessions(Protocol):
    """What materials need to know of live sessions."""

    async def plan(self, session: str) -> SessionPlan:
        """The plan of a session, past, running or to come; raises SessionNotFound."""
        ...

    def roles(self, asker: Asker, plan: SessionPlan) -> tuple[Role, ...]:
        """Every role that the asker may take in a session."""
        ...


class Limits(Struct, frozen=True):
    megabytes: int
    pages: int


class NewMaterial(Struct, frozen=True, kw_only=True):
    """What an upload is to become. `replaces` is the material of which it is the next version."""

    kind: MaterialKind
    title: str
    weekly: bool
    replaces: str | None = None


class Handed(Struct, frozen=True, kw_only=True):
    """A file as it arrived."""

    file: Path
    name: str
    bytes: int


class Materials:
    """`running` gives the sessions that run now; `clock` unix seconds."""

    def __init__(
        self,
        store: MaterialStore,
        blobs: Blobs,
        pictures: PagePictures,
        sessions: Sessions,
        folder: Path,
        limits: Limits,
        *,
        running: Callable[[], Iterable[LiveSession]],
        clock: Callable[[], float],
        new_id: Callable[[], str],
    ) -> None:
        self.limits = limits
        self._store = store
        self._blobs = blobs
        self._pictures = pictures
        self._sessions = sessions
        self._folder = folder
        self._running = running
        self._clock = clock
        self._new_id = new_id
        self._preparing: dict[str, tuple[str, Preparing]] = {}
        self._writing = asyncio.Lock()
        """Between keeping blobs and writing the row that needs them, nothing may be swept away."""

    # reading

    async def view(self, asker: Principal, session: str) -> MaterialsView:
        """What the asker may read of a session's materials; raises NotInLesson or SessionNotFound."""
        plan = await self._sessions.plan(session)
        may_change = self._check(asker, plan)
        found = [one for one in await self._of(plan) if _may_read(asker, one.kind)]
        return MaterialsView(
            materials=tuple(_row(one) for one in found),
            preparing=tuple(entry for lesson, entry in self._preparing.values() if lesson == plan.lesson.id)
            if asker.kind == "person"
            else (),
            may_change=may_change,
            rehearsal=plan.lesson.rehearsal,
            most_megabytes=self.limits.megabytes,
            most_pages=self.limits.pages,
        )

    async def page(self, asker: Principal, session: str, version: str, page: int, *, small: bool) -> Path:
        """The picture of a page; raises MaterialNotFound, NotInLesson or SessionNotFound."""
        _, found = await self._version(asker, session, version)
        if not 1 <= page <= len(found.pages):
            raise MaterialNotFound(version)
        wanted = found.pages[page - 1]
        return self._blobs.path(wanted.small if small else wanted.large)

    async def original(self, asker: Principal, session: str, version: str) -> tuple[Path, str]:
        """The file as it was handed in, and its name; for teachers, who may want to change it."""
        if asker.kind != "person":
            raise NotInLesson(session, "host")
        _, found = await self._version(asker, session, version)
        if not found.original:
            raise MaterialNotFound(version)
        return self._blobs.path(found.original), found.file_name

    # changing

    async def may_add(self, asker: Principal, session: str, new: NewMaterial) -> SessionPlan:
        """Whether an upload makes sense at all, before a byte of it is read; raises NotInLesson, TooManyMaterials,
        MaterialNotFound or SessionNotFound."""
        plan = await self._sessions.plan(session)
        if not self._check(asker, plan):
            raise NotInLesson(session, "host")
        found = await self._of(plan)
        if new.replaces is None:
            if len(found) + len(self._preparing) >= MOST_MATERIALS:
                raise TooManyMaterials(MOST_MATERIALS)
        elif len(_named(found, new.replaces).versions) >= MOST_VERSIONS:
            raise TooManyMaterials(MOST_VERSIONS)
        return plan

    def new_folder(self) -> Path:
        """A folder of its own for an upload; whoever asked for it removes it."""
        folder = self._folder / INCOMING / secrets.token_hex(8)
        folder.mkdir(parents=True)
        return folder

    async def add(
        self, asker: Principal, plan: SessionPlan, new: NewMaterial, files: Sequence[Handed], folder: Path
    ) -> MaterialRow:
        """Draw the pages of `files`, keep them, and tell the rooms; raises MaterialError. Cancelled or refused it
        leaves nothing."""
        job = self._new_id()

        def progress(done: int, pages: int) -> None:
            self._preparing[job] = (plan.lesson.id, Preparing(title=new.title, done=done, pages=pages))

        progress(0, 0)
        try:
            sizes = await self._pictures.draw([one.file for one in files], folder, self.limits.pages, progress)
            keeping = asyncio.ensure_future(self._keep(asker, plan, new, files, folder, sizes))
            try:
                kept = await asyncio.shield(keeping)
            except asyncio.CancelledError:
                # half of it cannot be kept, and whoever cancels takes the folder away next
                await asyncio.wait({keeping})
                raise
        finally:
            self._preparing.pop(job, None)
        return _row(kept)

    async def remove(self, asker: Principal, session: str, material: str) -> None:
        """Delete a material with all its versions; raises MaterialInUse while a lesson has it open."""
        plan = await self._sessions.plan(session)
        if not self._check(asker, plan):
            raise NotInLesson(session, "host")
        _named(await self._of(plan), material)
        for running in self._of_lesson(plan.lesson.id):
            shown = running.room.board.shown
            if shown is not None and shown.material.material == material:
                raise MaterialInUse(material)
        async with self._writing:
            await self._blobs.remove(await self._store.remove(material))
        log.info("material_deleted", lesson=plan.lesson.id, material=material, by=asker.id)
        await self._tell(plan.lesson.id)

    # the rooms

    async def shelve(self, plan: SessionPlan) -> None:
        """Put what a session may show onto its shelf."""
        await self._tell(plan.lesson.id)

    async def sweep(self) -> int:
        """Delete what a crash left: uploads that came half, and pictures that no material needs."""
        async with self._writing:
            await asyncio.to_thread(shutil.rmtree, self._folder / INCOMING, True)
            left = await self._blobs.all() - await self._store.blobs()
            await self._blobs.remove(left)
        return len(left)

    # inside

    async def _keep(
        self,
        asker: Principal,
        plan: SessionPlan,
        new: NewMaterial,
        files: Sequence[Handed],
        folder: Path,
        sizes: tuple[tuple[int, int], ...],
    ) -> StoredMaterial:
        async with self._writing:
            pages = [
                StoredPage(
                    width,
                    height,
                    await self._blobs.put(folder / f"{number}.large"),
                    await self._blobs.put(folder / f"{number}.small"),
                )
                for number, (width, height) in enumerate(sizes, 1)
            ]
            known = None if new.replaces is None else _named(await self._of(plan), new.replaces)
            version = StoredVersion(
                id=self._new_id(),
                number=known.newest.number + 1 if known else 1,
                file_name=files[0].name,
                original=await self._blobs.put(files[0].file) if len(files) == 1 else "",
                bytes=sum(one.bytes for one in files),
                pages=tuple(pages),
                added_at=self._clock(),
                added_by=asker.name,
            )
            if known is not None:
                if not await self._store.add_version(known.id, version):
                    raise MaterialNotFound(known.id)
                kept = _named(await self._of(plan), known.id)
            else:
                kept = StoredMaterial(
                    id=self._new_id(),
                    lesson=plan.lesson.id,
                    occurrence="" if new.weekly else plan.occurrence,
                    kind=new.kind,
                    title=new.title,
                    versions=(version,),
                )
                await self._store.add(kept)
        log.info("material_added", lesson=plan.lesson.id, material=kept.id, pages=len(pages), by=asker.id)
        await self._tell(plan.lesson.id)
        return kept

    async def _tell(self, lesson: str) -> None:
        """Tell the rooms of the lesson. Where that fails the lesson goes on with the shelf that it has, and what was
        kept or deleted is kept or deleted all the same."""
        for running in self._of_lesson(lesson):
            try:
                found = await self._of(running.plan)
                running.shelve([one.on_shelf() for one in found if one.kind not in NOT_FOR_CLASSES])
            except Exception as error:
                log.error("materials_not_shelved", session=running.id, exc_info=error)

    def _of_lesson(self, lesson: str) -> list[LiveSession]:
        return [running for running in self._running() if running.plan.lesson.id == lesson]

    async def _of(self, plan: SessionPlan) -> list[StoredMaterial]:
        return await self._store.of(plan.lesson.id, plan.occurrence)

    async def _version(self, asker: Principal, session: str, version: str) -> tuple[StoredMaterial, StoredVersion]:
        plan = await self._sessions.plan(session)
        self._check(asker, plan)
        for material in await self._of(plan):
            found = material.version(version)
            if found is not None and _may_read(asker, material.kind):
                return material, found
        raise MaterialNotFound(version)

    def _check(self, asker: Principal, plan: SessionPlan) -> bool:
        """Whether the asker may change the materials; raises NotInLesson for one who may not even read them."""
        roles = self._sessions.roles(asker, plan)
        if not roles:
            raise NotInLesson(plan.session, "participant")
        return "host" in roles


def _may_read(asker: Principal, kind: MaterialKind) -> bool:
    """A classroom's panel sees what its class may see; the design of a lesson is for teachers."""
    return asker.kind == "person" or kind not in NOT_FOR_CLASSES


def _named(found: Iterable[StoredMaterial], material: str) -> StoredMaterial:
    for one in found:
        if one.id == material:
            return one
    raise MaterialNotFound(material)


def _row(material: StoredMaterial) -> MaterialRow:
    return MaterialRow(
        id=material.id,
        kind=material.kind,
        title=material.title,
        weekly=material.occurrence == "",
        versions=tuple(
            MaterialVersionRow(
                id=version.id,
                number=version.number,
                file_name=version.file_name,
                bytes=version.bytes,
                pages=tuple((page.width, page.height) for page in version.pages),
                added_at=version.added_at,
                added_by=version.added_by,
                original=version.original != "",
            )
            for version in reversed(material.versions)
        ),
    )
