"""Tables that several files of tests take away, each made once."""

from __future__ import annotations

import pytest

from tests import exported_tables
from timetable.model import Register, Table


@pytest.fixture(scope="session")
def two_schools() -> tuple[Register, Table]:
    return exported_tables.two_schools()


@pytest.fixture(scope="session")
def large_school() -> tuple[Register, Table]:
    return exported_tables.large_school()
