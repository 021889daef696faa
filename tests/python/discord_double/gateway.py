"""The gateway, version 10: sockets that say hello, identify, resume and beat, and break on order."""
import time

from aiohttp import web
from simcord.backend import serializers

from . import intents
from .connection import Connection
from .session import Session

# After these Discord has no session any more.
ENDS_SESSION = {4003, 4004, 4006, 4007, 4009, 4010, 4011, 4012, 4013, 4014}


class Gateway:
    """All sessions, connected or not."""

    def __init__(self, bridge, heartbeat_ms: int):
        self.bridge, self.backend = bridge, bridge.backend
        self.heartbeat_ms = heartbeat_ms
        self.sessions: dict[str, Session] = {}
        self.connections: list[Connection] = []
        self.holding, self.duplicate, self.deaf = False, 0, False
        self.refused_until = 0.0
        # What a test may ask: how often a bot connected, identified and resumed, and how connections ended.
        self.counts = {"connected": 0, "refused": 0, "identified": 0, "resumed": 0, "resume_failed": 0, "heartbeats": 0}
        self.ended: list[dict] = []
        self.backend.subscribers.append(self.dispatch)

    def url(self) -> str:
        return f"ws://127.0.0.1:{self.bridge.port}/gateway"

    def about(self) -> dict:
        """What Discord tells of its gateway to a bot."""
        left = {"total": 1000, "remaining": 1000 - self.counts["identified"], "reset_after": 3_600_000, "max_concurrency": 1}
        return {"url": self.url(), "shards": 1, "session_start_limit": left}

    def dispatch(self, event: str, payload: dict) -> None:
        for session in self.sessions.values():
            session.offer(event, payload)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One socket, to its end."""
        if time.monotonic() < self.refused_until:
            self.counts["refused"] += 1
            return web.Response(status=503)
        if request.query.get("v", "10") not in ("9", "10") or request.query.get("encoding", "json") != "json":
            return await self._refuse(request, 4012)
        connection = Connection(self, request)
        self.connections.append(connection)
        self.counts["connected"] += 1
        try:
            return await connection.run()
        finally:
            self.connections.remove(connection)
            self._ended(connection)

    async def _refuse(self, request, code: int) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.close(code=code)
        return socket

    def _ended(self, connection: Connection) -> None:
        """A client that says 1000 or 1001 wants no more; any other end leaves the session to be resumed."""
        session = connection.session
        code, by = connection.end()
        self.ended.append({"ms": self.bridge.now_ms(), "code": code, "by": by})
        if session is None or session.connection is not connection:
            return
        session.connection = None
        if (by == "bot" and code in (1000, 1001)) or (by == "discord" and code in ENDS_SESSION):
            self.sessions.pop(session.id, None)

    def identify(self, connection: Connection, data: dict) -> int | None:
        """Starts a session; else the close code."""
        if connection.session is not None:
            return 4005
        if not self._knows(data):
            return 4004
        if (code := intents.refusal(data.get("intents"), self.bridge.privileged)) is not None:
            return code
        shard = data.get("shard", [0, 1])
        if not (isinstance(shard, list) and len(shard) == 2 and 0 <= shard[0] < shard[1]):
            return 4010
        self.counts["identified"] += 1
        session = Session(self, data["intents"], shard)
        self.sessions[session.id] = session
        session.connection, connection.session = connection, session
        connection.compressed = bool(data.get("compress"))
        self._greet(session)
        return None

    def _knows(self, data: dict) -> bool:
        """serenity sends the token as it stands in its header, and Discord takes it so."""
        return str(data.get("token")).removeprefix("Bot ") == self.bridge.token

    def _greet(self, session: Session) -> None:
        backend = self.backend
        guilds = [guild for guild in backend.guilds.values() if backend.bot_user.id in guild.members]
        flags = 1 << 19 if "message_content" in self.bridge.privileged else 0
        ready = {
            "v": 10, "user": serializers.user_payload(backend.bot_user), "session_id": session.id, "session_type": "normal",
            "guilds": [{"id": str(guild.id), "unavailable": True} for guild in guilds], "shard": session.shard,
            "resume_gateway_url": self.url(), "application": {"id": str(backend.application_id), "flags": flags},
            "private_channels": [], "relationships": [], "_trace": [],
        }
        session.tell("READY", ready)
        for guild in guilds:
            session.tell("GUILD_CREATE", serializers.guild_create_payload(backend, guild))

    def resume(self, connection: Connection, data: dict) -> int | None:
        """Replays what a session missed; op 9 where there is no such session; a close code where the request is wrong."""
        if not self._knows(data):
            return 4004
        session = self.sessions.get(data.get("session_id"))
        if session is None:
            self.counts["resume_failed"] += 1
            connection.send({"op": 9, "d": False})
            return None
        if type(data.get("seq")) is not int or data["seq"] > session.seq:
            del self.sessions[session.id]
            return 4007
        if session.connection is not None:
            session.connection.close(4000)
        self.counts["resumed"] += 1
        session.connection, connection.session = connection, session
        for frame in session.since(data["seq"]):
            connection.write(frame)
        session.send("RESUMED", '{"_trace":[]}')
        return None

    def forget(self, session: Session) -> None:
        """The session cannot be resumed any more."""
        self.sessions.pop(session.id, None)
