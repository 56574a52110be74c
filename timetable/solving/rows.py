"""This module owns the rows of a model: its constraints, each said as one sum between two numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ortools.sat.python import cp_model

UNBOUNDED = 1 << 39
"""Sides of a constraint beyond this hold nothing back."""


@dataclass(frozen=True, slots=True)
class Row:
    """low <= sum of coefficient times variable <= high; None where a side is open."""

    terms: Mapping[int, int]
    low: int | None
    high: int | None

    @property
    def holds(self) -> bool:
        """Whether it can hold anything back."""
        return bool(self.terms) and (self.low is not None or self.high is not None)


def rows_of(cp: cp_model.CpModel) -> Iterator[Row]:
    """The constraints of a model as rows, some as several. Raises ValueError for a kind that is no sum."""
    for constraint in cp.proto.constraints:
        if constraint.has_linear() and not len(constraint.enforcement_literal):
            linear = constraint.linear
            low, high = linear.domain[0], linear.domain[len(linear.domain) - 1]
            yield Row(
                _summed(linear.vars, linear.coeffs),
                None if low < -UNBOUNDED else low,
                None if high > UNBOUNDED else high,
            )
        elif constraint.has_at_most_one():
            yield _of_literals(constraint.at_most_one.literals, None, 1)
        elif constraint.has_exactly_one():
            yield _of_literals(constraint.exactly_one.literals, 1, 1)
        elif constraint.has_bool_or() and not len(constraint.enforcement_literal):
            yield _of_literals(constraint.bool_or.literals, 1, None)
        elif constraint.has_bool_and():
            # All of the one side imply each of the other.
            for then in constraint.bool_and.literals:
                yield _of_literals([*(-literal - 1 for literal in constraint.enforcement_literal), then], 1, None)
        else:
            raise ValueError(f"not a row: {constraint}")


def _summed(variables: Sequence[int], coefficients: Sequence[int]) -> dict[int, int]:
    terms: dict[int, int] = {}
    for index, coefficient in zip(variables, coefficients, strict=True):
        terms[index] = terms.get(index, 0) + coefficient
    return terms


def _of_literals(literals: Sequence[int], low: int | None, high: int | None) -> Row:
    """The row of a sum of literals; a negated one, -1 - index, counts one less its variable."""
    terms: dict[int, int] = {}
    negated = 0
    for literal in literals:
        index, sign = (literal, 1) if literal >= 0 else (-1 - literal, -1)
        negated += literal < 0
        terms[index] = terms.get(index, 0) + sign
    return Row(terms, None if low is None else low - negated, None if high is None else high - negated)
