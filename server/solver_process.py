"""This module owns the process in which the solver works: started, followed line by line, asked to stop, killed.

The solver never runs in the event loop's process: it takes all cores for seconds, and killing it must hurt nobody.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

LINE_LIMIT = 16 << 20
GRACE_SECONDS = 10.0
PROJECT = Path(__file__).parent.parent


class SolverProcess:
    """One run of `tongke table`."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self.stopped = False

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    async def run(self, arguments: Sequence[str], folder: Path, on_line: Callable[[bytes], None]) -> tuple[int, str]:
        """Run it in `folder`, telling each line that it writes; its exit code, and the end of what it complained."""
        process = self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "server.solver_program", *arguments),
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(PROJECT)},
            # never written to: its end tells the solver that the server has gone
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=LINE_LIMIT,
            # a Ctrl-C at the terminal is for the server; it passes on what is meant for the solver
            start_new_session=True,
        )
        assert process.stdout is not None
        assert process.stderr is not None
        if self.stopped:
            process.send_signal(signal.SIGTERM)
        try:
            _, errors = await asyncio.gather(_follow(process.stdout, on_line), process.stderr.read())
            return await process.wait(), errors.decode(errors="replace")[-2000:].strip()
        finally:
            if process.returncode is None:
                process.kill()

    async def stop(self) -> None:
        """Ask the solver to hand in its best; one that does not answer is killed."""
        self.stopped = True
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), GRACE_SECONDS)
        except TimeoutError:
            process.kill()


async def _follow(lines: asyncio.StreamReader, on_line: Callable[[bytes], None]) -> None:
    async for line in lines:
        on_line(line)
