"""This module owns the append-only journal: an ordered, checksummed log of events that outlives the process.

A journal is a plain stream of MessagePack objects. Every record is the array `[crc32, body]`, always packed with the
same eleven header bytes, where `body` is the binary of one MessagePack array `[seq, epoch, at, event]`. The checksum
starts from the record's own position in the file, so bytes that merely look like a record (inside an event, or moved)
never pass for one. `event` is nil in the records that mark an opening for writing: these count epochs, not events.

What a crash can leave behind: a killed process loses nothing, for each append reaches the operating system before it
returns; a power cut loses at most `SYNC_INTERVAL` seconds. A tail that no valid record follows is torn, and opening for
writing cuts it off. Damage which valid records follow is kept as it is, reported in `damage`, and never misread.
"""

from __future__ import annotations

import fcntl
import os
import struct
import threading
import time
import zlib
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import msgpack

from recordings.errors import JournalLocked, JournalUnwritable

SYNC_INTERVAL = 0.5
"""Seconds between an append and the fsync that makes it survive a power cut, at most."""

_HEADER = struct.Struct(">BBIBI")
_BODY = struct.Struct(">BBIBIBd")
_ARRAY_OF_TWO, _ARRAY_OF_FOUR, _UINT32, _BIN32, _FLOAT64 = 0x92, 0x94, 0xCE, 0xC6, 0xCB


class Record(NamedTuple):
    """One event: its number (from 1), the opening of the journal it belongs to, its Unix time, and what happened."""

    seq: int
    epoch: int
    at: float
    event: dict[str, Any]


class Damage(NamedTuple):
    """A range of bytes that is no valid record although valid records follow it."""

    offset: int
    length: int


@dataclass(frozen=True)
class Scan:
    """What a journal's bytes hold. `end` is where the last valid record ends: anything after it is torn."""

    records: tuple[tuple[int, Record | None], ...]
    damage: tuple[Damage, ...]
    end: int
    last_seq: int
    epoch: int


def scan(data: bytes) -> Scan:
    """Find every valid record in `data`. Pure: raises nothing, whatever the bytes are."""
    records: list[tuple[int, Record | None]] = []
    damage: list[Damage] = []
    end = last_seq = epoch = 0
    position = 0
    while position < len(data):
        found = _decode(data, position)
        if found is None:
            position = data.find(_ARRAY_OF_TWO, position + 1)
            if position < 0:
                break
            continue
        after, seq, opened, at, event = found
        if position > end:
            damage.append(Damage(end, position - end))
        records.append((position, None if event is None else Record(seq, opened, at, event)))
        last_seq, epoch = max(last_seq, seq), max(epoch, opened)
        position = end = after
    return Scan(tuple(records), tuple(damage), end, last_seq, epoch)


def read_journal(path: Path) -> Scan:
    """Read a journal without opening it for writing: a torn tail is ignored. A missing file holds nothing."""
    try:
        return scan(path.read_bytes())
    except FileNotFoundError:
        return scan(b"")


