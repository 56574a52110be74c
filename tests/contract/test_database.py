"""SQLite and PostgreSQL keep the same promises behind `Database` and `migrate`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import sqlalchemy
from sqlalchemy import Connection, text

from server.storage.database import Database, DatabaseUnusable
from server.storage.migrate import MigrationsBroken, SchemaTooNew, load, migrate, pending


@pytest.fixture
async def ledger(database: Database) -> Database:
    def create(connection: Connection) -> None:
        connection.execute(text("CREATE TABLE ledger (id INTEGER PRIMARY KEY, amount INTEGER NOT NULL)"))
        connection.execute(text("INSERT INTO ledger VALUES (1, 0)"))

    await database.write(create)
    return database


def amount(connection: Connection) -> int:
    return int(connection.execute(text("SELECT amount FROM ledger WHERE id = 1")).scalar_one())


def add_one(connection: Connection) -> int:
    now = amount(connection) + 1
    connection.execute(text("UPDATE ledger SET amount = :now WHERE id = 1"), {"now": now})
    return now


async def test_write_returns_what_the_body_returns(ledger: Database) -> None:
    assert await ledger.write(add_one) == 1
    assert await ledger.read(amount) == 1


async def test_write_rolls_back_whole_when_the_body_raises(ledger: Database) -> None:
    def fail(connection: Connection) -> None:
        add_one(connection)
        raise LookupError("no such lesson")

    with pytest.raises(LookupError):
        await ledger.write(fail)
    assert await ledger.read(amount) == 0


async def test_concurrent_writes_lose_no_update(ledger: Database) -> None:
    counts = await asyncio.gather(*(ledger.write(add_one) for _ in range(12)))
    assert sorted(counts) == list(range(1, 13))
    assert await ledger.read(amount) == 12


async def test_read_cannot_write(ledger: Database) -> None:
    with pytest.raises(sqlalchemy.exc.DBAPIError):
        await ledger.read(add_one)
    assert await ledger.read(amount) == 0


async def test_read_does_not_wait_for_a_write_and_sees_the_last_commit(ledger: Database) -> None:
    seen_inside: list[int] = []
    loop = asyncio.get_running_loop()

    def slow(connection: Connection) -> None:
        add_one(connection)
        seen_inside.append(asyncio.run_coroutine_threadsafe(ledger.read(amount), loop).result(timeout=10))

    await ledger.write(slow)
    assert seen_inside == [0]
    assert await ledger.read(amount) == 1


async def test_what_is_opened_to_be_read_cannot_write(ledger: Database) -> None:
    url = ledger.engine.url.render_as_string(hide_password=False)
    looking = Database.open(url, read_only=True)
    try:
        assert await looking.read(amount) == 0
        with pytest.raises(sqlalchemy.exc.DBAPIError):
            await looking.write(add_one)
    finally:
        await looking.close()


@pytest.fixture
def engine(database: Database) -> sqlalchemy.Engine:
    return database.engine


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Migrations of their own, numbered far above the product's."""
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "9001_first.sql").write_text(
        "-- a comment; with a semicolon\nCREATE TABLE first (id INTEGER);\nINSERT INTO first VALUES (1);\n"
    )
    return folder


def rows(engine: sqlalchemy.Engine, sql: str) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]


def test_migrate_applies_each_file_once(engine: sqlalchemy.Engine, folder: Path) -> None:
    assert pending(engine, folder) == ["9001_first"]
    assert migrate(engine, folder) == ["9001_first"]
    assert pending(engine, folder) == migrate(engine, folder) == []
    (folder / "9002_second.sql").write_text("INSERT INTO first SELECT 2 WHERE 'a%b' LIKE '%b';")
    assert migrate(engine, folder) == ["9002_second"]
    assert rows(engine, "SELECT id FROM first ORDER BY id") == [(1,), (2,)]


def test_migrate_applies_a_late_file_with_a_lower_number(engine: sqlalchemy.Engine, folder: Path) -> None:
    (folder / "9005_fifth.sql").write_text("INSERT INTO first VALUES (5);")
    migrate(engine, folder)
    (folder / "9003_third.sql").write_text("INSERT INTO first VALUES (3);")
    assert migrate(engine, folder) == ["9003_third"]


