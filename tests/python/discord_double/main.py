"""Starts the bridge, says in one line of JSON where it listens, and ends it with its standard input."""
import argparse
import asyncio
import contextlib
import gc
import json
import os
import signal
import sys
import threading

from aiohttp import web

from .bridge import Bridge
from .control import Control
from .intents import PRIVILEGED
from .rest import PREFIX
from .schemas import Schemas

MOST_BYTES = 30 << 20
# Discord's interval.
HEARTBEAT_MS = 41_250


def main() -> None:
    arguments = _arguments()
    schemas = Schemas(arguments.schemas) if arguments.schemas else None
    if arguments.self_test:
        from .self_test import self_test

        sys.exit(self_test(schemas))
    # What was loaded stays; to look through all of it again and again would hold answers up for tens of milliseconds.
    gc.freeze()
    asyncio.run(_serve(Bridge(set(arguments.privileged), schemas, arguments.heartbeat_ms), arguments))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="discord_double.py", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 for a free one")
    parser.add_argument("--schemas", help="what scripts/test-discord-sdk made; without them bodies are judged by limits alone")
    parser.add_argument("--privileged", nargs="*", default=[], choices=sorted(PRIVILEGED), help="intents approved in the portal")
    parser.add_argument("--heartbeat-ms", type=int, default=HEARTBEAT_MS)
    parser.add_argument("--detached", action="store_true", help="live on when the standard input ends")
    parser.add_argument("--self-test", action="store_true", help="show that every judgement can fail, and end")
    arguments = parser.parse_args()
    if arguments.self_test and not arguments.schemas:
        parser.error("--self-test needs --schemas")
    return arguments


async def _serve(bridge: Bridge, arguments: argparse.Namespace) -> None:
    ended = asyncio.Event()
    runner = web.AppRunner(app(bridge), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", arguments.port)
    await site.start()
    print(json.dumps(bridge.listens(site._server.sockets[0].getsockname()[1])), flush=True)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    if not arguments.detached:
        threading.Thread(target=_until_input_ends, args=(loop, ended), daemon=True).start()
    await ended.wait()
    await runner.cleanup()


def _until_input_ends(loop: asyncio.AbstractEventLoop, ended: asyncio.Event) -> None:
    """Without Python's buffer, whose lock this thread would still hold at the end of the process."""
    with contextlib.suppress(OSError):
        while os.read(0, 4096):
            pass
    loop.call_soon_threadsafe(ended.set)


def app(bridge: Bridge) -> web.Application:
    control = Control(bridge)
    app = web.Application(client_max_size=MOST_BYTES)
    app.add_routes([
        web.route("*", PREFIX + "/{path:.*}", bridge.rest.serve),
        web.get("/gateway", bridge.gateway.serve),
        web.get("/gateway/", bridge.gateway.serve),
        web.get("/attachments/{channel}/{id}/{name}", lambda request: _file(bridge, request)),
        web.post("/_ctl", control.act),
        web.get("/_ctl/{what}", control.tell),
        web.get("/_ctl/{what}/{key}", control.tell),
    ])
    return app


async def _file(bridge: Bridge, request: web.Request) -> web.Response:
    kind, data = bridge.backend.cdn.files.get(int(request.match_info["id"]), (None, None))
    if data is None:
        return web.Response(status=404)
    return web.Response(body=data, headers={"Content-Type": kind})