def is_written(path: Path) -> bool:
    """Whether a process has the journal open for writing. Writes nothing: it works on a full disk, too."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


class Journal:
    """A journal open for writing, by one process at a time. Safe to append to from several threads."""

    def __init__(self, path: Path, handle: int, found: Scan, clock: Callable[[], float]) -> None:
        self._path = path
        self._handle = handle
        self._clock = clock
        self._lock = threading.Lock()
        self._offsets = array("Q", (offset for offset, record in found.records if record is not None))
        self._seqs = array("Q", (record.seq for _, record in found.records if record is not None))
        self._end = found.end
        self._ragged = False
        """Whether part of a record lies beyond `_end` that must go before the next one is written."""
        self._last_seq = found.last_seq
        self.epoch = found.epoch + 1
        self.damage = found.damage
        self.torn = 0
        """Bytes of a torn tail that opening cut off."""
        self._pending = threading.Event()
        self._closing = threading.Event()
        self._syncer: threading.Thread | None = None

    @classmethod
    def open(cls, path: Path, clock: Callable[[], float] = time.time) -> Journal:
        """Open for writing, creating the file, and begin a new epoch.

        Raises JournalLocked when another process writes it, JournalUnwritable when the disk refuses.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
        except OSError as error:
            raise JournalUnwritable(str(path), str(error)) from error
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise JournalLocked(str(path)) from error
            data = path.read_bytes()
            found = scan(data)
            journal = cls(path, handle, found, clock)
            journal.torn = len(data) - found.end
            try:
                if journal.torn:
                    os.ftruncate(handle, found.end)
                journal._write(_record(found.last_seq, journal.epoch, clock(), msgpack.packb(None), found.end))
                os.fsync(handle)
                _sync_folder(path.parent)
            except OSError as error:
                raise JournalUnwritable(str(path), str(error)) from error
        except BaseException:
            os.close(handle)
            raise
        return journal

    @property
    def last_seq(self) -> int:
        """The number of the newest event, 0 when there is none."""
        return self._last_seq

    def append(self, event: Mapping[str, Any] | bytes, at: float | None = None) -> int:
        """Add one event (a mapping, or one already packed as MessagePack) and return its number.

        When this returns the event survives a killed process. Raises JournalUnwritable; nothing is added then.
        """
        packed = event if isinstance(event, bytes) else _pack(event)
        return self.extend(((packed, self._clock() if at is None else at),))

    def extend(self, events: Sequence[tuple[bytes, float]]) -> int:
        """Add events, packed as MessagePack, with their Unix times: all of them, by one write; the last one's number.

        When this returns they survive a killed process. Raises JournalUnwritable; none is added then. A process that is
        killed while this runs may leave the first of them.
        """
        with self._lock:
            if self._closing.is_set():
                raise JournalUnwritable(str(self._path), "closed")
            seq, end = self._last_seq, self._end
            epoch, records, offsets = self.epoch, [], []
            for packed, at in events:
                if not packed or not (packed[0] & 0xF0 == 0x80 or packed[0] in (0xDE, 0xDF)):
                    raise ValueError("an event is a MessagePack map")
                seq += 1
                record = _record(seq, epoch, at, packed, end)
                offsets.append(end)
                records.append(record)
                end += len(record)
            self._write(b"".join(records))
            self._offsets.extend(offsets)
            self._seqs.extend(range(self._last_seq + 1, seq + 1))
            self._last_seq = seq
            if self._syncer is None:
                self._syncer = threading.Thread(target=self._sync_forever, name=f"sync {self._path.name}", daemon=True)
                self._syncer.start()
        # it is cleared before the sync: what was written before this look is synced by whoever clears it next
        if not self._pending.is_set():
            self._pending.set()
        return seq

    def records(self, after: int = 0) -> Iterator[Record]:
        """The events numbered above `after`, in order, as the file holds them."""
        with self._lock:
            first = _first_above(self._seqs, after)
            offsets = self._offsets[first:]
            end = self._end
        if not offsets:
            return
        with self._path.open("rb") as file:
            file.seek(offsets[0])
            data = file.read(end - offsets[0])
        for offset in offsets:
            found = _decode(data, offset - offsets[0], offsets[0])
            if found is not None and found[4] is not None:
                yield Record(found[1], found[2], found[3], found[4])

    def read(self, after: int = 0) -> list[Record]:
        """The events numbered above `after` as a list."""
        return list(self.records(after))

    def flush(self) -> None:
        """Return when everything appended so far survives a power cut."""
        self._pending.clear()
        try:
            os.fdatasync(self._handle)
        except OSError as error:
            raise JournalUnwritable(str(self._path), str(error)) from error

    def close(self) -> None:
        """Flush and let go of the file; closing twice is allowed."""
        with self._lock:
            if self._closing.is_set():
                return
            self._closing.set()
        self._pending.set()
        if self._syncer is not None:
            self._syncer.join()
        try:
            self.flush()
        finally:
            os.close(self._handle)

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _write(self, records: bytes) -> None:
        try:
            if self._ragged:
                os.ftruncate(self._handle, self._end)
                self._ragged = False
            written = os.write(self._handle, records)
            if written != len(records):
                self._ragged = True
                os.ftruncate(self._handle, self._end)
                self._ragged = False
                raise JournalUnwritable(str(self._path), "disk full")
        except OSError as error:
            raise JournalUnwritable(str(self._path), str(error)) from error
        self._end += written

    def _sync_forever(self) -> None:
        # A failing disk shows itself on the next append or flush; this thread only shortens what a power cut may take.
        while not self._closing.is_set():
            self._pending.wait()
            if self._closing.wait(SYNC_INTERVAL):
                return
            try:
                self.flush()
            except JournalUnwritable:
                self._pending.set()


def _pack(event: Mapping[str, Any]) -> bytes:
    packed: bytes = msgpack.packb(dict(event))
    return packed


def _record(seq: int, epoch: int, at: float, event: bytes, offset: int) -> bytes:
    """The bytes of one record at `offset`; its `event` is packed already."""
    body = _BODY.pack(_ARRAY_OF_FOUR, _UINT32, seq, _UINT32, epoch, _FLOAT64, at) + event
    return _HEADER.pack(_ARRAY_OF_TWO, _UINT32, _checksum(body, offset), _BIN32, len(body)) + body


def _checksum(body: bytes, offset: int) -> int:
    return zlib.crc32(body, offset & 0xFFFFFFFF)


def _decode(data: bytes, position: int, origin: int = 0) -> tuple[int, int, int, float, dict[str, Any] | None] | None:
    """The record at `position`, which lies `origin` bytes further on in the file: (end, seq, epoch, at, event)."""
    start = position + _HEADER.size
    if start > len(data):
        return None
    array_of_two, uint32, checksum, bin32, length = _HEADER.unpack_from(data, position)
    if (array_of_two, uint32, bin32) != (_ARRAY_OF_TWO, _UINT32, _BIN32) or start + length > len(data):
        return None
    body = data[start : start + length]
    if _checksum(body, position + origin) != checksum:
        return None
    try:
        seq, epoch, at, event = msgpack.unpackb(body, strict_map_key=False)
    except (ValueError, TypeError, msgpack.UnpackException):
        return None
    if type(seq) is not int or type(epoch) is not int or type(at) is not float or not isinstance(event, dict | None):
        return None
    return start + length, seq, epoch, at, event


def _first_above(seqs: array[int], after: int) -> int:
    low, high = 0, len(seqs)
    while low < high:
        middle = (low + high) // 2
        if seqs[middle] <= after:
            low = middle + 1
        else:
            high = middle
    return low


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
