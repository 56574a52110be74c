"""This module owns the priced rules inside the formulation: their terms, and the questions asked about the cost."""

import itertools
from collections import defaultdict
from collections.abc import Collection, Sequence

from ortools.sat.python import cp_model

from timetable import objective
from timetable.formulation import Formulation, Use, by_week, total
from timetable.model import RuleCost

UNLIMITED = 1 << 40


class Trial:
    """A copy of a priced model, to be searched beside others for any solution that is cheap enough."""

    def __init__(self, cp: cp_model.CpModel, ceiling: int) -> None:
        self.cp = cp
        self._ceiling = ceiling

    def aim(self, cost: int, solution: Sequence[int]) -> None:
        """Ask for a solution of at most that cost, looking first around the given one."""
        _limit(self.cp, self._ceiling, cost)
        _hint(self.cp, solution)


def _limit(cp: cp_model.CpModel, ceiling: int, cost: int) -> None:
    domain = cp.proto.constraints[ceiling].linear.domain
    domain[len(domain) - 1] = cost


def _hint(cp: cp_model.CpModel, solution: Sequence[int]) -> None:
    """Every variable is hinted, auxiliaries too: a hint of the placements alone leads far above where it began."""
    hint = cp.proto.solution_hint
    hint.vars.clear()
    hint.values.clear()
    hint.vars.extend(range(len(solution)))
    hint.values.extend(solution)


