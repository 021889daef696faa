"""Answers that fail on order: before a request is carried out, or after, when the bot cannot know which it was."""
import math
import re
from dataclasses import dataclass

# What happens to a request: answered without being carried out, cut off, or left waiting; and the same once it was carried out.
BEFORE = ("status", "reset", "hang")
AFTER = ("timeout_after_delivery", "reset_after_delivery", "status_after_delivery", "slow_answer")
KINDS = (*BEFORE, *AFTER, "slow")
# Longer than any client waits.
FOR_EVER_S = 3600.0


@dataclass
class Fault:
    """The next `times` requests of a method and path, after `skip` that pass."""

    method: str
    path: re.Pattern
    kind: str
    times: int = 1
    skip: int = 0
    status: int = 500
    body: object = None
    retry_after: float | None = None
    seconds: float = FOR_EVER_S

    def reply(self) -> tuple[int, object, dict]:
        """Status, body and headers. A `retry_after` makes the body of a 429, a body that is text comes from before Discord, as
        from Cloudflare."""
        headers = {} if isinstance(self.body, str) else {"Via": "1.1 google"}
        body = self.body
        if self.retry_after is not None:
            headers["Retry-After"] = str(math.ceil(self.retry_after))
            headers["X-RateLimit-Scope"] = "shared"
            if body is None:
                body = {"message": "You are being rate limited.", "retry_after": self.retry_after, "global": False}
        if body is None:
            body = {"message": f"{self.status}: ordered", "code": 0}
        return self.status, body, headers


class Faults:
    def __init__(self):
        self.ordered: list[Fault] = []

    def take(self, method: str, path: str) -> Fault | None:
        """The first order that fits the request, used up by one."""
        for fault in self.ordered:
            if fault.method in ("*", method) and fault.path.search(path):
                if fault.skip > 0:
                    fault.skip -= 1
                    return None
                fault.times -= 1
                if fault.times <= 0:
                    self.ordered.remove(fault)
                return fault
        return None
