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
from timetable.amendment_service import AmendmentService, Present
from timetable.errors import NotFound, TimetableError
from timetable.feed_entries import Entry, entries
from timetable.feeds import FeedKind, calendar, names_of, picks

CACHED = 512
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
        *,
        clock: Callable[[], float],
        link: Callable[[str], str],
    ) -> None:
        self._store = store
        self._counties = counties
        self._amendments = amendments
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
        plain, packed = await asyncio.to_thread(self._write, county, kind, target, present)
        before = cached[1] if cached is not None and cached[1].plain == plain else None
        rendered = before or Rendered(plain, packed, _tag(plain), _tag(packed), self._clock())
        self._rendered[kind, target] = (state, rendered)
        while len(self._rendered) > CACHED:
            self._rendered.popitem(last=False)
        return rendered

    def _write(self, county: County, kind: FeedKind, target: str, present: Present) -> tuple[bytes, bytes]:
        picked = picks(kind, target)
        found: list[Entry] = []
        for community in present.tables.communities:
            if kind != "community" or community == target:
                applied = [one for one in present.history if one.community == community]
                versions, closings = present.tables.versions(community), present.tables.closings.all
                found += entries(county.register.term, versions, picked, applied, closings)
        found.sort(key=lambda entry: (entry.occurrence.starts, entry.uid))
        name = f"{target_name(county, kind, target)} 课表"
        plain = calendar(name, found, names_of(county.register, self._link))
        return plain, gzip.compress(plain, mtime=0)


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
