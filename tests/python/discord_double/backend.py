"""The state behind the bridge: simcord's backend on the real clock, with what Discord does and simcord leaves out."""
import secrets
from collections import deque
from datetime import UTC, datetime, timedelta

from simcord._clock import Clock
from simcord.backend import Backend, serializers
from simcord.backend.errors import BackendError
from simcord.backend.models import AllowedMentions, Message, SystemMessageMetadata

from .cdn import Cdn
from .records import LOADING, Records, Sent
from .wire import ANNOUNCEMENT_THREAD, THREAD_CREATED

NEWS, PUBLIC_THREAD, THREAD_STARTER = 5, 11, 21
COMPONENT, MODAL = 3, 5
# What Discord lets an answer to an interaction, or a webhook, mention where nothing is said: people alone.
_ANSWER_DEFAULT = AllowedMentions(everyone=False, users=None, roles=frozenset(), replied_user=True)


class RealClock(Clock):
    """The time of day; `advance` moves it ahead."""

    def now(self):
        return datetime.now(UTC) + timedelta(seconds=self.elapsed)


class DiscordBackend(Backend):
    """`sent` is what the request in hand said of its message; requests are carried out one after the other, without a pause."""

    def __init__(self, now_ms):
        self.records = Records(self, now_ms)
        self.sent = Sent()
        self.typing: list[dict] = []
        self.triggers: dict[int, int] = {}
        super().__init__(clock=RealClock())
        self.cdn = Cdn()
        # simcord keeps every request and event for its own tests; a soak would fill the memory.
        self.transcript, self.http_requests = deque(maxlen=0), deque(maxlen=0)

    # Messages

    def prepare_message(self, channel_id, author_id, content="", **fields):
        metadata = fields.get("interaction_metadata")
        if (metadata or fields.get("webhook_id")) and self.sent.allowed_mentions is None:
            fields["allowed_mentions"] = _ANSWER_DEFAULT
        if metadata:
            self._complete(metadata)
        return super().prepare_message(channel_id, author_id, content, **fields)

    def commit_message(self, message, *, broadcast=True):
        channel = self.get_channel(message.channel_id)
        if channel.is_thread:
            self._enter(channel, message)
        self.records.posted(message, self.sent)
        committed = super().commit_message(message, broadcast=broadcast)
        if message.is_ephemeral:
            self.emit("MESSAGE_CREATE", serializers.message_payload(self, message))
        return committed

    def edit_message(self, channel_id, message_id, fields):
        message = self.get_message(channel_id, message_id)
        of_interaction = message.interaction_metadata is not None or message.webhook_id is not None
        if of_interaction and "allowed_mentions" in fields and self.sent.allowed_mentions is None:
            fields["allowed_mentions"] = _ANSWER_DEFAULT
        former = None if message.flags & LOADING else message.content
        super().edit_message(channel_id, message_id, fields)
        self.records.edited(message, former, self.sent)
        if message.is_ephemeral:
            self.emit("MESSAGE_UPDATE", serializers.message_payload(self, message))
        return message

    def delete_message(self, channel_id, message_id):
        super().delete_message(channel_id, message_id)
        self.records.deleted(message_id)

    def emit(self, event, payload):
        payload = dict(payload)
        if event in ("MESSAGE_CREATE", "MESSAGE_UPDATE"):
            self._place(payload)
        if event == "TYPING_START":
            payload["timestamp"] = int(self.clock.now().timestamp())
            self.typing.append({"ms": self.records.now_ms(), "channel": payload["channel_id"]})
        super().emit(event, payload)

    def _place(self, payload) -> None:
        """Events of messages in a guild name it, and the author's roles there. Ephemeral ones go to the bot itself and name none."""
        channel = self.channels[int(payload["channel_id"])]
        if channel.guild_id is None or payload["flags"] & (1 << 6):
            return
        guild = self.guilds[channel.guild_id]
        payload["guild_id"] = str(guild.id)
        member = guild.members.get(int(payload["author"]["id"]))
        if member is not None:
            payload["member"] = serializers.member_payload(self, guild, member, with_user=False)

    # Threads

    def create_thread(self, parent_id, name, owner_id, *, type=PUBLIC_THREAD, message_id=None, broadcast=True, **fields):
        if message_id is not None and message_id in self.channels:
            raise BackendError(400, 160004, "A thread has already been created for this message")
        if self.get_channel(parent_id).type == NEWS:
            type = ANNOUNCEMENT_THREAD
        thread = super().create_thread(
            parent_id, name, owner_id, type=type, message_id=message_id, broadcast=False, **fields
        )
        if broadcast:
            self._announce(thread, message_id)
        return thread

    def _announce(self, thread, message_id) -> None:
        """The thread, the word in its parent that there is one, and in it the message that it came from."""
        self.announce_thread_create(thread)
        if message_id is not None:
            source = self.get_message(thread.parent_id, message_id)
            self.emit("MESSAGE_UPDATE", serializers.message_payload(self, source))
            starter = SystemMessageMetadata(referenced_channel_id=thread.parent_id, referenced_message_id=message_id)
            self._system(thread.id, thread.owner_id, THREAD_STARTER, "", starter)
        if thread.type in (PUBLIC_THREAD, ANNOUNCEMENT_THREAD):
            self._system(thread.parent_id, thread.owner_id, THREAD_CREATED, thread.name, SystemMessageMetadata(channel_id=thread.id))

    def _system(self, channel_id, author_id, kind, content, metadata) -> None:
        message = Message(
            self.snowflake(), channel_id, author_id, content, timestamp=self.now_iso(), type=kind, system_metadata=metadata
        )
        self.commit_message(message)

    def _enter(self, thread, message) -> None:
        """A message brings an archived thread back, and its author and the bot it mentions into the thread."""
        if thread.thread_metadata.archived:
            self.edit_channel(thread.id, {}, thread_metadata={"archived": False})
        bot = self.bot_user.id
        if bot == message.author_id or bot in message.ping_user_ids:
            self.add_thread_member(thread.id, bot)
        thread.thread_members.setdefault(message.author_id, self.now_iso())

    # Interactions

    def new_interaction(self, type, channel_id, user_id, guild_id):
        record = super().new_interaction(type, channel_id, user_id, guild_id)
        del self.interaction_tokens[record.token]
        record.token = secrets.token_urlsafe(96)
        self.interaction_tokens[record.token] = record.id
        return record

    def _complete(self, metadata) -> None:
        """What simcord's account of the interaction behind a message lacks."""
        record = self.interactions[int(metadata["id"])]
        metadata["authorizing_integration_owners"] = {"0": str(record.guild_id or 0)}
        target = metadata.pop("target_id", None)
        for other in ("target_type", "target_channel_id", "command_type"):
            metadata.pop(other, None)
        if target is not None:
            metadata["target_message_id"] = str(target)
        if record.type == COMPONENT:
            metadata["interacted_message_id"] = str(record.source_message_id)
        if record.type == MODAL and record.id in self.triggers:
            trigger = self.interactions[self.triggers[record.id]]
            inner = {"id": str(trigger.id), "type": trigger.type, "user": metadata["user"]}
            metadata["triggering_interaction_metadata"] = inner
            self._complete(inner)
        if record.message_id is not None and record.responded and not record.loading:
            metadata["original_response_message_id"] = str(record.message_id)
