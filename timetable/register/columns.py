"""This module owns the columns of a sheet: what a cell of each may hold, and which row they make together.

A title is bilingual, "教师编号 id": the Chinese words are for people, the last word is stable and for programs. The
first row of a sheet holds the titles, every further row one thing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_type_hints

import msgspec
from msgspec import Struct

from timetable.model import Name
from timetable.register.cells import Kind, Many, Reference


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `field` is its stable name and that of the row's field; a blank cell of a column that is not
    required leaves the field at its default."""

    field: str
    words: str
    kind: Kind
    type: Any
    required: bool

    @property
    def title(self) -> str:
        return f"{self.words} {self.field}"

    @property
    def several(self) -> bool:
        """Whether a cell holds a list."""
        return isinstance(self.kind, Many)

    @property
    def refers(self) -> str:
        """The key of the sheet with the things that the column refers to, by id or by name; empty where it does not."""
        return _referred(self.kind)


@dataclass(frozen=True)
class Sheet:
    """One sheet. The fields of `identity` tell its rows apart. The rows of a sheet with an `owner` are a list that
    belongs to a row of the sheet `owner_sheet`, named by that field, and come and go together."""

    key: str
    words: str
    row: type[Struct]
    columns: tuple[Column, ...]
    identity: tuple[str, ...]
    owner: str = ""
    owner_sheet: str = ""
    by_name: Mapping[str, Column] = field(init=False)
    """Every spelling of a title that is understood."""

    def __post_init__(self) -> None:
        names = {name: column for column in self.columns for name in (column.title, column.words, column.field)}
        object.__setattr__(self, "by_name", names)

    @property
    def title(self) -> str:
        return f"{self.words} {self.key}"


def make_sheet(
    key: str,
    words: str,
    row: type[Struct],
    columns: Mapping[str, tuple[str, Kind]],
    *,
    identity: tuple[str, ...] = (),
    owner: str = "",
    owner_sheet: str = "",
) -> Sheet:
    """A sheet whose columns are the fields of `row`, each with its Chinese words and what it holds."""
    types = get_type_hints(row, include_extras=True)
    required = {found.name: found.required for found in msgspec.structs.fields(row)}
    if set(columns) != set(required):
        raise TypeError(f"the columns of sheet {key} are not the fields of {row.__name__}")
    made = tuple(
        Column(field=name, words=title, kind=kind, type=_typed(kind, types[name]), required=required[name])
        for name, (title, kind) in columns.items()
    )
    return Sheet(key, words, row, made, identity, owner, owner_sheet)


def _referred(kind: Kind) -> str:
    one = kind.of if isinstance(kind, Many) else kind
    return one.to if isinstance(one, Reference) else ""


def _typed(kind: Kind, type: Any) -> Any:
    """What a cell may hold: where the row wants an id of something else, a name will do."""
    if not _referred(kind):
        return type
    return tuple[Name, ...] if isinstance(kind, Many) else Name
