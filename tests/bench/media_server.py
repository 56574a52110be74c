"""The product's media hub in a process of its own, for the benchmark: python -m tests.bench.media_server HOST.

POST /publish/NAME and /subscribe/NAME take an offer and return the answer. Prints {"pid", "url"} when it is ready.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys

from aiohttp import web

from signaling.media.hub import MediaConfig, MediaHub

LESSON = "bench"


async def serve(host: str) -> None:
    hub = MediaHub(MediaConfig(host=host, max_publish_bitrate=5_000_000))
    await hub.open()

    async def publish(request: web.Request) -> web.Response:
        answer = hub.publish(LESSON, request.match_info["name"], await request.text(), {})
        return web.Response(text=answer.sdp)

    async def subscribe(request: web.Request) -> web.Response:
        tracks = {track.kind: track.id for track in hub.tracks(LESSON)}
        slots = {"0": tracks["audio"], "1": tracks["video"]}
        answer = hub.subscribe(LESSON, request.match_info["name"], await request.text(), slots)
        return web.Response(text=answer.sdp)

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
    asyncio.run(serve(sys.argv[1]))
