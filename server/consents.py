"""Consents as the server serves them: for whom a person speaks, where a class was recorded, withdrawing and agreeing.

Who speaks for a class follows from where it is and from where it was: the school in which it was recorded speaks for it
also when class or school have left since, and the bureau where nobody else is there any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Literal

import structlog
from msgspec import Struct
from msgspec.structs import replace

from recordings.journal import Record
from recordings.service import ReviewService
from recordings.withdrawal import word_of_comment, word_of_conclusion, word_of_note
from server.auth.errors import NotPermitted
from server.auth.policy import PERMISSIONS, allowed, permit
from server.auth.principal import Principal
from server.county import Counties, County
from server.recorded import RecordedSessions
from server.retention import DAY_SECONDS, kept_days
from server.review_news import ReviewNews
from server.shapes.consent import ClassConsent, ClassConsentRow, ConsentLesson, ConsentSaid, NamedPupil, ReviewWord
from server.storage.consent_store import ClassSeat, ConsentWord, HeldLesson, SqlConsentStore
from server.storage.people_store import SqlPeopleStore
from timetable.errors import NotFound, StaleVersion
from timetable.model import Register
from timetable.register.importing import ImportService

ACTION: Literal["withdraw_consent"] = "withdraw_consent"

Written = tuple[Literal["comment", "conclusion", "note"], str, str, tuple[str, ...]]
"""What it is, its word, who wrote it (a person, or a name), and what."""

log = structlog.get_logger()


class _Known(Struct):
    """A class, and the lessons of it that were looked at, the newest first."""

    id: str
    lessons: list[tuple[HeldLesson, ClassSeat]]


class Consents:
    """`kept_days`: how long a lesson's recording is kept; `clock` gives unix seconds."""

    def __init__(
        self,
        store: SqlConsentStore,
        reviews: ReviewService,
        recorded: RecordedSessions,
        counties: Counties,
        importing: ImportService,
        people: SqlPeopleStore,
        news: ReviewNews,
        kept_days: int,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._reviews = reviews
        self._recorded = recorded
        self._counties = counties
        self._importing = importing
        self._people = people
        self._news = news
        self._kept_days = kept_days
        self._clock = clock

    async def rows(self, asker: Principal) -> list[ClassConsentRow]:
        """The classes that the asker speaks for, school by school, those that have left last."""
        permit(asker, ACTION)
        county = await self._counties.now()
        lessons = await self._store.held(_units_of(asker))
        known = {one.id: _Known(one.id, []) for one in county.register.classes}
        for id, lesson, seat in _seen(lessons):
            known.setdefault(id, _Known(id, [])).lessons.append((lesson, seat))
        words, names = await self._store.words(), await self._names()
        rows = [
            self._row(one, county, words.get(one.id), names) for one in known.values() if _speaks(asker, one, county)
        ]
        places = {one.id: place for place, one in enumerate(county.register.classes)}
        return sorted(rows, key=lambda row: (row.unit_name, row.left, places.get(row.id, 0), row.class_name))

    async def show(self, asker: Principal, school_class: str) -> ClassConsent:
        """A class with every lesson that it was recorded in. Raises NotPermitted, NotFound."""
        county, known, word = await self._find(asker, school_class)
        row = self._row(known, county, word, await self._names())
        return ClassConsent(row=row, lessons=tuple(self._lesson(lesson, seat) for lesson, seat in known.lessons))

    async def words(self, asker: Principal, school_class: str) -> list[ReviewWord]:
        """Everything that was written about the lessons of a class that does not agree, the newest lesson first; nobody
        guesses whether it names somebody. Raises NotPermitted, NotFound."""
        county, known, _ = await self._find(asker, school_class)
        if known.id not in county.refusing:
            return []
        names, found = await self._names(), list[ReviewWord]()
        for lesson, _ in known.lessons:
            found += await self._written(lesson, names)
        return found

    async def say(self, asker: Principal, school_class: str, *, agreed: bool, revision: int) -> ClassConsent:
        """The class withdraws, or has given a new consent: in all processes at once, for every recording of it and for
        lessons that go on. Raises NotPermitted, NotFound, StaleVersion."""
        county, known, word = await self._find(asker, school_class)
        number = word.number if word is not None else 0
        if number != revision:
            raise StaleVersion(revision, number)
        if agreed and not _registered(county, known.id, agreed=True):
            # the sheet says no still: the new consent is the register's too, from now on
            await self._importing.edit(lambda register: _agreeing(register, known.id), asker.id)
        await self._store.say(known.id, agreed=agreed, person=asker.id, at=self._clock(), expected=revision)
        log.info("consent_said", school_class=known.id, agreed=agreed, person=asker.id, lessons=len(known.lessons))
        await self._news.tell()
        return await self.show(asker, school_class)

    async def hide(self, asker: Principal, school_class: str, named: Iterable[NamedPupil]) -> None:
        """Hide what names a pupil of a class that has withdrawn. Raises NotPermitted, NotFound."""
        county, known, _ = await self._find(asker, school_class)
        wanted = {(one.review, one.word) for one in named}
        there: set[tuple[str, str]] = set()
        if known.id in county.refusing:
            for lesson, _ in known.lessons:
                if any(review == lesson.review for review, _ in wanted):
                    there |= {(one.review, one.word) for one in await self._written(lesson, {})}
        if absent := sorted(wanted - there):
            raise NotFound("word", absent[0][1])
        await self._store.name(known.id, wanted, person=asker.id, at=self._clock())
        log.info("words_hidden", school_class=known.id, words=len(wanted), person=asker.id)
        await self._news.tell()

    async def _find(self, asker: Principal, id: str) -> tuple[County, _Known, ConsentWord | None]:
        permit(asker, ACTION)
        county = await self._counties.now()
        lessons = await self._store.held_with(id)
        known = _Known(id, [(lesson, seat) for one, lesson, seat in _seen(lessons) if one == id])
        if not known.lessons and not _registered(county, id):
            raise NotFound("class", id)
        if not _speaks(asker, known, county):
            raise NotPermitted(ACTION)
        return county, known, (await self._store.words()).get(id)

    async def _names(self) -> dict[str, str]:
        return {person.id: person.name for person in await self._people.all()}

    def _row(
        self, known: _Known, county: County, word: ConsentWord | None, names: Mapping[str, str]
    ) -> ClassConsentRow:
        left = not _registered(county, known.id)
        kept = [(lesson, seat) for lesson, seat in known.lessons if not self._lesson(lesson, seat).deleted]
        if left:
            seat = known.lessons[0][1]
            unit, unit_name, class_name = seat.unit, seat.unit_name, seat.class_name
        else:
            here = county.school_class(known.id)
            unit, unit_name, class_name = here.unit, county.unit_name(here.unit), here.name
        said = None
        if word is not None:
            said = ConsentSaid(agreed=word.agreed, name=names.get(word.person, word.person), at=word.at)
        return ClassConsentRow(
            id=known.id,
            unit=unit,
            unit_name=unit_name,
            class_name=class_name,
            left=left,
            agreed=known.id not in county.refusing,
            recordings=len(kept),
            last_held=known.lessons[0][0].held_at if known.lessons else None,
            said=said,
            revision=word.number if word is not None else 0,
        )

    def _lesson(self, lesson: HeldLesson, seat: ClassSeat) -> ConsentLesson:
        days = kept_days("rehearsal" if lesson.rehearsal else "lesson", self._kept_days)
        until = None if lesson.ended_at is None else lesson.ended_at + days * DAY_SECONDS
        return ConsentLesson(
            review=lesson.review,
            title=lesson.title,
            held_at=lesson.held_at,
            class_name=seat.class_name,
            rehearsal=lesson.rehearsal,
            kept_until=until,
            deleted=until is not None and until <= self._clock(),
        )

    async def _written(self, lesson: HeldLesson, names: Mapping[str, str]) -> list[ReviewWord]:
        hidden = {naming.word for naming in await self._store.namings(lesson.review)}
        events = await asyncio.to_thread(self._recorded.events, lesson.session)
        dossier = await self._reviews.get(lesson.review)
        found: list[Written] = [
            *_notes(events),
            *(("comment", word_of_comment(one), one.author.person, (one.text,)) for one in dossier.comments),
            *(
                ("conclusion", word_of_conclusion(one), one.author.person, (one.worked, one.change, one.follow_up))
                for one in dossier.conclusions
            ),
        ]
        return [
            ReviewWord(
                review=lesson.review,
                word=word,
                kind=kind,
                title=lesson.title,
                held_at=lesson.held_at,
                author_name=names.get(author, author),
                text="" if word in hidden else "\n".join(text for text in texts if text),
                hidden=word in hidden,
            )
            for kind, word, author, texts in found
        ]


def _seen(lessons: Iterable[HeldLesson]) -> Iterator[tuple[str, HeldLesson, ClassSeat]]:
    for lesson in lessons:
        for seat in lesson.seats:
            for id in seat.classes:
                yield id, lesson, seat


def _registered(county: County, id: str, *, agreed: bool = False) -> bool:
    """Whether the register has the class, with `agreed` one that it says yes of; one that has left it needs no row."""
    here = next((one for one in county.register.classes if one.id == id), None)
    if agreed:
        return here is None or here.recording_consent
    return here is not None


def _agreeing(register: Register, id: str) -> Register:
    classes = tuple(replace(one, recording_consent=True) if one.id == id else one for one in register.classes)
    return replace(register, classes=classes)


def _units_of(asker: Principal) -> frozenset[str] | None:
    """The units whose lessons concern the asker; None: any. A convenor's are all: schools that left the community were
    recorded in its lessons."""
    grants = [grant for grant in asker.grants if grant.role in PERMISSIONS[ACTION]]
    if any(grant.unit is None for grant in grants):
        return None
    return frozenset(grant.unit for grant in grants if grant.unit is not None)


def _speaks(asker: Principal, known: _Known, county: County) -> bool:
    """By the school that the class is at, by one where it was recorded, or by the community then or now."""
    places = {(seat.unit, lesson.community) for lesson, seat in known.lessons}
    if _registered(county, known.id):
        unit = county.school_class(known.id).unit
        home = county.community_of(unit)
        places.add((unit, home.id if home is not None else ""))
    return any(allowed(asker, ACTION, units=(unit,), community=community) for unit, community in places)


def _notes(events: Iterable[Record]) -> Iterator[Written]:
    names: dict[str, str] = {}
    for record in events:
        event = record.event
        who = str(event.get("participant", ""))
        if event["type"] == "joined":
            names[who] = str(event["name"])
        elif event["type"] == "marked" and event.get("note"):
            yield "note", word_of_note(who, record.at), names.get(who, who), (str(event["note"]),)
