"""The bridge against itself over loopback: what tests lean on and no client shows, from deadlines to close codes."""
import asyncio
import time

import aiohttp
from aiohttp import web

from .bridge import Bridge
from .main import HEARTBEAT_MS, app
from .probe import GUILDS, MESSAGE, MESSAGE_CONTENT, USUAL, Probe, Wire

COMMAND = {"name": "ask", "description": "Asks", "contexts": [0, 1, 2]}
NOBODY = {"everyone": False, "users": [], "roles": []}


async def interactions(probe: Probe) -> None:
    await probe.call("PUT", f"/applications/{probe.told['application']}/commands", [COMMAND])
    app_id = probe.told["application"]
    late, early, twice, gone = [await probe.slash() for _ in range(4)]
    assert await probe.code("POST", f"/webhooks/{app_id}/{early[1]}", MESSAGE) == (404, 10015), "a follow-up before the answer"
    assert await probe.answer(twice, type=5) == (204, None) and await probe.answer(twice, type=5) == (400, 40060)
    assert await probe.code("PATCH", f"/webhooks/{app_id}/{twice[1]}/messages/@original", MESSAGE) == (200, None)
    assert await probe.answer(("1", "x"), type=5) == (404, 10062)
    await probe.do("advance", seconds=3)
    assert await probe.answer(late, type=5) == (404, 10062), "three seconds"
    await probe.do("advance", seconds=15 * 60)
    assert await probe.code("PATCH", f"/webhooks/{app_id}/{twice[1]}/messages/@original", MESSAGE) == (404, 10015), "fifteen minutes"
    assert (await probe.code("POST", f"/webhooks/{app_id}/{gone[1]}", MESSAGE))[1] == 10015
    group = await probe.do("group_dm", users=["ada", "grace"])
    await probe.do("slash", user="ada", channel=group["channel"], name="ask")
    assert await probe.code("POST", f"/channels/{group['channel']}/messages", MESSAGE) == (403, 50001)


async def mentions(probe: Probe) -> None:
    """Text with the usual defaults would ping; what the rules leave of it is told."""
    ada, lab = probe.told["users"]["ada"], probe.told["roles"]["lab"]
    text = f"<@{ada}> <@&{lab}> @everyone https://a.example <https://b.example> `https://c.example`"
    everything, ada_alone = {"everyone": True, "users": [ada], "roles": [lab]}, {"everyone": False, "users": [ada], "roles": []}
    _, sent, _ = await probe.call("POST", f"/channels/{probe.channel}/messages", {"content": text})
    told = (await probe.messages())[-1]
    assert told["pings"] == everything and told["previews"] == ["https://a.example"], told
    assert [user["id"] for user in sent["mentions"]] == [ada] and sent["mention_everyone"] and "guild_id" not in sent
    await probe.post(text, flags=4)
    told = (await probe.messages())[-1]
    assert told["pings"] == NOBODY and told["previews"] == [], told
    asked = await probe.slash()
    await probe.answer(asked, type=4, data={"content": text})
    assert (await probe.messages())[-1]["pings"] == ada_alone, "an answer's default"
    wide = {"content": "@everyone", "allowed_mentions": {"parse": ["everyone"]}}
    await probe.call("PATCH", f"/webhooks/{probe.told['application']}/{asked[1]}/messages/@original", wide)
    told = (await probe.messages())[-1]
    assert told["edit_pings"] == [{"everyone": True, "users": [], "roles": []}] and told["edits"] == [text], told
    assert {found["rule"] for found in probe.bridge.checks.violations} >= {"allowed_mentions missing", "allowed_mentions too wide"}


async def nonces(probe: Probe) -> None:
    wire = await probe.identify()
    await wire.until("GUILD_CREATE")
    _, first, _ = await probe.post("once", nonce="n", enforce_nonce=True)
    _, second, _ = await probe.post("once", nonce="n", enforce_nonce=True)
    assert first["id"] == second["id"] and second["nonce"] == "n" and (await wire.until("MESSAGE_CREATE"))["nonce"] == "n"
    assert await wire.quiet(), "a second event"
    _, elsewhere, _ = await probe.post("once", probe.general, nonce="n", enforce_nonce=True)
    _, loose, _ = await probe.post("once", nonce="n")
    await probe.do("advance", seconds=301)
    _, later, _ = await probe.post("once", nonce="n", enforce_nonce=True)
    assert len({first["id"], elsewhere["id"], loose["id"], later["id"]}) == 4
    await wire.socket.close()


