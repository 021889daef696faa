"""Verbs of whoever runs the guild: channels, threads, roles, who is there and what the bot may do."""
from simcord.backend import serializers
from simcord.backend.models import Message

from .interactions import GROUP_DM
from .world import TYPES, ControlError

PUBLIC, PRIVATE = TYPES["public_thread"], TYPES["private_thread"]


def create_thread(bridge, user, channel, name, message=None, private=False, members=()) -> dict:
    """Of a message, or on its own; a private one has its `members`, whom its maker invited."""
    parent, person = bridge.world.channel(channel), bridge.world.user(user)
    source = bridge.world.message(message).id if message else None
    if source is not None and bridge.world.message(message).channel_id != parent.id:
        raise ControlError("the message is in another channel")
    thread = bridge.backend.create_thread(parent.id, name, person, type=PRIVATE if private else PUBLIC, message_id=source)
    for member in members:
        bridge.backend.add_thread_member(thread.id, bridge.world.user(member))
        if bridge.world.user(member) == bridge.backend.bot_user.id:
            bridge.backend.announce_thread_create(thread)
    return {"thread": str(thread.id)}


def archive_thread(bridge, thread, archived=True) -> dict:
    """The next message brings it back, unless it is locked as well: then 50083."""
    return _thread_state(bridge, thread, archived=archived)


def lock_thread(bridge, thread, locked=True) -> dict:
    """The bot cannot write there: 160005."""
    return _thread_state(bridge, thread, locked=locked)


def _thread_state(bridge, thread, **state) -> dict:
    found = bridge.world.channel(thread)
    if not found.is_thread:
        raise ControlError("that is no thread")
    if "archived" in state:
        state["archive_timestamp"] = bridge.backend.now_iso()
    bridge.backend.edit_channel(found.id, {}, thread_metadata=state)
    return {}


def forum_post(bridge, user, forum, name, text) -> dict:
    """A thread and its first message, which has the thread's id."""
    parent, person = bridge.world.channel(forum), bridge.world.user(user)
    if parent.type != TYPES["forum"]:
        raise ControlError("that is no forum")
    thread = bridge.backend.create_thread(parent.id, name, person, broadcast=False)
    bridge.backend.announce_thread_create(thread)
    message: Message = bridge.backend.prepare_message(thread.id, person, text)
    message.id = thread.id
    bridge.backend.commit_message(message)
    return {"thread": str(thread.id), "message": str(message.id)}


def add_channel(bridge, name, type="text", parent=None, guild=None) -> dict:
    """`type` is text, category, announcement, stage, forum, public_thread or private_thread; threads have a parent."""
    if type in ("public_thread", "private_thread"):
        return {"channel": create_thread(bridge, "owner", parent, name, private=type == "private_thread")["thread"]}
    parent_id = bridge.world.channel(parent).id if parent else None
    guild_id = int(guild) if guild else bridge.world.guild_id
    channel = bridge.backend.create_channel(guild_id, name, type=TYPES[type], parent_id=parent_id)
    return {"channel": str(channel.id)}


def rename_channel(bridge, channel, name) -> dict:
    found = bridge.world.channel(channel)
    found.name = name
    bridge.backend.announce_channel_update(found.id)
    return {}


def delete_channel(bridge, channel) -> dict:
    """With its threads."""
    found = bridge.world.channel(channel)
    for thread in [other.id for other in bridge.backend.channels.values() if other.parent_id == found.id and other.is_thread]:
        bridge.backend.delete_channel(thread)
    bridge.backend.delete_channel(found.id)
    return {}


def hide_channel(bridge, channel, hidden=True) -> dict:
    """The bot loses VIEW_CHANNEL: 50001, and no events. When it gets it back it is told of the threads there."""
    found = bridge.world.channel(channel)
    bridge.world.deny(found, "view_channel", hidden)
    if not hidden:
        backend = bridge.backend
        active = [thread for thread in backend.active_threads(found.guild_id) if thread.parent_id == found.id]
        listed = serializers.thread_list_payload(backend, active)
        backend.emit("THREAD_LIST_SYNC", {"guild_id": str(found.guild_id), "channel_ids": [str(found.id)], **listed})
    return {}


def mute_channel(bridge, channel, muted=True, permission="send_messages") -> dict:
    """The bot loses SEND_MESSAGES, or another permission by Discord's name in small letters: 50013."""
    bridge.world.deny(bridge.world.channel(channel), permission, muted)
    return {}


def add_user(bridge, name, bot=False, member=True) -> dict:
    """A person of the guild, or somebody from outside it."""
    user = bridge.world.add_user(name, bot=bot)
    if member:
        bridge.backend.add_member(bridge.world.guild_id, user, announce=True)
    return {"user": str(user)}


def remove_user(bridge, user) -> dict:
    """The person leaves the guild."""
    bridge.backend.remove_member(bridge.world.guild_id, bridge.world.user(user))
    return {}


def add_role(bridge, name, mentionable=False) -> dict:
    return {"role": str(bridge.backend.create_role(bridge.world.guild_id, name, mentionable=mentionable).id)}


def give_role(bridge, user, role) -> dict:
    guild = bridge.world.guild_id
    member = bridge.backend.get_member(guild, bridge.world.user(user))
    member.role_ids.append(bridge.world.role(role))
    bridge.backend.announce_member_update(guild, member.user_id)
    return {}


def take_role(bridge, user, role) -> dict:
    bridge.backend.remove_member_role(bridge.world.guild_id, bridge.world.user(user), bridge.world.role(role))
    return {}


def group_dm(bridge, users, name=None) -> dict:
    """A group of people without the bot, who can use its commands there where it was installed by one of them."""
    channel = bridge.backend.create_channel(None, name, type=GROUP_DM, recipient_ids=[bridge.world.user(user) for user in users])
    return {"channel": str(channel.id)}


def leave_guild(bridge, guild=None, outage=False) -> dict:
    """The bot is removed; with `outage` the guild is only unavailable for a while."""
    guild_id = int(guild) if guild else bridge.world.guild_id
    bridge.backend.guilds[guild_id].members.pop(bridge.backend.bot_user.id)
    bridge.backend.emit("GUILD_DELETE", {"id": str(guild_id), **({"unavailable": True} if outage else {})})
    return {}


def join_guild(bridge, guild=None, name=None) -> dict:
    """Back in the guild, or into a new one of this name, with a channel `elsewhere` and the owner alone."""
    backend = bridge.backend
    if name:
        guild_id = bridge.world.add_guild(name, bridge.world.user("owner"))
        backend.create_channel(guild_id, "elsewhere", announce=False)
    else:
        guild_id = int(guild) if guild else bridge.world.guild_id
        managed = [role.id for role in backend.guilds[guild_id].roles.values() if role.managed]
        backend.add_member(guild_id, backend.bot_user.id, roles=managed)
    backend.emit("GUILD_CREATE", serializers.guild_create_payload(backend, backend.guilds[guild_id]))
    return {"guild": str(guild_id), "channels": {backend.channels[key].name: str(key) for key in backend.guilds[guild_id].channel_ids}}
