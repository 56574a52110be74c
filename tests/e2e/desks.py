"""Browsers of people of the small county."""

from __future__ import annotations

from typing import Any

from playwright.async_api import Browser, BrowserContext, Page

from server.auth.middleware import COOKIE, auth_key
from tests.county_server import CountyServer, person_id

PC = {"width": 1366, "height": 768}


class Desks:
    """Browsers of people, with everything that went wrong in them."""

    def __init__(self, county: CountyServer, chromium: Browser) -> None:
        self._county = county
        self._chromium = chromium
        self._contexts: list[BrowserContext] = []
        self.errors: list[str] = []

    async def open(self, name: str, path: str, **options: Any) -> Page:
        """Somebody's page, signed in."""
        context = await self._chromium.new_context(**{"viewport": PC, **options})
        self._contexts.append(context)
        token = await self._county.app[auth_key].open_session("person", person_id(name))
        await context.add_cookies([{"name": COOKIE, "value": token, "url": self._county.base}])
        page = await context.new_page()
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        await page.goto(self._county.base + path)
        return page

    async def close(self) -> None:
        for context in self._contexts:
            await context.close()
        assert self.errors == []
