"""Reviews as the server serves them: opened when a lesson ends, seen with their recordings by those who may."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import msgspec

from recordings.errors import NotARecording
from recordings.fragments import FragmentIndex, index_file
from recordings.journal import Record, read_journal
from recordings.manifest import Recording, read_recording
from recordings.review import Author, Dossier, Review, ReviewPart
from recordings.service import ReviewService
from recordings.timeline import build_timeline
from server.answer_files import AnswerFiles
from server.auth.errors import NotPermitted
from server.auth.policy import allowed
from server.auth.principal import Principal
from server.county import Counties, County
from server.journals import FileJournals
from server.media_links import MediaLinks
from server.review_view import Recorded, author_of, review_row, review_view
from server.shapes.review import BoardMoment, ReviewBoard, ReviewRow, ReviewView
from server.storage.people_store import SqlPeopleStore
from signaling.board import BoardEvent
from signaling.materials import MaterialsShelved
from signaling.plan import SessionPlan
from signaling.room_state import Snapshot
from timetable.errors import NotFound

INDEXES = 256
"""Indexes of files kept in memory: those of some twenty lessons, the last that were looked at."""

BOARD = frozenset(kind.__struct_config__.tag for kind in get_args(BoardEvent) if kind is not MaterialsShelved)
"""What the board of a lesson is folded from; what else was on the shelf is no matter of the review."""

TEACHING = frozenset({"host", "assistant", "endpoint", "encoder"})
"""Roles whose presence means that their unit took part; but a classroom's own camera films an empty one, too."""


