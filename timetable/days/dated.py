"""This module owns the table in force on a date: the version published for that day, as amendments have changed it.

A lesson of a term week keeps its identity (`uid`) whatever becomes of it: moved, taught by somebody else, called off,
even when a later version puts the lesson on another weekday. Amendments are kept as effects on such identities, in the
order in which they were applied: where it stands now (`Placed`), that it does not take place (`CalledOff`), who teaches
instead (`Taught`). A make-up lesson is an occurrence of its own beside the one that was called off. Whatever is said so
far, nothing takes place where a closing has shut the schools.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date

from msgspec import structs

from timetable.days.closings import Closing, Closings
from timetable.days.effects import Applied, Overlay, Placed
from timetable.days.published import Hold, Published, kept_day, only_lessons
from timetable.days.standing import Standing, attending
from timetable.days.versions import Version
from timetable.identity import days_of, named_occurrence
from timetable.model import Lesson, Term
from timetable.term import Occurrence, teaching_day


class DatedTables:
    """Every community's table on every date of the term. Never changes: `with_...` and `without` give another one."""

    def __init__(
        self,
        term: Term,
        histories: Iterable[Sequence[Version]],
        applied: Iterable[Applied] = (),
        closings: Iterable[Closing] = (),
    ) -> None:
        """`histories` are the versions of each community, in any order."""
        self.term = term
        self.closings = Closings(closings)
        self._published = {versions[0].community: Published(term, versions) for versions in histories if versions}
        self._set(applied)

    def _set(self, applied: Iterable[Applied]) -> None:
        self.applied = tuple(one for one in applied if one.undone_at is None)
        self._overlays: dict[str, Overlay] = defaultdict(Overlay)
        for amendment in self.applied:
            for effect in amendment.effects:
                self._overlays[effect.uid].add(effect, amendment.community)
        self._overlays.default_factory = None
        self._onto: dict[str, list[str]] = defaultdict(list)
        for uid, overlay in self._overlays.items():
            if overlay.placed is not None:
                self._onto[overlay.placed.date].append(uid)
        self._days: dict[date, tuple[Standing, ...]] = {}

    def _copy(self, applied: Iterable[Applied]) -> "DatedTables":
        other = DatedTables.__new__(DatedTables)
        other.term, other._published, other.closings = self.term, self._published, self.closings
        other._set(applied)
        return other

    def with_closings(self, closings: Iterable[Closing]) -> "DatedTables":
        """With these closings instead."""
        other = self._copy(self.applied)
        other.closings = Closings(closings)
        return other

    def with_applied(self, amendment: Applied) -> "DatedTables":
        """With a further amendment, or with that one as it is now."""
        name = (amendment.community, amendment.number)
        if any((one.community, one.number) == name for one in self.applied):
            return self._copy(amendment if (one.community, one.number) == name else one for one in self.applied)
        return self._copy((*self.applied, amendment))

    def with_amendments(self, applied: Iterable[Applied]) -> "DatedTables":
        """With these amendments instead."""
        return self._copy(applied)

    def without(self, community: str, number: int) -> "DatedTables":
        """As if that amendment had never been applied."""
        return self._copy(one for one in self.applied if (one.community, one.number) != (community, number))

    def with_version(self, version: Version, *, only: Collection[str] | None = None) -> "DatedTables":
        """With a further version; of its lessons those named in `only`, where that is given."""
        if only is not None:
            version = only_lessons(version, only)
        other = self._copy(self.applied)
        known = self._published.get(version.community)
        versions = (*known.versions, version) if known else (version,)
        other._published = {**self._published, version.community: Published(self.term, versions)}
        return other

    def only(self, lessons: Collection[str]) -> "DatedTables":
        """As if the tables held these lessons alone."""
        other = self._copy(self.applied)
        other._published = {id: published.only(lessons) for id, published in self._published.items()}
        return other

    def meeting(self, held: Collection[Hold]) -> set[str]:
        """The lessons that need any of these, by some version, and all that an amendment has changed: no other lesson
        can stand in their way."""
        found = {effect.lesson for one in self.applied for effect in one.effects}
        for published in self._published.values():
            found |= {id for id, holds in published.holds if not holds.isdisjoint(held)}
        return found

    # Versions -------------------------------------------------------------------------------------------------------

    @property
    def communities(self) -> tuple[str, ...]:
        return tuple(self._published)

    def versions(self, community: str) -> tuple[Version, ...]:
        """The published versions, the oldest first."""
        known = self._published.get(community)
        return known.versions if known else ()

    def newest(self, community: str) -> Version | None:
        versions = self.versions(community)
        return versions[-1] if versions else None

    def lesson(self, id: str, on: date) -> tuple[str, Lesson] | None:
        """A lesson as its table has it on that date, with its community."""
        for community, published in self._published.items():
            found = published.lesson(id, on)
            if found is not None:
                return community, found
        return None

    # Days -----------------------------------------------------------------------------------------------------------

    def on(self, day: date) -> tuple[Standing, ...]:
        """Everything that takes place that day, and what was called off of it, by the clock."""
        known = self._days.get(day)
        if known is None:
            found = [*self._as_planned(day), *self._placed_onto(day)]
            if self.closings.on(day):
                found = [self._as_closed(standing) for standing in found]
            found.sort(key=lambda standing: (standing.occurrence.lesson.start, standing.occurrence.id))
            known = kept_day(self._days, day, tuple(found))
        return known

    def occurrences_on(self, day: date) -> list[Occurrence]:
        """What takes place that day."""
        return [standing.occurrence for standing in self.on(day) if not standing.cancelled]

    def standing(self, uid: str) -> Standing | None:
        """The occurrence of this identity as it stands now, or None where there is none (any more)."""
        overlay = self._overlays.get(uid)
        if overlay is not None and overlay.placed is not None:
            days: Iterable[date] = (_date(overlay.placed.date),)
        else:
            days = days_of(self.term, uid)
        return next((found for day in days for found in self.on(day) if found.uid == uid), None)

    def find(self, occurrence: str) -> Standing | None:
        """The occurrence of this id as it stands now, or None where there is none (any more)."""
        named = named_occurrence(self.term, occurrence)
        return self.standing(named.uid) if named else None

    def _as_closed(self, standing: Standing) -> Standing:
        """The occurrence without the schools that are shut then; called off where it cannot take place without."""
        if standing.cancelled:
            return standing
        parties, closing = self.closings.attending(standing.occurrence)
        if closing is None:
            return standing
        if not parties:
            return structs.replace(standing, cancelled=True, closing=closing)
        occurrence = structs.replace(standing.occurrence, parties=parties)
        return structs.replace(standing, occurrence=occurrence, closing=closing)

    def _as_planned(self, day: date) -> Iterator[Standing]:
        for community, published in self._published.items():
            for uid, occurrence in published.on(day):
                overlay = self._overlays.get(uid)
                if overlay is None:
                    yield Standing(uid=uid, community=community, occurrence=occurrence, planned=occurrence)
                elif overlay.placed is None:
                    yield Standing(
                        uid=uid,
                        community=community,
                        occurrence=overlay.taught_in(occurrence),
                        planned=occurrence,
                        cancelled=overlay.called_off,
                        taught=tuple(overlay.taught),
                    )

    def _placed_onto(self, day: date) -> Iterator[Standing]:
        for uid in self._onto.get(day.isoformat(), ()):
            overlay = self._overlays[uid]
            standing = self._placed(uid, overlay, overlay.placed) if overlay.placed is not None else None
            if standing is not None:
                yield standing

    def _placed(self, uid: str, overlay: Overlay, placed: Placed) -> Standing | None:
        published = self._published.get(overlay.community)
        day = _date(placed.date)
        lesson = published.lesson(placed.lesson, day) if published else None
        followed = teaching_day(self.term, day)
        if published is None or lesson is None or followed is None:
            return None
        parties = attending(self.term, placed.parties, day)
        if not parties:
            return None
        there = structs.replace(
            lesson, weekday=followed.weekday, start=placed.start, end=placed.end, parties=placed.parties, later=()
        )
        occurrence = Occurrence(id=placed.occurrence, lesson=there, day=followed, parties=parties)
        return Standing(
            uid=uid,
            community=overlay.community,
            occurrence=overlay.taught_in(occurrence),
            planned=None if placed.extra else published.planned(uid),
            cancelled=overlay.called_off,
            made_up=placed.extra,
            taught=tuple(overlay.taught),
        )


def _date(text: str) -> date:
    return date.fromisoformat(text)
