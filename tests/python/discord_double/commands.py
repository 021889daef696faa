"""Verbs of people who use what the bot offers: commands, completions, buttons, modals."""
import asyncio

from simcord.backend import serializers
from simcord.backend.command_access import command_access
from simcord.components import walk_components

from .interactions import AUTOCOMPLETE, COMMAND, COMPONENT, GROUP_DM, MODAL, PRIVATE
from .world import ControlError

CHAT_INPUT, MESSAGE = 1, 3
SUBCOMMANDS, USER, CHANNEL, ROLE, TEXT_INPUT, BUTTON = (1, 2), 6, 7, 8, 4, 2
DEADLINE_S = 3.0


def slash(bridge, user, name, channel=None, options=(), unchecked=False) -> dict:
    """`options` as Discord sends them, nested for subcommands; in direct messages without a channel. `unchecked` sends what a
    person could not: a command that is not registered, or other options."""
    asked = _command(bridge, COMMAND, user, name, channel, options, unchecked)
    return {"interaction": str(asked.id)}


async def autocomplete(bridge, user, name, options, channel=None, unchecked=False) -> dict:
    """One option has `"focused": true`. Waits for the choices; without any in three seconds they are null."""
    asked = _command(bridge, AUTOCOMPLETE, user, name, channel, options, unchecked)
    try:
        await asyncio.wait_for(asked.done.wait(), DEADLINE_S)
    except TimeoutError:
        return {"interaction": str(asked.id), "choices": None, "ms": None}
    return {"interaction": str(asked.id), "choices": bridge.backend.interactions[asked.id].autocomplete_choices, "ms": asked.answer_ms()}


def message_command(bridge, user, message, name, channel=None) -> dict:
    """A command of a message's menu; the channel is the message's."""
    target = bridge.world.message(message)
    there = bridge.backend.channels[target.channel_id]
    if channel is not None and bridge.world.channel(channel) is not there:
        raise ControlError("the message is in another channel")
    command = _registered(bridge, name, there, MESSAGE, bridge.world.user(user))
    data = {
        "id": command["id"], "name": name, "type": MESSAGE, "target_id": str(target.id),
        "resolved": {"messages": {str(target.id): serializers.message_payload(bridge.backend, target)}},
    }
    return {"interaction": str(bridge.interactions.ask(COMMAND, there, bridge.world.user(user), data).id)}


def press(bridge, user, message, custom_id, values=None) -> dict:
    """A button, or a select with its values."""
    source, person = bridge.world.message(message), bridge.world.user(user)
    if not source.visible_to(person):
        raise ControlError("that person cannot see the message")
    found = [part for part in walk_components(source.components) if part.get("custom_id") == custom_id and not part.get("disabled")]
    if not found:
        raise ControlError(f"the message has no component {custom_id!r} to press")
    data = {"custom_id": custom_id, "component_type": found[0]["type"], "id": 1}
    if found[0]["type"] != BUTTON:
        data.update(values=list(values or ()), resolved={})
    asked = bridge.interactions.ask(COMPONENT, bridge.backend.channels[source.channel_id], person, data, source)
    return {"interaction": str(asked.id)}


def modal(bridge, user, custom_id, values, message=None) -> dict:
    """Fills in and sends the modal that the person was shown; `values` by the inputs' custom_id."""
    person = bridge.world.user(user)
    shown = bridge.interactions.shown_modal(person, custom_id)
    inputs = [part for part in walk_components(shown.modal["components"]) if part["type"] == TEXT_INPUT]
    unknown = values.keys() - {part["custom_id"] for part in inputs}
    if unknown:
        raise ControlError(f"the modal has no input {sorted(unknown)}")
    rows = [{"type": 1, "id": 1, "components": [_filled(part, values.get(part["custom_id"], part.get("value") or ""))]} for part in inputs]
    source = bridge.world.message(message or shown.source_message_id) if message or shown.source_message_id else None
    channel = bridge.backend.channels[shown.channel_id]
    asked = bridge.interactions.ask(MODAL, channel, person, {"custom_id": custom_id, "components": rows}, source, shown.id)
    return {"interaction": str(asked.id)}


