"""Verbs of bad luck: answers that fail, limits, a gateway that breaks, time that passes, a token that is revoked."""
import re
import time

from .faults import KINDS, Fault
from .intents import PRIVILEGED
from .rate_limits import Strict
from .world import ControlError


def fault(bridge, path, kind, method="*", **how) -> dict:
    """`path` is a regular expression on the path behind /api/v10; `how` are the fields of faults.Fault."""
    if kind not in KINDS:
        raise ControlError(f"a fault is one of {KINDS}")
    bridge.faults.ordered.append(Fault(method, re.compile(path), kind, **how))
    return {}


def clear_faults(bridge) -> dict:
    """Also makes every bucket roomy again."""
    bridge.faults.ordered.clear()
    bridge.rate_limits.relax()
    return {}


def clear_log(bridge) -> dict:
    """Forgets the requests so far, for tests that run for hours."""
    bridge.rest.log.clear()
    return {}


def strict_bucket(bridge, path, limit=5, per=5.0, method="*", scope="user") -> dict:
    """Requests of these paths get 429 after `limit` in `per` seconds, by route and channel as Discord counts them."""
    bridge.rate_limits.make_strict(Strict(method, re.compile(path), limit, per, scope))
    return {}


def global_limit(bridge, limit=50, per=1.0) -> dict:
    """For all but interactions. A `limit` of 0 refuses everything for good."""
    bridge.rate_limits.all_limit = (limit, per)
    return {}


def advance(bridge, seconds) -> dict:
    """Time passes for tokens of interactions, nonces and ids; heartbeats and rate limits keep to the real clock."""
    bridge.backend.advance_clock(float(seconds))
    return {}


def revoke_token(bridge, new=None) -> dict:
    """401 and 4004 from now on, for whoever has not the `new` one."""
    bridge.token = new or "revoked"
    for connection in list(bridge.gateway.connections):
        connection.close(4004)
    return {}


def portal(bridge, privileged) -> dict:
    """Which privileged intents are approved: of members, presences, message_content."""
    if not set(privileged) <= PRIVILEGED.keys():
        raise ControlError(f"privileged are {sorted(PRIVILEGED)}")
    bridge.privileged.clear()
    bridge.privileged.update(privileged)
    return {}


def gateway(bridge, action, **how) -> dict:
    """An action of the table below, on every session and connection."""
    if action not in _ACTIONS:
        raise ControlError(f"an action is one of {sorted(_ACTIONS)}")
    _ACTIONS[action](bridge.gateway, **how)
    return {}


def _op7(gateway) -> None:
    _each(gateway, lambda connection: connection.send({"op": 7, "d": None}))


def _op9(gateway, resumable=False) -> None:
    for connection in gateway.connections:
        connection.send({"op": 9, "d": resumable})
        if connection.session is not None and not resumable:
            gateway.forget(connection.session)


def _close(gateway, code=4000) -> None:
    """With a code, or with null: a close frame without one."""
    _each(gateway, lambda connection: connection.close(code))


def _abrupt(gateway) -> None:
    _each(gateway, lambda connection: connection.break_off())


def _invalidate(gateway) -> None:
    """Sessions are forgotten; who tries to resume is told so."""
    gateway.sessions.clear()


def _refuse(gateway, seconds) -> None:
    gateway.refused_until = time.monotonic() + seconds


def _hold(gateway) -> None:
    gateway.holding = True


def _release(gateway, backwards=False) -> None:
    gateway.holding = False
    for session in gateway.sessions.values():
        session.release(backwards)


def _duplicate(gateway, times=1) -> None:
    """The next dispatches come twice."""
    gateway.duplicate = times


def _malformed(gateway, text='{"op":0,"t":"MESSAGE_CREATE","s":') -> None:
    """A frame that is no JSON, or whatever `text` is."""
    _each(gateway, lambda connection: connection.write(text))


def _broken(gateway, name="MESSAGE_CREATE") -> None:
    """A dispatch of a known name without the fields it must have."""
    _sessions(gateway, lambda session: session.send(name, '{"id":"1"}'))


def _unknown(gateway, name="SOMETHING_NEW") -> None:
    _sessions(gateway, lambda session: session.send(name, '{"id":"1","novel":true}'))


def _deaf(gateway, deaf=True) -> None:
    """Heartbeats are not acknowledged any more."""
    gateway.deaf = deaf


def _ask_heartbeat(gateway) -> None:
    _each(gateway, lambda connection: connection.send({"op": 1, "d": None}))


def _interval(gateway, ms) -> None:
    """For connections to come."""
    gateway.heartbeat_ms = ms


def _each(gateway, act) -> None:
    for connection in list(gateway.connections):
        act(connection)


def _sessions(gateway, act) -> None:
    for session in list(gateway.sessions.values()):
        act(session)


_ACTIONS = {
    "op7": _op7, "op9": _op9, "close": _close, "abrupt": _abrupt, "invalidate": _invalidate, "refuse": _refuse, "hold": _hold,
    "release": _release, "duplicate": _duplicate, "malformed": _malformed, "broken": _broken, "unknown": _unknown, "deaf": _deaf,
    "ask_heartbeat": _ask_heartbeat, "interval": _interval,
}
