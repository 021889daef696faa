"""What Discord refuses and simcord takes: answers to what was not asked, archived threads, closed direct messages, wrong places."""
from simcord.backend.errors import BackendError, unknown_webhook

MEGABYTE = 1 << 20
# A file in a guild without boosts, and a request.
MOST_IN_FILE, MOST_IN_REQUEST = 10 * MEGABYTE, 25 * MEGABYTE
GROUP_DM, CATEGORY, FORUM = 3, 4, 15


class Rules:
    """Raises BackendError, which simcord's errors are too."""

    def __init__(self, backend):
        self.backend = backend
        self.closed: set[int] = set()

    def check(self, call) -> None:
        self._sizes(call)
        if call.template.startswith("/webhooks/{}/TOKEN"):
            self._answered(call)
        if call.template.startswith("/channels/{}"):
            self._place(call, self.backend.get_channel(call.ids()[0]))

    def _sizes(self, call) -> None:
        sizes = [len(upload.data) for upload in call.uploads]
        if sum(sizes) > MOST_IN_REQUEST or any(size > MOST_IN_FILE for size in sizes):
            raise BackendError(413, 40005, "Request entity too large")

    def _answered(self, call) -> None:
        """Before the first answer there is no webhook of an interaction."""
        interaction = self.backend.interaction_tokens.get(call.token)
        if interaction is not None and not self.backend.interactions[interaction].responded:
            raise unknown_webhook()

    def _place(self, call, channel) -> None:
        if channel.type == GROUP_DM:
            raise BackendError(403, 50001, "Missing Access")
        if call.route == "POST /channels/{}/messages":
            self._post(call, channel)
        archived = channel.is_thread and channel.thread_metadata.archived
        if archived and call.route in ("PATCH /channels/{}/messages/{}", "PUT /channels/{}/messages/{}/reactions/{}/@me"):
            raise BackendError(400, 50083, "Thread is archived")
        if channel.is_thread and channel.thread_metadata.locked and call.route == "PATCH /channels/{}/messages/{}":
            raise BackendError(403, 160005, "Thread is locked")

    def _post(self, call, channel) -> None:
        if channel.type in (CATEGORY, FORUM):
            raise BackendError(400, 40058 if channel.type == FORUM else 50008, "Cannot send messages in a non-text channel")
        if any(recipient in self.closed for recipient in channel.recipient_ids):
            raise BackendError(403, 50007, "Cannot send messages to this user")
        if channel.is_thread and channel.thread_metadata.locked:
            archived = channel.thread_metadata.archived
            raise BackendError(403, 50083 if archived else 160005, "Thread is archived" if archived else "Thread is locked")
        if channel.guild_id is not None:
            self._rights(call, channel)
        self._reply(call, channel)
        if not any(call.message.get(key) for key in ("content", "embeds", "sticker_ids", "components", "poll", "message_reference")):
            if not call.uploads:
                raise BackendError(400, 50006, "Cannot send an empty message")

    def _rights(self, call, channel) -> None:
        needed = ["attach_files"] if call.uploads else []
        self.backend.require_permissions(channel.guild_id, self.backend.bot_user.id, channel.id, *needed)

    def _reply(self, call, channel) -> None:
        reference = call.message.get("message_reference")
        if not isinstance(reference, dict) or reference.get("type", 0) != 0:
            return
        if channel.guild_id is not None:
            try:
                self.backend.require_permissions(channel.guild_id, self.backend.bot_user.id, channel.id, "read_message_history")
            except BackendError:
                raise BackendError(403, 160002, "Cannot reply without permission to read message history") from None
        there = int(reference.get("message_id") or 0) in self.backend.messages.get(channel.id, {})
        if not there and reference.get("fail_if_not_exists", True):
            unknown = {"message_reference": {"_errors": [{"code": "REPLIES_UNKNOWN_MESSAGE", "message": "Unknown message"}]}}
            raise BackendError(400, 50035, "Invalid Form Body", errors=unknown)
        if not there:
            del call.message["message_reference"]
