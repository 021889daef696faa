"""All that was ever posted, for the tests that ask what became of it: simcord forgets former texts and deleted messages."""
from dataclasses import dataclass, field
from typing import Any

from simcord.backend.models import Message

from . import pings

LOADING = 1 << 7


@dataclass(frozen=True)
class Sent:
    """What a request said of its message beyond what simcord keeps."""

    nonce: str | int | None = None
    allowed_mentions: Any = None


@dataclass
class Record:
    """One message, from its posting on."""

    message: Message
    posted_ms: int
    sent: Sent
    pings: dict
    edits: list[str] = field(default_factory=list)
    edit_times_ms: list[int] = field(default_factory=list)
    edit_pings: list[dict] = field(default_factory=list)
    deleted_ms: int | None = None


class Records:
    """Messages by id and by channel, in the order in which they came."""

    def __init__(self, backend, now_ms):
        self.backend, self.now_ms = backend, now_ms
        self.by_id: dict[int, Record] = {}
        self.by_channel: dict[int, list[Record]] = {}

    def posted(self, message: Message, sent: Sent) -> None:
        record = Record(message, self.now_ms(), sent, pings.of(self.backend, message))
        self.by_id[message.id] = record
        self.by_channel.setdefault(message.channel_id, []).append(record)

    def edited(self, message: Message, former: str | None, sent: Sent) -> None:
        """An edit pings nobody; whom its `allowed_mentions` would let it ping is kept all the same. `former` is nothing where the
        edit replaced "is thinking...": that is the message itself."""
        record = self.by_id[message.id]
        if former is not None:
            record.edits.append(former)
            record.edit_times_ms.append(self.now_ms())
        record.sent = Sent(record.sent.nonce, sent.allowed_mentions)
        record.edit_pings.append(pings.of(self.backend, message))

    def deleted(self, message_id: int) -> None:
        self.by_id[message_id].deleted_ms = self.now_ms()

    def nonce(self, message_id: int) -> str | int | None:
        record = self.by_id.get(message_id)
        return record.sent.nonce if record else None
