"""The bus between processes: one port, an in-process and a Redis adapter, chosen here and nowhere else."""

from __future__ import annotations

from server.bus.local import LocalBus
from server.bus.port import Bus, BusError, BusOverflow, BusUnavailable
from server.bus.redis import RedisBus

__all__ = ["Bus", "BusError", "BusOverflow", "BusUnavailable", "open_bus"]


def open_bus(redis_url: str | None) -> Bus:
    """The bus of one process alone, or with a Redis address the bus of all processes that share it."""
    return RedisBus(redis_url) if redis_url else LocalBus()
