"""What one session of the gateway is sent, in order, and what it would get again when it resumes."""
import json
import secrets
from collections import deque

from .intents import project

# More than any test sends; Discord keeps a few minutes.
MOST_KEPT = 50_000


class Session:
    """Lives on without its connection until it is invalidated."""

    def __init__(self, gateway, intents: int, shard: list):
        self.gateway, self.intents, self.shard = gateway, intents, shard
        self.id = secrets.token_hex(16)
        self.seq = 0
        self.sent: deque[tuple[int, str]] = deque(maxlen=MOST_KEPT)
        self.held: list[tuple[str, str]] = []
        self.connection = None

    def offer(self, event: str, payload: dict) -> None:
        """Sends the event if the session may see it; not yet while dispatches are held back."""
        if not self.gateway.holding:
            self.tell(event, payload)
        elif (seen := project(self.gateway.backend, event, payload, self.intents)) is not None:
            self.held.append((event, json.dumps(seen)))

    def tell(self, event: str, payload: dict) -> None:
        """Sends the event at once if the session may see it."""
        seen = project(self.gateway.backend, event, payload, self.intents)
        if seen is not None:
            self.send(event, json.dumps(seen))

    def send(self, event: str, text: str) -> None:
        """One dispatch, or two of one number where duplicates are ordered."""
        self.seq += 1
        frame = f'{{"op":0,"s":{self.seq},"t":"{event}","d":{text}}}'
        self.sent.append((self.seq, frame))
        self.write(frame)
        if self.gateway.duplicate > 0:
            self.gateway.duplicate -= 1
            self.write(frame)

    def write(self, frame: str) -> None:
        if self.connection is not None:
            self.connection.write(frame)

    def release(self, backwards: bool) -> None:
        held, self.held = self.held, []
        for event, text in reversed(held) if backwards else held:
            self.send(event, text)

    def since(self, seq: int) -> list[str]:
        """What the session was sent after the dispatch of this number."""
        return [frame for number, frame in self.sent if number > seq]
