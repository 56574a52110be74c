"""The browser client keeps to what Chrome 87 has: panels in classrooms are old and nobody updates them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests import services

WEB = Path(__file__).parents[2] / "server/web"
SCRIPTS = [path for path in sorted((WEB / "src").rglob("*.ts*")) if "generated" not in path.parts]
STYLES = sorted((WEB / "src").rglob("*.css"))

NEWER_IN_SCRIPTS = {
    r"\.to(Sorted|Reversed|Spliced)\(": 110,
    r"\.findLast(Index)?\(": 97,
    r"\.at\(-?\d": 92,
    r"\bstructuredClone\(": 98,
    r"\bObject\.(hasOwn|groupBy)\(": 93,
    r"\bArray\.fromAsync\(": 121,
    r"\bPromise\.withResolvers\(": 119,
    r"\brandomUUID\(": 92,
    r"\bAbortSignal\.(timeout|any)\(": 103,
    r"\.checkVisibility\(": 105,
    r"\.(showPopover|hidePopover|togglePopover|showPicker)\(": 99,
    r"\buserAgentData\b": 90,
    r"\.(isSubsetOf|symmetricDifference|intersection)\(": 122,
    r"\bsetHTML(Unsafe)?\(": 124,
    r"\bstartViewTransition\b": 111,
    r"\.inert\b": 102,
    r"\.roundRect\(": 99,
    r"\bURL\.canParse\(": 120,
    r"\.throwIfAborted\(": 100,
    r"\breportError\(": 95,
    r"\bResponse\.json\(": 105,
    r"\bscheduler\.(postTask|yield)\(": 94,
    r"\bPromise\.try\(": 128,
    r"\.(isWellFormed|toWellFormed)\(": 111,
    r"\.requestClose\(": 134,
    r"\bhasIndices\b": 90,
    r"\bIntl\.(supportedValuesOf|DurationFormat)\b": 99,
    r"\.(values|keys|entries)\(\)\.(map|filter|find|some|every|reduce|forEach|flatMap|take|drop|toArray)\(": 122,
}
NEWER_SYNTAX = {
    r"\bstatic\s*\{": 94,
    r"#\w+ in\b": 91,
}
NEWER_IN_STYLES = {
    r":has\(": 105,
    r":(is|where)\(": 88,
    r":not\([^()]*,": 88,
    r":modal\b": 105,
    r"@(container|layer|scope|starting-style)\b": 99,
    r"\d(d|s|l)v(h|w|min|max)\b": 108,
    r"\baspect-ratio\s*:": 88,
    r"\bcolor-mix\(": 111,
    r"\b(oklch|oklab|lch|lab)\(": 111,
    r"\b(accent-color|scrollbar-gutter|text-wrap|field-sizing|container-type)\s*:": 93,
    r"(^|[;{\s])(translate|rotate|scale)\s*:": 104,
    r"\boverflow(-[xy])?\s*:\s*clip\b": 90,
    r"\bsubgrid\b": 117,
    r"\blight-dark\(": 123,
    r"@media[^{]*[<>]": 104,
    r"\btext-decoration-thickness\s*:": 89,
    r"\bborder-(start|end)-(start|end)-radius\s*:": 89,
    r"(^|[;{\s])mask(-\w+)?\s*:": 120,
    r":(user-valid|user-invalid|popover-open|open|dir)\b": 119,
    r":nth-(last-)?child\([^)]* of ": 111,
    r"\d(lh|rlh|cqw|cqh|cqi)\b": 105,
    r"(^|[;{\s])(forced-color-adjust|overflow-clip-margin|inset-area|position-anchor|anchor-name)\s*:": 89,
    r"(^|[^-])\bimage-set\(": 113,
    r"\b(round|mod|rem|sin|cos|tan|pow|sqrt|hypot)\(": 111,
}


def plain(path: Path) -> str:
    """A style sheet without its comments and without what it asks the browser for first (`@supports`)."""
    text = re.sub(r"/\*.*?\*/", "", path.read_text("utf-8"), flags=re.S)
    return re.sub(r"@supports[^{}]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}", "", text)


def newer(text: str, features: dict[str, int]) -> list[str]:
    return [f"{pattern} (Chrome {version})" for pattern, version in features.items() if re.search(pattern, text)]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.relative_to(WEB)))
def test_script_uses_nothing_newer_than_chrome_87(path: Path) -> None:
    assert newer(path.read_text("utf-8"), NEWER_IN_SCRIPTS) == []


@pytest.mark.parametrize("path", STYLES, ids=lambda path: str(path.relative_to(WEB)))
def test_style_uses_nothing_newer_than_chrome_87(path: Path) -> None:
    assert newer(plain(path), NEWER_IN_STYLES) == []


def test_what_is_built_uses_nothing_newer_than_chrome_87() -> None:
    """With what our own sources bring in from others, and as the build has written it."""
    built = WEB.parent / "static/assets"
    scripts, styles = sorted(built.glob("*.js")), sorted(built.glob("*.css"))
    if not (scripts and styles):
        if services.require_all():
            pytest.fail("the client is not built, and TONGKE_REQUIRE_ALL=1")
        pytest.skip("the client is not built: ./run test builds it")
    found = {path.name: newer(path.read_text("utf-8"), NEWER_IN_SCRIPTS | NEWER_SYNTAX) for path in scripts}
    found |= {path.name: newer(plain(path), NEWER_IN_STYLES) for path in styles}
    assert {name: what for name, what in found.items() if what} == {}


def test_the_compiler_knows_no_library_newer_than_chrome_87() -> None:
    """ES2022 brought Array.at, Object.hasOwn and Error.cause: Chrome 92 and 93."""
    options = json.loads((WEB / "tsconfig.json").read_text("utf-8"))["compilerOptions"]
    assert options["lib"] == ["ES2021", "DOM", "DOM.Iterable"]
    assert re.findall(r'(?:target|cssTarget): "(.+)"', (WEB / "vite.config.ts").read_text("utf-8")) == ["chrome87"] * 2


@pytest.mark.parametrize("path", STYLES, ids=lambda path: str(path.relative_to(WEB)))
def test_style_is_not_nested(path: Path) -> None:
    text = plain(path)
    stack: list[str] = []
    for prelude, brace in re.findall(r"([^{}]*)([{}])", text):
        if brace == "}":
            stack.pop()
            continue
        rule = prelude.rsplit(";", 1)[-1].strip()
        assert all(outer.startswith("@") for outer in stack), rule
        stack.append(rule)
    assert stack == []


@pytest.mark.parametrize("path", sorted(WEB.glob("*.html")), ids=lambda path: path.name)
def test_shell_has_no_inline_script(path: Path) -> None:
    """The content security policy lets only files of this site run."""
    text = path.read_text("utf-8")
    assert re.findall(r"<script(?![^>]*\bsrc=)", text) == []
    assert re.findall(r"\son[a-z]+\s*=", text) == []


def test_lock_file_names_no_download_address() -> None:
    assert '"resolved"' not in (WEB / "package-lock.json").read_text("utf-8")
