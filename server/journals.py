"""Where the journals of live sessions lie: one file for each, in one folder."""

from pathlib import Path

from recordings.journal import Journal


class FileJournals:
    """`signaling.ports.Journals` on the local disk. Session ids are made by the server and safe in a path."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def locate(self, session: str) -> str:
        return f"{session}.journal"

    def open(self, name: str) -> Journal:
        self._folder.mkdir(parents=True, exist_ok=True)
        return Journal.open(self._folder / name)

    def path(self, name: str) -> Path:
        return self._folder / name
