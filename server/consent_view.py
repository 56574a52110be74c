"""A unit's word on a draft or an amendment, as the browser sees it."""

from server.shapes.table import ConsentRow
from timetable.agreement.consent import Consent


def consent_row(unit: str, said: Consent | None) -> ConsentRow:
    """The row of a unit with a say, also while it is silent."""
    if said is None:
        return ConsentRow(unit=unit, answer="silent")
    return ConsentRow(
        unit=unit,
        answer=said.answer,
        by=said.by,
        at=said.at,
        reason=said.reason,
        lesson=said.lesson,
        counter_weekday=said.counter.weekday if said.counter else None,
        counter_period=said.counter.period if said.counter else None,
    )