def _filled(part: dict, text: str) -> dict:
    least = part.get("min_length") or (1 if part.get("required", True) else 0)
    if not least <= len(text) <= (part.get("max_length") or 4000) and (text or part.get("required", True)):
        raise ControlError(f"{part['custom_id']!r} does not take {len(text)} characters")
    return {"type": TEXT_INPUT, "id": 2, "custom_id": part["custom_id"], "value": text}


def _command(bridge, kind: int, user, name: str, channel, options, unchecked: bool):
    person = bridge.world.user(user)
    there = bridge.world.channel(channel) if channel else bridge.backend.get_dm_channel(person)
    if unchecked:
        command = {"id": str(bridge.backend.snowflake()), "name": name}
    else:
        command = _registered(bridge, name, there, CHAT_INPUT, person)
        _check(command, list(options), kind)
    resolved: dict = {}
    _resolve(bridge, there, options, resolved)
    data = {"id": command["id"], "name": name, "type": CHAT_INPUT, "options": list(options)}
    if resolved:
        data["resolved"] = resolved
    if there.guild_id is not None and command.get("guild_id"):
        data["guild_id"] = command["guild_id"]
    return bridge.interactions.ask(kind, there, person, data)


def _registered(bridge, name: str, channel, kind: int, person: int) -> dict:
    """The command as the bot put it, if the person is offered it there."""
    command = bridge.backend.find_command(name, channel.guild_id, kind)
    if command is None:
        raise ControlError(f"the bot has put no command {name!r}")
    if channel.type == GROUP_DM:
        if PRIVATE not in (command.get("contexts") or (0, 1, 2)):
            raise ControlError("the command is not offered in private channels")
    elif not command_access(bridge.backend, command, user_id=person, channel_id=channel.id).allowed:
        raise ControlError("the command is not offered to that person there")
    return command


def _check(spec: dict, options: list, kind: int) -> None:
    """The options are those of the definition, of the right type, and the required ones are there."""
    told = {option["name"]: option for option in spec.get("options") or []}
    for option in options:
        if told.get(option["name"], {}).get("type") != option.get("type"):
            raise ControlError(f"{spec['name']!r} has no option {option['name']!r} of type {option.get('type')}")
        if option["type"] in SUBCOMMANDS:
            _check(told[option["name"]], option.get("options") or [], kind)
    given = {option["name"] for option in options}
    missing = [name for name, option in told.items() if option.get("required") and name not in given]
    if missing and kind == COMMAND:
        raise ControlError(f"{spec['name']!r} requires {missing}")
    if kind == AUTOCOMPLETE and any(option.get("focused") and not told[option["name"]].get("autocomplete") for option in options):
        raise ControlError("the focused option has no completion")


def _resolve(bridge, channel, options, resolved: dict) -> None:
    """The objects behind the ids of people, channels and roles."""
    backend = bridge.backend
    for option in options:
        if option["type"] in SUBCOMMANDS:
            _resolve(bridge, channel, option.get("options") or [], resolved)
        elif option["type"] == USER:
            user = bridge.world.user(option["value"])
            resolved.setdefault("users", {})[str(user)] = serializers.user_payload(backend.users[user])
            if channel.guild_id is not None and user in (guild := backend.guilds[channel.guild_id]).members:
                member = serializers.member_payload(backend, guild, guild.members[user], with_user=False)
                resolved.setdefault("members", {})[str(user)] = {**member, "permissions": "0"}
        elif option["type"] == CHANNEL:
            payload = serializers.channel_payload(backend, bridge.world.channel(option["value"]))
            resolved.setdefault("channels", {})[payload["id"]] = {**payload, "permissions": "0"}
        elif option["type"] == ROLE:
            role = bridge.world.role(option["value"])
            resolved.setdefault("roles", {})[str(role)] = serializers.role_payload(backend.guilds[bridge.world.guild_id].roles[role])
