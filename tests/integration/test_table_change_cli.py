"""`tongke table amend` and `tongke table cover` on files: what they write, what they refuse, and how they say so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from server.cli import run
from server.commands.table_change import DatedFile
from server.demo.county import demo_register
from tests.dated_days import community
from tests.unit.test_new_bells import ringing
from timetable.checker import check
from timetable.days.effects import Placed
from timetable.model import Register, TableSet, minutes


@pytest.fixture
def files(tmp_path: Path) -> Path:
    register, table = community()
    (tmp_path / "input.json").write_bytes(msgspec.json.encode(register))
    (tmp_path / "table.json").write_bytes(msgspec.json.encode(TableSet(tables=(table,))))
    return tmp_path


def amend(files: Path, changes: Any, *more: str) -> int:
    (files / "changes.json").write_bytes(msgspec.json.encode(changes))
    names = [str(files / name) for name in ("input.json", "table.json", "changes.json")]
    return run(["table", "amend", *names, "--community", "A", *more])


def dated(files: Path) -> str:
    return str(files / "dated.json")


def local() -> tuple[str, str]:
    """A lesson of the core school's own, and its occurrence in the second week."""
    lesson = next(one for one in community()[1].lessons if one.requirement == "A-r1")
    return lesson.id, f"{lesson.id}.2026-09-{6 + lesson.weekday:02d}"


