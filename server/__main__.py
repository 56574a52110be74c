"""`python -m server` is the command `tongke`."""

from server.cli import main

main()
