"""The documents say what the code does: routes, messages, error codes, links, and nothing of anybody's machine."""

from __future__ import annotations

import ast
import re
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from config.settings import load
from server.app import create_app
from server.cli import app as commands
from server.errors import HTTP_CODES, STATUS
from signaling.connection import STATUS as CLOSE_STATUS
from signaling.frames import ENCODINGS
from signaling.messages import AnyRoomEvent, ClientMessage, ServerMessage
from signaling.roles import MAY
from signaling.rules import DURING
from signaling.wire import Command

ROOT = Path(__file__).parents[2]
FOLDERS = (".", "docs")
DOCUMENTS = sorted(file for folder in FOLDERS for file in (ROOT / folder).glob("*.md"))
REQUIRED = {"README", "ARCHITECTURE", "PROTOCOL", "CONTRIBUTING", "CHANGELOG", "THREAT_MODEL"}

HOSTS = {"127.0.0.1", "host", "tongke.example.cn", "semver.org"}
"""Names of hosts that a document may hold: our own loopback, examples, standards."""

OF_HTTP = {*HTTP_CODES.values(), "http_error", "internal_error"}
"""Codes of errors that no package of ours raises."""

documents = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: file.name)


def test_every_document_is_there() -> None:
    assert REQUIRED - {file.stem for file in DOCUMENTS} == set()


def test_every_command_is_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    documented = set(re.findall(r"`\./run \[?([a-z]+)", text)) - {"test"}
    assert documented == {name for name in commands if not name.startswith("-")}


# Routes


def test_every_route_is_in_the_protocol(tmp_path: Path) -> None:
    # without the built client there are no pages among the routes
    app = create_app(load(None, {"TONGKE_DEMO_ENABLED": "true"}), static=tmp_path)
    registered = {
        f"{route.method} {route.resource.canonical}"
        for route in app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    documented = set(re.findall(r"^\| `((?:GET|POST|PUT|PATCH|DELETE|OPTIONS) /\S*)` \|", protocol(), re.MULTILINE))
    assert documented == registered - {"GET /"}


def test_bodies_that_the_protocol_names_are_shapes() -> None:
    shapes = {
        node.name
        for file in (ROOT / "server/shapes").glob("*.py")
        for node in ast.parse(file.read_text("utf-8")).body
        if isinstance(node, ast.ClassDef)
    }
    named = {
        name
        for _, row in rows(r"`[A-Z]+ /\S*`", columns=4)
        for name in re.findall(r"`([A-Z][a-z]\w+)(?:\[\])?`", row[2])
    }
    assert named - shapes - {"Location", "Allow", "Link"} == set()


# Messages


def test_every_client_message_is_in_the_protocol() -> None:
    documented = {tag: (row[1], row[2], row[3]) for tag, row in rows("`[a-z_]+`", columns=5)}
    expected = {}
    for kind in get_args(ClientMessage):
        fields = names(kind, lambda field: not field.required)
        roles = " ".join(role for role, may in MAY.items() if kind in may)
        states = " ".join(state for state in STATES if state in DURING.get(kind, ()))
        expected[tag_of(kind)] = (fields, roles, states)
    assert {tag: (fields, sorted(roles.split()), states) for tag, (fields, roles, states) in documented.items()} == {
        tag: (fields, sorted(roles.split()), states) for tag, (fields, roles, states) in expected.items()
    }


@pytest.mark.parametrize(
    ("heading", "union"), [("From the server", ServerMessage), ("Events of the room", AnyRoomEvent)]
)
def test_every_message_of_the_server_is_in_the_protocol(heading: str, union: Any) -> None:
    documented = {tag: row[1] for tag, row in rows("`[a-z_]+`", columns=3, text=section(heading))}
    assert documented == {tag_of(kind): names(kind, lambda field: _may_be_null(field.type)) for kind in get_args(union)}


def test_subprotocols_and_close_codes_are_in_the_protocol() -> None:
    assert [name for name in ENCODINGS if f"`{name}`" not in protocol()] == []
    documented = {tag: int(row[1]) for tag, row in rows("`[a-z_]+`", columns=3, text=section("Closing"))}
    assert documented == CLOSE_STATUS


STATES = ("scheduled", "open", "live", "overrun", "ended")


def names(kind: type, marked: Any) -> str:
    """The fields of a message as the tables write them; `msgId` of commands is said once."""
    fields = [
        f"`{field.encode_name}{'?' if marked(field) else ''}`"
        for field in msgspec.structs.fields(kind)
        if not (issubclass(kind, Command) and field.name == "msg_id")
    ]
    return " ".join(fields)


def tag_of(kind: type) -> str:
    return str(msgspec.inspect.type_info(kind).tag)  # type: ignore[attr-defined]


def _may_be_null(hint: Any) -> bool:
    return type(None) in get_args(hint)


# Errors


def test_every_error_code_is_in_the_protocol() -> None:
    documented = {tag: row[1] for tag, row in rows("`[a-z_]+`", columns=3, text=section("Error codes"))}
    http = {code: str(status) for status, code in HTTP_CODES.items()} | {"http_error": "any", "internal_error": "500"}
    assert documented == http | {code: str(status) for code, status in STATUS.items()}


def test_every_refusal_is_in_the_protocol() -> None:
    documented = {tag for tag, _ in rows("`[a-z_]+`", columns=2, text=section("Codes in `refused`"))}
    assert documented == set(refusals())


def test_codes_named_beside_a_route_exist() -> None:
    known = STATUS.keys() | OF_HTTP
    named = {code for _, row in rows(r"`[A-Z]+ /\S*`", columns=4) for code in re.findall(r"`([a-z_]+)`", row[3])}
    assert named - known == set()


def refusals() -> Iterator[str]:
    """The codes that sockets are refused with, as the sources of the session have them."""
    for folder in ("signaling", "server/sockets"):
        for file in (ROOT / folder).glob("*.py"):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                    continue
                given = node.args[:1] if node.func.id == "Refusal" else []
                if node.func.id == "Refused":
                    given = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
                yield from (str(code.value) for code in given if isinstance(code, ast.Constant))


# Texts


@documents
def test_relative_links_lead_somewhere(document: Path) -> None:
    text = prose(document)
    for target in re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'<img src="([^"]+)"', text):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        file = (document.parent / path).resolve() if path else document
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


