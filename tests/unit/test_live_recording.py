"""Whose sound and picture may be written: what the register says now, and nobody's where it says nothing."""

from __future__ import annotations

import msgspec
import pytest

from server.county import Counties
from server.live_recording import ClassConsents
from server.session_plans import rehearsal_plan
from signaling.room_state import Participant
from tests.unit.county_days import county, table
from timetable.model import Register


class Registers:
    """A register that the test changes."""

    def __init__(self, register: Register | None) -> None:
        self.register = register
        self.number = 1

    async def load(self) -> Register | None:
        return self.register

    async def state(self) -> tuple[int, int]:
        return self.number, 0

    async def refused(self) -> frozenset[str]:
        return frozenset()


HERE = county()
PLAN = rehearsal_plan(HERE, table(HERE).lessons[0], session="s1", starts=0.0, seconds=1.0)


def classroom(unit: str) -> Participant:
    return Participant(id=f"{unit}-remote1", role="endpoint", unit=unit, unit_name=unit, name=unit)


async def consents(register: Register | None = HERE.register) -> tuple[ClassConsents, Counties, Registers]:
    registers = Registers(register)
    counties = Counties(registers)
    await counties.load()
    return ClassConsents(counties), counties, registers


@pytest.mark.parametrize(("unit", "agreed"), [("A0", True), ("A1", True), ("A2", False), ("B0", False)])
async def test_a_class_is_written_when_its_guardians_agreed(unit: str, agreed: bool) -> None:
    asked, _, _ = await consents()
    assert asked(PLAN, classroom(unit)) is agreed


async def test_a_room_without_a_class_needs_no_consent() -> None:
    asked, _, _ = await consents()
    alone = msgspec.structs.replace(PLAN.parts[2], classes=())
    plan = msgspec.structs.replace(PLAN, parts=(*PLAN.parts[:2], alone))
    assert asked(plan, classroom("A2"))


async def test_one_class_without_consent_in_the_room_is_enough_to_write_nothing() -> None:
    asked, _, _ = await consents()
    together = msgspec.structs.replace(PLAN.parts[1], classes=("A1-5-1", "A2-5-1"))
    assert not asked(msgspec.structs.replace(PLAN, parts=(PLAN.parts[0], together)), classroom("A1"))


async def test_a_consent_that_is_withdrawn_counts_from_then_on() -> None:
    asked, counties, registers = await consents()
    withdrawn = tuple(msgspec.structs.replace(known, recording_consent=False) for known in HERE.register.classes)
    registers.register = msgspec.structs.replace(HERE.register, classes=withdrawn)
    registers.number = 2
    await counties.now()
    assert not asked(PLAN, classroom("A1"))


async def test_what_the_register_does_not_know_is_not_written() -> None:
    asked, _, _ = await consents(msgspec.structs.replace(HERE.register, classes=()))
    assert not asked(PLAN, classroom("A1"))
    asked, _, _ = await consents(None)
    assert not asked(PLAN, classroom("A1"))