class Reviews:
    """`clock` gives unix seconds."""

    def __init__(
        self,
        service: ReviewService,
        journals: FileJournals,
        recordings: Path,
        counties: Counties,
        people: SqlPeopleStore,
        links: MediaLinks,
        answers: AnswerFiles,
        clock: Callable[[], float],
    ) -> None:
        self._service = service
        self._journals = journals
        self._recordings = recordings
        self._counties = counties
        self._people = people
        self._links = links
        self._answers = answers
        self._clock = clock
        self._indexes: dict[Path, FragmentIndex] = {}

    async def open(self, plan: SessionPlan, ended: Snapshot) -> str:
        """The review of a session that has ended. The host's conclusion is the hosts' to write, a member unit's any
        of its teachers'."""
        events = await asyncio.to_thread(self.events, plan.session)
        await asyncio.to_thread(self._answers.remember, plan.session, events)
        attended, hosts = _attendance(events)
        held_at = ended.live_since or plan.lesson.starts
        over = next((record.at for record in reversed(events) if record.event["type"] == "session_ended"), held_at)
        review = await self._service.open_for(
            plan.session,
            title=plan.lesson.title,
            subject=plan.lesson.subject,
            held_at=held_at,
            duration=max(0.0, over - held_at),
            parts=[
                ReviewPart(
                    unit=part.unit,
                    side="host" if part == plan.host else "member",
                    attended=part.unit in attended,
                    teachers=tuple(sorted(hosts)) if part == plan.host else (),
                )
                for part in plan.parts
            ],
            rehearsal=plan.lesson.rehearsal,
        )
        return review.id

    async def rows(self, asker: Principal, community: str | None = None) -> list[ReviewRow]:
        """The reviews that the asker may see, the newest lesson first."""
        county, now = await self._counties.now(), self._clock()
        units = county.community(community).units if community else None
        return [
            review_row(summary.review, summary.comments, summary.written, now)
            for summary in await self._service.list(units)
            if self._may_see(asker, summary.review, county)
        ]

    async def view(self, asker: Principal, review_id: str) -> ReviewView:
        """The whole review; that somebody opened it is written down for the recorded teachers to see."""
        dossier, county = await self._dossier(asker, review_id)
        watches = self._may_watch(asker, dossier.review, county)
        if watches and asker.kind == "person":
            await self._service.log_view(asker.id, review_id)
        return await self._shown(asker, dossier, county, watches)

    async def board(self, asker: Principal, review_id: str) -> ReviewBoard:
        """What all rooms had open and what was drawn on it, as far as the asker may see what was recorded."""
        await self.permit_watching(asker, review_id)
        dossier, _ = await self._dossier(asker, review_id)
        session = dossier.review.session
        events = await asyncio.to_thread(self.events, session)
        zero = next((record.at for record in events if record.event["type"] == "session_live"), dossier.review.held_at)
        return ReviewBoard(
            session=session,
            moments=tuple(
                BoardMoment(at=record.at - zero, event=msgspec.convert(record.event, BoardEvent))
                for record in events
                if record.event["type"] in BOARD
            ),
        )

    async def comment(
        self, asker: Principal, review_id: str, text: str, *, at: float | None, label: str, reply_to: str | None
    ) -> ReviewView:
        dossier, county, author = await self._writer(asker, review_id)
        dossier = await self._service.comment(review_id, author, text, at=at, label=label, reply_to=reply_to)
        return await self._shown(asker, dossier, county, True)

    async def score(self, asker: Principal, review_id: str, points: dict[str, int]) -> ReviewView:
        dossier, county, author = await self._writer(asker, review_id)
        dossier = await self._service.score(review_id, author, points)
        return await self._shown(asker, dossier, county, True)

    async def conclude(
        self, asker: Principal, review_id: str, *, worked: str, change: str, follow_up: str, owner: str, due: str
    ) -> ReviewView:
        dossier, county, author = await self._writer(asker, review_id)
        dossier = await self._service.conclude(
            review_id, author, worked=worked, change=change, follow_up=follow_up, owner=owner, due=due
        )
        return await self._shown(asker, dossier, county, True)

    async def close(self, asker: Principal, review_id: str, revision: int) -> ReviewView:
        dossier, county, author = await self._writer(asker, review_id)
        dossier = await self._service.close(review_id, author, revision)
        return await self._shown(asker, dossier, county, True)

    async def segment(self, asker: Principal, session: str, segment: str, token: str) -> Path:
        """The file of a segment that the asker's link names; NotPermitted for any other link, NotFound where the file
        was deleted since."""
        self._links.check(session, segment, asker.id, token)
        file = await asyncio.to_thread(self._file_of, session, segment)
        if file is None:
            raise NotFound("segment", segment)
        return file

    def _file_of(self, session: str, segment: str) -> Path | None:
        folder = self._recordings / session
        if not folder.exists():
            return None
        files = (folder / facts.opened.file for facts in read_recording(folder).segments if facts.id == segment)
        return next((file for file in files if file.exists()), None)

    async def _dossier(self, asker: Principal, review_id: str) -> tuple[Dossier, County]:
        dossier, county = await self._service.get(review_id), await self._counties.now()
        if not self._may_see(asker, dossier.review, county):
            raise NotPermitted("view_reviews")
        return dossier, county

    async def viewed(self, asker: Principal, review_id: str) -> None:
        """Write down that somebody saw what single pupils answered, for the recorded teachers to see."""
        await self._service.log_view(asker.id, review_id)

    async def permit_watching(self, asker: Principal, review_id: str) -> None:
        """Raise NotPermitted unless the asker may see what was recorded of the pupils."""
        dossier, county = await self._dossier(asker, review_id)
        if asker.kind != "person" or not self._may_watch(asker, dossier.review, county):
            raise NotPermitted("watch_recordings")

    async def _writer(self, asker: Principal, review_id: str) -> tuple[Dossier, County, Author]:
        dossier, county = await self._dossier(asker, review_id)
        if not self._may_watch(asker, dossier.review, county):
            raise NotPermitted("watch_recordings")
        return dossier, county, author_of(asker, dossier.review)

    def _may_see(self, asker: Principal, review: Review, county: County) -> bool:
        return allowed(asker, "view_reviews", units=_units(review), community=_community(review, county))

    def _may_watch(self, asker: Principal, review: Review, county: County) -> bool:
        return allowed(asker, "watch_recordings", units=_units(review), community=_community(review, county))

    async def _shown(self, asker: Principal, dossier: Dossier, county: County, watches: bool) -> ReviewView:
        session = dossier.review.session
        recorded = await asyncio.to_thread(self._recorded, session)
        return review_view(
            dossier,
            recorded,
            rubric=self._service.rubric,
            viewings=await self._service.views(dossier.review.id),
            people={person.id: person for person in await self._people.all()},
            county=county,
            asker=asker,
            address=(lambda segment: self._links.address(session, segment, asker.id)) if watches else None,
            now=self._clock(),
        )

    def _recorded(self, session: str) -> Recorded:
        folder = self._recordings / session
        recording = read_recording(folder) if folder.exists() else Recording(session=session)
        indexes: dict[str, FragmentIndex] = {}
        for facts in recording.segments:
            file = folder / facts.opened.file
            try:
                found = index_file(file, self._indexes.pop(file, None))
            except (NotARecording, OSError):
                continue  # just begun: there is nothing to play yet
            indexes[facts.id] = self._indexes[file] = found
        for file in list(self._indexes)[:-INDEXES]:
            self._indexes.pop(file, None)
        durations = {id: found.duration for id, found in indexes.items()}
        timeline = build_timeline(recording, self.events(session), self._clock(), durations)
        return Recorded(timeline, indexes)

    def events(self, session: str) -> list[Record]:
        """Everything that happened in a session; reads its whole journal."""
        path = self._journals.path(self._journals.locate(session))
        if not path.exists():
            return []
        return [record for _, record in read_journal(path).records if record is not None]


def _attendance(events: list[Record]) -> tuple[set[str], set[str]]:
    """(units that were there while the lesson was live, the persons who hosted). A host's participant id is
    `host.<person id>`."""
    present: dict[str, str] = {}
    attended: set[str] = set()
    hosts: set[str] = set()
    live = False
    for record in events:
        event = record.event
        if event["type"] == "joined" and event["role"] in TEACHING and not event["participant"].endswith(".camera"):
            present[event["participant"]] = event["unit"]
            if event["role"] == "host":
                hosts.add(str(event["participant"]).removeprefix("host."))
        elif event["type"] == "left":
            present.pop(event["participant"], None)
        elif event["type"] == "session_live":
            live = True
        elif event["type"] == "session_ended":
            break
        if live:
            attended.update(present.values())
    return attended, hosts


def _units(review: Review) -> tuple[str, ...]:
    return tuple(part.unit for part in review.parts)


def _community(review: Review, county: County) -> str | None:
    community = county.community_of(review.parts[0].unit) if review.parts else None
    return community.id if community else None
