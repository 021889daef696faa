"""simcord's JSON with the fields that Discord has and simcord lacks; serenity 0.12.5 needs several of them.

simcord calls its serializers by module, so that replacing them here reaches every route and event.
"""
from simcord.backend import serializers
from simcord.backend.access import channel_accessible
from simcord.backend.models import channel as channel_models

HAS_THREAD = 1 << 5
ANNOUNCEMENT_THREAD, GROUP_DM, THREAD_CREATED = 10, 3, 18
# GUILD_CREATE tells of threads; Discord counts their members up to 50.
MOST_COUNTED = 50

_message, _guild, _channel, _thread = (
    serializers.message_payload, serializers.guild_create_payload, serializers.channel_payload, serializers.thread_payload
)


def install() -> None:
    """Replaces simcord's serializers, once in a process."""
    channel_models.THREAD_TYPES = (ANNOUNCEMENT_THREAD, *channel_models.THREAD_TYPES)
    serializers.message_payload, serializers.guild_create_payload = message_payload, guild_payload
    serializers.channel_payload, serializers.thread_payload = channel_payload, thread_payload


def message_payload(backend, message, *, for_user=None) -> dict:
    """A message as REST answers it: without `guild_id`, which only events carry, and mentioning only whom it may mention."""
    payload = _message(backend, message, for_user=for_user)
    payload.pop("guild_id", None)
    payload.pop("nonce")
    if (nonce := backend.records.nonce(message.id)) is not None:
        payload["nonce"] = nonce
    if message.system_metadata is None:
        payload["mentions"] = [serializers.user_payload(backend.users[user]) for user in message.ping_user_ids]
        payload["mention_roles"] = [str(role) for role in message.ping_role_ids]
    if message.interaction_metadata is not None:
        payload["application_id"] = payload["webhook_id"] = str(backend.application_id)
    if message.type == THREAD_CREATED:
        guild_id = backend.channels[message.channel_id].guild_id
        payload["message_reference"] = {"type": 0, "channel_id": str(message.system_metadata.channel_id), "guild_id": str(guild_id)}
    thread = backend.channels.get(message.id)
    if thread is not None and message.channel_id == thread.parent_id:
        payload["thread"] = thread_payload(backend, thread)
        payload["flags"] |= HAS_THREAD
    return payload


def thread_payload(backend, thread) -> dict:
    payload = _thread(backend, thread)
    payload["member_count"] = min(payload["member_count"], MOST_COUNTED)
    if backend.bot_user.id in thread.thread_members:
        payload["member"] = serializers.thread_member_payload(thread, backend.bot_user.id)
    return payload


def channel_payload(backend, channel) -> dict:
    if channel.is_thread:
        return thread_payload(backend, channel)
    payload = _channel(backend, channel)
    payload["flags"] = 0
    if channel.guild_id is not None:
        payload["nsfw"] = False
    if channel.type == GROUP_DM:
        recipients = [serializers.user_payload(backend.users[user]) for user in channel.recipient_ids]
        return {"id": str(channel.id), "type": GROUP_DM, "name": channel.name, "recipients": recipients, "last_message_id": None}
    return payload


def guild_payload(backend, guild) -> dict:
    payload = _guild(backend, guild)
    payload.update(nsfw_level=0, nsfw=False, max_video_channel_users=25)
    threads = (backend.channels[thread] for thread in guild.thread_ids)
    bot = backend.bot_user.id
    active = [thread for thread in threads if not thread.thread_metadata.archived and channel_accessible(backend, thread.id, bot)]
    payload["threads"] = [thread_payload(backend, thread) for thread in active]
    return payload
