"""The one shared timetable: pure domain, no I/O.

The modules here are the nouns that all packages below stand on: model, bells, term, problem, objective and the checker.
"""
