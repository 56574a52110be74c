"""Builds tables as the product does, in a process of its own, and measures that process from outside."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from tests.bench.runner import Figure
from timetable.checker import check, missing
from timetable.model import Register, Table, TableSet
from timetable.solving.progress import Progress

ROOT = Path(__file__).parents[2]
MEGABYTE = 1024.0
TICKS = os.sysconf("SC_CLK_TCK")
PERCENT_GOAL, POINTS_GOAL = 5.0, 2.0
BEST = "best known"
"""The peer of a cost; where none is stored for the instance as it is, the figure has no peer."""


@dataclass(frozen=True, slots=True)
class Built:
    """Seconds and processor seconds count from when the register was read: Python's own start is not in them. Processes
    that it starts count with it.

    `steps` are the reports on the way, each with the processor seconds used by then. `memory` is the sum of the largest
    resident sizes, in MB.
    """

    status: str
    seconds_to_first: float | None
    processor_to_first: float | None
    seconds: float
    processor: float
    cost: int | None
    bound: int | None
    memory: float
    steps: tuple[tuple[Progress, float], ...]
    tables: tuple[Table, ...]


def build(register: Register, *, seconds: float, seed: int, workers: int | None = None) -> Built:
    """Build every community of the register; tables that the checker refuses are an error."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "input.json").write_bytes(msgspec.json.encode(register))
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "server.commands.table", "build", "input.json"),
                *("--seconds", f"{seconds:g}", "--seed", str(seed), "--workers", str(workers or os.cpu_count() or 1)),
                *("--out", "tables.json", "--report", "report.json", "--progress"),
            ],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        steps, memory = _follow(process)
        _, _, used = os.wait4(process.pid, 0)
        process.returncode = 0
        report = msgspec.json.decode((folder / "report.json").read_bytes())
        output = folder / "tables.json"
        tables = msgspec.json.decode(output.read_bytes(), type=TableSet).tables if output.exists() else ()
    if tables and (wrong := check(register, *tables) or missing(register, *tables)):
        raise AssertionError(f"seed {seed}: the checker refuses the tables: {wrong[0]}")
    began = steps[0][1]
    return Built(
        status=report["status"],
        seconds_to_first=report["seconds_to_first"],
        processor_to_first=_first(steps, began),
        seconds=report["seconds"],
        processor=used.ru_utime + used.ru_stime - began,
        cost=report["cost"],
        bound=report["bound"],
        memory=max(memory, used.ru_maxrss) / MEGABYTE,
        steps=tuple((step, processor - began) for step, processor in steps),
        tables=tables,
    )


def _follow(process: subprocess.Popen[bytes]) -> tuple[list[tuple[Progress, float]], float]:
    """Every step with the processor seconds that had been used by then, and the most kilobytes of all together."""
    assert process.stdout is not None
    steps = []
    processor, memory = 0.0, 0.0
    with process.stdout:
        for line in process.stdout:
            used = [_used(pid) for pid in _family(process.pid)]
            processor = max(processor, sum(ticks for ticks, _ in used) / TICKS)
            memory = max(memory, sum(kilobytes for _, kilobytes in used))
            steps.append((msgspec.json.decode(line, type=Progress), processor))
    return steps, memory


def _family(pid: int) -> list[int]:
    """A process with those that it started and they started; what ends meanwhile is left out."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    except FileNotFoundError:
        return []
    return [pid, *(one for child in children for one in _family(int(child)))]


def _used(pid: int) -> tuple[int, int]:
    """Ticks of the processor, those of ended children too, and the largest resident size in kilobytes."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
        status = Path(f"/proc/{pid}/status").read_text("utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return 0, 0
    peak = next((line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")), "0")
    return sum(map(int, fields[11:15])), int(peak)


def _first(steps: Sequence[tuple[Progress, float]], began: float) -> float | None:
    """Until the last community has its first table."""
    first: dict[str, float] = {}
    for step, processor in steps:
        if step.cost is not None:
            first.setdefault(step.community, processor - began)
    return max(first.values(), default=None)


# Figures ------------------------------------------------------------------------------------------------------------


def figure(
    name: str, value: float, unit: str, goal: float | None = None, *, peer: str | None = None, beside: Any = None
) -> Figure:
    """A figure with its goal, or beside its peer's."""
    ratio = None if beside in (None, 0) or value == float("inf") else value / beside
    return Figure(
        figure=name,
        value=round(value, 3) if value != float("inf") else value,
        unit=unit,
        peer=None if peer == BEST and beside is None else peer,
        peer_value=beside,
        ratio=ratio,
        goal=None if goal is None else f"<= {goal:g} {unit}",
        met=None if goal is None else value <= goal,
    )


def median(builds: Sequence[Built], value: Callable[[Built], float | None]) -> float:
    """The median of a value; a build without it counts as never."""
    found = [value(built) for built in builds]
    return float(statistics.median([float("inf") if one is None else one for one in found]))


def allowance(cost: float, best: int) -> float:
    """The part used of what a cost may be above the best known: 5 % or two points, whichever is more."""
    return (cost - best) / max(POINTS_GOAL, best * PERCENT_GOAL / 100)


def used_allowance(used: Sequence[float], seconds: float) -> Figure:
    """The median of what builds of so many seconds have used of it."""
    share = figure(
        f"allowed distance from the best known used, {seconds:g} s, median", statistics.median(used), "of 1", 1
    )
    return {**share, "goal": f"<= {PERCENT_GOAL:g} % or {POINTS_GOAL:g} points"}
