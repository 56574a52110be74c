"""Recordings are deleted when their time is over, and not before."""

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec import structs

from recordings.errors import JournalLocked
from recordings.journal import Journal, Scan, read_journal
from recordings.manifest import MANIFEST_FILE, Began, Ended, Manifest, Opened, Sealed, read_recording
from server.answer_files import AnswerFiles
from server.journals import FileJournals
from server.retention import DAY_SECONDS, Retention
from server.storage.database import Database
from server.storage.session_store import SqlSessionStore
from signaling.plan import SessionRecord
from tests.live_lessons import plan

ENDED = 1_800_000_000.0


async def recorded(database: Database, folder: Path, *, rehearsal: bool) -> tuple[SqlSessionStore, Path]:
    store = SqlSessionStore(database)
    planned = plan()
    planned = structs.replace(planned, lesson=structs.replace(planned.lesson, rehearsal=rehearsal))
    kind = "rehearsal" if rehearsal else "lesson"
    await store.add(SessionRecord(plan=planned, kind=kind, state="ended", journal="j", review="r"))
    await store.finish(planned.session, ENDED, "r")
    session = folder / planned.session
    session.mkdir(parents=True)
    with Manifest.open(session) as manifest:
        manifest.add(Began(planned.session, ENDED - 2400))
        manifest.add(Opened("0001", "room", "pupils", "0001.mp4", 0.0, True, True, True))
        manifest.add(Ended("0001", 2400.0, (), whole=True))
        manifest.add(Sealed("0001", 8, "5e1f"))
    (session / "0001.mp4").write_bytes(b"pictures")
    return store, session


def retention_of(store: SqlSessionStore, folder: Path, *, days: int, clock: Callable[[], float]) -> Retention:
    beside = folder.with_name(f"{folder.name}-beside")
    files = AnswerFiles(beside / "answers")
    return Retention(store, folder, files, FileJournals(beside / "journals"), days=days, clock=clock)


@pytest.mark.parametrize(("rehearsal", "days"), [(True, 7), (False, 365)])
async def test_recording_goes_on_its_day(database: Database, tmp_path: Path, rehearsal: bool, days: int) -> None:
    store, session = await recorded(database, tmp_path, rehearsal=rehearsal)
    now = ENDED + days * DAY_SECONDS - 1
    retention = retention_of(store, tmp_path, days=365, clock=lambda: now)
    assert (await retention.look(), session.exists()) == ([], True)
    now += 1
    assert (await retention.look(), session.exists()) == ([session.name], False)
    journal = tmp_path.with_name(f"{tmp_path.name}-beside") / "journals" / "j"
    [proof] = [record for _, record in read_journal(journal).records if record is not None]
    assert (proof.event["type"], proof.at, proof.event["kept_days"]) == ("recording_deleted", now, days)
    assert proof.event["files"] == [{"participant": "room", "file": "0001.mp4", "size": 8, "sha256": "5e1f"}]


async def test_a_proof_that_cannot_be_written_is_written_later(database: Database, tmp_path: Path) -> None:
    store, session = await recorded(database, tmp_path, rehearsal=True)
    retention = retention_of(store, tmp_path, days=365, clock=lambda: ENDED + 100 * DAY_SECONDS)
    journals = FileJournals(tmp_path.with_name(f"{tmp_path.name}-beside") / "journals")
    with journals.open("j"):
        assert await retention.look() == []
    assert [file.name for file in session.iterdir()] == ["manifest.journal"]
    assert await retention.look() == [session.name]
    [proof] = [record for _, record in read_journal(journals.path("j")).records if record is not None]
    assert len(proof.event["files"]) == 1


async def test_recording_that_is_being_written_stays(database: Database, tmp_path: Path) -> None:
    store, session = await recorded(database, tmp_path, rehearsal=True)
    retention = retention_of(store, tmp_path, days=365, clock=lambda: ENDED + 100 * DAY_SECONDS)
    with Manifest.open(session):
        assert (await retention.look(), (session / "0001.mp4").exists()) == ([], True)


