"""Verbs of people: they write, change their mind, and write to the bot alone. Other bots and webhooks write too."""
import base64

from simcord.backend.models import AllowedMentions

from .rules import CATEGORY, FORUM
from .world import ControlError


def say(bridge, user, text, channel=None, thread=None, reply_to=None, ping_reply=True, files=()) -> dict:
    """`files` are {"filename", "text"} or {"filename", "base64"}."""
    there, person = bridge.world.channel(thread or channel), bridge.world.user(user)
    return _post(bridge, there, person, text, reply_to=reply_to, ping_reply=ping_reply, files=files)


def dm(bridge, user, text, reply_to=None, files=()) -> dict:
    """In the channel of the person and the bot."""
    person = bridge.world.user(user)
    return _post(bridge, bridge.backend.get_dm_channel(person), person, text, reply_to=reply_to, files=files)


def bot_message(bridge, channel, text, name="otherbot") -> dict:
    """Another bot of the guild."""
    world = bridge.world
    if name not in world.users:
        bridge.backend.add_member(world.guild_id, world.add_user(name, bot=True))
    return {**_post(bridge, world.channel(channel), world.user(name), text), "user": str(world.user(name))}


def webhook_message(bridge, channel, text, name="hook") -> dict:
    there = bridge.world.channel(channel)
    hooks = (hook for hook in bridge.backend.webhooks.values() if hook.channel_id == there.id and hook.name == name)
    hook = next(hooks, None) or bridge.backend.create_webhook(there.id, name, bridge.world.user("owner"))
    return {**_post(bridge, there, hook.webhook_user_id, text, webhook_id=hook.id), "webhook": str(hook.id)}


def edit(bridge, message, text) -> dict:
    """As whoever wrote it."""
    found = bridge.world.message(message)
    bridge.backend.edit_message(found.channel_id, found.id, {"content": text, "allowed_mentions": AllowedMentions()})
    return {"id": str(found.id)}


def delete(bridge, message) -> dict:
    found = bridge.world.message(message)
    bridge.backend.delete_message(found.channel_id, found.id)
    return {"id": str(found.id)}


def close_dms(bridge, user, closed=True) -> dict:
    """The person takes no direct messages: 50007."""
    closed_to = bridge.rules.closed
    closed_to.add(bridge.world.user(user)) if closed else closed_to.discard(bridge.world.user(user))
    return {}


def _post(bridge, channel, author: int, text: str, reply_to=None, ping_reply=True, files=(), webhook_id=None) -> dict:
    backend = bridge.backend
    if channel.type in (CATEGORY, FORUM):
        raise ControlError("nobody can write there")
    if channel.guild_id is not None and webhook_id is None and author not in backend.guilds[channel.guild_id].members:
        raise ControlError("that person is not in the guild")
    reference = {"message_id": str(bridge.world.message(reply_to).id)} if reply_to else None
    attachments = backend.store_attachments(channel.id, [(file["filename"], _bytes(file)) for file in files])
    message = backend.create_message(
        channel.id, author, text, reference=reference, allowed_mentions=AllowedMentions(replied_user=ping_reply),
        webhook_id=webhook_id, attachments=attachments,
    )
    return {"id": str(message.id), "channel": str(channel.id)}


def _bytes(file: dict) -> bytes:
    return base64.b64decode(file["base64"]) if "base64" in file else file["text"].encode()
