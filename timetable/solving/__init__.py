"""Finding tables: counting lints, the formulation for CP-SAT, its prices, and the searches that make a table better."""
