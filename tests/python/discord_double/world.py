"""The guild, the people and the channels that are there from the start, and how control names them: by name or by id."""
import discord
from simcord.backend.models import Overwrite
from simcord.backend.ops.guilds import DEFAULT_EVERYONE_PERMISSIONS
from simcord.enums import OverwriteType

from .backend import DiscordBackend

TYPES = {"text": 0, "category": 4, "announcement": 5, "public_thread": 11, "private_thread": 12, "stage": 13, "forum": 15}
# Discord gives everyone of a new guild the right to mention everyone, and bots are of everyone.
EVERYONE = DEFAULT_EVERYONE_PERMISSIONS | discord.Permissions(mention_everyone=True).value
# What the invitation of the bot asks for.
INVITED = discord.Permissions(
    view_channel=True, send_messages=True, send_messages_in_threads=True, create_public_threads=True, embed_links=True,
    attach_files=True, read_message_history=True,
).value


class ControlError(Exception):
    """What a test asked for makes no sense."""


class World:
    """One guild with `general` and `experiments`; `ada` and `grace`, who hold the role `lab`, and the `owner`."""

    def __init__(self, backend: DiscordBackend):
        self.backend = backend
        self.users = {"bot": backend.bot_user.id}
        self.denied: dict[int, set[str]] = {}
        backend.bot_user.name = "runlore"
        self.guild_id = self.add_guild("Harbor Lab", self.add_user("owner"))
        lab = backend.create_role(self.guild_id, "lab", mentionable=True)
        for name in ("ada", "grace"):
            backend.add_member(self.guild_id, self.add_user(name), roles=[lab.id])
        for name in ("general", "experiments"):
            backend.create_channel(self.guild_id, name, announce=False)

    def add_user(self, name: str, **fields) -> int:
        self.users[name] = self.backend.make_user(name, **fields).id
        return self.users[name]

    def add_guild(self, name: str, owner_id: int) -> int:
        """A guild into which the bot was just invited."""
        guild = self.backend.create_guild(name, owner_id=owner_id)
        guild.everyone_role.permissions = EVERYONE
        next(role for role in guild.roles.values() if role.managed).permissions = INVITED
        return guild.id

    def ready(self) -> dict:
        """What a test must know to begin."""
        guild = self.backend.guilds[self.guild_id]
        channels = {self.backend.channels[channel].name: str(channel) for channel in guild.channel_ids}
        roles = {role.name.lstrip("@"): str(role.id) for role in guild.roles.values()}
        return {
            "guild": str(guild.id), "bot": str(self.users["bot"]), "application": str(self.backend.application_id),
            "channels": channels, "users": {name: str(user) for name, user in self.users.items()}, "roles": roles,
        }

    def user(self, key) -> int:
        """The id of a person or bot."""
        return self._found(self.users.get(key) or _number(key), self.backend.users, "user", key)

    def channel(self, key):
        """A channel or thread; the newest of its name."""
        named = [channel.id for channel in self.backend.channels.values() if channel.name == key]
        found = named[-1] if named else _number(key)
        return self.backend.channels[self._found(found, self.backend.channels, "channel", key)]

    def role(self, key, guild_id: int | None = None) -> int:
        roles = self.backend.guilds[guild_id or self.guild_id].roles
        named = [role.id for role in roles.values() if role.name == key]
        return self._found(named[-1] if named else _number(key), roles, "role", key)

    def record(self, key):
        """A message as it was posted, deleted or not."""
        return self.backend.records.by_id[self._found(_number(key), self.backend.records.by_id, "message", key)]

    def message(self, key):
        record = self.record(key)
        if record.deleted_ms is not None:
            raise ControlError(f"message {key} was deleted")
        return record.message

    def _found(self, number, among, what: str, key) -> int:
        if number not in among:
            raise ControlError(f"there is no {what} {key!r}")
        return number

    def deny(self, channel, permission: str, denied: bool) -> None:
        """Takes a permission in one channel from the bot, or gives it back."""
        names = self.denied.setdefault(channel.id, set())
        names.add(permission) if denied else names.discard(permission)
        bits = discord.Permissions(**{name: True for name in names}).value
        self.backend.set_overwrite(channel.id, Overwrite(self.users["bot"], OverwriteType.MEMBER, deny=bits))


def _number(key) -> int | None:
    return int(key) if isinstance(key, int) or (isinstance(key, str) and key.isdecimal()) else None