class Pricing:
    """The objective of a formulation, begun from `solution`: the values that keep its hard rules."""

    def __init__(self, formulation: Formulation, solution: Sequence[int]) -> None:
        self._formulation = formulation
        self._problem = formulation.problem
        self._cp = formulation.cp
        self._values = list(solution)
        self._terms: dict[str, list[tuple[cp_model.IntVar, int]]] = {rule: [] for rule in objective.WEIGHTS}
        self._add_own_breaches()
        self._add_classes()
        self._add_teachers()
        terms = [term for found in self._terms.values() for term in found]
        self._cost = cp_model.LinearExpr.weighted_sum([v for v, _ in terms], [w for _, w in terms])
        self._cp.add(self._cost <= UNLIMITED)
        self._ceiling = len(self._cp.proto.constraints) - 1

    def trial(self, *, minimise: bool = False) -> "Trial":
        """A copy of the model that asks for any solution below a cost, or for a cheaper and cheaper one."""
        trial = Trial(self._cp.clone(), self._ceiling)
        if minimise:
            trial.cp.minimize(self._cost)
        return trial

    def minimise(self, cost: int, solution: Sequence[int]) -> cp_model.CpModel:
        """The model, asking for the cheapest solution, from one of that cost on."""
        _limit(self._cp, self._ceiling, cost)
        _hint(self._cp, solution)
        self._cp.minimize(self._cost)
        return self._cp

    @property
    def variables(self) -> int:
        return len(self._values)

    @property
    def complete(self) -> list[int]:
        """The solution that this was made from, with the values of all auxiliary variables."""
        return list(self._values)

    def cost(self, solution: Sequence[int]) -> int:
        return sum(rule.cost for rule in self.cost_by_rule(solution))

    def cost_by_rule(self, solution: Sequence[int]) -> tuple[RuleCost, ...]:
        return tuple(
            RuleCost(rule=rule, cost=sum(weight * solution[variable.index] for variable, weight in terms))
            for rule, terms in self._terms.items()
        )

    # Terms ----------------------------------------------------------------------------------------------------------

    def _charge(self, rule: str, variable: cp_model.IntVar, times: int = 1) -> None:
        self._terms[rule].append((variable, objective.WEIGHTS[rule] * times))

    def _excess(self, rule: str, groups: Collection[Sequence[Use]], allowed: int, most: int) -> None:
        """Charge what the fullest of the groups has above what is allowed; `most` bounds a group's total."""
        limit = min(most, max((sum(use.periods for use in uses) for uses in groups), default=0)) - allowed
        if limit <= 0:
            return
        over = self._variable(limit)
        for uses in groups:
            self._cp.add(total(uses) - allowed <= over)
            held = sum(use.periods * self._values[use.variable.index] for use in uses)
            self._values[over.index] = max(self._values[over.index], held - allowed)
        self._charge(rule, over)

    def _variable(self, most: int) -> cp_model.IntVar:
        variable = self._cp.new_bool_var("") if most == 1 else self._cp.new_int_var(0, most, "")
        self._values.append(0)
        assert variable.index == len(self._values) - 1
        return variable

    def _add_own_breaches(self) -> None:
        problem = self._problem
        for demand, variables in self._formulation.placed:
            requirement = demand.requirement
            main = requirement.subject in problem.main_subjects
            host = requirement.parties[0].unit
            for variable, placement in zip(variables, demand.placements, strict=True):
                last = 0
                for party, side in zip(requirement.parties, placement.sides, strict=True):
                    if next(reversed(problem.bells.day(party.unit, placement.weekday))) in side.periods:
                        last += len(party.classes)
                breaches = objective.own_breaches(
                    requirement.kind,
                    requirement.subject,
                    main=main,
                    start=placement.sides[0].window.start,
                    first_period=placement.period == next(iter(problem.bells.day(host, placement.weekday))),
                    last_of_classes=last,
                )
                for rule, times in breaches.items():
                    self._charge(rule, variable, times)

    def _add_classes(self) -> None:
        formulation, problem = self._formulation, self._problem
        for school_class, subject in sorted(problem.two_a_week):
            for day, after in problem.days_in_a_row:
                first = formulation.subject_days.get((school_class, subject, day), [])
                second = formulation.subject_days.get((school_class, subject, after), [])
                if first or second:
                    self._two_days(first, second)
        if "subject_spread" in formulation.without:
            for (school_class, subject, _), uses in formulation.subject_days.items():
                most = problem.subject_loads[school_class, subject]
                usual = problem.most_a_day(school_class, subject)
                self._excess(objective.SUBJECT_CROWDED, by_week(uses).values(), usual, most)
        if "day_without_gaps" in formulation.without:
            self._add_gaps()

    def _two_days(self, first: Sequence[Use], second: Sequence[Use]) -> None:
        """Charge lessons above one on two days running; each day counts by its own fuller week."""
        pairs = [(a, b) for a in by_week(first).values() for b in by_week(second).values()]
        self._excess(objective.TWO_A_WEEK_ADJACENT, [[*a, *b] for a, b in pairs], 1, 2)

    def _add_gaps(self) -> None:
        days: dict[tuple[str, int], list[cp_model.IntVar]] = defaultdict(list)
        for (school_class, weekday, _), taken in self._formulation.taken.items():
            days[school_class, weekday].append(taken)
        for taken_by_period in days.values():
            for before, after in itertools.pairwise(taken_by_period):
                gap = self._variable(1)
                self._cp.add_bool_or([after.negated(), before, gap])
                held = self._values[after.index] > self._values[before.index]
                self._values[gap.index] = int(held)
                self._charge(objective.CLASS_GAP, gap)

    def _add_teachers(self) -> None:
        loads: dict[str, int] = defaultdict(int)
        for requirement in self._problem.requirements:
            for teacher, _ in {(t, party.unit) for party in requirement.parties for t in party.teachers}:
                loads[teacher] += requirement.weekly * requirement.block
        for (teacher, _), uses in self._formulation.teacher_days.items():
            self._excess(objective.TEACHER_LONG_DAY, by_week(uses).values(), objective.LONG_DAY, loads[teacher])
        for cells in self._formulation.teacher_cells.values():
            self._add_travel(cells)

    def _add_travel(self, cells: dict[tuple[str, int], list[Use]]) -> None:
        campuses: dict[str, list[Use]] = defaultdict(list)
        for (unit, _), uses in cells.items():
            campuses[self._problem.units[unit].campus].extend(uses)
        if len(campuses) < 2:
            return
        at: list[Use] = []
        for uses in campuses.values():
            there = self._variable(1)
            for use in uses:
                self._cp.add_implication(use.variable, there)
                self._values[there.index] |= self._values[use.variable.index]
            at.append(Use(there, "all"))
        self._excess(objective.TRAVEL_DAY, [at], 1, len(at))
