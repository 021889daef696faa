"""The JSON schemas of Discord's own description of its API, as scripts/test-discord-sdk made them: shapes, and keys it knows."""
import json
from pathlib import Path

from jsonschema import Draft202012Validator

# Which schema a body must fit, by route; callbacks are told apart by their type, threads by what they hold.
BY_ROUTE = {
    "POST /channels/{}/messages": "message_create",
    "PATCH /channels/{}/messages/{}": "message_edit",
    "POST /webhooks/{}/TOKEN": "webhook_execute",
    "PATCH /webhooks/{}/TOKEN/messages/@original": "webhook_edit",
    "PATCH /webhooks/{}/TOKEN/messages/{}": "webhook_edit",
    "PUT /applications/{}/commands": "commands",
    "PUT /applications/{}/guilds/{}/commands": "commands",
    "POST /users/@me/channels": "create_dm",
    "POST /channels/{}/messages/{}/threads": "thread_of_message",
    "PATCH /channels/{}": "thread_edit",
}
CALLBACKS = {
    1: "callback_pong", 4: "callback_message", 5: "callback_message", 6: "callback_update", 7: "callback_update",
    8: "callback_autocomplete", 9: "callback_modal",
}
# Keys that Discord takes and its description leaves out.
ALSO_KNOWN = {"commands": {"nsfw"}}


def name_for(route: str, body) -> str | None:
    """The schema for a body, or nothing where we have none."""
    if route == "POST /interactions/{}/TOKEN/callback":
        return CALLBACKS.get(body.get("type")) if isinstance(body, dict) else None
    if route == "POST /channels/{}/threads":
        return "forum_post" if isinstance(body, dict) and "message" in body else "thread"
    return BY_ROUTE.get(route)


class Schemas:
    """All that lie in a folder."""

    def __init__(self, folder: str):
        self.schemas = {path.stem: json.loads(path.read_text()) for path in sorted(Path(folder).glob("*.json"))}
        missing = {*BY_ROUTE.values(), *CALLBACKS.values(), "forum_post", "thread"} - self.schemas.keys()
        if missing:
            raise SystemExit(f"error: `{folder}` lacks the schemas {sorted(missing)}; run scripts/test-discord-sdk")
        self.validators = {name: Draft202012Validator(schema) for name, schema in self.schemas.items()}

    def errors(self, name: str, body) -> list[str]:
        """Where the body does not fit."""
        return [f"{error.json_path}: {error.message[:200]}" for error in self.validators[name].iter_errors(body)]

    def unknown_keys(self, name: str, body) -> list[str]:
        """Keys that no branch of the schema knows, by their place."""
        schema = self.schemas[name]
        return [place for place in _unknown(schema, [schema], body, "$") if place.rsplit(".", 1)[-1] not in ALSO_KNOWN.get(name, ())]


def _unknown(root: dict, schemas: list[dict], value, place: str):
    branches = [branch for schema in schemas for branch in _branches(root, schema)]
    if isinstance(value, list):
        items = [branch["items"] for branch in branches if "items" in branch]
        for index, item in enumerate(value):
            yield from _unknown(root, items, item, f"{place}[{index}]")
    if isinstance(value, dict):
        open_ended = any(isinstance(branch.get("additionalProperties"), dict) for branch in branches)
        for key, inner in value.items():
            known = [branch["properties"][key] for branch in branches if key in branch.get("properties", {})]
            if known:
                yield from _unknown(root, known, inner, f"{place}.{key}")
            elif not open_ended:
                yield f"{place}.{key}"


def _branches(root: dict, schema: dict) -> list[dict]:
    """The schema and all that it is made of, references followed."""
    found = [schema]
    if "$ref" in schema:
        found += _branches(root, root["$defs"][schema["$ref"].rsplit("/", 1)[-1]])
    for key in ("anyOf", "oneOf", "allOf"):
        for branch in schema.get(key, ()):
            found += _branches(root, branch)
    return found
