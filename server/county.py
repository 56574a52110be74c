"""The county as the server reads it: the register with its indexes, decoded once for each version."""

from collections.abc import Iterable
from functools import cached_property
from typing import Protocol, TypeVar

from server.shapes.people import CommunityRef
from timetable.errors import NotFound
from timetable.model import Community, Register, Room, SchoolClass, SchoolUnit, Teacher

T = TypeVar("T")


class VersionedRegisters(Protocol):
    async def load(self) -> Register | None: ...
    async def state(self) -> tuple[int, int]: ...
    async def refused(self) -> frozenset[str]: ...


class County:
    """One version of the register, indexed. Every lookup of an unknown id raises NotFound.

    `refusing`: the classes that may not be recorded, nor seen in what was; those that have left the register stand by
    their last word.
    """

    def __init__(self, register: Register, refusing: frozenset[str] = frozenset()) -> None:
        self.register = register
        self.refusing = refusing

    @cached_property
    def _units(self) -> dict[str, SchoolUnit]:
        return {unit.id: unit for unit in self.register.units}

    @cached_property
    def _communities(self) -> dict[str, Community]:
        return {community.id: community for community in self.register.communities}

    @cached_property
    def _classes(self) -> dict[str, SchoolClass]:
        return {school_class.id: school_class for school_class in self.register.classes}

    @cached_property
    def _teachers(self) -> dict[str, Teacher]:
        return {teacher.id: teacher for teacher in self.register.teachers}

    @cached_property
    def _rooms(self) -> dict[str, Room]:
        return {room.id: room for room in self.register.rooms}

    @cached_property
    def _community_of(self) -> dict[str, Community]:
        return {unit: community for community in self.register.communities for unit in community.units}

    def unit(self, id: str) -> SchoolUnit:
        return _get(self._units, "unit", id)

    def community(self, id: str) -> Community:
        return _get(self._communities, "community", id)

    def school_class(self, id: str) -> SchoolClass:
        return _get(self._classes, "class", id)

    def agreed(self, classes: Iterable[str]) -> bool:
        """Whether all of these may be recorded. Nobody's consent is known of a class that has left the register."""
        known = [(id, self._classes.get(id)) for id in classes]
        return all(one is not None and one.recording_consent and id not in self.refusing for id, one in known)

    def teacher(self, id: str) -> Teacher:
        return _get(self._teachers, "teacher", id)

    def room(self, id: str) -> Room:
        return _get(self._rooms, "room", id)

    def community_of(self, unit: str) -> Community | None:
        return self._community_of.get(unit)

    def unit_name(self, id: str | None) -> str:
        """The name of a unit, or an empty text for none."""
        return self._units[id].name if id is not None and id in self._units else ""

    def unit_short(self, id: str) -> str:
        """The short name of a unit, or the id of one that the register does not have any more."""
        return self._units[id].short_name if id in self._units else id

    def teacher_name(self, id: str | None) -> str:
        return self._teachers[id].name if id is not None and id in self._teachers else ""

    def units_of(self, community: Community) -> tuple[SchoolUnit, ...]:
        return tuple(self.unit(id) for id in community.units)

    def teachers_of(self, units: Iterable[str]) -> list[Teacher]:
        wanted = set(units)
        return [teacher for teacher in self.register.teachers if wanted.intersection(teacher.posts)]


class Counties:
    """The present county; reads the register again only when its version has changed, or a class's consent."""

    def __init__(self, registers: VersionedRegisters) -> None:
        self._registers = registers
        self._cached: tuple[tuple[int, int], County] | None = None

    @property
    def latest(self) -> County | None:
        """The county as it was last read, without waiting."""
        return self._cached[1] if self._cached else None

    async def now(self) -> County:
        """The county, or NotFound before anything was imported."""
        state = await self._registers.state()
        if self._cached is None or self._cached[0] != state:
            register = await self._registers.load()
            if register is None:
                raise NotFound("register", "county")
            self._cached = (state, County(register, await self._registers.refused()))
        return self._cached[1]

    async def load(self) -> Register | None:
        """`timetable.agreement.service.Registers`: the register, without decoding it again."""
        try:
            return (await self.now()).register
        except NotFound:
            return None


def reference(community: Community) -> CommunityRef:
    return CommunityRef(id=community.id, name=community.name, number=community.number, mode=community.mode)


def _get(index: dict[str, T], noun: str, id: str) -> T:
    try:
        return index[id]
    except KeyError:
        raise NotFound(noun, id) from None
