"""Calendar feeds as they are served: who has which address, and each feed's bytes kept until a table changes."""

import asyncio
import gzip
import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Callable, Sequence

from msgspec import Struct

from server.county import Counties, County
from server.storage.feed_store import Feed, SqlFeedStore
from server.storage.register_store import SqlRegisterStore
from timetable.agreement.amendment_service import AmendmentService
from timetable.agreement.in_force import Present
from timetable.agreement.service import TimetableService
from timetable.days.versions import Version
from timetable.errors import NotFound, TimetableError
from timetable.export.feed_entries import Entry, entries
from timetable.export.feeds import FeedKind, calendar, names_of, picks
from timetable.model import Lesson

CACHED = 512
TERMS_SHOWN = 2
"""Terms that are over whose lessons are in the feeds."""
READ_NOTED_EVERY = 3600.0
"""Seconds between two notes of a feed's last reading: clients poll often, the note is for people."""


class FeedGone(TimetableError):
    """The address was revoked by its owner."""

    code = "feed_gone"


class Rendered(Struct, frozen=True):
    """A feed's bytes, plain and compressed, each with its own strong tag.

    `modified` (unix seconds) is when this process first made them: a new name in the register changes them as much as
    a new version of a table does.
    """

    plain: bytes
    packed: bytes
    plain_tag: str
    packed_tag: str
    modified: float


class Calendars:
    """`clock` gives unix seconds; `link` the address at which a lesson is joined."""

    def __init__(
        self,
        store: SqlFeedStore,
        counties: Counties,
        amendments: AmendmentService,
        tables: TimetableService,
        registers: SqlRegisterStore,
        *,
        clock: Callable[[], float],
        link: Callable[[str], str],
    ) -> None:
        self._store = store
        self._counties = counties
        self._amendments = amendments
        self._tables = tables
        self._registers = registers
        self._clock = clock
        self._link = link
        self._rendered: OrderedDict[tuple[str, str], tuple[object, Rendered]] = OrderedDict()

    async def create(self, kind: FeedKind, target: str, *, owner: str, device: str) -> tuple[Feed, str]:
        """A new address for `owner`: (what is kept, the secret that is told once)."""
        (created,) = await self.create_all([(kind, target)], owner=owner, device=device)
        return created

    async def create_all(
        self, targets: Sequence[tuple[FeedKind, str]], *, owner: str, device: str
    ) -> list[tuple[Feed, str]]:
        county = await self._counties.now()
        created = []
        for kind, target in targets:
            target_name(county, kind, target)
            secret = secrets.token_urlsafe(32)
            feed = Feed(
                id=secrets.token_hex(8),
                secret_hash=_hash(secret),
                kind=kind,
                target=target,
                owner=owner,
                device=device,
                created_at=self._clock(),
            )
            created.append((feed, secret))
        await self._store.add([feed for feed, _ in created])
        return created

    async def of(self, owner: str) -> list[Feed]:
        return await self._store.of(owner)

    async def revoke(self, id: str, owner: str) -> None:
        if not await self._store.revoke(id, owner, self._clock()):
            raise NotFound("feed", id)

    async def read(self, secret: str) -> Rendered:
        """The feed at this secret address; NotFound for an unknown one, FeedGone for a revoked one."""
        feed = await self._store.by_secret(_hash(secret))
        if feed is None:
            raise NotFound("feed", "…")
        if feed.revoked_at is not None:
            raise FeedGone
        now = self._clock()
        if feed.last_read is None or now - feed.last_read > READ_NOTED_EVERY:
            await self._store.read_at(feed.id, now)
        return await self._render(feed.kind, feed.target)

    async def _render(self, kind: FeedKind, target: str) -> Rendered:
        county = await self._counties.now()
        present = await self._amendments.present()
        state = (county, present.tables)
        cached = self._rendered.get((kind, target))
        if cached is not None and cached[0] == state:
            self._rendered.move_to_end((kind, target))
            return cached[1]
        earlier = await self._earlier_terms(kind, target)
        plain, packed = await asyncio.to_thread(self._write, county, kind, target, present, earlier)
        before = cached[1] if cached is not None and cached[1].plain == plain else None
        rendered = before or Rendered(plain, packed, _tag(plain), _tag(packed), self._clock())
        self._rendered[kind, target] = (state, rendered)
        while len(self._rendered) > CACHED:
            self._rendered.popitem(last=False)
        return rendered

    async def _earlier_terms(self, kind: FeedKind, target: str) -> "list[_Earlier]":
        """The last terms before this one: a calendar that drops what was takes the past away from whoever reads it."""
        found = []
        for _, number in (await self._registers.terms())[1 : 1 + TERMS_SHOWN]:
            register = await self._registers.at(number)
            communities = [c.id for c in register.communities if kind != "community" or c.id == target]
            histories = [await self._tables.history(id, register.term.id) for id in communities]
            found.append(_Earlier(County(register), [sorted(h, key=lambda v: v.number) for h in histories if h]))
        return found

    def _past(self, past: "_Earlier", picked: Callable[[Lesson], bool], present: Present) -> list[Entry]:
        term, found = past.county.register.term, []
        for versions in past.histories:
            here = [one for one in present.ever if one.community == versions[0].community]
            changes = [one for one in here if one.belongs_to(term, [versions])]
            found += entries(term, versions, picked, changes, present.tables.closings.all)
        return sorted(found, key=lambda entry: (entry.occurrence.starts, entry.uid))

    def _write(
        self, county: County, kind: FeedKind, target: str, present: Present, earlier: "Sequence[_Earlier]"
    ) -> tuple[bytes, bytes]:
        picked = picks(kind, target)
        found: list[Entry] = []
        for community in present.tables.communities:
            if kind != "community" or community == target:
                applied = [one for one in present.history if one.community == community]
                versions, closings = present.tables.versions(community), present.tables.closings.all
                found += entries(county.register.term, versions, picked, applied, closings)
        found.sort(key=lambda entry: (entry.occurrence.starts, entry.uid))
        known = next((one for one in (county, *(past.county for past in earlier)) if _knows(one, kind, target)), county)
        name = f"{target_name(known, kind, target)} 课表"
        older = [(self._past(one, picked, present), names_of(one.county.register, self._link)) for one in earlier]
        plain = calendar(name, found, names_of(county.register, self._link), older)
        return plain, gzip.compress(plain, mtime=0)


class _Earlier(Struct, frozen=True):
    """A term that is over: the county as it was, and each community's versions, the oldest first."""

    county: County
    histories: list[list[Version]]


def _knows(county: County, kind: FeedKind, target: str) -> bool:
    try:
        target_name(county, kind, target)
    except NotFound:
        return False
    return True


def target_name(county: County, kind: FeedKind, target: str) -> str:
    """What a feed is about, in words, or NotFound."""
    if kind == "teacher":
        teacher = county.teacher(target)
        return f"{county.unit(teacher.posts[0]).short_name} {teacher.name}"
    if kind == "class":
        school_class = county.school_class(target)
        return f"{county.unit(school_class.unit).short_name} {school_class.name}"
    if kind == "room":
        room = county.room(target)
        return f"{county.unit(room.unit).short_name} {room.name}"
    return county.unit(target).name if kind == "unit" else county.community(target).name


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _tag(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:32]
