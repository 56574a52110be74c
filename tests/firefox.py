"""Firefox ESR driven over WebDriver BiDi, its own protocol: one page at a time, with fake cameras."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp

from tests import services

PREFERENCES = {
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
    "media.autoplay.default": 0,
    "media.peerconnection.ice.loopback": True,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "app.update.enabled": False,
    "intl.accept_languages": "zh-CN, en",
}
LISTENING = re.compile(rb"WebDriver BiDi listening on (ws://[\d.:]+)")
START_SECONDS = 60.0
PATIENCE = 30.0


class Firefox:
    """One browser window."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._reader = asyncio.create_task(self._read())
        self.context = ""
        self.errors: list[str] = []
        """Uncaught errors of the pages."""

    async def open(self) -> None:
        await self.ask("session.new", capabilities={})
        await self.ask("session.subscribe", events=["log.entryAdded"])
        self.context = (await self.ask("browsingContext.getTree"))["contexts"][0]["context"]

    async def ask(self, method: str, **params: Any) -> Any:
        """Send one command; its result."""
        number = next(self._numbers)
        self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": params})
        return await asyncio.wait_for(self._answers[number], PATIENCE)

    async def go(self, url: str) -> None:
        await self.ask("browsingContext.navigate", context=self.context, url=url, wait="complete")

    async def evaluate(self, expression: str) -> Any:
        """The value of an expression of the page, as JSON."""
        found = await self.ask(
            "script.evaluate",
            expression=f"Promise.resolve({expression}).then(JSON.stringify)",
            target={"context": self.context},
            awaitPromise=True,
        )
        assert found["type"] == "success", found
        return json.loads(found["result"]["value"]) if "value" in found["result"] else None

    async def wait_for(self, selector: str) -> None:
        """Wait until the page has an element."""
        await self.becomes(f"!!document.querySelector({json.dumps(selector)})")

    async def becomes(self, expression: str) -> None:
        """Wait until an expression of the page is true."""
        async with asyncio.timeout(PATIENCE):
            while not await self.evaluate(expression):  # noqa: ASYNC110 - a page
                await asyncio.sleep(0.1)

    async def keep_cookie(self, name: str, value: str, host: str) -> None:
        """Give the browser a cookie of a host."""
        cookie = {"name": name, "value": {"type": "string", "value": value}, "domain": host, "path": "/"}
        await self.ask("storage.setCookie", cookie=cookie)

    async def click(self, selector: str) -> None:
        await self.wait_for(selector)
        await self.evaluate(f"(document.querySelector({json.dumps(selector)}).click(), true)")

    async def close(self) -> None:
        with contextlib.suppress(Exception):
            await self.ask("browser.close")
        self._reader.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reader

    async def _read(self) -> None:
        async for message in self._socket:
            told = json.loads(message.data)
            if told.get("method") == "log.entryAdded":
                entry = told["params"]
                if entry["level"] == "error" and entry["type"] == "javascript":
                    self.errors.append(entry["text"])
            elif (waiting := self._answers.pop(told.get("id"), None)) is not None and not waiting.done():
                if told["type"] == "success":
                    waiting.set_result(told["result"])
                else:
                    waiting.set_exception(RuntimeError(f"{told['error']}: {told.get('message')}"))


@contextlib.asynccontextmanager
async def firefox(profile: Path) -> AsyncIterator[Firefox]:
    """A headless Firefox with a profile of its own."""
    path = services.require("firefox-esr")
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in PREFERENCES.items()]
    profile.mkdir(parents=True, exist_ok=True)
    (profile / "user.js").write_text("\n".join(lines), "utf-8")
    # a pipe would be held open by processes of the browser that outlive it for a moment
    said = profile / "said.txt"
    with said.open("wb") as complaints:
        process = await asyncio.create_subprocess_exec(
            path,
            "--headless",
            "--no-remote",
            "--remote-debugging-port=0",
            "--profile",
            str(profile),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=complaints,
            env={"HOME": str(profile), "PATH": "/usr/bin:/bin", "MOZ_HEADLESS": "1"},
        )
    try:
        address = await asyncio.wait_for(_address(process, said), START_SECONDS)
        async with aiohttp.ClientSession() as http, http.ws_connect(f"{address}/session", max_msg_size=0) as socket:
            browser = Firefox(socket)
            await browser.open()
            yield browser
            await browser.close()
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            try:
                await asyncio.wait_for(process.wait(), 10)
            except TimeoutError:
                process.kill()
                await process.wait()


async def _address(process: asyncio.subprocess.Process, said: Path) -> str:
    while (found := LISTENING.search(said.read_bytes())) is None:
        if process.returncode is not None:
            raise RuntimeError("Firefox ended before it listened")
        await asyncio.sleep(0.05)
    return found[1].decode()
