"""This module owns a copy of a priced model that is searched many times, each time with other variables narrowed."""

from collections.abc import Mapping, Sequence

from ortools.sat.python import cp_model


class Trial:
    """`ceiling` is the number of the constraint that limits the cost."""

    def __init__(self, cp: cp_model.CpModel, ceiling: int) -> None:
        self.cp = cp
        self._ceiling = ceiling
        self._before: dict[int, tuple[int, int]] = {}
        """The ranges of the variables that are narrowed now, as they were."""
        self._now: Mapping[int, tuple[int, int]] = {}

    def aim(self, cost: int, solution: Sequence[int], ranges: Mapping[int, tuple[int, int]]) -> None:
        """Ask for a solution of at most that cost in which these variables keep to these ranges, looking first around
        the given one."""
        limit(self.cp, self._ceiling, cost)
        hint(self.cp, solution)
        variables = self.cp.proto.variables
        for index in self._now.keys() - ranges.keys():
            _set(variables[index].domain, self._before.pop(index))
        for index, wanted in ranges.items():
            if self._now.get(index) == wanted:
                continue
            domain = variables[index].domain
            self._before.setdefault(index, (domain[0], domain[len(domain) - 1]))
            _set(domain, wanted)
        self._now = ranges


def _set(domain: Sequence[int], wanted: tuple[int, int]) -> None:
    domain[0], domain[len(domain) - 1] = wanted  # type: ignore[index]


def limit(cp: cp_model.CpModel, ceiling: int, cost: int) -> None:
    domain = cp.proto.constraints[ceiling].linear.domain
    domain[len(domain) - 1] = cost


def hint(cp: cp_model.CpModel, solution: Sequence[int]) -> None:
    """Every variable is hinted, auxiliaries too: a hint of the placements alone leads far above where it began."""
    values = cp.proto.solution_hint
    values.vars.clear()
    values.values.clear()
    values.vars.extend(range(len(solution)))
    values.values.extend(solution)
