"""One socket of the gateway: its frames in order, its heartbeats, and the ways in which it ends."""
import asyncio
import json
import time
import zlib
from collections import deque

from aiohttp import WSMsgType, web

DISPATCH, HEARTBEAT, IDENTIFY, PRESENCE, VOICE, RESUME, MEMBERS, HELLO, BEAT_HEARD, SOUNDS = 0, 1, 2, 3, 4, 6, 8, 10, 11, 31
# Discord's limits for what a bot sends.
MOST_BYTES, MOST_SENT, PER_S = 4096, 120, 60
# Bots that ask for compressed payloads get their large ones so.
COMPRESSED_FROM = 1024
# How late a heartbeat may be, in intervals.
LATENESS = 1.5


class Connection:
    """Frames are written by a task of their own, so that whoever dispatches need not wait."""

    def __init__(self, gateway, request: web.Request):
        self.gateway, self.request = gateway, request
        self.socket = web.WebSocketResponse(compress=False, max_msg_size=1 << 20, timeout=2)
        self.session = None
        self.compressed = False
        self.stream = zlib.compressobj() if request.query.get("compress") == "zlib-stream" else None
        self.frames: asyncio.Queue = asyncio.Queue()
        self.received: deque[float] = deque()
        self.beat_at = time.monotonic()
        self.closed_with: tuple[int | None, str] | None = None
        self.closing: asyncio.Task | None = None

    async def run(self) -> web.WebSocketResponse:
        await self.socket.prepare(self.request)
        tasks = [asyncio.create_task(self._write()), asyncio.create_task(self._watch())]
        self.interval_ms = self.gateway.heartbeat_ms
        self.send({"op": HELLO, "d": {"heartbeat_interval": self.interval_ms, "_trace": []}})
        try:
            async for message in self.socket:
                if message.type in (WSMsgType.TEXT, WSMsgType.BINARY) and (code := self._take(message.data)) is not None:
                    self.close(code)
                    break
        finally:
            # The writer still has to put out what comes before the close frame.
            if self.closing is not None:
                await asyncio.wait([self.closing], timeout=3)
            for task in tasks:
                task.cancel()
        return self.socket

    def send(self, payload: dict) -> None:
        self.write(json.dumps(payload))

    def write(self, frame: str) -> None:
        self.frames.put_nowait(frame)

    async def _write(self) -> None:
        while True:
            frame = await self.frames.get()
            try:
                await self._put(frame)
            except (ConnectionError, RuntimeError):
                return

    async def _put(self, frame: str) -> None:
        data = frame.encode()
        if self.stream is not None:
            await self.socket.send_bytes(self.stream.compress(data) + self.stream.flush(zlib.Z_SYNC_FLUSH))
        elif self.compressed and len(data) >= COMPRESSED_FROM:
            await self.socket.send_bytes(zlib.compress(data))
        else:
            await self.socket.send_str(frame)

    def _take(self, data) -> int | None:
        """One payload of the bot; the close code where it is wrong."""
        now = time.monotonic()
        self.received.append(now)
        while self.received[0] < now - PER_S:
            self.received.popleft()
        if len(self.received) > MOST_SENT:
            return 4008
        if len(data) > MOST_BYTES:
            return 4002
        try:
            payload = json.loads(data)
            opcode, content = payload["op"], payload.get("d")
        except (ValueError, KeyError, TypeError):
            return 4002
        return self._handle(opcode, content)

    def _handle(self, opcode: int, content) -> int | None:
        if opcode == HEARTBEAT:
            self.beat_at = time.monotonic()
            self.gateway.counts["heartbeats"] += 1
            if not self.gateway.deaf:
                self.send({"op": BEAT_HEARD})
            return None
        if opcode in (IDENTIFY, RESUME):
            if not isinstance(content, dict):
                return 4002
            return self.gateway.identify(self, content) if opcode == IDENTIFY else self.gateway.resume(self, content)
        if opcode not in (PRESENCE, VOICE, MEMBERS, SOUNDS):
            return 4001
        return 4003 if self.session is None else None

    async def _watch(self) -> None:
        """Ends the connection of a bot whose heart has stopped; Discord lets it resume."""
        while True:
            await asyncio.sleep(self.gateway.heartbeat_ms / 4000)
            if time.monotonic() - self.beat_at > self.interval_ms / 1000 * LATENESS:
                return self.close(4000)

    def close(self, code: int | None) -> None:
        """Closes from Discord's side; without a code the close frame carries none."""
        if self.closed_with is None:
            self.closed_with = (code, "discord")
            self.closing = asyncio.create_task(self._close(code))

    async def _close(self, code: int | None) -> None:
        while not self.frames.empty():
            await asyncio.sleep(0.005)
        try:
            if code is None:
                await self.socket._writer.send_frame(b"", WSMsgType.CLOSE)
                await asyncio.sleep(0.2)
                self.request.transport and self.request.transport.close()
            else:
                await self.socket.close(code=code)
        except (ConnectionError, RuntimeError):
            pass

    def break_off(self) -> None:
        """The path is cut: no close frame, no more bytes."""
        self.closed_with = (None, "cut")
        if self.request.transport is not None:
            self.request.transport.abort()

    def end(self) -> tuple[int | None, str]:
        """The close code, and who ended it."""
        return self.closed_with or (self.socket.close_code, "bot")
