"""This module owns what the turn of the school year leaves to say, each thing once."""

from typing import Literal

from timetable.model import Finding


class Remarks:
    """Findings in the order in which they came up."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []

    def find(self, code: str, severity: Literal["error", "warning"] = "warning", **values: str | int) -> None:
        found = Finding(code=code, values=values, severity=severity)
        if found not in self.findings:
            self.findings.append(found)
