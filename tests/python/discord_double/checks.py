"""Judges every body that a bot sends: by Discord's schemas, by its limits, by our rule on mentions. What breaks one is kept."""
import copy

from . import limits
from .requests import Call
from .schemas import Schemas, name_for

CALLBACK = "POST /interactions/{}/TOKEN/callback"
MESSAGES = (4, 7)


class Checks:
    """`violations` is what a test looks at: it is empty, or the bot sent what Discord would not want."""

    def __init__(self, now_ms, schemas: Schemas | None):
        self.now_ms, self.schemas = now_ms, schemas
        self.violations: list[dict] = []

    def judge(self, call: Call) -> list[str]:
        """Keeps what is wrong with the body, and says what Discord would refuse."""
        refused = [f"{rule} ({detail})" for rule, detail in self._limits(call)]
        for detail in refused:
            self.note(call, "limit", detail)
        for rule, detail in self._mentions(call):
            self.note(call, rule, detail)
        if call.body is not None and self.schemas is not None:
            self._fit(call)
        return refused

    def note(self, call: Call, rule: str, detail: str) -> None:
        self.violations.append({"ms": self.now_ms(), "method": call.method, "path": call.shown, "rule": rule, "detail": detail})

    def _fit(self, call: Call) -> None:
        name = name_for(call.route, call.body)
        if name is None:
            return self.note(call, "schema", "we have none for this route")
        for error in self.schemas.errors(name, call.body):
            self.note(call, "schema", error)
        call.unknown = self.schemas.unknown_keys(name, call.body)
        for place in call.unknown:
            self.note(call, "unknown key", place)

    def known_part(self, call: Call):
        """A copy of the body as simcord takes it: without keys that Discord does not know and ignores, but for those within lists,
        and without nulls in a reference, which mean nothing."""
        body = copy.deepcopy(call.body)
        for *parents, key in (place.split(".")[1:] for place in call.unknown if "[" not in place):
            holder = body
            for parent in parents:
                holder = holder[parent]
            del holder[key]
        reference = body.get("message_reference") if isinstance(body, dict) else None
        if isinstance(reference, dict):
            body["message_reference"] = {key: value for key, value in reference.items() if value is not None}
        return body

    def _limits(self, call: Call):
        if call.template.endswith("/commands"):
            return limits.commands(call.body if isinstance(call.body, list) else [])
        if call.template.endswith("/threads"):
            return [*limits.thread(call.body or {}), *limits.message(call.message if call.body and "message" in call.body else {})]
        if call.route != CALLBACK:
            return limits.message(call.message)
        kind = (call.body or {}).get("type")
        if kind == 8:
            return limits.choices(call.message.get("choices") or [])
        return limits.modal(call.message) if kind == 9 else limits.message(call.message)

    def _mentions(self, call: Call):
        if call.route == CALLBACK and (call.body or {}).get("type") not in MESSAGES:
            return []
        return limits.mentions(call.message)
