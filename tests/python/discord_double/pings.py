"""Whom a message would wake, and which of its links Discord would fetch for a preview."""
import re

from simcord.backend.access import channel_accessible

SUPPRESS_EMBEDS = 1 << 2
_CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
_LINK = re.compile(r"(<?)(https?://[^\s<>\]]+)(>?)")


def of(backend, message) -> dict:
    """Those whom simcord found mentioned and allowed, as far as they can see the message. Code blocks count as text: too much
    rather than too little."""
    channel = backend.channels[message.channel_id]
    users = [user for user in message.ping_user_ids if user != message.author_id and _sees(backend, channel, message, user)]
    public = not message.is_ephemeral
    return {
        "everyone": public and message.mention_everyone,
        "users": [str(user) for user in users],
        "roles": [str(role) for role in message.ping_role_ids] if public else [],
    }


def _sees(backend, channel, message, user_id: int) -> bool:
    if channel.guild_id is None:
        return user_id in channel.recipient_ids or user_id == backend.bot_user.id
    return message.visible_to(user_id) and channel_accessible(backend, channel.id, user_id)


def previews(message) -> list[str]:
    """Links in the text that are neither `<in angle brackets>` nor code, unless the message suppresses embeds."""
    if message.flags & SUPPRESS_EMBEDS:
        return []
    found = _LINK.finditer(_CODE.sub(" ", message.content))
    return [link.rstrip(".,;:!?)") for before, link, after in (match.groups() for match in found) if not (before and after)]
