"""A request on the REST API, from its arrival to its answer."""
import asyncio
import json
import sys
import traceback

from aiohttp import web
from simcord.backend.errors import BackendError
from simcord.http import router

from . import requests
from . import routes  # noqa: F401  registers the routes
from .faults import AFTER, Fault
from .nonces import Nonces
from .records import Sent
from .requests import Call

PREFIX = "/api/v10"
CREATED = ("POST /channels/{}/threads", "POST /channels/{}/messages/{}/threads")
CALLBACK = "POST /interactions/{}/TOKEN/callback"
POST_MESSAGE = "POST /channels/{}/messages"


class Cut(Exception):
    """The connection breaks; there is no answer."""


class Rest:
    """Carries requests out one at a time, each without a pause."""

    def __init__(self, bridge):
        self.bridge = bridge
        self.nonces = Nonces(bridge.backend)
        self.log: list[dict] = []

    async def serve(self, request: web.Request) -> web.StreamResponse:
        path = request.path.removeprefix(PREFIX)
        shown = requests.placed(request.method, path).shown
        entry = {"ms": self.bridge.now_ms(), "method": request.method, "path": shown, "status": None}
        self.log.append(entry)
        fault = self.bridge.faults.take(request.method, path)
        try:
            response = await self._answer(request, path, entry, fault)
        except Cut:
            if request.transport is not None:
                request.transport.abort()
            entry["status"] = 0
            return web.Response()
        entry["status"] = response.status
        return response

    async def _answer(self, request, path: str, entry: dict, fault: Fault | None) -> web.Response:
        try:
            call = await requests.read(request, path)
        except (ValueError, KeyError) as error:
            return _reply(400, {"code": 50109, "message": f"The request body contains invalid JSON. ({error})"})
        entry.update(body=call.body, query=dict(request.query))
        if call.uploads:
            entry["files"] = [{"filename": upload.filename, "size": len(upload.data)} for upload in call.uploads]
        if fault is not None and fault.kind not in AFTER:
            if (reply := await self._fail(fault)) is not None:
                return reply
        response = self._carry_out(call, request)
        if fault is not None and fault.kind in AFTER:
            entry["delivered"] = response.status
            if (reply := await self._fail(fault)) is not None:
                return reply
        return response

    async def _fail(self, fault: Fault) -> web.Response | None:
        """The answer that was ordered; nothing where the request only takes its time."""
        if fault.kind in ("hang", "timeout_after_delivery"):
            await asyncio.sleep(fault.seconds)
            raise Cut
        if fault.kind.startswith("reset"):
            raise Cut
        if fault.kind.startswith("slow"):
            await asyncio.sleep(fault.seconds)
            return None
        status, body, headers = fault.reply()
        if isinstance(body, str):
            return web.Response(status=status, text=body, content_type="text/html", headers=headers)
        return _reply(status, body, headers)

    def _carry_out(self, call: Call, request) -> web.Response:
        if call.path == "/gateway":
            return _reply(200, {"url": self.bridge.gateway.url()})
        if not call.token and request.headers.get("Authorization") != f"Bot {self.bridge.token}":
            return _reply(401, {"message": "401: Unauthorized", "code": 0})
        headers, refusal = self.bridge.rate_limits.take(call)
        if refusal is not None:
            return _reply(429, refusal, headers)
        status, body = self._result(call, dict(request.query))
        if call.route == CALLBACK:
            self.bridge.interactions.answered(call, status)
            if status == 200 and request.query.get("with_response", "").lower() not in ("1", "true"):
                status, body = 204, None
        return _reply(status, body, headers)

    def _result(self, call: Call, query: dict) -> tuple[int, object]:
        """What Discord would answer: the judgement of the body, then the bridge's rules, then simcord."""
        try:
            if refused := self.bridge.checks.judge(call):
                return 400, {"code": 50035, "message": f"Invalid Form Body: {refused[0]}"}
            call.body = self.bridge.checks.known_part(call)
            result = self._dispatch(call, query)
        except (router.RouteNotImplemented, router.UnsupportedField) as error:
            self.bridge.checks.note(call, "not implemented", error.message)
            return error.status, error.to_json()
        except BackendError as error:
            # With details it is about what the body refers to, say a message that was deleted, and the body itself is fine.
            if error.code == 50035 and error.errors is None:
                self.bridge.checks.note(call, "refused", error.message)
            return error.status, error.to_json()
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            traceback.print_exc(file=sys.stderr)
            self.bridge.checks.note(call, "not understood", repr(error))
            return 400, {"code": 50035, "message": f"Invalid Form Body: {error!r}"}
        if result is None:
            return 204, None
        return 201 if call.route in CREATED else 200, result

    def _dispatch(self, call: Call, query: dict):
        if call.path == "/gateway/bot":
            return self.bridge.gateway.about()
        self.bridge.rules.check(call)
        backend = self.bridge.backend
        if call.route == POST_MESSAGE and (known := self.nonces.known(call)) is not None:
            return known
        backend.sent = call.sent()
        try:
            result = router.dispatch(
                backend, call.method, call.path, json=call.body, params=query, files=call.uploads,
                message_content_access="message_content" in self.bridge.privileged,
            )
        finally:
            backend.sent = Sent()
        if call.route == POST_MESSAGE:
            self.nonces.keep(call, int(result["id"]))
        return result


def _reply(status: int, body, headers: dict | None = None) -> web.Response:
    """Discord's content type has no charset, and everything of it comes through a proxy that says so."""
    headers = {"Via": "1.1 google", **(headers or {})}
    if body is None:
        return web.Response(status=status, headers=headers)
    return web.Response(status=status, body=json.dumps(body).encode(), headers={**headers, "Content-Type": "application/json"})
