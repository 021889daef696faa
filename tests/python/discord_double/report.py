"""What a test may ask at GET /_ctl/NAME or GET /_ctl/NAME/KEY."""
from aiohttp import web
from simcord.backend.models import EPHEMERAL_FLAG

from . import pings
from .records import LOADING
from .world import ControlError


_OF_FILE = ("id", "filename", "description", "size", "content_type")


def messages(bridge, key) -> list[dict]:
    """All that was ever posted in a channel or thread, in order, deleted messages too."""
    backend = bridge.backend
    channel = bridge.world.channel(key).id if not str(key).isdecimal() else int(key)
    return [_told(backend, record) for record in backend.records.by_channel.get(channel, [])]


def message(bridge, key) -> dict:
    return _told(bridge.backend, bridge.world.record(key))


def _told(backend, record) -> dict:
    message = record.message
    reference = message.reference or {}
    interaction = message.interaction_metadata or {}
    ephemeral_for = interaction["user"]["id"] if message.flags & EPHEMERAL_FLAG else None
    attachments = [{key: file.get(key) for key in _OF_FILE} for file in message.attachments]
    return {
        "id": str(message.id), "channel": str(message.channel_id), "author": str(message.author_id), "type": message.type,
        "content": message.content, "embeds": message.embeds, "components": message.components, "attachments": attachments,
        "flags": message.flags, "loading": bool(message.flags & LOADING), "ephemeral_for": ephemeral_for, "nonce": record.sent.nonce,
        "reply_to": reference.get("message_id"), "interaction": interaction.get("id"),
        "allowed_mentions": record.sent.allowed_mentions, "pings": record.pings, "edit_pings": record.edit_pings,
        "previews": pings.previews(message), "posted_ms": record.posted_ms, "edited": bool(record.edits), "edits": record.edits,
        "edit_times_ms": record.edit_times_ms, "deleted": record.deleted_ms is not None,
        "thread": str(message.id) if message.id in backend.channels else None,
    }


def attachment(bridge, key) -> web.Response:
    """The bytes of a file that came with a message."""
    found = bridge.backend.cdn.files.get(int(key))
    if found is None:
        raise ControlError(f"there is no attachment {key}")
    return web.Response(body=found[1], headers={"Content-Type": found[0]})


def log(bridge, since_ms="0") -> list[dict]:
    """Every request on the REST API, or those from a time on. Status 0: the connection was cut; none: there is no answer yet. What
    a fault let through first has its status as `delivered`."""
    return [entry for entry in bridge.rest.log if entry["ms"] >= int(since_ms)]


def interactions(bridge) -> list[dict]:
    return [
        {
            "id": str(asked.id), "kind": asked.kind, "user": str(asked.user), "channel": str(asked.channel),
            "dispatched_ms": asked.dispatched_ms, "answer_ms": asked.answer_ms(), "ephemeral": asked.ephemeral,
            "callbacks": asked.callbacks,
        }
        for asked in bridge.interactions.asked.values()
    ]


def commands(bridge) -> dict:
    """What is registered, for all (`global`) and by guild, and how often it was put."""
    scopes = bridge.backend.commands
    puts = [entry for entry in bridge.rest.log if entry["method"] == "PUT" and entry["path"].endswith("/commands")]
    return {
        "puts": len(puts), "bodies": [put["body"] for put in puts],
        "registered": {str(scope or "global"): list(found.values()) for scope, found in scopes.items()},
    }


def channels(bridge) -> list[dict]:
    """All channels and threads that there are."""
    return [
        {
            "id": str(channel.id), "name": channel.name, "type": channel.type, "guild": str(channel.guild_id) if channel.guild_id else None,
            "parent": str(channel.parent_id) if channel.parent_id else None,
            "archived": channel.is_thread and channel.thread_metadata.archived,
            "locked": channel.is_thread and channel.thread_metadata.locked,
        }
        for channel in bridge.backend.channels.values()
    ]


def typing(bridge) -> list[dict]:
    return bridge.backend.typing


def violations(bridge) -> list[dict]:
    """All bodies that Discord would refuse or that break our own rule on mentions; empty where a bot behaves."""
    return bridge.checks.violations


def gateway(bridge) -> dict:
    gateway = bridge.gateway
    sessions = [
        {
            "id": session.id, "connected": session.connection is not None, "seq": session.seq, "intents": session.intents,
            "held": len(session.held),
        }
        for session in gateway.sessions.values()
    ]
    return {**gateway.counts, "open": len(gateway.connections), "sessions": sessions, "ended": gateway.ended}
