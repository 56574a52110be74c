"""`tongke people`: the accounts of a county, from its first one on."""

from __future__ import annotations

import asyncio
import csv
import io
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, get_args

import msgspec
from cyclopts import App, Parameter

from config.settings import load
from server.auth.service import HASHER
from server.commands.database import opened
from server.commands.parameters import AsJson, Config, Flag, Login
from server.people import COLUMNS, Enrolment, EntriesRefused, Entry, UnknownLogin, entries_of
from server.private_file import write_private
from server.shapes.people import PersonRole
from server.storage.people_store import SqlPeopleStore
from server.storage.register_store import SqlRegisterStore

GOOD, FINDING, BAD_INPUT = 0, 1, 2

Role = Annotated[str, Parameter(help=f"One of {', '.join(get_args(PersonRole))}.")]

app = App(
    name="people",
    help="Give people their accounts and roles.",
    result_action="return_value",
    help_format="plaintext",
    error_formatter=lambda error: f"tongke: {' '.join(str(error).split())}",
)


@app.command
def add(
    login: Login,
    role: Role,
    *,
    name: str,
    unit: str = "",
    community: str = "",
    teacher: str = "",
    config: Config = None,
) -> int:
    """Give one person a role; who is new gets an account, whose password is printed once.

    Parameters
    ----------
    name
        The person's name.
    unit
        The school of a principal, an academic_director or a teacher.
    community
        The community of a convenor or a researcher.
    teacher
        Who the person is in the register, where they teach.
    """
    entry = Entry(login=login, name=name, role=role, unit=unit, community=community, teacher=teacher)

    async def run(enrolment: Enrolment, _store: SqlPeopleStore) -> int:
        planned = await enrolment.plan([entry])
        passwords = enrolment.passwords(planned)
        await enrolment.take(planned, passwords)
        for password in passwords.values():
            print(password)
        if not planned:
            print(f"tongke: {login} has this role already", file=sys.stderr)
        return GOOD

    return _run(config, run)


@app.command
def take(file: Path, *, out: Path | None = None, check: Flag = False, config: Config = None) -> int:
    """Give the people of a csv file their accounts; several rows of one login are several roles of one person.

    The first row names the columns: login, name, role, unit, community, teacher. When a row is wrong nothing is taken.

    Parameters
    ----------
    file
        The people.
    out
        Where the passwords of those who are new are written, a csv that only you can read.
    check
        Only say what is wrong.
    """
    if not check and (out is None or out.exists()):
        print("tongke: --out names the file for the passwords, which must not be there yet", file=sys.stderr)
        return BAD_INPUT
    try:
        content = file.read_bytes()
    except OSError as error:
        print(f"tongke: {file}: {error.strerror or error}", file=sys.stderr)
        return BAD_INPUT

    async def run(enrolment: Enrolment, _store: SqlPeopleStore) -> int:
        planned = await enrolment.plan(entries_of(content, file.name))
        passwords = enrolment.passwords(planned)
        if out is not None and not check:
            # before anything is kept: a password that nobody saw opens nothing
            rows = [
                (person.login, person.name, passwords[person.login]) for person in planned if person.login in passwords
            ]
            try:
                # with the mark by which spreadsheets know UTF-8
                write_private(out, b"\xef\xbb\xbf" + _csv([("login", "name", "password"), *rows]))
            except OSError as error:
                print(f"tongke: {out}: {error.strerror or error}", file=sys.stderr)
                return BAD_INPUT
            await enrolment.take(planned, passwords)
        print(f"tongke: {len(passwords)} new people, {len(planned) - len(passwords)} with a new role", file=sys.stderr)
        return GOOD

    return _run(config, run, looks_only=check)


@app.command
def revoke(
    login: Login, role: Role, *, unit: str = "", community: str = "", last: Flag = False, config: Config = None
) -> int:
    """Take a role away from a person, at once; the account stays, and the person's other roles with it.

    Parameters
    ----------
    unit
        Of several schools that the person has this role at, the one.
    community
        Of several communities, the one.
    last
        Also where the county has no other bureau_admin.
    """

    async def run(enrolment: Enrolment, _store: SqlPeopleStore) -> int:
        person = await enrolment.revoke(login, role, unit, community, last=last)
        if not person.grants:
            print(
                f"tongke: {login} has no role any more; `tongke people close {login}` closes the account",
                file=sys.stderr,
            )
        return GOOD

    return _run(config, run)


@app.command
def password(login: Login, *, config: Config = None) -> int:
    """Give a person a new password, printed once; whoever is signed in with the old one is signed out."""

    async def run(enrolment: Enrolment, _store: SqlPeopleStore) -> int:
        print(await enrolment.renew(login))
        return GOOD

    return _run(config, run)


@app.command
def close(login: Login, *, last: Flag = False, config: Config = None) -> int:
    """Close a person's account; `tongke people password` opens it again.

    Parameters
    ----------
    last
        Also where the county has no other bureau_admin.
    """

    async def run(enrolment: Enrolment, _store: SqlPeopleStore) -> int:
        await enrolment.close(login, last=last)
        return GOOD

    return _run(config, run)


@app.command(name="list")
def list_people(*, as_json: AsJson = False, config: Config = None) -> int:
    """List the people and their roles, as the file that `take` reads.

    Parameters
    ----------
    as_json
        One JSON object a line: login, name, active, grants, teacher.
    """

    async def run(_enrolment: Enrolment, store: SqlPeopleStore) -> int:
        people = await store.all()
        if as_json:
            for person in people:
                shown = {field: getattr(person, field) for field in ("login", "name", "active", "grants", "teacher")}
                print(msgspec.json.encode(shown).decode())
            return GOOD
        rows = [
            (person.login, person.name, grant.role, grant.unit or "", grant.community or "", person.teacher or "")
            for person in people
            if person.active
            for grant in person.grants
        ]
        sys.stdout.write(_csv([COLUMNS, *rows]).decode())
        return GOOD

    return _run(config, run, looks_only=True)


def _run(
    config: Path | None, body: Callable[[Enrolment, SqlPeopleStore], Awaitable[int]], *, looks_only: bool = False
) -> int:
    settings = load(config, os.environ)

    async def inside() -> int:
        async with opened(settings.database_url, looks_only=looks_only) as database:
            store = SqlPeopleStore(database)
            return await body(Enrolment(store, await SqlRegisterStore(database).load(), HASHER.hash), store)

    try:
        return asyncio.run(inside())
    except EntriesRefused as refused:
        for sentence in refused.sentences:
            print(f"tongke: {sentence}", file=sys.stderr)
        return BAD_INPUT
    except UnknownLogin as unknown:
        print(f"tongke: {unknown}", file=sys.stderr)
        return FINDING


def _csv(rows: list[tuple[str, ...]]) -> bytes:
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator="\n").writerows(rows)
    return written.getvalue().encode()
