"""This module owns the schema's version: numbered SQL files, applied once each, in order, never downgraded unsafely.

A migration is `NNNN_name.sql`, or the pair `NNNN_name.sqlite.sql` and `NNNN_name.postgresql.sql` where the dialects
differ. Statements end with `;` at the end of a line. The database remembers the files it has seen and a
compatibility number: the lowest schema a program must know to work with this database. A migration that older
programs cannot live with says so in a first line `-- compat: NNNN`; those programs then refuse to start.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, inspect, text
from sqlalchemy.exc import DBAPIError

from server.storage.database import DatabaseUnusable

MIGRATIONS = Path(__file__).with_name("migrations")
FILE_NAME = re.compile(r"(?P<number>\d{4})_(?P<name>[a-z0-9_]+)(\.(?P<dialect>sqlite|postgresql))?\.sql")
COMPAT_LINE = re.compile(r"^-- compat: (\d{4})$", re.MULTILINE)
ADVISORY_LOCK = 0x746F6E67

CREATE_BOOKS = (
    "CREATE TABLE IF NOT EXISTS schema_version (number INTEGER PRIMARY KEY, name TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS schema_compat (id INTEGER PRIMARY KEY CHECK (id = 1), number INTEGER NOT NULL)",
)
RAISE_COMPAT = (
    "INSERT INTO schema_compat (id, number) VALUES (1, :number) ON CONFLICT (id) DO UPDATE SET number = :number"
)


class SchemaTooNew(Exception):
    """The database was upgraded by a newer program in a way that this one cannot work with."""

    code = "schema_too_new"

    def __init__(self, needed: int, known: int) -> None:
        super().__init__(f"the database needs a program that knows schema {needed:04}; this one knows {known:04}")
        self.needed = needed
        self.known = known


class SchemaOutdated(Exception):
    """The database is of an older version, and who reads it now must not change it."""

    code = "schema_outdated"

    def __init__(self, url: URL, steps: int) -> None:
        super().__init__(
            f"the database {url} is of an older version, {steps} migration(s) behind: the next start of the server, or "
            "a command that changes it, brings it up to date; this command only looks and has changed nothing"
        )
        self.steps = steps


class MigrationsBroken(Exception):
    """The migration files contradict each other: two with one number, or half of a pair."""

    code = "migrations_broken"


@dataclass(frozen=True)
class Migration:
    """One step of the schema, in the dialect at hand."""

    number: int
    name: str
    sql: str

    @property
    def label(self) -> str:
        """The name without the dialect, as in the file's name."""
        return f"{self.number:04}_{self.name}"

    @property
    def compat(self) -> int | None:
        """The lowest schema number that a program must know once this step is applied, where the step raises it."""
        found = COMPAT_LINE.search(self.sql)
        return int(found[1]) if found else None

    def statements(self) -> list[str]:
        """The statements one by one; comment lines are dropped first, so a `;` in one splits nothing."""
        code = "\n".join(line for line in self.sql.splitlines() if not line.lstrip().startswith("--"))
        return [part.strip() for part in re.split(r";[ \t]*(?:\n|$)", code) if part.strip()]


def load(dialect: str, folder: Path = MIGRATIONS) -> list[Migration]:
    """Read the migrations of `folder` for `sqlite` or `postgresql`, in order."""
    portable: dict[int, Migration] = {}
    paired: dict[int, dict[str, Migration]] = {}
    for path in sorted(folder.glob("*.sql")):
        parts = FILE_NAME.fullmatch(path.name)
        if parts is None:
            raise MigrationsBroken(f"{path.name} is not named NNNN_name.sql")
        step = Migration(int(parts["number"]), parts["name"], path.read_text("utf-8"))
        if parts["dialect"]:
            paired.setdefault(step.number, {})[parts["dialect"]] = step
        elif step.number in portable:
            raise MigrationsBroken(f"two migrations have the number {step.number:04}")
        else:
            portable[step.number] = step
    for number, pair in paired.items():
        if number in portable or set(pair) != {"sqlite", "postgresql"} or len({s.name for s in pair.values()}) != 1:
            raise MigrationsBroken(f"migration {number:04} needs one file, or exactly one for each dialect")
        portable[number] = pair[dialect]
    return [portable[number] for number in sorted(portable)]


def migrate(engine: Engine, folder: Path = MIGRATIONS) -> list[str]:
    """Bring the database up to date and return the names applied now; all of them, or none when one fails."""
    steps = load(engine.dialect.name, folder)
    at = ""
    try:
        with _begin(engine) as connection:
            for statement in CREATE_BOOKS:
                connection.execute(text(statement))
            _refuse_downgrade(connection, steps)
            applied = _unseen(connection, steps)
            for step in applied:
                at = step.label
                _apply(connection, step)
    except DBAPIError as error:
        raise DatabaseUnusable.by(error, engine, at) from error
    return [step.label for step in applied]


def pending(engine: Engine, folder: Path = MIGRATIONS) -> list[str]:
    """The names of the migrations that the next start would apply; looks only, and refuses an unsafe downgrade."""
    steps = load(engine.dialect.name, folder)
    try:
        with engine.connect() as connection:
            if not inspect(connection).has_table("schema_version"):
                return [step.label for step in steps]
            _refuse_downgrade(connection, steps)
            return [step.label for step in _unseen(connection, steps)]
    except DBAPIError as error:
        raise DatabaseUnusable.by(error, engine) from error


@contextmanager
def _begin(engine: Engine) -> Iterator[Connection]:
    if engine.dialect.name == "sqlite":
        with engine.begin() as connection:
            yield connection
        return
    # several processes of one deployment start together: one migrates, the others wait here and must then see its
    # work, which SERIALIZABLE would hide from them
    with engine.connect().execution_options(isolation_level="READ COMMITTED") as connection, connection.begin():
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
        yield connection


def _refuse_downgrade(connection: Connection, steps: list[Migration]) -> None:
    needed = connection.execute(text("SELECT number FROM schema_compat")).scalar() or 0
    known = max((step.number for step in steps), default=0)
    if needed > known:
        raise SchemaTooNew(needed, known)


def _unseen(connection: Connection, steps: list[Migration]) -> list[Migration]:
    seen = set(connection.execute(text("SELECT number FROM schema_version")).scalars())
    return [step for step in steps if step.number not in seen]


def _apply(connection: Connection, step: Migration) -> None:
    for statement in step.statements():
        # with a parameter list, even an empty one, the PostgreSQL driver would take a `%` for a placeholder
        connection.exec_driver_sql(statement, execution_options={"no_parameters": True})
    connection.execute(
        text("INSERT INTO schema_version (number, name) VALUES (:number, :name)"),
        {"number": step.number, "name": step.name},
    )
    if step.compat is not None:
        connection.execute(text(RAISE_COMPAT), {"number": step.compat})
