"""The parts of the independent check of a table. They import the model and one another, nothing that a search uses."""