@documents
def test_modules_that_a_document_names_exist(document: Path) -> None:
    named = set(re.findall(r"`((?:[\w.-]+/)+[\w.-]+\.(?:py|js|sql|toml|yaml))`", document.read_text("utf-8")))
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


@documents
def test_a_document_names_no_machine(document: Path) -> None:
    text = document.read_text("utf-8")
    found = set(re.findall(r"https?://\[?([\w.-]+)", text))
    assert found - HOSTS == set()
    places = {ROOT, ROOT.parent, Path.home(), Path(tempfile.gettempdir())} - {Path("/")}
    assert [place for place in places if f"{place}/" in text] == []


def anchors(file: Path) -> set[str]:
    """The anchors of a document's headings, as code hosts make them."""
    headings = re.findall(r"^#+ (.+)$", prose(file), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def prose(document: Path) -> str:
    """A document without its blocks of code."""
    return re.sub(r"^```.*?^```", "", document.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)


@cache
def protocol() -> str:
    return prose(ROOT / "PROTOCOL.md")


def section(heading: str) -> str:
    """The text under a heading of the protocol, up to the next heading."""
    found = re.search(rf"^#+ {re.escape(heading)}$(.*?)(?=^#|\Z)", protocol(), re.MULTILINE | re.DOTALL)
    assert found is not None, heading
    return found[1]


def rows(first: str, columns: int | None = None, text: str | None = None) -> Iterator[tuple[str, list[str]]]:
    """The rows of tables whose first cell looks like `first`: that cell without its quotes, and all cells."""
    for line in (text or protocol()).splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if cells and re.fullmatch(first, cells[0]) and columns in (None, len(cells)):
            yield cells[0].strip("`"), cells
