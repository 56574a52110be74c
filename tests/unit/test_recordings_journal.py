"""The journal keeps every event through torn tails, corrupt bytes and killed processes, and never misreads one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recordings.errors import JournalLocked, JournalUnwritable
from recordings.journal import Journal, Record, read_journal, scan

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_EVENTS = st.lists(st.dictionaries(st.text(max_size=8), _VALUES, max_size=4), min_size=1, max_size=6)


def _fill(path: Path, events: list[dict[str, object]]) -> bytes:
    with Journal.open(path, clock=lambda: 100.0) as journal:
        for number, event in enumerate(events, start=1):
            assert journal.append(event, at=float(number)) == number
    return path.read_bytes()


def test_journal_returns_what_was_appended(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with Journal.open(path, clock=lambda: 5.0) as journal:
        assert journal.append({"type": "joined", "room": "西河"}) == 1
        assert journal.append(msgpack.packb({"type": "left"}), at=6.5) == 2
        assert journal.read() == [
            Record(1, 1, 5.0, {"type": "joined", "room": "西河"}),
            Record(2, 1, 6.5, {"type": "left"}),
        ]
        assert journal.read(after=1) == [Record(2, 1, 6.5, {"type": "left"})]
        assert journal.read(after=2) == []


def test_journal_takes_several_events_by_one_write_as_one_by_one(tmp_path: Path) -> None:
    events = [(msgpack.packb({"n": number}), float(number)) for number in range(1, 6)]
    with Journal.open(tmp_path / "one", clock=lambda: 5.0) as one, Journal.open(tmp_path / "all", lambda: 5.0) as all_:
        assert [one.append(*event) for event in events][-1] == all_.extend(events) == 5
        assert one.read() == all_.read()
        with pytest.raises(ValueError, match="map"):
            all_.extend([events[0], (b"", 0.0)])
        assert all_.last_seq == 5
    assert (tmp_path / "one").read_bytes() == (tmp_path / "all").read_bytes()


def test_journal_counts_an_epoch_per_opening_and_continues_the_numbers(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    _fill(path, [{"n": 1}])
    Journal.open(path).close()
    with Journal.open(path) as journal:
        assert journal.epoch == 3
        assert journal.append({"n": 2}, at=9.0) == 2
        assert [(record.seq, record.epoch) for record in journal.records()] == [(1, 1), (2, 3)]


def test_journal_refuses_a_second_writer_and_writing_after_close(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with Journal.open(path) as journal, pytest.raises(JournalLocked):
        Journal.open(path)
    with pytest.raises(JournalUnwritable):
        journal.append({"n": 1})


def test_journal_refuses_an_event_that_is_no_map(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "journal") as journal:
        for packed in (b"", msgpack.packb([1]), msgpack.packb("text")):
            with pytest.raises(ValueError, match="map"):
                journal.append(packed)
        assert journal.append(msgpack.packb({str(n): n for n in range(40)})) == 1


@settings(max_examples=20, deadline=None)
@given(_EVENTS)
def test_journal_truncated_at_any_byte_keeps_every_whole_record(
    tmp_path_factory: pytest.TempPathFactory, events: list[dict[str, object]]
) -> None:
    path = tmp_path_factory.mktemp("torn") / "journal"
    data = _fill(path, events)
    ends = [offset for offset, _ in scan(data).records[1:]] + [len(data)]
    for length in range(len(data)):
        whole = sum(1 for end in ends[1:] if end <= length)
        found = scan(data[:length])
        assert [record.event for _, record in found.records if record is not None] == events[:whole]
        assert found.damage == ()
    cut = len(data) - 1
    path.write_bytes(data[:cut])
    with Journal.open(path) as journal:
        assert journal.torn == cut - ends[-2]
        assert journal.append({"new": True}) == len(events)
        assert [record.event for record in journal.records()] == [*events[:-1], {"new": True}]
    assert read_journal(path).damage == ()


@settings(max_examples=60, deadline=None)
@given(_EVENTS, st.data())
def test_journal_reports_a_corrupt_middle_and_misreads_nothing(
    tmp_path_factory: pytest.TempPathFactory, events: list[dict[str, object]], data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("corrupt") / "journal"
    original = _fill(path, [*events, {"last": True}])
    positions = [offset for offset, _ in scan(original).records]
    spoilt = data.draw(st.integers(0, len(positions) - 2))
    start, end = positions[spoilt], positions[spoilt + 1]
    at = data.draw(st.integers(start, end - 1))
    flipped = bytearray(original)
    flipped[at] ^= data.draw(st.integers(1, 255))
    path.write_bytes(flipped)
    with Journal.open(path) as journal:
        assert [tuple(damage) for damage in journal.damage] == [(start, end - start)]
        expected = [event for number, event in enumerate([*events, {"last": True}], start=1) if number != spoilt]
        assert [record.event for record in journal.records()] == expected
        assert journal.append({"after": 1}) == len(events) + 2


@given(st.binary(max_size=400))
def test_scan_of_any_bytes_raises_nothing(data: bytes) -> None:
    assert scan(data).end <= len(data)


def test_scan_does_not_take_a_record_inside_an_event_for_a_record(tmp_path: Path) -> None:
    inner = _fill(tmp_path / "inner", [{"type": "forged"}])
    outer = _fill(tmp_path / "outer", [{"type": "real", "attachment": inner}, {"type": "next"}])
    first = scan(outer).records[1][0]
    damaged = bytearray(outer)
    damaged[first] ^= 0xFF
    assert [record.event for _, record in scan(bytes(damaged)).records if record] == [{"type": "next"}]


def test_journal_survives_kill_of_its_process(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    program = (
        "import sys; from pathlib import Path; from recordings.journal import Journal\n"
        "journal = Journal.open(Path(sys.argv[1]))\n"
        "while True: print(journal.append({'type': 'mark'}), flush=True)"
    )
    child = subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    reported = [int(child.stdout.readline()) for _ in range(200)]
    os.kill(child.pid, signal.SIGKILL)
    reported += [int(line) for line in child.stdout if line.endswith("\n")]
    child.stdout.close()
    child.wait()
    with Journal.open(path) as journal:
        assert journal.last_seq >= reported[-1]
        assert journal.epoch == 2


def test_journal_refuses_a_full_disk_and_stays_as_it_was(tmp_path: Path) -> None:
    program = (
        "import resource, signal, sys; from pathlib import Path; from recordings.journal import Journal\n"
        "from recordings.errors import JournalUnwritable\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "journal = Journal.open(Path(sys.argv[1])); kept = 0\n"
        "try:\n"
        "    while True: kept = journal.append({'type': 'mark', 'label': 'x' * 98})\n"
        "except JournalUnwritable: pass\n"
        "two = [(b'\\x81\\xa1s\\x01', 1.0)] * 2\n"
        "try: journal.extend(two * 8)\n"
        "except JournalUnwritable: print(kept, len(journal.read()), journal.extend(two[:1]))\n"
    )
    path = tmp_path / "journal"
    shown = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)
    kept, readable, small = map(int, shown.stdout.split())
    assert (readable, small) == (kept, kept + 1)
    assert read_journal(path).last_seq == small


def test_journal_that_cannot_be_cut_back_is_cut_before_the_next_event(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, truncate = os.write, os.ftruncate

    def broken(*_: object) -> None:
        raise OSError(5, "Input/output error")

    with Journal.open(tmp_path / "journal", clock=lambda: 5.0) as journal:
        journal.append({"n": 1})
        monkeypatch.setattr(os, "write", lambda handle, data: write(handle, data[:-1]))
        monkeypatch.setattr(os, "ftruncate", broken)
        for _ in range(2):
            with pytest.raises(JournalUnwritable, match="Input/output"):
                journal.append({"n": 2})
        monkeypatch.setattr(os, "write", write)
        monkeypatch.setattr(os, "ftruncate", truncate)
        assert journal.append({"n": 3}) == 2
    found = read_journal(tmp_path / "journal")
    assert found.damage == ()
    assert [record.event for _, record in found.records if record is not None] == [{"n": 1}, {"n": 3}]


def test_journal_that_cannot_be_opened_is_unwritable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "file" / "journal", tmp_path / "folder"):
        with pytest.raises(JournalUnwritable):
            Journal.open(path)
