"""The command line: exit codes, one sentence for bad usage, and commands that load only when they are called."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from server.cli import run
from server.commands import bench
from server.storage.database import Database
from server.storage.migrate import migrate
from tests.bench import runner

ROOT = Path(__file__).parents[2]


def call(*tokens: str) -> int:
    try:
        return run(list(tokens))
    except SystemExit as leave:
        return int(leave.code or 0)


def sentences(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().err.splitlines()


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("--help") == 0
    text = capsys.readouterr().out
    assert [
        name
        for name in ("serve", "demo", "import", "people", "table", "recordings", "bench", "doctor")
        if name not in text
    ] == []


@pytest.mark.parametrize(
    "tokens",
    [
        ("serve", "--confg", "x.toml"),
        ("serve", "--config", "/absent/tongke.toml"),
        ("demo", "--port", "many"),
        ("bench",),
        ("bench", "absent"),
        ("bench", "table", "--quick", "--full"),
    ],
)
def test_bad_usage_is_one_sentence_and_exit_code_2(tokens: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert call(*tokens) == 2
    [sentence] = sentences(capsys)
    assert sentence.startswith("tongke: ")


def test_bench_outside_a_checkout_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench, "CHECKOUT", tmp_path)
    assert call("bench", "table") == 2
    assert "checkout" in sentences(capsys)[0]


def test_doctor_reports_each_check_for_machines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "tongke.toml"
    config.write_text(f'[server]\nport = 0\ndata_dir = "{tmp_path / "data"}"\n[media]\nport = 0\n')
    code = call("doctor", "--config", str(config), "--json")
    findings = {line["check"]: line for line in map(json.loads, capsys.readouterr().out.splitlines())}
    assert findings["database"] == {"check": "database", "good": True, "detail": "will be created at the first start"}
    assert (findings["bus"]["good"], findings["port"]["good"], findings["media_port"]["good"]) == (True, True, True)
    assert code == (0 if all(finding["good"] for finding in findings.values()) else 1)
    # whoever looks, perhaps as root, makes nothing that the server's user could not write later
    assert not (tmp_path / "data").exists()


def test_doctor_reads_every_page_of_the_database(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config, file = tmp_path / "tongke.toml", tmp_path / "tongke.db"
    config.write_text(f'[server]\nport = 0\ndata_dir = "{tmp_path}"\n[media]\nport = 0\n')
    engine = Database.open(f"sqlite:///{file}").engine
    migrate(engine)
    with engine.connect() as connection:
        query = "SELECT rootpage FROM sqlite_master WHERE tbl_name = 'person'"
        roots = list(connection.exec_driver_sql(query).scalars())
        size = connection.exec_driver_sql("PRAGMA page_size").scalar_one()
    engine.dispose()
    for damaged in (False, True):
        if damaged:
            with file.open("r+b") as pages:
                for root in roots:
                    pages.seek((root - 1) * size)
                    pages.write(b"\xff" * size)
        assert call("doctor", "--config", str(config), "--json") in (0, 1)
        findings = {line["check"]: line for line in map(json.loads, capsys.readouterr().out.splitlines())}
        assert findings["database"]["good"] is not damaged, findings["database"]
    assert call("people", "list", "--config", str(config)) == 1
    [sentence] = sentences(capsys)
    assert sentence.startswith(f"tongke: the database sqlite:///{file} cannot be used: ")


def test_doctor_misses_the_font_that_chinese_pages_need(tmp_path: Path, require: Callable[[str], str]) -> None:
    """It looks at a page as it is drawn on a machine without fonts, as a bare container is."""
    if not Path("/usr/share/fonts").is_dir():
        pytest.skip("this machine has no fonts to be hidden")
    hidden = 'mount -t tmpfs none /usr/share/fonts && exec "$@"'
    done = subprocess.run(
        [
            *(require("unshare"), "--user", "--map-root-user", "--mount", "sh", "-c", hidden, "sh"),
            *(sys.executable, "-m", "server", "doctor", "--json"),
        ],
        cwd=ROOT,
        env={**os.environ, "HOME": str(tmp_path), "TONGKE_SERVER_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    if "unshare" in done.stderr or "mount" in done.stderr:
        pytest.skip(f"no namespace here: {done.stderr}")
    findings = {line["check"]: line for line in map(json.loads, done.stdout.splitlines())}
    assert not findings["fonts"]["good"]
    assert "fonts-wqy-microhei" in findings["fonts"]["detail"]
    assert done.returncode == 1


def test_doctor_finds_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "tongke.toml"
    config.write_text(
        f'[server]\ndata_dir = "{tmp_path}"\nhost = "203.0.113.1"\n'
        '[database]\nurl = "postgresql+psycopg://nobody@127.0.0.1:1/absent"\n'
        '[bus]\nredis_url = "redis://127.0.0.1:1/0"\n'
    )
    assert call("doctor", "--config", str(config), "--json") == 1
    findings = {line["check"]: line["good"] for line in map(json.loads, capsys.readouterr().out.splitlines())}
    assert (findings["database"], findings["bus"], findings["port"]) == (False, False, False)


def figure(**changes: object) -> runner.Figure:
    plain: dict[str, object] = dict.fromkeys(runner.FIGURE_KEYS)
    return {**plain, "figure": "first table", "value": 12.5, "unit": "s", **changes}  # type: ignore[typeddict-item]


@pytest.mark.parametrize(
    ("figure", "line"),
    [
        (figure(), "first table 12.5 s"),
        (figure(peer="fet", goal="<= 1 x fet"), "first table 12.5 s fet not installed goal <= 1 x fet: not judged"),
        (
            figure(peer="fet", peer_value=25.0, ratio=0.5, goal="<= 1 x fet", met=True),
            "first table 12.5 s fet 25 ratio 0.50 goal <= 1 x fet: met",
        ),
    ],
)
def test_a_figure_reads_as_a_sentence(figure: runner.Figure, line: str) -> None:
    assert " ".join(runner.line(figure).split()) == line
