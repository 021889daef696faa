"""Shows that every judgement can fail: a good body passes, and one bad case for each limit, rule and schema is reported."""
import asyncio
import copy

from .checks import Checks
from .requests import placed
from .schemas import BY_ROUTE, CALLBACKS, Schemas
from .self_test_bridge import bridge_test

MESSAGE, EDIT = "POST /channels/1/messages", "PATCH /channels/1/messages/2"
COMMANDS, CALLBACK = "PUT /applications/1/commands", "POST /interactions/1/secret/callback"
WEBHOOK, ORIGINAL = "POST /webhooks/1/secret", "PATCH /webhooks/1/secret/messages/@original"
THREADS, THREAD_OF, DM = "POST /channels/1/threads", "POST /channels/1/messages/2/threads", "POST /users/@me/channels"
OFF = {"parse": [], "users": [], "roles": []}


def _button(**keys) -> dict:
    return {"type": 2, "style": 1, "label": "More", "custom_id": "more", **keys}


def _row(*children) -> dict:
    return {"type": 1, "components": list(children)}


def _message(**keys) -> dict:
    return {"content": "text", "allowed_mentions": OFF, **keys}


def _embed(**keys) -> dict:
    return _message(embeds=[keys])


def _modal(**keys) -> dict:
    field = {"type": 4, "style": 1, "label": "What?", "custom_id": "what", **keys.pop("field", {})}
    return {"type": 9, "data": {"custom_id": "modal", "title": "Tell", "components": [_row(field)], **keys}}


def _command(**keys) -> list:
    return [{"name": "runlore", "description": "Asks", "type": 1, "nsfw": False, **keys}]


def _option(**keys) -> list:
    return _command(options=[{"type": 3, "name": "question", "description": "What", **keys}])


def _choices(*choices) -> dict:
    return {"type": 8, "data": {"choices": list(choices)}}


def _answer(**keys) -> dict:
    return {"type": 4, "data": _message(**keys)}


def _numbered(n: int) -> list[dict]:
    """Choices, or options of a select."""
    return [{"name": str(i), "label": str(i), "value": str(i)} for i in range(n)]


_SELECT = {"type": 3, "custom_id": "pick", "options": [{"label": "a", "value": "a"}]}
_LONG = {"name": "x" * 100, "value": "y" * 100}
_BLANK = {"name": "more", "description": "More", "type": 3}

# What a bot may send.
GOOD = [
    (MESSAGE, _message(nonce="n1", enforce_nonce=True, flags=4, tts=False, embeds=[], sticker_ids=[], components=[_row(_button())])),
    (MESSAGE, _message(allowed_mentions={"parse": [], "users": ["1"]}, components=[_row(_SELECT)])),
    (MESSAGE, {"embeds": [{"title": "t", "timestamp": "2026-01-02T03:04:05+00:00"}], "attachments": [{"id": 0, "description": "alt"}]}),
    (EDIT, {"components": []}), (COMMANDS, _option(autocomplete=True, options=[], choices=[], min_value=None, required=True)),
    (COMMANDS, [{"name": "Explain this", "type": 3}]), (CALLBACK, {"type": 5, "data": {"flags": 64}}),
    (CALLBACK, {"type": 6, "data": None}), (CALLBACK, _answer()), (CALLBACK, _modal()),
    (CALLBACK, _choices({"name": "a", "value": "a"})), (WEBHOOK, _message(flags=64)), (ORIGINAL, _message()),
    (DM, {"recipient_id": "1"}), (THREAD_OF, {"name": "talk"}), (THREADS, {"name": "talk", "type": 11}),
    (THREADS, {"name": "post", "message": _message()}),
]

