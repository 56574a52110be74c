"""The parts of the composition root: each opens some resources and closes them in reverse."""
