"""Routes that simcord lacks or gets wrong, put in the place of its own."""
from simcord.backend import errors, serializers
from simcord.backend.access import channel_accessible
from simcord.backend.ops.commands import COMMAND_FIELDS
from simcord.http import router
from simcord.http import routes as _simcords  # noqa: F401  registers its own, before ours replace some
from simcord.http._helpers import message_response

MOST_AT_ONCE, USUAL = 100, 50
PRIVATE_THREAD = 12


def replace(method: str, template: str):
    """Like simcord's `route`, but for a route that may be there."""
    parts = template.strip("/").split("/")
    known = router._ROUTES.setdefault(method, [])
    known[:] = [(other, handler) for other, handler in known if other != parts]
    return router.route(method, template)


@replace("GET", "/channels/{channel_id}/messages")
def history(ctx):
    """Newest first. `after` gives those that follow next, where simcord gives the newest of all."""
    channel = ctx.require_channel_permissions(ctx.int_arg("channel_id"))
    backend = ctx.backend
    if not channel_accessible(backend, channel.id, backend.bot_user.id, history=True):
        return []
    limit = int(ctx.params.get("limit", USUAL))
    if not 1 <= limit <= MOST_AT_ONCE:
        raise errors.invalid_form_body("limit: int value should be between 1 and 100")
    messages = sorted((m for m in backend.messages[channel.id].values() if not m.is_ephemeral), key=lambda m: m.id)
    return [message_response(ctx, message) for message in reversed(_page(messages, ctx.params, limit))]


def _page(messages: list, params: dict, limit: int) -> list:
    if "around" in params:
        around = int(params["around"])
        before = [message for message in messages if message.id < around]
        since = [message for message in messages if message.id >= around]
        n_before = limit // 2
        return before[len(before) - min(n_before, len(before)) :] + since[: limit - n_before]
    if "after" in params:
        return [message for message in messages if message.id > int(params["after"])][:limit]
    if "before" in params:
        messages = [message for message in messages if message.id < int(params["before"])]
    return messages[-limit:]


@replace("GET", "/guilds/{guild_id}/threads/active")
def active_threads(ctx):
    """Those that the bot can view."""
    backend = ctx.backend
    ctx.require_guild_permissions(ctx.int_arg("guild_id"))
    threads = backend.active_threads(ctx.int_arg("guild_id"))
    visible = [thread for thread in threads if channel_accessible(backend, thread.id, backend.bot_user.id)]
    return serializers.thread_list_payload(backend, sorted(visible, key=lambda thread: -thread.id))


@replace("GET", "/channels/{channel_id}/threads/archived/public")
def archived_threads(ctx):
    """Also those of announcement channels, and page by page."""
    backend = ctx.backend
    parent = ctx.require_channel_permissions(ctx.int_arg("channel_id"), "read_message_history")
    threads = [
        thread for thread in backend.channels.values()
        if thread.parent_id == parent.id and thread.is_thread and thread.type != PRIVATE_THREAD and thread.thread_metadata.archived
    ]
    threads.sort(key=lambda thread: thread.thread_metadata.archive_timestamp, reverse=True)
    if "before" in ctx.params:
        threads = [thread for thread in threads if thread.thread_metadata.archive_timestamp < ctx.params["before"]]
    limit = int(ctx.params.get("limit", USUAL))
    return serializers.thread_list_payload(backend, threads[:limit], has_more=len(threads) > limit)


@replace("GET", "/guilds/{guild_id}/members/{user_id}")
def member(ctx):
    ctx.require_guild_permissions(ctx.int_arg("guild_id"))
    guild = ctx.backend.get_guild(ctx.int_arg("guild_id"))
    return dict(serializers.member_payload(ctx.backend, guild, ctx.backend.get_member(guild.id, ctx.int_arg("user_id"))))


@replace("PUT", "/applications/{application_id}/commands")
def put_commands(ctx):
    return _register(ctx, None)


@replace("PUT", "/applications/{application_id}/guilds/{guild_id}/commands")
def put_guild_commands(ctx):
    ctx.require_guild_permissions(ctx.int_arg("guild_id"))
    return _register(ctx, ctx.int_arg("guild_id"))


def _register(ctx, guild_id: int | None) -> list[dict]:
    """Discord gives each definition a version, and takes more keys than simcord knows."""
    told = [dict(command) for command in ctx.json or []]
    registered = ctx.backend.register_commands(
        guild_id, [{key: value for key, value in command.items() if key in COMMAND_FIELDS} for command in told]
    )
    for command, original in zip(registered, told, strict=True):
        command.update(nsfw=bool(original.get("nsfw")), version=str(ctx.backend.snowflake()))
    return registered


@replace("GET", "/applications/@me")
def application(ctx):
    """With the flag that says whether message content is approved in the portal."""
    about = router.dispatch(ctx.backend, "GET", "/oauth2/applications/@me")
    about["flags"] = 1 << 19 if ctx.message_content_access else 0
    return about
