"""The program of the solver's process: `tongke table`, run for a server that it does not outlive.

The server holds the other end of standard input and never writes there: when that ends the server has gone, however it
went. The solver then hands in its best, and ends at once where it does not come to that.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

from server.commands.table import main
from server.run_folder import claim

LAST_SECONDS = 5.0
"""For handing in the best after the server has gone."""


def _end_with_the_server() -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    # nobody reads any more what is told to the server; a broken pipe would end the search before its best is kept
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(LAST_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    claim()
    threading.Thread(target=_end_with_the_server, daemon=True).start()
    sys.exit(main(sys.argv[1:]))