def test_migrate_changes_nothing_when_one_statement_fails(engine: sqlalchemy.Engine, folder: Path) -> None:
    (folder / "9002_broken.sql").write_text("CREATE TABLE second (id INTEGER);\nINSERT INTO nowhere VALUES (1);")
    with pytest.raises(DatabaseUnusable) as refused:
        migrate(engine, folder)
    assert refused.value.step == "9002_broken"
    (folder / "9002_broken.sql").unlink()
    assert migrate(engine, folder) == ["9001_first"]


def test_migrate_picks_the_file_of_the_dialect(engine: sqlalchemy.Engine, folder: Path) -> None:
    (folder / "9002_pair.sqlite.sql").write_text("INSERT INTO first VALUES (20);")
    (folder / "9002_pair.postgresql.sql").write_text("INSERT INTO first VALUES (21);")
    migrate(engine, folder)
    expected = {"sqlite": 20, "postgresql": 21}[engine.dialect.name]
    assert rows(engine, "SELECT id FROM first ORDER BY id") == [(1,), (expected,)]


def test_migrate_refuses_an_unsafe_downgrade(engine: sqlalchemy.Engine, folder: Path) -> None:
    (folder / "9002_new_meaning.sql").write_text("-- compat: 9002\nINSERT INTO first VALUES (2);")
    (folder / "9003_harmless.sql").write_text("INSERT INTO first VALUES (3);")
    migrate(engine, folder)
    (folder / "9003_harmless.sql").unlink()
    assert migrate(engine, folder) == []
    (folder / "9002_new_meaning.sql").unlink()
    with pytest.raises(SchemaTooNew) as refusal:
        migrate(engine, folder)
    assert (refusal.value.needed, refusal.value.known) == (9002, 9001)


async def test_processes_that_start_together_migrate_once(engine: sqlalchemy.Engine, folder: Path) -> None:
    applied = await asyncio.gather(*(asyncio.to_thread(migrate, engine, folder) for _ in range(4)))
    assert sorted(applied) == [[], [], [], ["9001_first"]]


@pytest.mark.parametrize("name", ["9001_other.sql", "9002_half.sqlite.sql", "12_short.sql"])
def test_contradictory_migration_files_are_refused(folder: Path, name: str) -> None:
    (folder / name).write_text("SELECT 1;")
    with pytest.raises(MigrationsBroken):
        load("sqlite", folder)


def test_a_damaged_database_is_one_sentence(sqlite_url: str) -> None:
    file = Path(sqlite_url.removeprefix("sqlite:///"))
    whole = file.read_bytes()
    file.write_bytes(whole[:4096] + bytes(len(whole) - 4096))
    with pytest.raises(DatabaseUnusable) as refused:
        migrate(Database.open(sqlite_url).engine)
    assert refused.value.address == sqlite_url
    assert len(str(refused.value).splitlines()) == 1


def test_a_database_that_does_not_answer_is_one_sentence_without_its_password() -> None:
    engine = Database.open("postgresql+psycopg://tongke:geheim@127.0.0.1:1/tongke").engine
    with pytest.raises(DatabaseUnusable) as refused:
        migrate(engine)
    engine.dispose()
    assert "127.0.0.1" in str(refused.value)
    assert "geheim" not in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DatabaseUnusable) as refused:
        migrate(Database.open(f"sqlite:///{tmp_path / 'file' / 'data' / 'tongke.db'}").engine)
    assert str(refused.value).endswith("/file/data/tongke.db cannot be used: Not a directory")


@pytest.mark.parametrize("url", ["sqlite:///", "postgresql+psycopg://tongke:geheim@localhost:port/tongke"])
def test_an_address_that_is_none_is_one_sentence_without_its_password(url: str) -> None:
    with pytest.raises(DatabaseUnusable) as refused:
        Database.open(url)
    assert "geheim" not in str(refused.value)


async def test_an_error_tells_nothing_of_what_a_statement_carries(ledger: Database) -> None:
    """Errors are logged, and at a command line they are seen."""

    def write_twice(connection: Connection) -> None:
        connection.execute(text("INSERT INTO ledger VALUES (:id, :amount)"), {"id": 1, "amount": 4711})

    with pytest.raises(sqlalchemy.exc.IntegrityError) as refused:
        await ledger.write(write_twice)
    assert "4711" not in str(refused.value)


def test_a_database_file_is_not_for_everybody(tmp_path: Path) -> None:
    engine = Database.open(f"sqlite:///{tmp_path / 'own.db'}").engine
    assert not (tmp_path / "own.db").exists()
    migrate(engine)
    assert (tmp_path / "own.db").stat().st_mode & 0o007 == 0
    engine.dispose()
