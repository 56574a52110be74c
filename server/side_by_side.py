"""This module owns builds side by side: communities that share nothing are built at once in several processes, so that
all cores work; those that share teachers or rooms are built around each other in one process.

The processes are forked: to read the solver's libraries anew would take each of them as long as a first table. So this
is for a program that has no thread of its own but the one that calls.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkContext, ForkProcess
from multiprocessing.synchronize import Event
from typing import TypeAlias

from server.collector import collect_seldom
from timetable.model import Register, Table
from timetable.solving.builder import build_all
from timetable.solving.coupling import coupled, shared_out
from timetable.solving.progress import Build, Progress

TICK = 0.1
"""Seconds between two looks at whether to stop."""

PROCESSES_FOR_EACH_WORKER = 2
"""Where groups are few, some more processes than workers give each community an even share of the time; many would only
fill the memory."""

News: TypeAlias = Progress | tuple[Table, ...] | Build | BaseException
"""What a group's process tells: where it stands, better tables of all its communities, and at last how it ended."""

Job: TypeAlias = Callable[..., Build]
"""`build_all` of one group, but for who is told and who may stop it."""


def build_side_by_side(
    register: Register,
    *,
    seconds: float,
    seed: int,
    workers: int,
    only: Sequence[str],
    around: Sequence[Table],
    on_progress: Callable[[Progress], None],
    on_tables: Callable[[Sequence[Table]], None],
    should_stop: Callable[[], bool],
) -> Build:
    """As `build_all`, which does the work of each group. With one worker, or nothing to part, it is done right here.
    The calling program's garbage collector runs seldom from then on."""
    collect_seldom()
    wanted = list(only) or [community.id for community in register.communities]
    groups = coupled(register, wanted) if workers > 1 and _all_known(register, wanted) else []
    groups = shared_out(register, groups, PROCESSES_FOR_EACH_WORKER * workers)
    job = partial(build_all, register, seconds=seconds, seed=seed, around=around)
    if len(groups) < 2:
        return job(workers=workers, only=only, on_progress=on_progress, on_tables=on_tables, should_stop=should_stop)
    began = time.monotonic()
    context = get_context("fork")
    each = max(1, workers // len(groups))
    runs: list[_Group] = []
    for group in groups:
        runs.append(_Group(context, group[0], partial(job, workers=each, only=group), runs))
    first: float | None = None

    def complete(tables: Sequence[Table]) -> None:
        nonlocal first
        first = time.monotonic() if first is None else first
        on_tables(tables)

    try:
        _follow(runs, wanted, on_progress, complete, should_stop)
    finally:
        for run in runs:
            run.end()
    outcomes = {outcome.community: outcome for run in runs if run.build for outcome in run.build.outcomes}
    return Build(
        outcomes=tuple(outcomes[community] for community in wanted),
        seconds_to_first=None if first is None else round(first - began, 3),
        seconds=round(time.monotonic() - began, 3),
    )


def _all_known(register: Register, wanted: Sequence[str]) -> bool:
    return {*wanted} <= {community.id for community in register.communities}


def _follow(
    runs: Sequence[_Group],
    wanted: Sequence[str],
    on_progress: Callable[[Progress], None],
    on_tables: Callable[[Sequence[Table]], None],
    should_stop: Callable[[], bool],
) -> None:
    """Pass on what the groups tell until all have ended. Raises what one of them raised."""
    tables: dict[str, Table] = {}
    by_pipe = {run.news: run for run in runs}
    stopping = False
    while by_pipe:
        if not stopping and should_stop():
            stopping = True
            for run in runs:
                run.stop()
        for pipe in wait(list(by_pipe), TICK):
            assert isinstance(pipe, Connection)
            run = by_pipe[pipe]
            news = run.told()
            if isinstance(news, Progress):
                on_progress(news)
            elif isinstance(news, Build):
                run.build = news
                del by_pipe[pipe]
            elif isinstance(news, BaseException):
                raise news
            else:
                tables |= {table.community: table for table in news}
                if len(tables) == len(wanted):
                    on_tables([tables[community] for community in wanted])


class _Group:
    """One group's process."""

    def __init__(self, context: ForkContext, name: str, job: Job, earlier: Sequence[_Group]) -> None:
        self.build: Build | None = None
        self.news, told = context.Pipe(duplex=False)
        self._stop = context.Event()
        listening = [self.news, *(group.news for group in earlier)]
        self._process: ForkProcess = context.Process(
            target=_work, args=(told, listening, self._stop, os.getpid(), job), name=f"build {name}", daemon=True
        )
        self._process.start()
        told.close()

    def told(self) -> News:
        try:
            news: News = self.news.recv()
        except EOFError:
            self._process.join()
            return ChildProcessError(f"{self._process.name} ended by itself: exit {self._process.exitcode}")
        return news

    def stop(self) -> None:
        self._stop.set()

    def end(self) -> None:
        """Whatever it was doing is not wanted any more."""
        self.news.close()
        if self.build is None:
            self._process.kill()
        self._process.join()


def _work(told: Connection, listening: Sequence[Connection], stop: Event, parent: int, job: Job) -> None:
    """Build one group. The parent alone hears signals; where it is gone, nobody waits for this any more.

    `listening` are the parent's ends of the pipes so far: with one left open here, whoever tells a parent that is gone
    would wait for ever.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for end in listening:
        end.close()
    alone = False

    def tell(news: News) -> None:
        nonlocal alone
        try:
            told.send(news)
        except BrokenPipeError:
            alone = True

    try:
        build = job(
            on_progress=tell,
            on_tables=lambda tables: tell(tuple(tables)),
            should_stop=lambda: alone or stop.is_set() or os.getppid() != parent,
        )
    except BaseException as error:
        tell(error)
    else:
        tell(build)
