"""The body of a request: JSON, or a form with files and their JSON, as Discord takes them. And what its path is of."""
import io
import json
import re
from dataclasses import dataclass, field

from aiohttp import web

from .records import Sent

_FILE = re.compile(r"files\[(\d+)\]")


@dataclass
class Upload:
    """A file as simcord wants it."""

    filename: str
    description: str | None
    data: bytes

    @property
    def fp(self) -> io.BytesIO:
        return io.BytesIO(self.data)


@dataclass
class Call:
    """One request on the REST API. `template` is the path with `{}` for ids and `TOKEN` for secrets; `shown` has the ids."""

    method: str
    path: str
    template: str
    shown: str
    token: str | None
    body: object = None
    uploads: list[Upload] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    @property
    def route(self) -> str:
        return f"{self.method} {self.template}"

    @property
    def major(self) -> str:
        """Discord counts requests by route and by the channel, guild or webhook in its path."""
        parts = self.path.strip("/").split("/")
        n_parts = 3 if parts[0] == "webhooks" and self.token else 2
        return "/".join(parts[:n_parts]) if parts[0] in ("channels", "guilds", "webhooks") else ""

    @property
    def message(self) -> dict:
        """The part of the body that describes a message."""
        body = self.body if isinstance(self.body, dict) else {}
        key = "data" if self.template.endswith("/callback") else "message" if self.template == "/channels/{}/threads" else None
        part = body.get(key) if key else body
        return part if isinstance(part, dict) else {}

    def sent(self) -> Sent:
        return Sent(self.message.get("nonce"), self.message.get("allowed_mentions"))

    def ids(self) -> list[int]:
        return [int(part) for part in self.path.split("/") if part.isdecimal()]


def placed(method: str, path: str) -> Call:
    """The call without its body."""
    parts = path.strip("/").split("/")
    token = parts[2] if parts[0] in ("interactions", "webhooks") and len(parts) > 2 else None
    shown = ["TOKEN" if token and index == 2 else part for index, part in enumerate(parts)]
    template = ["{}" if part.isdecimal() else part for part in shown]
    return Call(method, path, "/" + "/".join(template), "/" + "/".join(shown), token)


async def read(request: web.Request, path: str) -> Call:
    """Raises ValueError where the body is no JSON."""
    call = placed(request.method, path)
    kind = request.content_type
    if kind == "multipart/form-data":
        await _read_form(request, call)
    elif request.can_read_body and (raw := await request.read()):
        if kind != "application/json":
            raise ValueError(f"the content type is {kind}")
        call.body = json.loads(raw)
    return call


async def _read_form(request: web.Request, call: Call) -> None:
    """`payload_json` and `files[n]`; the JSON's `attachments` of the same number give name and description."""
    files: dict[int, tuple[str, bytes]] = {}
    async for part in await request.multipart():
        data = bytes(await part.read(decode=False))
        if part.name == "payload_json":
            call.body = json.loads(data)
        elif found := _FILE.fullmatch(part.name or ""):
            files[int(found[1])] = (part.filename or "file", data)
        else:
            raise ValueError(f"an unknown part {part.name!r}")
    told = {str(entry.get("id")): entry for entry in call.message.get("attachments") or []}
    for number, (filename, data) in sorted(files.items()):
        entry = told.get(str(number), {})
        call.uploads.append(Upload(entry.get("filename") or filename, entry.get("description"), data))
