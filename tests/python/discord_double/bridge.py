"""What belongs together in one running bridge."""
import secrets
import time

from . import wire
from .backend import DiscordBackend
from .checks import Checks
from .faults import Faults
from .gateway import Gateway
from .interactions import Interactions
from .rate_limits import RateLimits
from .rest import Rest
from .rules import Rules
from .schemas import Schemas
from .world import World


class Bridge:
    """`privileged` are the intents that are approved in the portal; `port` is known when the bridge listens."""

    def __init__(self, privileged: set[str], schemas: Schemas | None, heartbeat_ms: int):
        wire.install()
        self.began = time.monotonic()
        self.port = 0
        self.token = f"MTE{secrets.token_urlsafe(18)}.G{secrets.token_urlsafe(4)}.{secrets.token_urlsafe(28)}"
        self.privileged = privileged
        self.backend = DiscordBackend(self.now_ms)
        self.world = World(self.backend)
        self.gateway = Gateway(self, heartbeat_ms)
        self.interactions = Interactions(self)
        self.rules = Rules(self.backend)
        self.checks = Checks(self.now_ms, schemas)
        self.rate_limits, self.faults = RateLimits(), Faults()
        self.rest = Rest(self)

    def now_ms(self) -> int:
        """Milliseconds since the start."""
        return int((time.monotonic() - self.began) * 1000)

    def listens(self, port: int) -> dict:
        """What a test must know to begin."""
        self.port = port
        self.backend.cdn.base = f"http://127.0.0.1:{port}"
        return {"port": port, "token": self.token, **self.world.ready()}
