"""The browser's types say what the structs say."""

from __future__ import annotations

import types
from typing import Annotated, Literal

import msgspec
import pytest

from server import typescript
from server.typescript import Unspeakable, render


class Colour(msgspec.Struct, frozen=True, rename="camel"):
    """How it looks."""

    main_tone: Literal["red", "blue"]
    """Seen first."""
    other: Annotated[str, msgspec.Meta(max_length=3)] | None = None
    points: tuple[tuple[float, int], ...] = ()
    by_name: dict[str, list[bool]] = {}


class Sparse(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="t", tag="sparse"):
    colour: Colour
    size: int = 0


class Pair(msgspec.Struct, frozen=True, array_like=True):
    left: int
    right: str | int


class Opaque(msgspec.Struct, frozen=True):
    when: complex


def module_of(**members: object) -> types.ModuleType:
    module = types.ModuleType(__name__)
    module.__file__ = __file__
    vars(module).update(members)
    return module


def test_render_writes_interfaces_with_docs_and_camel_names() -> None:
    text, _ = render([module_of(Colour=Colour, Sparse=Sparse, Pair=Pair)])
    assert text.splitlines()[2:] == [
        "/** How it looks. */",
        "export interface Colour {",
        "  /** Seen first. */",
        '  mainTone: "red" | "blue";',
        "  other: string | null;",
        "  points: [number, number][];",
        "  byName: Record<string, boolean[]>;",
        "}",
        "",
        "export interface Sparse {",
        '  t: "sparse";',
        "  colour: Colour;",
        "  size?: number;",
        "}",
        "",
        "export type Pair = [left: number, right: string | number];",
    ]


def test_render_refuses_a_type_without_a_form() -> None:
    with pytest.raises(Unspeakable):
        render([module_of(Opaque=Opaque)])


def test_generated_files_are_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert (typescript.main(["--check"]), capsys.readouterr().err) == (0, "")


def test_commands_may_leave_defaults_out_and_events_are_whole() -> None:
    live = {path.name: text for path, text in typescript.files().items()}["live.ts"]
    assert "  seat?: number | null;\n" in live
    assert '  type: "hand_raised";\n  participant: string;\n  hand: string;\n  seat: number | null;\n' in live
    assert "export type Role = " in live