async def places(probe: Probe) -> None:
    source = (await probe.do("say", user="ada", channel="general", text="talk about it"))["id"]
    thread = (await probe.do("create_thread", user="ada", channel="general", message=source, name="talk"))["thread"]
    into = ("POST", f"/channels/{thread}/messages", MESSAGE)
    again = ("POST", f"/channels/{probe.general}/messages/{source}/threads", {"name": "again"})
    assert thread == source and await probe.code(*again) == (400, 160004)
    _, sent, _ = await probe.call(*into)
    await probe.do("archive_thread", thread=thread)
    assert await probe.code("PATCH", f"/channels/{thread}/messages/{sent['id']}", MESSAGE) == (400, 50083), "an edit in an archived thread"
    _, listed, _ = await probe.call("GET", f"/channels/{probe.general}/threads/archived/public")
    assert [found["id"] for found in listed["threads"]] == [thread]
    assert await probe.code(*into) == (200, None), "a message brings the thread back"
    await probe.do("lock_thread", thread=thread)
    assert await probe.code(*into) == (403, 160005)
    await probe.do("archive_thread", thread=thread)
    assert await probe.code(*into) == (403, 50083)
    _, dm, _ = await probe.call("POST", "/users/@me/channels", {"recipient_id": probe.told["users"]["grace"]})
    await probe.do("close_dms", user="grace")
    assert await probe.code("POST", f"/channels/{dm['id']}/messages", MESSAGE) == (403, 50007)
    await probe.do("hide_channel", channel="general")
    assert await probe.code("GET", f"/channels/{probe.general}") == (403, 50001)
    await probe.do("hide_channel", channel="general", hidden=False)
    await probe.do("mute_channel", channel="general")
    assert await probe.code("POST", f"/channels/{probe.general}/messages", MESSAGE) == (403, 50013)
    await probe.do("mute_channel", channel="general", muted=False)
    here = f"/channels/{probe.channel}/messages"
    assert await probe.code("GET", "/channels/1") == (404, 10003) and await probe.code("GET", f"{here}/1") == (404, 10008)
    assert await probe.code("POST", here, {**MESSAGE, "message_reference": {"message_id": "1"}}) == (400, 50035)
    assert (await probe.post("x", message_reference={"message_id": "1", "fail_if_not_exists": False}))[0] == 200
    assert await probe.code("POST", here, {"content": ""}) == (400, 50006)


async def limits(probe: Probe) -> None:
    _, _, headers = await probe.post("x")
    assert {f"X-RateLimit-{name}" for name in ("Limit", "Remaining", "Reset", "Reset-After", "Bucket")} <= headers.keys()
    assert headers["Content-Type"] == "application/json"
    await probe.do("strict_bucket", path="/messages$", method="POST", limit=2, per=0.5)
    answers = [await probe.post("x") for _ in range(3)]
    status, body, headers = answers[2]
    assert [answer[0] for answer in answers[:2]] == [200, 200] and status == 429 and 0 < body["retry_after"] <= 0.5, answers
    assert headers["Retry-After"] == "1" and headers["X-RateLimit-Scope"] == "user" and body["global"] is False
    assert (await probe.post("x", probe.general))[0] == 200, "another channel has its own bucket"
    await asyncio.sleep(body["retry_after"])
    assert (await probe.post("x"))[0] == 200
    await probe.do("clear_faults")
    await probe.do("global_limit", limit=0, per=60)
    status, body, headers = await probe.post("x")
    assert status == 429 and body["global"] is True and headers["X-RateLimit-Global"] == "true"
    await probe.do("clear_faults")


async def faults(probe: Probe) -> None:
    async def order(kind: str, **how) -> None:
        await probe.do("fault", method="POST", path="/messages$", kind=kind, **how)

    async def breaks() -> None:
        try:
            answer = await asyncio.wait_for(probe.post("x"), 0.3)
        except (TimeoutError, aiohttp.ClientError):
            return
        raise AssertionError(f"an answer came: {answer}")

    async def count() -> int:
        return len(await probe.messages())

    n_before = await count()
    await order("status", status=503, skip=1)
    assert [(await probe.post("x"))[0] for _ in range(3)] == [200, 503, 200]
    await order("status", status=429, retry_after=2.5)
    status, body, headers = await probe.post("x")
    assert (status, body["retry_after"], headers["Retry-After"]) == (429, 2.5, "3")
    for kind in ("reset", "hang"):
        await order(kind)
        await breaks()
    assert await count() == n_before + 2, "carried out all the same"
    for kind in ("reset_after_delivery", "timeout_after_delivery"):
        await order(kind)
        await breaks()
    await order("status_after_delivery", status=502)
    assert (await probe.post("x"))[0] == 502 and await count() == n_before + 5
    began = time.monotonic()
    await order("slow", seconds=0.2)
    assert (await probe.post("x"))[0] == 200 and time.monotonic() - began >= 0.2


