"""Explanations by the real solver in its own process: what is found outlives the server that was killed meanwhile."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

from msgspec import structs

from server.explanations import Explanations
from server.solver_process import PROJECT
from server.storage.database import Database
from server.storage.register_store import SqlRegisterStore
from server.storage.table_store import SqlTableStore
from tests.instances import generated_community
from tests.integration.test_builds import gone, nobody
from timetable.agreement.service import TimetableService
from timetable.model import Register
from timetable.register.importing import ImportService

SERVED = """
import asyncio, os, signal, sys
from pathlib import Path
from tests.integration.test_explanations import explanations, infeasible

async def main(url, folder):
    database, registers, found = explanations(url, Path(folder))
    await registers.save(infeasible(), "a", 0.0, 0)
    explaining = await found.start("A", seconds=300)
    async for view in explaining.watch():
        if view.concessions:
            os.kill(explaining.process.pid, signal.SIGSTOP)  # so that there is more to look for
            print(explaining.id, explaining.process.pid, flush=True)
            await asyncio.sleep(600)

asyncio.run(main(*sys.argv[1:]))
"""


def infeasible() -> Register:
    """Two teachers of local lessons may give one a day and have more than days."""
    register = generated_community(seed=1, shape=(1, 1))
    crowded = [r for r in register.requirements if r.kind == "local" and r.weekly >= 4][:2]
    busy = {party.teachers[0] for r in crowded for party in r.parties}
    return structs.replace(
        register,
        requirements=tuple(structs.replace(r, weekly=6) if r in crowded else r for r in register.requirements),
        teachers=tuple(structs.replace(t, max_per_day=1) if t.id in busy else t for t in register.teachers),
    )


def explanations(url: str, folder: Path) -> tuple[Database, SqlRegisterStore, Explanations]:
    database = Database.open(url)
    registers = SqlRegisterStore(database)
    tables = TimetableService(SqlTableStore(database), registers, now=time.time, announce=nobody)
    importing = ImportService(registers, time.time)
    return database, registers, Explanations(tables, importing, folder, workers=2, clock=time.monotonic)


async def test_what_was_found_before_the_server_was_killed_can_be_conceded(sqlite_url: str, tmp_path: Path) -> None:
    folder = tmp_path / "explanations"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SERVED, sqlite_url, str(folder)), cwd=PROJECT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(90):
        id, solver = (await process.stdout.readline()).decode().split()
    process.kill()
    await process.wait()
    os.kill(int(solver), signal.SIGCONT)
    await gone(int(solver))

    database, _, found = explanations(sqlite_url, folder)
    await found.recover()
    [explaining] = found.of("A")
    view = explaining.view()
    assert (explaining.id, view.state, view.feasible) == (id, "interrupted", None)
    assert len(view.concessions) >= 1
    report = await found.concede(id, 0, author="b", may=lambda touched: True)
    assert (report.version, report.changed) == (2, True)

    # they were for a register that stands no more
    database_again, _, later = explanations(sqlite_url, folder)
    await later.recover()
    assert later.of("A") == []
    assert list(folder.iterdir()) == []
    await database.close()
    await database_again.close()
