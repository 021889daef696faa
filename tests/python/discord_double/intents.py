"""What a session may see: events of the intents it declared, in channels that the bot can view, with the content it may read."""
import copy

import discord
from simcord import intents as simcord_intents
from simcord.backend.access import channel_accessible

PRIVILEGED = {"members": 1 << 1, "presences": 1 << 8, "message_content": 1 << 15}
_KNOWN = sum(1 << bit for bit in (*range(17), 20, 21, 24, 25))
_EPHEMERAL = 1 << 6
_IN_CHANNEL = ("MESSAGE_CREATE", "MESSAGE_UPDATE", "MESSAGE_DELETE", "MESSAGE_DELETE_BULK", "TYPING_START", "CHANNEL_PINS_UPDATE")


def refusal(bits, approved: set[str]) -> int | None:
    """The close code for intents that do not exist (4013) or are not approved in the portal (4014)."""
    if type(bits) is not int or bits & ~_KNOWN:
        return 4013
    return 4014 if any(bits & bit and name not in approved for name, bit in PRIVILEGED.items()) else None


def project(backend, event: str, payload: dict, bits: int) -> dict | None:
    """The event as a session with these intents gets it, or nothing."""
    intents = discord.Intents._from_value(bits)
    if not (_declared(backend, event, payload, intents) and _visible(backend, event, payload)):
        return None
    payload = copy.deepcopy(payload)
    bot = backend.bot_user.id
    if event == "GUILD_CREATE":
        simcord_intents.prune_guild_create(payload, intents, bot)
    if event == "THREAD_MEMBERS_UPDATE" and not intents.members:
        return _own_membership(payload, str(bot))
    if not intents.message_content:
        _censor(backend, event, payload, bot)
    return payload


def _declared(backend, event, payload, intents) -> bool:
    if event == "GUILD_MEMBER_UPDATE" and int(payload["user"]["id"]) == backend.bot_user.id:
        return True
    needed = simcord_intents.required_intent(event, payload)
    return needed is None or getattr(intents, needed)


def _visible(backend, event, payload) -> bool:
    """Discord sends what happens in channels that the bot can view, and of guilds that it is in."""
    bot = backend.bot_user.id
    if event in ("GUILD_CREATE", "GUILD_DELETE", "INTERACTION_CREATE") or int(payload.get("flags") or 0) & _EPHEMERAL:
        return True
    guild = backend.guilds.get(int(payload.get("guild_id") or 0))
    if guild is not None and bot not in guild.members:
        return False
    if event.startswith("THREAD_") and event != "THREAD_LIST_SYNC":
        thread = int(payload["id"])
        return channel_accessible(backend, thread if thread in backend.channels else int(payload["parent_id"]), bot)
    if event in _IN_CHANNEL or event.startswith("MESSAGE_REACTION_"):
        channel = backend.channels.get(int(payload["channel_id"]))
        return channel is None or (channel.type != 3 and channel_accessible(backend, channel.id, bot))
    return True


def _own_membership(payload, bot: str) -> dict | None:
    payload["added_members"] = [member for member in payload.get("added_members", ()) if member["user_id"] == bot]
    payload["removed_member_ids"] = [member for member in payload.get("removed_member_ids", ()) if member == bot]
    return payload if payload["added_members"] or payload["removed_member_ids"] else None


def _censor(backend, event, payload, bot: int) -> None:
    """Without the intent, text is there in direct messages, in what the bot wrote, where it is mentioned, and in the message that
    a command was used on."""
    if event in ("MESSAGE_CREATE", "MESSAGE_UPDATE"):
        simcord_intents.censor_message(payload, bot, backend=backend)
    if event == "INTERACTION_CREATE":
        if "message" in payload:
            simcord_intents.censor_message(payload["message"], bot, backend=backend, exempt_root=True)
        data = payload.get("data") or {}
        for key, message in ((data.get("resolved") or {}).get("messages") or {}).items():
            simcord_intents.censor_message(message, bot, backend=backend, exempt_root=key == data.get("target_id"))
