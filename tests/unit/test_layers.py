"""The rules of the house, held by the tools that know them: layers, style, types, locks."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from server.storage.migrate import load

ROOT = Path(__file__).parents[2]
TOOLS = Path(sys.executable).parent
LOCKS = ["requirements.lock", "requirements-test.lock"]


def passes(*command: str, folder: Path = ROOT) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_imports_point_one_way() -> None:
    passes(str(TOOLS / "lint-imports"), "--no-cache")


def test_python_keeps_the_style() -> None:
    passes(str(TOOLS / "ruff"), "check")
    passes(str(TOOLS / "ruff"), "format", "--check")


@pytest.mark.slow
def test_python_keeps_its_types() -> None:
    passes(str(TOOLS / "mypy"))


@pytest.mark.slow
def test_typescript_keeps_its_types(require: Callable[[str], str]) -> None:
    web = ROOT / "server/web"
    npm = require("npm")
    if not (web / "node_modules").exists():
        passes(npm, "ci", folder=web)
    passes(npm, "run", "check", folder=web)


def test_the_run_script_is_plain_sh() -> None:
    passes("sh", "-n", "run")
    if dash := shutil.which("dash"):
        passes(dash, "-n", "run")


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_place_and_hashes_everything(lock: str) -> None:
    text = (ROOT / lock).read_text("utf-8")
    assert re.findall(r"\S*(?:://|--index|--find|@ )\S*", text) == []
    entries = re.split(r"\n(?=\S)", text.strip())
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []


def test_the_locks_fit_the_declared_dependencies() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    declared = {"requirements.lock": project["project"]["dependencies"]}
    declared["requirements-test.lock"] = project["dependency-groups"]["test"]
    for lock in LOCKS:
        locked = pins(lock)
        needs = [Requirement(line) for line in declared[lock]]
        assert [need for need in needs if not fits(need, locked[canonicalize_name(need.name)])] == []


def test_the_locks_agree() -> None:
    product, tests = (pins(lock) for lock in LOCKS)
    assert {name: tests[name] for name in product.keys() & tests} == {
        name: product[name] for name in product.keys() & tests
    }


def test_the_locks_for_browsers_name_no_place() -> None:
    for folder in ("server/web", "tests/edge"):
        assert "resolved" not in (ROOT / folder / "package-lock.json").read_text("utf-8")


def fits(need: Requirement, versions: set[str]) -> bool:
    return all(need.specifier.contains(version) for version in versions)


def pins(lock: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([\w.-]+)==([^\s;]+)", (ROOT / lock).read_text("utf-8"), re.MULTILINE):
        found.setdefault(canonicalize_name(name), set()).add(version)
    return found


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_every_migration_has_a_number_of_its_own(dialect: str) -> None:
    """Two that were made side by side are not found by a rebase."""
    numbers = [step.number for step in load(dialect)]
    assert numbers == list(range(1, len(numbers) + 1))
