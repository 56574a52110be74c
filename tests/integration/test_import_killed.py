"""An import of new bells that is killed before the published tables follow it: the next server lets them follow."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import msgspec
import pytest

from server.keys import counties_key, timetable_key
from tests.county_server import CountyServer, running_county
from tests.integration.test_api_amendments import answers, ask, move
from timetable.model import Period, Register, clock, minutes

KILLED = """
import os, signal, sys
from server import cli
from server.commands import import_
from timetable.agreement.amendment_service import AmendmentService
from timetable.agreement.service import TimetableService

async def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

if sys.argv[1] == "kept":
    TimetableService.ring_anew = die
elif sys.argv[1] == "first version":
    import_._seen_by_servers = die
elif sys.argv[1] == "versions":
    AmendmentService.ring_anew = die
sys.exit(cli.run(["import", *sys.argv[2:]]))
"""


def later(register: Register, by: int) -> Register:
    """Every school rings so many minutes later."""

    def shifted(one: Period) -> Period:
        return msgspec.structs.replace(one, start=clock(minutes(one.start) + by), end=clock(minutes(one.end) + by))

    units = tuple(
        msgspec.structs.replace(
            unit,
            bells=tuple(msgspec.structs.replace(b, periods=tuple(shifted(p) for p in b.periods)) for b in unit.bells),
        )
        for unit in register.units
    )
    return msgspec.structs.replace(register, units=units)


async def imported(folder: Path, register: Register, killed_after: str) -> int:
    file = folder / "bells.json"
    file.write_bytes(msgspec.json.encode(register))
    arguments = [killed_after, str(file), "--database", f"sqlite:///{folder / 'tongke.db'}"]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", KILLED, *arguments),
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": "."},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    await process.communicate()
    assert process.returncode is not None
    return process.returncode


async def rings(county: CountyServer, register: Register) -> dict[str, bool]:
    """By community: whether every published lesson has the clock of the register's bells."""
    rung = {(unit.id, one.number): one for unit in register.units for one in unit.bells[0].periods}
    found = {}
    for version in await county.app[timetable_key].published():
        parties = [party for lesson in version.table.lessons for party in lesson.parties]
        found[version.community] = all(party.start == rung[party.unit, party.period].start for party in parties)
    return found


@pytest.mark.parametrize("killed_after", ["kept", "first version", "versions"])
async def test_tables_and_days_follow_an_import_that_was_killed(
    tmp_path: Path, migrated_sqlite: Path, killed_after: str
) -> None:
    folder = tmp_path / "data"
    async with running_county(folder, migrated_sqlite) as county:
        asked = await ask(await county.person("core_director"), move())
        await answers(county, asked, "member_director", "third_director")
        register = (await county.app[counties_key].now()).register
        [before] = (await (await county.person("core_director")).get("/api/communities/A/amendments")).json
    after = later(register, 5)
    assert await imported(folder, after, killed_after) == -signal.SIGKILL
    async with running_county(folder, migrated_sqlite, furnished=False) as county:
        assert (await county.app[counties_key].now()).register == after
        assert await rings(county, after) == {"A": True, "B": True}
        newest = [await county.app[timetable_key].newest(community) for community in ("A", "B")]
        assert [(version.number, version.author) for version in newest if version] == [(2, "tongke import")] * 2
        [moved] = (await (await county.person("core_director")).get("/api/communities/A/amendments")).json
        was, now = before["lines"][0]["after"], moved["lines"][0]["after"]
        assert minutes(now["start"]) == minutes(was["start"]) + 5
    async with running_county(folder, migrated_sqlite, furnished=False) as county:
        versions = await county.app[timetable_key].history("A")
        assert [version.number for version in versions] == [2, 1]
