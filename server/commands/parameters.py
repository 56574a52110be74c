"""This module owns the parameters that several commands take alike."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

MOST_SECONDS = 24 * 3600.0

Config = Annotated[
    Path | None, Parameter(help="Settings of this installation, a TOML file; docs/operations.md lists them.")
]
Login = Annotated[str, Parameter(help="What the person types to sign in.")]
Flag = Annotated[bool, Parameter(negative="")]
AsJson = Annotated[bool, Parameter(name="--json", negative="")]
Seconds = Annotated[float, Parameter(validator=Number(gt=0, lte=MOST_SECONDS))]
Workers = Annotated[int, Parameter(validator=Number(gte=1, lte=256))]
Several = Annotated[tuple[str, ...], Parameter(consume_multiple=False, negative="")]
"""May be given several times."""
