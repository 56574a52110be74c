"""The product's media hub in a process of its own, for the benchmark: python -m tests.bench.media_server HOST.

POST /publish/NAME and /subscribe/NAME take an offer and return the answer. Prints {"pid", "url"} when it is ready.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys

import uvloop
from aiohttp import web

from signaling.media.hub import MediaConfig, MediaHub

LESSON = "bench"


async def serve(host: str) -> None:
    hub = MediaHub(MediaConfig(host=host, max_publish_bitrate=5_000_000))
    await hub.open()

    async def publish(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        return web.Response(text=hub.publish(LESSON, name, await request.text(), {}).sdp)

    async def subscribe(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        others = [track for track in hub.tracks(LESSON) if track.participant != name]
        # sections are offered in pairs of sound and picture, one pair for each publisher
        others.sort(key=lambda track: (track.participant, track.kind))
        slots = {str(mid): track.id for mid, track in enumerate(others)}
        return web.Response(text=hub.subscribe(LESSON, name, await request.text(), slots).sdp)

    app = web.Application()
    app.router.add_post("/publish/{name}", publish)
    app.router.add_post("/subscribe/{name}", subscribe)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    ready = {"pid": os.getpid(), "url": f"http://127.0.0.1:{runner.addresses[0][1]}"}
    print(json.dumps(ready), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1]))
