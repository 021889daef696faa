"""A bot of a few lines with which the self-test talks to the bridge."""
import asyncio
import json
import zlib

import aiohttp

from .bridge import Bridge

GUILDS, GUILD_MESSAGES, DIRECT_MESSAGES, MESSAGE_CONTENT = 1, 1 << 9, 1 << 12, 1 << 15
USUAL = GUILDS | GUILD_MESSAGES | DIRECT_MESSAGES
OFF = {"parse": []}
MESSAGE = {"content": "x", "allowed_mentions": OFF}


class Probe:
    """The bot's requests, and the test's control."""

    def __init__(self, bridge: Bridge, told: dict, http: aiohttp.ClientSession):
        self.bridge, self.told, self.http = bridge, told, http
        self.base = f"http://127.0.0.1:{told['port']}"
        self.channel, self.general = told["channels"]["experiments"], told["channels"]["general"]

    async def do(self, verb: str, **arguments) -> dict:
        async with self.http.post(f"{self.base}/_ctl", json={"do": verb, **arguments}) as response:
            answer = await response.json()
            assert response.status == 200, (verb, arguments, answer)
            return answer

    async def call(self, method: str, path: str, body=None):
        """Status, JSON and headers."""
        headers = {"Authorization": f"Bot {self.told['token']}"}
        async with self.http.request(method, f"{self.base}/api/v10{path}", json=body, headers=headers) as response:
            text = await response.text()
            return response.status, json.loads(text) if text.startswith(("{", "[")) else None, response.headers

    async def post(self, text: str, channel: str | None = None, **keys):
        body = {"content": text, "allowed_mentions": OFF, **keys}
        return await self.call("POST", f"/channels/{channel or self.channel}/messages", body)

    async def code(self, *arguments) -> tuple[int, int | None]:
        """Status and error code."""
        status, body, _ = await self.call(*arguments)
        return status, body.get("code") if isinstance(body, dict) else None

    async def messages(self, channel: str | None = None) -> list[dict]:
        async with self.http.get(f"{self.base}/_ctl/messages/{channel or self.channel}") as response:
            return await response.json()

    async def slash(self) -> tuple[str, str]:
        """The id and the token of a new interaction."""
        told = await self.do("slash", user="ada", channel="experiments", name="ask")
        return told["interaction"], self.bridge.backend.interactions[int(told["interaction"])].token

    async def answer(self, interaction: tuple[str, str], **body):
        return await self.code("POST", "/interactions/{}/{}/callback".format(*interaction), body)

    async def connect(self, query: str = "v=10&encoding=json") -> "Wire":
        wire = Wire(await self.http.ws_connect(f"{self.base}/gateway?{query}"))
        wire.stream = zlib.decompressobj() if "zlib-stream" in query else None
        assert (await wire.next())["op"] == 10
        return wire

    async def identify(self, intents: int = USUAL, token: str | None = None, **keys) -> "Wire":
        wire = await self.connect()
        await wire.send(2, {"token": token or self.told["token"], "intents": intents, "properties": {}, **keys})
        return wire


class Wire:
    """One socket of the gateway."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse):
        self.socket, self.stream, self.seq, self.session, self.code = socket, None, 0, None, None

    async def send(self, opcode: int, data) -> None:
        await self.socket.send_json({"op": opcode, "d": data})

    async def next(self) -> dict | None:
        """The next payload; nothing where the socket closed."""
        message = await self.socket.receive(timeout=5)
        if message.type == aiohttp.WSMsgType.BINARY:
            data = self.stream.decompress(message.data) if self.stream else zlib.decompress(message.data)
        elif message.type == aiohttp.WSMsgType.TEXT:
            data = message.data
        else:
            self.code = message.data if message.type == aiohttp.WSMsgType.CLOSE else None
            return None
        payload = json.loads(data)
        self.seq = payload.get("s") or self.seq
        if payload.get("t") == "READY":
            self.session = payload["d"]["session_id"]
        return payload

    async def until(self, event: str) -> dict:
        while payload := await self.next():
            if payload.get("t") == event:
                return payload["d"]
        raise AssertionError(f"closed before {event}")

    async def closed(self) -> int | None:
        """The close code; 0 where the frame had none, nothing where there was no frame."""
        while await self.next():
            pass
        return self.code

    async def quiet(self) -> bool:
        """Nothing comes for a moment."""
        try:
            await asyncio.wait_for(self.socket.receive(), 0.1)
        except TimeoutError:
            return True
        return False