# What must be found wrong: the request, the body, and a part of what is then reported.
BAD = [
    (MESSAGE, _message(content="x" * 2001), "content"), (EDIT, _message(content="x" * 2001), "content"),
    (CALLBACK, _answer(content="x" * 2001), "content"), (THREADS, {"name": "p", "message": _message(content="x" * 2001)}, "content"),
    (MESSAGE, _message(nonce="n" * 26), "nonce"), (MESSAGE, {"content": "text"}, "allowed_mentions missing"),
    (EDIT, {"content": "text"}, "allowed_mentions missing"),
    (CALLBACK, {"type": 4, "data": {"content": "text"}}, "allowed_mentions missing"),
    (CALLBACK, {"type": 7, "data": {"content": "text"}}, "allowed_mentions missing"),
    (ORIGINAL, {"content": "text"}, "allowed_mentions missing"), (WEBHOOK, {"content": "text"}, "allowed_mentions missing"),
    (MESSAGE, _message(allowed_mentions={"parse": ["users"]}), "allowed_mentions too wide"),
    (MESSAGE, _message(allowed_mentions={}), "allowed_mentions too wide"),
    (MESSAGE, _message(allowed_mentions={"parse": [], "roles": ["1"]}), "allowed_mentions too wide"),
    (MESSAGE, _message(allowed_mentions={"parse": [], "replied_user": True}), "allowed_mentions too wide"),
    (MESSAGE, _message(embeds=[{"title": "t"}] * 11), "embeds"), (MESSAGE, _embed(title="x" * 257), "embed title"),
    (MESSAGE, _embed(description="x" * 4097), "embed description"), (MESSAGE, _embed(footer={"text": "x" * 2049}), "embed footer"),
    (MESSAGE, _embed(author={"name": "x" * 257}), "embed author"),
    (MESSAGE, _embed(fields=[{"name": "x" * 257, "value": "v"}]), "embed field name"),
    (MESSAGE, _embed(fields=[{"name": "n", "value": "x" * 1025}]), "embed field value"),
    (MESSAGE, _embed(fields=[{"name": "n", "value": "v"}] * 26), "embed fields"),
    (MESSAGE, _message(embeds=[{"description": "x" * 3001}] * 2), "embeds in all"),
    (MESSAGE, _message(components=[_row(_button(custom_id=str(n))) for n in range(6)]), "rows"),
    (MESSAGE, _message(components=[_row(*(_button(custom_id=str(n)) for n in range(6)))]), "components in a row"),
    (MESSAGE, _message(components=[_row(_SELECT, _SELECT)]), "components in a row"),
    (MESSAGE, _message(components=[_row()]), "components in a row"),
    (MESSAGE, _message(components=[_row(_button(label="x" * 81))]), "label"),
    (MESSAGE, _message(components=[_row(_button(custom_id="x" * 101))]), "custom_id"),
    (MESSAGE, _message(components=[_row(_button(), _button())]), "custom_id twice"),
    (MESSAGE, _message(components=[_row({**_SELECT, "placeholder": "x" * 151})]), "placeholder"),
    (MESSAGE, _message(components=[_row({**_SELECT, "options": _numbered(26)})]), "select options"),
    (MESSAGE, _message(components=[_row({**_SELECT, "options": [{"label": "x" * 101, "value": "v"}]})]), "select option label"),
    (MESSAGE, _message(components=[_row({**_SELECT, "options": [{"label": "l", "value": "x" * 101}]})]), "select option value"),
    (MESSAGE, _message(components=[_row({**_SELECT, "options": [{**_LONG, "description": "x" * 101}]})]), "select option description"),
    (MESSAGE, _message(attachments=[{"id": n} for n in range(11)]), "attachments"),
    (MESSAGE, _message(attachments=[{"id": 0, "description": "x" * 1025}]), "attachment description"),
    (CALLBACK, _modal(title="x" * 46), "modal title"), (CALLBACK, _modal(custom_id="x" * 101), "custom_id"),
    (CALLBACK, _modal(field={"label": "x" * 46}), "label"), (CALLBACK, _modal(field={"placeholder": "x" * 101}), "placeholder"),
    (CALLBACK, _choices(*_numbered(26)), "choices"), (CALLBACK, _choices({"name": "x" * 101, "value": "v"}), "choice name"),
    (CALLBACK, _choices({"name": "", "value": "v"}), "choice name"),
    (CALLBACK, _choices({"name": "n", "value": "x" * 101}), "choice value"), (COMMANDS, _command(name="Upper"), "command name"),
    (COMMANDS, _command(name="with blank"), "command name"), (COMMANDS, _command(name="x" * 33), "command name"),
    (COMMANDS, _command(description="x" * 101), "command description"), (COMMANDS, _command(description=""), "command description"),
    (COMMANDS, [{"name": "x" * 33, "type": 3}], "command name"),
    (COMMANDS, _command(options=[{**_BLANK, "name": f"o{n}"} for n in range(26)]), "options"),
    (COMMANDS, _option(name="Upper"), "command name"), (COMMANDS, _option(choices=_numbered(26)), "choices"),
    (COMMANDS, _option(autocomplete=True, choices=[{"name": "n", "value": "v"}]), "choices and completion"),
    (COMMANDS, _command(options=[_BLANK, {**_BLANK, "name": "must", "required": True}]), "required options first"),
    (COMMANDS, [command for n in range(101) for command in _command(name=f"c{n}")], "commands"),
    (COMMANDS, _command(options=[{**_BLANK, "name": f"o{n}", "choices": [_LONG] * 25} for n in range(2)]), "command in all"),
    (THREADS, {"name": "x" * 101}, "thread name"), (THREAD_OF, {"name": ""}, "thread name"),
    # Shapes, one for each schema, and keys that nobody knows.
    (MESSAGE, _message(flags="4"), "schema: $.flags"), (EDIT, {"flags": "4"}, "schema: $.flags"),
    (MESSAGE, _message(tts="no"), "schema: $.tts"), (WEBHOOK, _message(flags="4"), "schema: $.flags"),
    ("PATCH /webhooks/1/secret/messages/2", {"flags": "4"}, "schema: $.flags"), (CALLBACK, _answer(flags="4"), "schema: $.data"),
    (CALLBACK, {"type": 7, "data": {"flags": "4"}}, "schema: $.data"),
    (CALLBACK, {"type": 8, "data": {"choices": [{"value": "v"}]}}, "schema: $.data"),
    (CALLBACK, {"type": 9, "data": {"title": "t"}}, "schema: $.data"), (CALLBACK, {"type": 99}, "schema: we have none"),
    ("POST /channels/1/invites", {"max_age": 1}, "schema: we have none"), (COMMANDS, [{"description": "nameless"}], "schema: $[0]"),
    (COMMANDS, _option(type=99), "schema: $[0]"), (COMMANDS, _command(type="1"), "schema"),
    (DM, {"recipient_id": True}, "schema: $.recipient_id"), (THREADS, {"type": 11}, "schema"),
    (THREADS, {"message": _message(), "name": 1}, "schema: $.name"), (THREAD_OF, {}, "schema"),
    (THREADS, {"name": "talk", "auto_archive_duration": 7}, "schema: $.auto_archive_duration"),
    ("PATCH /channels/1", {"archived": "yes"}, "schema: $.archived"), (CALLBACK, {"type": 1, "dta": {}}, "unknown key: $.dta"),
    (MESSAGE, _message(contents="x"), "unknown key: $.contents"), (CALLBACK, _answer(contents="x"), "unknown key: $.data.contents"),
    (MESSAGE, _message(components=[_row(_button(lable="x"))]), "unknown key: $.components[0].components[0].lable"),
    (COMMANDS, _option(maxlength=3), "unknown key: $[0].options[0].maxlength"),
    (MESSAGE, _message(allowed_mentions={"parse": [], "user": []}), "unknown key"),
]


