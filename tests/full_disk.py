"""A disk without space, for the journal of one session."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import cast

from recordings.journal import Journal
from signaling.session import LiveSession


def journal_of(session: LiveSession) -> Journal:
    return cast(Journal, session._history._journal)


@contextlib.contextmanager
def full_disk(session: LiveSession) -> Iterator[None]:
    """Every write of its journal is refused by the kernel meanwhile, for want of space."""
    journal = journal_of(session)
    handle = journal._handle
    kept, full = os.dup(handle), os.open("/dev/full", os.O_RDWR)
    os.dup2(full, handle)
    try:
        yield
    finally:
        if not journal._closing.is_set():
            os.dup2(kept, handle)
        os.close(kept)
        os.close(full)
