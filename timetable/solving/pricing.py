"""This module owns the priced rules inside the formulation: their terms, and the questions asked about the cost."""

import itertools
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from ortools.sat.python import cp_model

from timetable import objective
from timetable.model import SHARED_KINDS, RuleCost
from timetable.solving.formulation import Formulation, Use, meeting, total
from timetable.weeks import EVERY_WEEK, weeks_of

UNLIMITED = 1 << 40


class Pricing:
    """The objective of a formulation, begun from `solution`: the values that keep its hard rules."""

    def __init__(self, formulation: Formulation, solution: Sequence[int]) -> None:
        self._formulation = formulation
        self._problem = formulation.problem
        self._cp = formulation.cp
        self._values = list(solution)
        self._most = [1] * len(solution)
        """The largest value of every variable; the formulation's are all 0 or 1."""
        self._about: dict[int, set[int]] = defaultdict(set)
        """Auxiliary variable -> the variables that it was made from."""
        self._terms: dict[str, list[tuple[int, int]]] = {rule: [] for rule in objective.WEIGHTS}
        """Rule -> variables, and what each step of them costs."""
        self._add_own_breaches()
        self._add_classes()
        self._add_teachers()
        self._add_concessions()
        terms = [term for found in self._terms.values() for term in found]
        charged = [self._cp.get_int_var_from_proto_index(variable) for variable, _ in terms]
        self._cost = cp_model.LinearExpr.weighted_sum(charged, [weight for _, weight in terms])
        self._cp.add(self._cost <= UNLIMITED)
        self._ceiling = len(self._cp.proto.constraints) - 1

    def below(self, cost: int, solution: Sequence[int], ranges: Mapping[int, tuple[int, int]]) -> cp_model.CpModel:
        """A copy of the model that asks for any solution of at most that cost in which these variables keep to these
        ranges, looking first around the given one."""
        cp = self._cp.clone()
        _limit(cp, self._ceiling, cost)
        _hint(cp, solution)
        for index, wanted in ranges.items():
            domain = cp.proto.variables[index].domain
            domain[0], domain[len(domain) - 1] = wanted
        return cp

    def minimise(self, cost: int, solution: Sequence[int]) -> cp_model.CpModel:
        """The model, asking for the cheapest solution, from one of that cost on."""
        _limit(self._cp, self._ceiling, cost)
        _hint(self._cp, solution)
        self._cp.minimize(self._cost)
        return self._cp

    @property
    def cp(self) -> cp_model.CpModel:
        return self._cp

    @property
    def ranges(self) -> list[tuple[int, int]]:
        """The smallest and the largest value of every variable."""
        return [(0, most) for most in self._most]

    @property
    def weights(self) -> dict[int, int]:
        """Variable -> what each step of it costs."""
        found: dict[int, int] = defaultdict(int)
        for terms in self._terms.values():
            for variable, weight in terms:
                found[variable] += weight
        return dict(found)

    def concerned(self, variable: int) -> set[int]:
        """The placements, by variable, that a priced variable depends on: itself where it is one."""
        found: set[int] = set()
        for index in self._about.get(variable, ()):
            found |= self.concerned(index)
        return found or {variable}

    @property
    def placements(self) -> list[int]:
        """The variables that say where lessons stand, all others follow from them."""
        return [variable.index for _, variables in self._formulation.placed for variable in variables]

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
            RuleCost(rule=rule, cost=sum(weight * solution[variable] for variable, weight in terms))
            for rule, terms in self._terms.items()
        )

    # Terms ----------------------------------------------------------------------------------------------------------

    def _charge(self, rule: str, variable: cp_model.IntVar, times: int = 1) -> None:
        self._terms[rule].append((variable.index, objective.WEIGHTS[rule] * times))

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
            self._about[over.index].update(use.variable.index for use in uses)
        self._charge(rule, over)

    def _variable(self, most: int) -> cp_model.IntVar:
        variable = self._cp.new_bool_var("") if most == 1 else self._cp.new_int_var(0, most, "")
        self._values.append(0)
        self._most.append(most)
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
                self._excess(objective.SUBJECT_CROWDED, meeting(uses), usual, most)
        if "day_without_gaps" in formulation.without:
            self._add_gaps()

    def _two_days(self, first: Sequence[Use], second: Sequence[Use]) -> None:
        """Charge lessons above one on two days running; each day counts by its own fullest week."""
        pairs = [(a, b) for a in meeting(first) or [[]] for b in meeting(second) or [[]]]
        self._excess(objective.TWO_A_WEEK_ADJACENT, [[*a, *b] for a, b in pairs], 1, 2)

    def _add_gaps(self) -> None:
        days: dict[tuple[str, int], list[cp_model.IntVar]] = defaultdict(list)
        for (school_class, weekday, period), taken in self._formulation.taken.items():
            days[school_class, weekday].append(taken)
            uses = self._formulation.class_cells.get((school_class, weekday, period), ())
            self._about[taken.index].update(use.variable.index for use in uses)
        for taken_by_period in days.values():
            for before, after in itertools.pairwise(taken_by_period):
                gap = self._variable(1)
                self._cp.add_bool_or([after.negated(), before, gap])
                held = self._values[after.index] > self._values[before.index]
                self._values[gap.index] = int(held)
                self._about[gap.index].update((before.index, after.index))
                self._charge(objective.CLASS_GAP, gap)

    def _add_concessions(self) -> None:
        """Charge shared lessons against a unit's wishes, and what one unit concedes above its fair share of all."""
        problem = self._problem
        conceded: dict[str, list[cp_model.IntVar]] = {unit: [] for unit in problem.wishes}
        for demand, variables in self._formulation.placed if conceded else ():
            requirement = demand.requirement
            if requirement.kind not in SHARED_KINDS:
                continue
            for variable, placement in zip(variables, demand.placements, strict=True):
                for party, side in zip(requirement.parties, placement.sides, strict=True):
                    if problem.unwelcome(party.unit, placement.weekday, side.windows, weeks_of(requirement)):
                        conceded[party.unit].append(variable)
                        self._charge(objective.UNWELCOME_TIME, variable)
        all_sides = sum(problem.shared_sides.values())
        everything = [variable for own in conceded.values() for variable in own]
        taken = sum(self._values[variable.index] for variable in everything)
        for unit, own in conceded.items():
            if not own or len(problem.wishes) < 2:
                continue
            # over >= own - ceil(share of all), in whole numbers
            sides = problem.shared_sides[unit]
            over = self._variable(sides)
            weights = [all_sides] * len(own) + [-sides] * len(everything)
            beyond = cp_model.LinearExpr.weighted_sum([*own, *everything], weights)
            self._cp.add(beyond - (all_sides - 1) <= all_sides * over)
            here = sum(self._values[variable.index] for variable in own)
            self._values[over.index] = max(0, here - objective.fair_share(taken, sides, all_sides))
            self._about[over.index].update(variable.index for variable in own)
            self._charge(objective.UNEVEN_CONCESSIONS, over)

    def _add_teachers(self) -> None:
        loads: dict[str, int] = defaultdict(int)
        for requirement in self._problem.requirements:
            for teacher, _ in {(t, party.unit) for party in requirement.parties for t in party.teachers}:
                loads[teacher] += requirement.weekly * requirement.block
        for (teacher, _), uses in self._formulation.teacher_days.items():
            self._excess(objective.TEACHER_LONG_DAY, meeting(uses), objective.LONG_DAY, loads[teacher])
        self._add_travel()

    def _add_travel(self) -> None:
        """Charge each campus after the first of a teacher's day.

        Whether a lesson stands at a campus at all is said by periods, by days of one class's subject and by the
        teacher's whole day, and not by single lessons: so a bound can count the days that each campus needs.
        """
        formulation, problem = self._formulation, self._problem
        cells: dict[tuple[str, int], dict[str, list[list[Use]]]] = defaultdict(lambda: defaultdict(list))
        for teacher_day, own in formulation.teacher_cells.items():
            for (unit, _), uses in own.items():
                cells[teacher_day][problem.units[unit].campus].append(uses)
        travelling = {teacher for (teacher, _), campuses in cells.items() if len(campuses) > 1}
        lessons = self._lessons_of(travelling)
        for (teacher, weekday), campuses in cells.items():
            if len(campuses) < 2:
                continue
            at: list[Use] = []
            for campus, periods in campuses.items():
                there = self._variable(1)
                at.append(Use(there, EVERY_WEEK))
                for uses in periods:
                    for together in meeting(uses):
                        self._cp.add_at_most_one([*(use.variable for use in together), there.negated()])
                    self._values[there.index] |= max(self._values[use.variable.index] for use in uses)
                    self._about[there.index].update(use.variable.index for use in uses)
                whole: list[Use] = []
                for most, uses in lessons[teacher, weekday, campus]:
                    self._within(uses, most, there)
                    whole += uses
                if "teacher_day" not in formulation.without:
                    self._within(whole, problem.teachers[teacher].max_per_day, there)
            self._excess(objective.TRAVEL_DAY, [at], 1, len(at))

    def _lessons_of(self, teachers: Collection[str]) -> dict[tuple[str, int, str], list[tuple[int, list[Use]]]]:
        """(teacher, weekday, campus) -> the lessons of each of their classes' subjects, with the most of a day."""
        formulation, problem = self._formulation, self._problem
        spread = "subject_spread" not in formulation.without
        found: dict[tuple[str, int, str], dict[tuple[str, str], tuple[int, list[Use]]]] = defaultdict(dict)
        for demand, variables in formulation.placed:
            requirement = demand.requirement
            places = {
                (t, problem.units[p.unit].campus) for p in requirement.parties for t in p.teachers if t in teachers
            }
            if not places:
                continue
            classes = [c for party in requirement.parties for c in party.classes]
            most = min((problem.most_a_day(c, requirement.subject) for c in classes), default=UNLIMITED)
            # Lessons of one requirement, or of one class's subject, share what a day may have of them.
            key = (classes[0], requirement.subject) if len(classes) == 1 else (requirement.id, "")
            for variable, placement in zip(variables, demand.placements, strict=True):
                use = Use(variable, weeks_of(requirement), requirement.block)
                for teacher, campus in places:
                    day = found[teacher, placement.weekday, campus]
                    day.setdefault(key, (most if spread else UNLIMITED, []))[1].append(use)
        return defaultdict(list, {where: list(day.values()) for where, day in found.items()})

    def _within(self, uses: Sequence[Use], most: int, there: cp_model.IntVar) -> None:
        """Say again that there are at most so many, and none without being there."""
        for together in meeting(uses):
            if sum(use.periods for use in together) > most:
                self._cp.add(total(together) <= most * there)


def _limit(cp: cp_model.CpModel, ceiling: int, cost: int) -> None:
    domain = cp.proto.constraints[ceiling].linear.domain
    domain[len(domain) - 1] = cost


def _hint(cp: cp_model.CpModel, solution: Sequence[int]) -> None:
    """Every variable is hinted, auxiliaries too: a hint of the placements alone leads far above where it began."""
    values = cp.proto.solution_hint
    values.vars.clear()
    values.values.clear()
    values.vars.extend(range(len(solution)))
    values.values.extend(solution)