def self_test(schemas: Schemas) -> int:
    """Prints `ok` for what holds, and says what does not; 1 where anything does not."""
    failed = []
    for request, body in GOOD:
        if found := _found(schemas, request, body):
            failed.append(f"good, but reported: {request} {body}: {found}")
    for request, body, expected in BAD:
        found = _found(schemas, request, body)
        # A limit must be found by our table, and not by a schema that happens to know it too.
        if not expected.startswith(("schema", "unknown key", "allowed_mentions")):
            expected = f"limit: {expected} ("
        if not any(line.startswith(expected) for line in found):
            failed.append(f"bad, but not reported: {request} {str(body)[:200]}: want {expected!r}, got {found}")
    untried = {*BY_ROUTE.values(), *CALLBACKS.values()} - _tried()
    if untried:
        failed.append(f"no bad case for {sorted(untried)}")
    print(f"ok {len(GOOD)} good and {len(BAD)} bad bodies" if not failed else "\n".join(failed), flush=True)
    return 1 if failed else asyncio.run(bridge_test(schemas))


def _found(schemas: Schemas, request: str, body) -> list[str]:
    method, path = request.split(" ")
    call = placed(method, path)
    call.body = copy.deepcopy(body)
    checks = Checks(lambda: 0, schemas)
    checks.judge(call)
    return [f"{told['rule']}: {told['detail']}" for told in checks.violations]


def _tried() -> set[str]:
    from .schemas import name_for

    calls = [(placed(*request.split(" ")), body) for request, body, expected in BAD if expected.startswith(("schema", "unknown"))]
    return {name for call, body in calls if (name := name_for(call.route, body))}