def test_changes_of_days_are_kept_beside_the_table(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, occurrence = local()
    assert amend(files, {"kind": "cancel", "occurrence": occurrence}, "--dated", dated(files)) == 0
    assert "->" in capsys.readouterr().out
    assert amend(files, [{"kind": "undo", "amendment": 1}], "--dated", dated(files), "--json") == 0
    report = msgspec.json.decode(capsys.readouterr().out)
    assert (report["number"], report["possible"], report["affected"]) == (2, True, ["A0"])
    kept = msgspec.json.decode(Path(dated(files)).read_bytes(), type=DatedFile)
    assert [(one.number, one.undone_at is None) for one in kept.amendments] == [(1, False), (2, True)]


def test_lasting_change_writes_a_table_that_keeps_every_rule(files: Path) -> None:
    lesson, _ = local()
    out = files / "new.json"
    done = [
        amend(
            files,
            {"kind": "move_weekly", "lesson": lesson, "first": "2026-09-07", "weekday": weekday, "period": 7},
            "--out",
            str(out),
        )
        for weekday in range(1, 6)
    ]
    assert 0 in done
    (table,) = msgspec.json.decode(out.read_bytes(), type=TableSet).tables
    assert check(community()[0], table) == []
    assert table != community()[1]


def test_what_is_not_possible_is_said_in_words_and_nothing_is_written(
    files: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    _, occurrence = local()
    changes = [
        {"kind": "cancel", "occurrence": occurrence},
        {"kind": "move", "occurrence": occurrence, "date": "2026-09-25", "period": 1},
    ]
    assert amend(files, changes, "--dated", dated(files)) == 1
    assert "is called off" in capsys.readouterr().out
    assert not Path(dated(files)).exists()


@pytest.mark.parametrize(
    ("changes", "more", "said"),
    [
        ({"kind": "explode"}, ("--dated", "d.json"), "explode"),
        ({"kind": "cancel", "occurrence": "nobody.2026-09-07"}, ("--dated", "d.json"), "nobody"),
        ({"kind": "cancel"}, ("--dated", "d.json"), "occurrence"),
        ("text", ("--dated", "d.json"), "changes.json"),
        ({"kind": "undo", "amendment": 1}, ("--at", "yesterday"), "yesterday"),
    ],
)
def test_bad_input_is_one_sentence(
    files: Path,
    changes: Any,
    more: tuple[str, ...],
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(files)
    assert amend(files, changes, *more) == 2
    error = capsys.readouterr().err
    assert (error.count("\n"), error.startswith("tongke: "), said in error) == (1, True, True)


def test_a_change_that_would_be_lost_is_refused(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, occurrence = local()
    assert amend(files, {"kind": "cancel", "occurrence": occurrence}) == 2
    assert "--dated" in capsys.readouterr().err


def test_cover_names_candidates_with_reasons(
    files: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    register, _ = community()
    teacher = next(t for t in register.teachers if "科学" in t.subjects)
    tokens = ["table", "cover", str(files / "input.json"), str(files / "table.json"), teacher.id]
    days = ["--first", "2026-09-07", "--last", "2026-09-11"]
    assert run([*tokens, *days]) in (0, 1)
    assert "Teaches 科学" in capsys.readouterr().out
    run([*tokens, *days, "--json"])
    plan = msgspec.json.decode(capsys.readouterr().out)
    assert (plan["teacher"], bool(plan["needs"])) == (teacher.id, True)
    assert run([*tokens[:-1], "nobody", *days]) == 2
    assert run([*tokens, "--first", "x", "--last", "y"]) == 2


def close(files: Path, *more: str) -> int:
    names = [str(files / name) for name in ("input.json", "table.json")]
    return run(["table", "close", *names, "--dated", dated(files), *more])


SNOW = ("--first", "2026-09-08", "--last", "2026-09-09", "--reason", "暴雪")


def test_closed_days_are_kept_with_what_makes_up_for_them(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert close(files, *SNOW, "--make-up-day", "2026-09-12=2", "--make-up", "--json") == 0
    report = msgspec.json.decode(capsys.readouterr().out)
    (plan,) = report["plans"]
    assert report["madeUp"] == len(plan["lost"]) > 0
    kept = msgspec.json.decode(Path(dated(files)).read_bytes(), type=DatedFile)
    assert [one.id for one in kept.closings] == ["closing-1"]
    assert len(kept.amendments) == len(plan["lost"])
    # what was there stays there
    _, occurrence = local()
    assert amend(files, {"kind": "cancel", "occurrence": occurrence}, "--dated", dated(files)) in (0, 1)
    assert close(files, "--reopen", "closing-1") == 0
    kept = msgspec.json.decode(Path(dated(files)).read_bytes(), type=DatedFile)
    assert [one.reopened_at is None for one in kept.closings] == [False]


def test_what_schools_lost_of_their_own_is_made_up_too(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert close(files, *SNOW, "--make-up-day", "2026-09-12=2", "--own", "--make-up", "--json") == 0
    report = msgspec.json.decode(capsys.readouterr().out)
    own = [lost for school in report["ownPlans"] for lost in school["lost"]]
    assert len(own) == sum(loss["own"] for loss in report["losses"]) > 0
    shared = sum(len(plan["lost"]) for plan in report["plans"])
    assert report["madeUp"] == shared + sum(bool(lost.get("choices")) for lost in own)
    Path(dated(files)).unlink()
    assert close(files, *SNOW, "--own") == 0
    assert "with a slot" in capsys.readouterr().out


def test_closing_says_what_it_takes_and_why_it_cannot_be(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert close(files, *SNOW, "--unit", "A2") == 0
    assert "A: 0 shared" in capsys.readouterr().out
    assert close(files, "--first", "2026-09-09", "--last", "2026-09-08", "--reason", "雪") == 1
    assert "2026-09-08" in capsys.readouterr().out
    for wrong in (
        ["--first", "yesterday", "--reason", "雪"],
        ["--first", "2026-09-08"],
        [*SNOW, "--unit", "nobody"],
        [*SNOW, "--make-up-day", "soon"],
        ["--reopen", "closing-9"],
    ):
        assert close(files, *wrong) == 2


def test_next_term_is_seen_first_and_then_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    register = demo_register()
    source, plan, out = tmp_path / "input.json", tmp_path / "plan.json", tmp_path / "next.json"
    source.write_bytes(msgspec.json.encode(register))
    term = {"id": "2027-autumn", "name": "新学年", "firstDay": "2027-09-01", "lastDay": "2028-01-14"}
    wanted = {"term": {**term, "weekOne": "2027-08-30"}, "promote": True, "teachers": "follow"}
    plan.write_bytes(msgspec.json.encode(wanted))
    names = ["table", "rollover", str(source), str(plan)]
    assert run([*names, "--today", "2027-08-01", "--json"]) == 0
    report = msgspec.json.decode(capsys.readouterr().out)
    assert (report["possible"], len(report["classes"])) == (
        True,
        sum(c.grade in (6, 9) for c in register.classes) + len(register.classes),
    )
    assert run([*names, "--today", "2026-11-22", "--out", str(out)]) == 1
    assert not out.exists()
    assert run([*names, "--today", "2027-08-01", "--out", str(out)]) == 0
    assert msgspec.json.decode(out.read_bytes(), type=Register).term.id == "2027-autumn"
    assert run([*names, "--today", "soon"]) == 2


def test_a_school_leaves_and_comes_back(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    register, _ = community()
    change, out, following = files / "change.json", files / "out.json", files / "following.json"
    names = ["table", "member", str(files / "input.json"), str(files / "table.json"), str(change), "--community", "A"]
    change.write_bytes(msgspec.json.encode({"kind": "leave", "unit": "A2", "first": "2026-09-14"}))
    assert run([*names, "--out", str(out), "--out-register", str(following), "--json"]) == 0
    report = msgspec.json.decode(capsys.readouterr().out)
    assert (report["possible"], report["moves"], report["added"]) == (True, [], [])
    future = msgspec.json.decode(following.read_bytes(), type=Register)
    (table,) = msgspec.json.decode(out.read_bytes(), type=TableSet).tables
    assert (future.communities[0].units, check(future, table)) == (("A0", "A1"), [])
    standing = {one.id: one for one in future.requirements}
    back = [one for one in register.requirements if standing.get(one.id) != one]
    join = {"kind": "join", "unit": "A2", "first": "2026-09-28", "requirements": back}
    change.write_bytes(msgspec.json.encode(join))
    again = ["table", "member", str(following), str(out), str(change), "--community", "A", "--out", str(out)]
    assert run(again) == 0
    said = capsys.readouterr().out
    assert ("stay" in said, "from 2026-09-28 on" in said) == (True, True)
    assert check(register, *msgspec.json.decode(out.read_bytes(), type=TableSet).tables) == []
    # taken back: the tables fit the register of before again, and nobody else moves
    taken_back = ["table", "member", str(following), str(out), str(change), "--community", "A", "--withdraw"]
    assert run([*taken_back, "--out", str(out), "--json"]) == 0
    report = msgspec.json.decode(capsys.readouterr().out)
    assert (report["possible"], report["moves"]) == (True, [])
    assert check(future, *msgspec.json.decode(out.read_bytes(), type=TableSet).tables) == []
    change.write_bytes(msgspec.json.encode({"kind": "leave", "unit": "A0", "first": "2026-09-14"}))
    assert run(names) == 1
    late = {"kind": "leave", "unit": "A2", "first": "2031-01-01"}
    change.write_bytes(msgspec.json.encode(late))
    capsys.readouterr()
    assert run(names) == 1
    assert "2031-01-01" in capsys.readouterr().out
    change.write_bytes(msgspec.json.encode({"kind": "leave", "unit": "nobody", "first": "2026-09-14"}))
    assert run(names) == 2


def test_a_file_of_dated_changes_follows_new_bells(files: Path) -> None:
    """A lesson that was moved to a date, and the table, ring by the register as it is at the next change."""
    lesson, occurrence = local()
    done = [
        amend(files, {"kind": "move", "occurrence": occurrence, "date": f"2026-09-{day}", "period": 7}, *more)
        for day in range(14, 19)
        for more in [("--dated", dated(files))]
        if not Path(dated(files)).exists()
    ]
    assert done[-1] == 0
    register, table = community()
    rung = ringing(register, {"A0": 5})
    (files / "input.json").write_bytes(msgspec.json.encode(rung))
    before = msgspec.json.decode(Path(dated(files)).read_bytes(), type=DatedFile).amendments[0].effects[0]
    other = next(one for one in table.lessons if one.requirement == "A-r1" and one.id != lesson)
    cancel = {"kind": "cancel", "occurrence": f"{other.id}.2026-09-{20 + other.weekday}"}
    out = files / "new.json"
    assert amend(files, cancel, "--dated", dated(files), "--out", str(out)) == 0
    kept = msgspec.json.decode(Path(dated(files)).read_bytes(), type=DatedFile).amendments
    assert [one.number for one in kept] == [1, 2]
    after = kept[0].effects[0]
    assert isinstance(before, Placed)
    assert isinstance(after, Placed)
    assert minutes(after.start) == minutes(before.start) + 5
    assert after.date == before.date
    (now,) = msgspec.json.decode(out.read_bytes(), type=TableSet).tables
    assert check(rung, now) == []
    places = {one.id: (one.weekday, one.host.period) for one in now.lessons}
    assert places == {one.id: (one.weekday, one.host.period) for one in table.lessons}
