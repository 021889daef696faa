"""Commands, buttons, modals and completions: what is sent to the bot, and when and how it answered."""
import asyncio
import time
from dataclasses import dataclass, field

from simcord import interactions as simcord_interactions
from simcord.backend import serializers

from .world import ControlError

COMMAND, COMPONENT, AUTOCOMPLETE, MODAL = 2, 3, 4, 5
KINDS = {COMMAND: "command", COMPONENT: "component", AUTOCOMPLETE: "autocomplete", MODAL: "modal"}
GUILD, BOT_DM, PRIVATE = 0, 1, 2
GROUP_DM = 3
ATTACHMENT_LIMIT = 10 << 20
EPHEMERAL = 1 << 6


@dataclass
class Asked:
    """One interaction, from its dispatch on. Times are in milliseconds; `callbacks` has each attempt to answer."""

    id: int
    kind: str
    user: int
    channel: int
    dispatched_ms: int
    began: float = field(default_factory=time.monotonic)
    callbacks: list[dict] = field(default_factory=list)
    ephemeral: bool | None = None
    done: asyncio.Event = field(default_factory=asyncio.Event)

    def answer_ms(self) -> float | None:
        """From the dispatch to the first answer that Discord took."""
        return next((callback["after_ms"] for callback in self.callbacks if callback["status"] < 300), None)


class Interactions:
    def __init__(self, bridge):
        self.bridge, self.backend = bridge, bridge.backend
        self.asked: dict[int, Asked] = {}

    def ask(self, kind: int, channel, user_id: int, data: dict, source=None, trigger: int | None = None) -> Asked:
        """Dispatches an interaction of a person in a channel; `source` is the message that it came from, `trigger` the interaction
        that a modal was the answer to."""
        if channel.guild_id is not None:
            members = self.backend.guilds[channel.guild_id].members
            if user_id not in members or self.backend.bot_user.id not in members:
                raise ControlError("the person or the bot is not in that guild")
        record, payload = simcord_interactions.base_payload(
            self.backend, type=kind, channel_id=channel.id, guild_id=channel.guild_id, user_id=user_id, data=data
        )
        self._complete(payload, channel, user_id)
        if trigger is not None:
            self.backend.triggers[record.id] = trigger
        if source is not None:
            record.source_message_id = source.id
            payload["message"] = serializers.message_payload(self.backend, source)
        asked = self.asked[record.id] = Asked(record.id, KINDS[kind], user_id, channel.id, self.bridge.now_ms())
        self.bridge.gateway.dispatch("INTERACTION_CREATE", payload)
        return asked

    def _complete(self, payload: dict, channel, user_id: int) -> None:
        payload["attachment_size_limit"] = ATTACHMENT_LIMIT
        payload["authorizing_integration_owners"] = {"0": str(channel.guild_id or 0)}
        if channel.guild_id is not None:
            payload["channel"]["permissions"] = payload["member"]["permissions"]
            payload["guild"] = {"id": str(channel.guild_id), "locale": "en-US", "features": []}
        if channel.type == GROUP_DM:
            payload["context"] = PRIVATE
            payload["authorizing_integration_owners"] = {"1": str(user_id)}

    def answered(self, call, status: int) -> None:
        """A callback came, and Discord took it or did not."""
        asked = self.asked.get(call.ids()[0])
        if asked is None:
            return
        body = call.body if isinstance(call.body, dict) else {}
        asked.callbacks.append({"type": body.get("type"), "after_ms": (time.monotonic() - asked.began) * 1000, "status": status})
        if status < 300:
            asked.ephemeral = bool(int(call.message.get("flags") or 0) & EPHEMERAL)
            asked.done.set()

    def shown_modal(self, user_id: int, custom_id: str):
        """The newest modal of this name that the person has before them: the interaction that brought it."""
        for record in reversed(self.backend.interactions.values()):
            if record.user_id == user_id and record.modal and record.modal["custom_id"] == custom_id:
                return record
        raise ControlError(f"no modal {custom_id!r} was shown to that person")
