"""This module owns what amendments of days do: effects on the identities of occurrences, and what they add up to."""

from collections.abc import Iterable, Sequence

from msgspec import Struct, structs

from timetable.days.versions import Version
from timetable.model import ClockTime, Id, IsoDate, Model, PlacedParty, Term
from timetable.term import Occurrence


class Placed(Model, frozen=True, kw_only=True, tag_field="effect", tag="placed"):
    """The occurrence stands on this date with these parties, whose teachers are those of the table."""

    uid: str
    occurrence: str
    lesson: Id
    planned: IsoDate
    """The date on which the table had it."""
    date: IsoDate
    start: ClockTime
    end: ClockTime
    parties: tuple[PlacedParty, ...]
    extra: bool = False
    """Whether it makes up for another occurrence, which stays called off."""


class CalledOff(Model, frozen=True, kw_only=True, tag_field="effect", tag="called_off"):
    uid: str
    lesson: Id


class Taught(Model, frozen=True, kw_only=True, tag_field="effect", tag="taught"):
    """In the unit's party `substitute` stands for `absent`, in the room and over the leftover minutes."""

    uid: str
    lesson: Id
    unit: Id
    absent: Id
    substitute: Id


Effect = Placed | CalledOff | Taught


class Earlier(Struct, frozen=True, kw_only=True):
    """What an amendment did until that moment (unix seconds), when it came to do something else."""

    until: float
    effects: tuple[Effect, ...]


class Applied(Struct, frozen=True, kw_only=True):
    """An amendment that counts from `at` on, until it was undone; both in unix seconds."""

    community: str
    number: int
    at: float
    effects: tuple[Effect, ...]
    undone_at: float | None = None
    version: int | None = None
    """The version that a lasting change made."""
    earlier: tuple[Earlier, ...] = ()
    """What it did before, the oldest first: new bells and schools that open again change what it does."""

    @property
    def ever(self) -> tuple[Effect, ...]:
        """Everything that it does or did."""
        return (*(effect for one in self.earlier for effect in one.effects), *self.effects)

    def belongs_to(self, term: Term, histories: Iterable[Sequence[Version]]) -> bool:
        """Whether it changed something of that term, whose versions are given."""
        if self.version is None:
            return any(f".{term.id}.w" in effect.uid for effect in self.ever) or not self.ever
        return any(
            (v.community, v.number) == (self.community, self.version) for versions in histories for v in versions
        )


class Overlay:
    """What the amendments of one identity add up to."""

    def __init__(self) -> None:
        self.community = ""
        self.placed: Placed | None = None
        self.called_off = False
        self.taught: list[Taught] = []

    def add(self, effect: Effect, community: str) -> None:
        self.community = community
        match effect:
            case Placed():
                self.placed = effect
            case CalledOff():
                self.called_off = True
            case Taught():
                self.taught.append(effect)

    def taught_in(self, occurrence: Occurrence) -> Occurrence:
        if not self.taught:
            return occurrence
        lesson = structs.replace(occurrence.lesson, parties=taught_by(occurrence.lesson.parties, self.taught))
        return structs.replace(occurrence, lesson=lesson, parties=taught_by(occurrence.parties, self.taught))


def taught_by(parties: Sequence[PlacedParty], replacements: Iterable[Taught]) -> tuple[PlacedParty, ...]:
    """The parties with the absent teachers replaced, in the order of the replacements."""
    found = list(parties)
    for one in replacements:
        for index, party in enumerate(found):
            if party.unit == one.unit:
                teachers = dict.fromkeys(one.substitute if t == one.absent else t for t in party.teachers)
                leftover = tuple(
                    structs.replace(left, teacher=one.substitute) if left.teacher == one.absent else left
                    for left in party.leftover
                )
                found[index] = structs.replace(party, teachers=tuple(teachers), leftover=leftover)
    return tuple(found)
