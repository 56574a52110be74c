"""A server of live sessions in a process of its own, to be killed: python -m tests.live_process FOLDER.

Prints one line of JSON, its port and join tokens for the host and two classrooms, and serves one lesson until then.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import uvloop

from server.storage.database import Database
from server.storage.migrate import migrate
from signaling import connection
from tests.live_lessons import HOST_UNIT, MEMBERS, classroom, plan, teacher
from tests.live_server import LiveServer


async def serve(folder: Path) -> None:
    connection.BURST = connection.RATE = 1e9
    database = Database.open(f"sqlite:///{folder}/tongke.db")
    await asyncio.to_thread(migrate, database.engine)
    server, lesson = LiveServer(database, folder / "journals"), plan()
    await server.start()
    await server.service.open(lesson)
    askers = (teacher(HOST_UNIT), *(classroom(unit) for unit in MEMBERS[:2]))
    tokens = [server.service.admission.invite(asker, lesson)[0] for asker in askers]
    print(json.dumps({"port": server.web.port, "tokens": tokens}), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(Path(sys.argv[1])))
