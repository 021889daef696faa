"""Discord's limits that its schemas leave out or set too high, and our own rule on mentions.

Each check yields a rule, the place and the figure. Discord refuses what breaks its limits; `allowed_mentions` is our rule alone.
"""
import re
from collections.abc import Iterator

Breach = tuple[str, str]
ROW, BUTTON, SELECT_KINDS, TEXT_INPUT = 1, 2, (3, 5, 6, 7, 8), 4
SUBCOMMANDS = (1, 2)
MOST_COMMANDS = {1: 100, 2: 15, 3: 15}
_COMMAND_NAME = re.compile(r"[-_'\w]{1,32}")


def _too_long(text, most: int, rule: str, place: str) -> Iterator[Breach]:
    if isinstance(text, str) and len(text) > most:
        yield rule, f"{place}: {len(text)} > {most}"


def _too_many(values, most: int, rule: str, place: str) -> Iterator[Breach]:
    if isinstance(values, list) and len(values) > most:
        yield rule, f"{place}: {len(values)} > {most}"


def message(body: dict) -> Iterator[Breach]:
    """A message to create or edit."""
    yield from _too_long(body.get("content"), 2000, "content", "content")
    yield from _too_long(body.get("nonce"), 25, "nonce", "nonce")
    yield from embeds(body.get("embeds") or [])
    yield from components(body.get("components") or [])
    yield from _too_many(body.get("attachments"), 10, "attachments", "attachments")
    for attachment in body.get("attachments") or []:
        yield from _too_long(attachment.get("description"), 1024, "attachment description", "attachments")


def mentions(body: dict) -> Iterator[Breach]:
    """Ours: text goes out with mentions off, but for people named one by one."""
    if not body.get("content"):
        return
    allowed = body.get("allowed_mentions")
    if not isinstance(allowed, dict):
        yield "allowed_mentions missing", "allowed_mentions"
    elif allowed.get("parse") != [] or allowed.get("roles") or allowed.get("replied_user") or not _ids(allowed.get("users", [])):
        yield "allowed_mentions too wide", str(allowed)


def _ids(users) -> bool:
    return isinstance(users, list) and all(str(user).isdecimal() for user in users)


def embeds(found: list) -> Iterator[Breach]:
    yield from _too_many(found, 10, "embeds", "embeds")
    total = 0
    for index, embed in enumerate(found):
        place = f"embeds[{index}]"
        fields = embed.get("fields") or []
        texts = [("title", embed.get("title"), 256), ("description", embed.get("description"), 4096)]
        texts += [("footer", (embed.get("footer") or {}).get("text"), 2048), ("author", (embed.get("author") or {}).get("name"), 256)]
        texts += [("field name", field.get("name"), 256) for field in fields]
        texts += [("field value", field.get("value"), 1024) for field in fields]
        yield from _too_many(fields, 25, "embed fields", place)
        for name, text, most in texts:
            yield from _too_long(text, most, f"embed {name}", place)
            total += len(text or "")
    if total > 6000:
        yield "embeds in all", f"embeds: {total} > 6000"


def components(rows: list) -> Iterator[Breach]:
    yield from _too_many(rows, 5, "rows", "components")
    seen: set[str] = set()
    for index, row in enumerate(rows):
        place = f"components[{index}]"
        children = row.get("components") or []
        selects = [child for child in children if child.get("type") in SELECT_KINDS]
        yield from _too_many(children, 1 if selects else 5, "components in a row", place)
        if row.get("type") == ROW and not children:
            yield "components in a row", f"{place}: none"
        for child in children:
            yield from _component(child, place, seen)


def _component(child: dict, place: str, seen: set[str]) -> Iterator[Breach]:
    yield from _too_long(child.get("label"), 80 if child.get("type") == BUTTON else 45, "label", place)
    yield from _too_long(child.get("custom_id"), 100, "custom_id", place)
    yield from _too_long(child.get("placeholder"), 100 if child.get("type") == TEXT_INPUT else 150, "placeholder", place)
    yield from _too_many(child.get("options"), 25, "select options", place)
    for option in child.get("options") or []:
        for key in ("label", "value", "description"):
            yield from _too_long(option.get(key), 100, f"select option {key}", place)
    if (custom_id := child.get("custom_id")) is not None:
        if custom_id in seen:
            yield "custom_id twice", f"{place}: {custom_id}"
        seen.add(custom_id)


def modal(data: dict) -> Iterator[Breach]:
    yield from _too_long(data.get("title"), 45, "modal title", "title")
    yield from _too_long(data.get("custom_id"), 100, "custom_id", "custom_id")
    yield from components(data.get("components") or [])


def choices(found: list, place: str = "choices") -> Iterator[Breach]:
    """Those of a completion or an option."""
    yield from _too_many(found, 25, "choices", place)
    for choice in found:
        name = choice.get("name")
        yield from _too_long(name, 100, "choice name", place)
        yield from _too_long(choice.get("value"), 100, "choice value", place)
        if not name:
            yield "choice name", f"{place}: empty"


def commands(found: list) -> Iterator[Breach]:
    for kind, most in MOST_COMMANDS.items():
        yield from _too_many([command for command in found if command.get("type", 1) == kind], most, "commands", f"type {kind}")
    for command in found:
        yield from _command(command, command.get("type", 1))
        if _letters(command) > 8000:
            yield "command in all", f"{command.get('name')}: {_letters(command)} > 8000"


def _command(command: dict, kind: int) -> Iterator[Breach]:
    """A command or an option of one; message and user commands may have blanks in their names and have no description."""
    name = command.get("name") or ""
    if kind != 1:
        yield from _too_long(name, 32, "command name", name)
        return
    if not _COMMAND_NAME.fullmatch(name) or name != name.lower():
        yield "command name", repr(name)
    yield from _too_long(command.get("description"), 100, "command description", name)
    if not command.get("description"):
        yield "command description", f"{name}: empty"
    options = command.get("options") or []
    yield from _too_many(options, 25, "options", name)
    yield from choices(command.get("choices") or [], name)
    required = [bool(option.get("required")) for option in options if option.get("type") not in SUBCOMMANDS]
    if required != sorted(required, reverse=True):
        yield "required options first", name
    if command.get("autocomplete") and command.get("choices"):
        yield "choices and completion", name
    for option in options:
        yield from _command(option, 1)


def _letters(command: dict) -> int:
    own = sum(len(str(command.get(key) or "")) for key in ("name", "description"))
    told = sum(len(str(choice.get("name"))) + len(str(choice.get("value"))) for choice in command.get("choices") or [])
    return own + told + sum(_letters(option) for option in command.get("options") or [])


def thread(body: dict) -> Iterator[Breach]:
    yield from _too_long(body.get("name"), 100, "thread name", "name")
    if body.get("name") == "":
        yield "thread name", "name: empty"
