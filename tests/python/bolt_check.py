"""Slack's own client library on the same stand-in: prints what it saw, so that a test can compare it with what it expects of Slack.

usage: bolt_check.py API_URL    (ends when its standard input does)
"""
import asyncio
import json
import logging
import sys

from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

API = sys.argv[1] + "/"
SEEN = []


async def main():
    app = AsyncApp(client=AsyncWebClient(token="xoxb-test-bot", base_url=API))

    @app.event("app_mention")
    async def mention(event, say, client):
        await say(text="heard", thread_ts=event["ts"], metadata={"event_type": "check", "event_payload": {"key": "k"}})
        replies = await client.conversations_replies(channel=event["channel"], ts=event["ts"], include_all_metadata=True)
        keys = [message.get("metadata", {}).get("event_payload", {}).get("key") for message in replies["messages"]]
        SEEN.append(["mention", event["text"], keys])

    @app.event("message")
    async def message(event):
        SEEN.append(["message", event.get("channel_type"), event.get("bot_id") is not None])

    @app.command("/runlore")
    async def command(ack, respond, command):
        await ack("seen")
        await respond("answered")
        SEEN.append(["command", command["text"]])

    @app.action("pressed")
    async def pressed(ack, body):
        await ack()
        SEEN.append(["action", body["actions"][0]["value"]])

    handler = AsyncSocketModeHandler(app, "xapp-test-app")
    handler.client.web_client.base_url = API
    handler.client.logger.setLevel(logging.WARNING)
    await handler.connect_async()
    print("ready", flush=True)
    await asyncio.get_event_loop().run_in_executor(None, sys.stdin.read)
    print(json.dumps(SEEN), flush=True)
    await handler.close_async()


asyncio.run(main())
