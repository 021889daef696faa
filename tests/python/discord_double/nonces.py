"""`nonce` and `enforce_nonce`: for some minutes Discord answers a second message of one nonce with the first."""
import time

from simcord.backend import serializers

# Discord says "a few minutes".
KEPT_S = 300.0


class Nonces:
    def __init__(self, backend):
        self.backend = backend
        self.kept: dict[tuple[int, str], tuple[int, float]] = {}

    def known(self, call) -> dict | None:
        """The message that this one repeats."""
        nonce = call.message.get("nonce")
        if nonce is None or call.message.get("enforce_nonce") is not True:
            return None
        message_id, ends = self.kept.get((call.ids()[0], str(nonce)), (0, 0.0))
        if self._now() >= ends:
            return None
        message = self.backend.messages.get(call.ids()[0], {}).get(message_id)
        return serializers.message_payload(self.backend, message) if message is not None else None

    def keep(self, call, message_id: int) -> None:
        if (nonce := call.message.get("nonce")) is not None:
            self.kept[(call.ids()[0], str(nonce))] = (message_id, self._now() + KEPT_S)

    def _now(self) -> float:
        return time.monotonic() + self.backend.clock.elapsed
