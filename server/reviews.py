"""Reviews as the server serves them: opened when a lesson ends, seen with their recordings by those who may."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import get_args

import msgspec
from msgspec import Struct

from recordings.errors import RecordingWithheld, ReviewNotFound
from recordings.journal import Record
from recordings.ports import Summary
from recordings.release import ReleaseChanged, Standing, Withheld, refusal
from recordings.review import PRIVATE, Author, Dossier, Review, ReviewPart
from recordings.service import ReviewService
from recordings.withdrawal import Hidden, shown_dossier, shown_events, shows_photo
from server.answer_files import AnswerFiles
from server.attendance import attendance
from server.auth.errors import NotPermitted
from server.auth.policy import allowed
from server.auth.principal import Principal
from server.county import Counties, County
from server.media_links import MediaLinks
from server.recorded import RecordedSessions
from server.retention import DAY_SECONDS, kept_days
from server.review_news import ReviewNews
from server.review_view import author_of, review_row, review_view
from server.shapes.review import BoardMoment, NewRelease, ReviewBoard, ReviewRow, ReviewShown, ReviewView
from server.storage.consent_store import SqlConsentStore
from server.storage.people_store import SqlPeopleStore
from server.watching import TaughtLesson, lesson_of, may_write, researchers, standing
from signaling.board import BoardEvent
from signaling.materials import MaterialsShelved
from signaling.plan import SessionPlan, SessionRecord
from signaling.ports import SessionStore
from signaling.room_state import Snapshot
from timetable.errors import NotFound

BOARD = frozenset(kind.__struct_config__.tag for kind in get_args(BoardEvent) if kind is not MaterialsShelved)
"""What the board of a lesson is folded from; what else was on the shelf is no matter of the review."""


class _Opened(Struct, frozen=True, kw_only=True):
    """A review as one asker finds it."""

    dossier: Dossier
    county: County
    lesson: TaughtLesson
    standing: Standing

    @property
    def withheld(self) -> Withheld | None:
        return refusal(self.standing, self.dossier.release)


class Reviews:
    """`kept_days`: how long a lesson's recording is kept; `clock` gives unix seconds."""

    def __init__(
        self,
        service: ReviewService,
        recorded: RecordedSessions,
        counties: Counties,
        people: SqlPeopleStore,
        sessions: SessionStore,
        links: MediaLinks,
        answers: AnswerFiles,
        consents: SqlConsentStore,
        news: ReviewNews,
        kept_days: int,
        clock: Callable[[], float],
    ) -> None:
        self._service = service
        self._recorded = recorded
        self._counties = counties
        self._people = people
        self._sessions = sessions
        self._links = links
        self._answers = answers
        self._consents = consents
        self._news = news
        self._kept_days = kept_days
        self._clock = clock

    async def open(self, plan: SessionPlan, ended: Snapshot) -> str:
        """The review of a session that has ended. The host's conclusion is the hosts' to write, a member unit's any
        of its teachers'."""
        events = await asyncio.to_thread(self._recorded.events, plan.session)
        await asyncio.to_thread(self._answers.remember, plan.session, events)
        attended, hosts, assistants = attendance(events)
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
            taught=sorted(hosts | assistants),
        )
        return review.id

    async def rows(self, asker: Principal, community: str | None = None) -> list[ReviewRow]:
        """The reviews that the asker may see, the newest lesson first."""
        county, now = await self._counties.now(), self._clock()
        units = county.community(community).units if community else None
        return [
            review_row(summary.review, summary.comments, summary.written, summary.scope, now)
            for summary in await self._service.list(units)
            if _listed(asker, summary, county)
        ]

    async def view(self, asker: Principal, review_id: str) -> ReviewView:
        """The whole review; that somebody opened it is written down for the recorded teachers to see."""
        opened = await self._open(asker, review_id)
        if opened.withheld is None:
            await self._service.log_view(asker.id, review_id)
        return await self._shown(asker, opened)

    async def board(self, asker: Principal, review_id: str) -> ReviewBoard:
        """What all rooms had open and what was drawn on it, as far as the asker may see what was recorded."""
        opened = await self._watched(asker, review_id)
        review = opened.dossier.review
        session = review.session
        events = await asyncio.to_thread(self._recorded.events, session)
        zero = next((record.at for record in events if record.event["type"] == "session_live"), review.held_at)
        return ReviewBoard(
            session=session,
            moments=tuple(
                BoardMoment(at=record.at - zero, event=msgspec.convert(record.event, BoardEvent))
                for record in shown_events(events, opened.lesson.hidden)
                if record.event["type"] in BOARD
            ),
        )

    async def comment(
        self, asker: Principal, review_id: str, text: str, *, at: float | None, label: str, reply_to: str | None
    ) -> ReviewView:
        opened, author = await self._writer(asker, review_id)
        dossier = await self._service.comment(review_id, author, text, at=at, label=label, reply_to=reply_to)
        return await self._shown(asker, opened, dossier)

    async def score(self, asker: Principal, review_id: str, points: dict[str, int]) -> ReviewView:
        opened, author = await self._writer(asker, review_id)
        return await self._shown(asker, opened, await self._service.score(review_id, author, points))

    async def conclude(
        self, asker: Principal, review_id: str, *, worked: str, change: str, follow_up: str, owner: str, due: str
    ) -> ReviewView:
        opened, author = await self._writer(asker, review_id)
        dossier = await self._service.conclude(
            review_id, author, worked=worked, change=change, follow_up=follow_up, owner=owner, due=due
        )
        return await self._shown(asker, opened, dossier)

    async def close(self, asker: Principal, review_id: str, revision: int) -> ReviewView:
        opened, author = await self._writer(asker, review_id)
        return await self._shown(asker, opened, await self._service.close(review_id, author, revision))

    async def release(self, asker: Principal, review_id: str, new: NewRelease) -> ReviewView:
        """Share the recording, or take it back: at once, for every link that was given before."""
        opened = await self._open(asker, review_id)
        known = [person.id for person in researchers(await self._people.all(), opened.lesson)]
        dossier = await self._service.release(
            review_id, opened.standing, new.scope, new.invited, known, expected=new.revision
        )
        if len(dossier.releases) > new.revision:
            now = dossier.release
            event = ReleaseChanged(review=review_id, scope=now.scope, invited=now.invited, by=now.by)
            await self._recorded.write_down(dossier.review.session, event, now.at)
            await self._news.tell()
        return await self._shown(asker, opened, dossier)

    async def segment(self, asker: Principal, session: str, segment: str, token: str) -> Path:
        """The file of a segment that the asker's link names. Raises NotPermitted for any other link, RecordingWithheld
        where the recording was taken back since, NotFound where the file was deleted."""
        self._links.check(session, segment, asker.id, token)
        review = await self._service.of_session(session)
        if review is None:
            raise NotFound("segment", segment)
        release = await self._service.release_of(review.id)
        lesson = await self._lesson(review, await self._counties.now())
        withheld = refusal(standing(asker, lesson), release)
        if withheld is not None:
            raise RecordingWithheld(review.id, withheld)
        found = await asyncio.to_thread(self._recorded.file_of, session, segment)
        if found is None:
            raise NotFound("segment", segment)
        file, unit = found
        if unit in lesson.hidden.units:
            raise RecordingWithheld(review.id, "withdrawn")
        return file

    def events(self, session: str) -> list[Record]:
        """Everything that happened in a session; reads its whole journal."""
        return self._recorded.events(session)

    async def viewed(self, asker: Principal, review_id: str) -> None:
        """Write down that somebody saw what single pupils answered, for the recorded teachers to see."""
        await self._service.log_view(asker.id, review_id)

    async def shown(self, asker: Principal, review_id: str) -> ReviewShown:
        """How much of the review the asker is shown now. Raises ReviewNotFound, NotPermitted."""
        opened = await self._open(asker, review_id)
        hidden = opened.lesson.hidden
        return ReviewShown(
            watching=opened.withheld or "yes",
            hidden_units=tuple(sorted(hidden.units)),
            hidden_words=tuple(sorted(hidden.words)),
        )

    async def follow(self, asker: Principal, review_id: str) -> AsyncIterator[ReviewShown]:
        """The same again and again, at once when it may have changed, until the asker sees nothing of it any more."""
        async for _ in self._news.changes():
            try:
                yield await self.shown(asker, review_id)
            except NotPermitted:
                yield ReviewShown(watching="not_involved", hidden_units=(), hidden_words=())
                return

    async def permit_photo(self, asker: Principal, review_id: str, photo: str) -> None:
        """Raises RecordingWithheld unless the asker may see this photo of pupils' work."""
        opened = await self._watched(asker, review_id)
        units = await asyncio.to_thread(self._recorded.units_of_photos, opened.dossier.review.session)
        if not shows_photo(photo, units, opened.lesson.hidden):
            raise RecordingWithheld(review_id, "withdrawn")

    async def single_answers(
        self, asker: Principal, record: SessionRecord, events: list[Record]
    ) -> tuple[bool, Hidden]:
        """Whether the asker may see what single pupils did in a session, and what nobody sees of it; before its review
        opens, as if nothing were shared."""
        county, review = await self._counties.now(), await self._service.of_session(record.id)
        if review is not None:
            lesson, release = await self._lesson(review, county), await self._service.release_of(review.id)
        else:
            _, hosts, assistants = attendance(events)
            units = _units_of(record.plan.community, county)
            lesson = lesson_of(record.plan, None, units, hosts | assistants, refusing=county.refusing)
            release = PRIVATE
        return refusal(standing(asker, lesson), release) is None, lesson.hidden

    async def _watched(self, asker: Principal, review_id: str) -> _Opened:
        """The review; raises RecordingWithheld unless the asker may see what was recorded of the pupils."""
        opened = await self._open(asker, review_id)
        if opened.withheld is not None:
            raise RecordingWithheld(review_id, opened.withheld)
        return opened

    async def _open(self, asker: Principal, review_id: str) -> _Opened:
        """Raises ReviewNotFound, NotPermitted."""
        dossier, county = await self._service.get(review_id), await self._counties.now()
        lesson = await self._lesson(dossier.review, county)
        opened = _Opened(dossier=dossier, county=county, lesson=lesson, standing=standing(asker, lesson))
        sees = allowed(asker, "view_reviews", units=lesson.units, community=lesson.community)
        if not sees and opened.withheld is not None:
            raise NotPermitted("view_reviews")
        return opened

    async def _lesson(self, review: Review, county: County) -> TaughtLesson:
        record = await self._sessions.get(review.session)
        if record is None:
            raise ReviewNotFound(review.id)
        return lesson_of(
            record.plan,
            review,
            _units_of(record.plan.community, county),
            refusing=county.refusing,
            namings=await self._consents.namings(review.id),
        )

    async def _writer(self, asker: Principal, review_id: str) -> tuple[_Opened, Author]:
        opened = await self._open(asker, review_id)
        if not self._writes(asker, opened):
            raise NotPermitted("score_reviews")
        return opened, author_of(asker, opened.dossier.review)

    def _writes(self, asker: Principal, opened: _Opened) -> bool:
        return may_write(asker, opened.lesson) or opened.withheld is None

    async def _shown(self, asker: Principal, opened: _Opened, changed: Dossier | None = None) -> ReviewView:
        if changed is not None:
            opened = msgspec.structs.replace(opened, dossier=changed)
        dossier = opened.dossier
        session = dossier.review.session
        recorded = await asyncio.to_thread(self._recorded.read, session)
        people, record = await self._people.all(), await self._sessions.get(session)
        ended = record.ended_at if record is not None else None
        kept = kept_days("rehearsal" if dossier.review.rehearsal else "lesson", self._kept_days) * DAY_SECONDS
        return review_view(
            shown_dossier(dossier, opened.lesson.hidden),
            recorded,
            rubric=self._service.rubric,
            viewings=await self._service.views(dossier.review.id),
            people={person.id: person for person in people},
            county=opened.county,
            asker=asker,
            standing=opened.standing,
            withheld=opened.withheld,
            hidden=opened.lesson.hidden,
            writes=self._writes(asker, opened),
            researchers=researchers(people, opened.lesson),
            address=lambda segment: self._links.address(session, segment, asker.id),
            kept_until=None if ended is None else ended + kept,
            now=self._clock(),
        )


def _listed(asker: Principal, summary: Summary, county: County) -> bool:
    review = summary.review
    community = county.community_of(review.parts[0].unit) if review.parts else None
    here = community.id if community else None
    if allowed(asker, "view_reviews", units=tuple(part.unit for part in review.parts), community=here):
        return True
    shared = summary.scope == "community" and community is not None
    return shared and allowed(asker, "watch_recordings", units=_units_of(here or "", county), community=here)


def _units_of(community: str, county: County) -> tuple[str, ...]:
    """The schools of a community as they are now; none where it is no more."""
    return next((one.units for one in county.register.communities if one.id == community), ())
