"""Rate limits as Discord tells of them: headers on every answer, 429 where a bucket was made strict, and the global limit."""
import hashlib
import math
import re
import time
from dataclasses import dataclass, field

# Buckets that no test made strict: a window that no test fills, so that careful clients need not wait.
ROOMY, ROOMY_S = 1000, 1.0


@dataclass
class Strict:
    """Buckets of these paths take `limit` requests in `per_s` seconds."""

    method: str
    path: re.Pattern
    limit: int
    per_s: float
    scope: str


@dataclass
class Window:
    ends: float = 0.0
    used: int = 0

    def take(self, limit: int, per_s: float) -> float | None:
        """Counts a request; else says how many seconds to wait."""
        now = time.monotonic()
        if now >= self.ends:
            self.ends, self.used = now + per_s, 0
        if self.used >= limit:
            return self.ends - now
        self.used += 1
        return None


@dataclass
class RateLimits:
    strict: list[Strict] = field(default_factory=list)
    windows: dict[tuple[str, str], Window] = field(default_factory=dict)
    all_limit: tuple[int, float] | None = None
    all_window: Window = field(default_factory=Window)

    def take(self, call) -> tuple[dict, dict | None]:
        """The headers, and the body of a 429 where the request is one too many. Interactions know no global limit."""
        if self.all_limit and not call.template.startswith(("/interactions", "/webhooks/{}/TOKEN")):
            wait = self.all_window.take(*self.all_limit)
            if wait is not None:
                return {"X-RateLimit-Global": "true", "X-RateLimit-Scope": "global", **_retry(wait)}, _refusal(wait, True)
        rule = next((rule for rule in self.strict if rule.method in ("*", call.method) and rule.path.search(call.path)), None)
        limit, per_s, scope = (rule.limit, rule.per_s, rule.scope) if rule else (ROOMY, ROOMY_S, "user")
        bucket = hashlib.sha1(call.route.encode()).hexdigest()[:16]
        window = self.windows.setdefault((bucket, call.major), Window())
        wait = window.take(limit, per_s)
        headers = _headers(bucket, limit, window)
        if wait is None:
            return headers, None
        return {**headers, "X-RateLimit-Scope": scope, **_retry(wait)}, _refusal(wait, False)

    def make_strict(self, rule: Strict) -> None:
        self.strict.insert(0, rule)
        self.windows.clear()

    def relax(self) -> None:
        self.strict.clear()
        self.windows.clear()
        self.all_limit, self.all_window = None, Window()


def _headers(bucket: str, limit: int, window: Window) -> dict:
    left = max(0.0, window.ends - time.monotonic())
    return {
        "X-RateLimit-Limit": str(limit), "X-RateLimit-Remaining": str(limit - window.used),
        "X-RateLimit-Reset": f"{time.time() + left:.3f}", "X-RateLimit-Reset-After": f"{left:.3f}", "X-RateLimit-Bucket": bucket,
    }


def _retry(wait: float) -> dict:
    return {"Retry-After": str(math.ceil(wait))}


def _refusal(wait: float, everywhere: bool) -> dict:
    return {"message": "You are being rate limited.", "retry_after": round(wait, 3), "global": everywhere}