async def test_folder_of_an_unknown_session_is_left_alone(database: Database, tmp_path: Path) -> None:
    store, session = await recorded(database, tmp_path, rehearsal=True)
    stranger = session.rename(tmp_path / "somebody-elses")
    retention = retention_of(store, tmp_path, days=1, clock=lambda: ENDED + 100 * DAY_SECONDS)
    assert (await retention.look(), stranger.exists()) == ([], True)


async def test_a_folder_that_cannot_be_deleted_does_not_keep_the_others(database: Database, tmp_path: Path) -> None:
    store, session = await recorded(database, tmp_path, rehearsal=True)
    stuck = plan("a-before")
    await store.add(SessionRecord(plan=stuck, kind="rehearsal", state="ended", journal="k", review="q"))
    await store.finish(stuck.session, ENDED, "q")
    with Manifest.open(tmp_path / stuck.session) as manifest:
        manifest.add(Began(stuck.session, ENDED - 2400))
    (tmp_path / stuck.session / "lost+found").mkdir()
    retention = retention_of(store, tmp_path, days=365, clock=lambda: ENDED + 8 * DAY_SECONDS)
    assert (await retention.look(), session.exists()) == ([session.name], False)


async def test_a_manifest_of_a_newer_program_keeps_no_recording(database: Database, tmp_path: Path) -> None:
    store, session = await recorded(database, tmp_path, rehearsal=True)
    with Journal.open(session / MANIFEST_FILE) as manifest:
        manifest.append({"type": "captioned", "segment": "0001"})
        manifest.append({"type": "paused", "participant": 7})
    assert [facts.id for facts in read_recording(session).segments] == ["0001"]
    retention = retention_of(store, tmp_path, days=365, clock=lambda: ENDED + 8 * DAY_SECONDS)
    assert (await retention.look(), session.exists()) == ([session.name], False)


async def test_pupils_answers_go_with_the_recording(database: Database, tmp_path: Path) -> None:
    store, _ = await recorded(database, tmp_path / "recordings", rehearsal=True)
    files, journals = AnswerFiles(tmp_path / "answers"), FileJournals(tmp_path / "journals")
    files.keep("s1", "p1", b"photo")
    events = [
        {"type": "answered", "run": "r", "unit": "yanli", "seat": 7, "choice": None, "text": "垂线", "number": None},
        {"type": "marked", "participant": "host.p", "side": "host", "note": "法线"},
    ]
    with journals.open("j") as journal:
        for event in events:
            journal.append(event, ENDED)
    now = ENDED + 7 * DAY_SECONDS - 1
    retention = Retention(store, tmp_path / "recordings", files, journals, days=365, clock=lambda: now)
    await retention.look()
    assert files.read("s1", "p1") == b"photo"
    now += 1
    with journals.open("j"):
        await retention.look()
        assert files.read("s1", "p1") == b"photo"
    await retention.look()
    assert (files.read("s1", "p1"), list(files.sessions())) == (None, [])
    kept = [record for _, record in read_journal(journals.path("j")).records if record is not None]
    assert [record.event for record in kept[:2]] == [events[0] | {"text": "…"}, events[1]]
    assert [record.at for record in kept] == [ENDED, ENDED, now]
    assert kept[2].event["type"] == "recording_deleted"


def test_nobody_writes_into_a_journal_while_it_is_written_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files, path = AnswerFiles(tmp_path / "answers"), tmp_path / "j"
    files.keep("s1", "p1", b"photo")
    with Journal.open(path) as journal:
        journal.append({"type": "answered", "text": "垂线"})

    def read(journal: Path) -> Scan:
        with pytest.raises(JournalLocked):
            Journal.open(journal)
        return read_journal(journal)

    monkeypatch.setattr("server.answer_files.read_journal", read)
    assert files.forget("s1", path)
    with Journal.open(path) as journal:
        assert [record.event["text"] for record in journal.read()] == ["…"]