async def sessions(probe: Probe) -> None:
    wrong = [({"token": "wrong"}, 4004), ({"intents": MESSAGE_CONTENT}, 4014), ({"intents": 1 << 30}, 4013), ({"shard": [1, 1]}, 4010)]
    for keys, code in wrong:
        assert await (await probe.identify(**keys)).closed() == code, keys
    early = await probe.connect()
    await early.send(3, {})
    assert await early.closed() == 4003
    await probe.do("portal", privileged=["message_content"])
    seeing, blind = await probe.identify(USUAL | MESSAGE_CONTENT), await probe.identify()
    assert (await seeing.until("READY"))["application"]["flags"] == 1 << 19
    nothing = await probe.identify(GUILDS)
    for wire in (seeing, blind, nothing):
        await wire.until("GUILD_CREATE")
    await probe.do("say", user="ada", channel="experiments", text="among us")
    assert (await seeing.until("MESSAGE_CREATE"))["content"] == "among us" and (await blind.until("MESSAGE_CREATE"))["content"] == ""
    assert await nothing.quiet(), "an event without its intent"
    await probe.do("portal", privileged=[])
    await seeing.socket.close(code=1000)
    await nothing.socket.close(code=1000)
    await resumes(probe, blind)


async def resumes(probe: Probe, wire: Wire) -> None:
    """What happens while nobody listens comes with the resumption, once and in order; a session that is forgotten cannot resume."""
    await probe.do("gateway", action="abrupt")
    assert await wire.closed() is None
    for text in ("one", "two"):
        await probe.do("dm", user="ada", text=text)
    again = await probe.connect("v=10&encoding=json&compress=zlib-stream")
    await again.send(6, {"token": f"Bot {probe.told['token']}", "session_id": wire.session, "seq": wire.seq})
    assert [(await again.until("MESSAGE_CREATE"))["content"] for _ in range(2)] == ["one", "two"]
    await again.until("RESUMED")
    await again.send(1, again.seq)
    assert (await again.next())["op"] == 11
    await probe.do("gateway", action="hold")
    await probe.do("dm", user="ada", text="first")
    await probe.do("dm", user="ada", text="second")
    await probe.do("gateway", action="duplicate")
    await probe.do("gateway", action="release", backwards=True)
    assert [(await again.until("MESSAGE_CREATE"))["content"] for _ in range(3)] == ["second", "second", "first"]
    await probe.do("gateway", action="unknown")
    assert (await again.next())["t"] == "SOMETHING_NEW"
    await probe.do("gateway", action="op7")
    assert (await again.next())["op"] == 7
    await probe.do("gateway", action="op9")
    assert await again.next() == {"op": 9, "d": False}
    await probe.do("gateway", action="close", code=4000)
    assert await again.closed() == 4000
    lost = await probe.connect()
    await lost.send(6, {"token": probe.told["token"], "session_id": wire.session, "seq": 1})
    assert await lost.next() == {"op": 9, "d": False}
    await probe.do("gateway", action="close", code=None)
    assert await lost.closed() == 0, "a close frame without a code"
    await probe.do("gateway", action="interval", ms=100)
    silent = await probe.identify()
    assert await silent.closed() == 4000, "no heartbeat"
    await probe.do("gateway", action="refuse", seconds=60)
    try:
        await probe.connect()
    except aiohttp.WSServerHandshakeError as error:
        assert error.status == 503
    else:
        raise AssertionError("a connection was taken")


async def strangers(probe: Probe) -> None:
    """Without a token nothing, and nothing for what was revoked. The last test: the token stays revoked."""
    headers = {"Authorization": "Bot wrong"}
    async with probe.http.get(f"{probe.base}/api/v10/users/@me", headers=headers) as response:
        assert (response.status, await response.json()) == (401, {"message": "401: Unauthorized", "code": 0})
    await probe.do("revoke_token")
    assert (await probe.call("GET", "/users/@me"))[0] == 401 and (await probe.call("GET", "/gateway"))[0] == 200


async def bridge_test(schemas) -> int:
    """Prints `ok` for each; an assertion that fails ends it."""
    bridge = Bridge(set(), schemas, HEARTBEAT_MS)
    runner = web.AppRunner(app(bridge), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    told = bridge.listens(site._server.sockets[0].getsockname()[1])
    async with aiohttp.ClientSession() as http:
        for test in (interactions, mentions, nonces, places, limits, faults, sessions, strangers):
            await test(Probe(bridge, told, http))
            print(f"ok {test.__name__}", flush=True)
    await runner.cleanup()
    return 0
