"""discord.py on the bridge: if a client that we did not write works there, the bridge speaks the protocol.

usage: discordpy_check.py SCHEMAS    (the folder that scripts/test-discord-sdk made)

Prints `ok NAME` for each thing that works and ends with 1 at the first that does not. In the end nothing that discord.py sent may
have been found wrong, so that it also judges the judges.
"""
import asyncio
import io
import json
import sys
from pathlib import Path

import aiohttp
import discord
import yarl
from discord import app_commands
from discord.gateway import DiscordWebSocket

PATIENCE_S = 15
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x04\0\0\0\x03" + bytes(40)


class Bridge:
    """The bridge as a process of its own, and its controls."""

    async def start(self, schemas: str) -> None:
        program = Path(__file__).parent / "discord_double.py"
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, str(program), "--schemas", schemas, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        self.told = json.loads(await self.process.stdout.readline())
        self.base = f"http://127.0.0.1:{self.told['port']}"
        self.session = aiohttp.ClientSession()

    async def do(self, verb: str, **arguments) -> dict:
        async with self.session.post(f"{self.base}/_ctl", json={"do": verb, **arguments}) as response:
            answer = await response.json()
            assert response.status == 200, (verb, arguments, answer)
            return answer

    async def ask(self, what: str):
        async with self.session.get(f"{self.base}/_ctl/{what}") as response:
            return await response.json() if response.content_type == "application/json" else await response.read()

    async def message(self, message_id) -> dict:
        return await self.ask(f"message/{message_id}")

    async def end(self) -> None:
        await self.session.close()
        self.process.stdin.close()
        await asyncio.wait_for(self.process.wait(), 5)


class Ask(discord.ui.Modal, title="Correct an answer"):
    text = discord.ui.TextInput(label="What is right?", custom_id="right", max_length=200)

    async def on_submit(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message(f"noted: {self.text.value}", ephemeral=True)


class Buttons(discord.ui.View):
    @discord.ui.button(label="More", custom_id="more")
    async def more(self, interaction: discord.Interaction, _button) -> None:
        await interaction.response.edit_message(content="more")

    @discord.ui.button(label="Wrong", custom_id="wrong")
    async def wrong(self, interaction: discord.Interaction, _button) -> None:
        await interaction.response.send_modal(Ask(custom_id="correction"))


class Client(discord.Client):
    """Keeps what it hears, and answers commands."""

    def __init__(self):
        super().__init__(intents=discord.Intents.default(), allowed_mentions=discord.AllowedMentions.none())
        self.tree = app_commands.CommandTree(self)
        self.heard: asyncio.Queue[discord.Message] = asyncio.Queue()
        self.resumed, self.is_ready_event = asyncio.Event(), asyncio.Event()
        group = app_commands.Group(name="runlore", description="Asks about runs")

        @group.command(name="ask", description="Asks a question")
        @app_commands.describe(question="What you want to know")
        async def ask(interaction: discord.Interaction, question: str) -> None:
            await interaction.response.defer()
            await interaction.edit_original_response(content=f"about {question}")
            await interaction.followup.send("for you alone", ephemeral=True)

        @ask.autocomplete("question")
        async def complete(_interaction, current: str) -> list[app_commands.Choice[str]]:
            return [app_commands.Choice(name=f"{current} {n}", value=f"{current}{n}") for n in range(3)]

        @group.command(name="buttons", description="Shows buttons")
        async def buttons(interaction: discord.Interaction) -> None:
            await interaction.response.send_message("less", view=Buttons(timeout=None))

        self.tree.add_command(group)

    async def on_ready(self) -> None:
        self.is_ready_event.set()

    async def on_resumed(self) -> None:
        self.resumed.set()

    async def on_message(self, message: discord.Message) -> None:
        if message.author != self.user and message.type in (discord.MessageType.default, discord.MessageType.reply):
            await self.heard.put(message)

    async def next(self) -> discord.Message:
        return await asyncio.wait_for(self.heard.get(), PATIENCE_S)


async def until(check, what: str):
    """What `check` says once it says something."""
    for _ in range(PATIENCE_S * 50):
        if found := await check():
            return found
        await asyncio.sleep(0.02)
    raise AssertionError(f"never: {what}")


class Checks:
    """One method for each thing, in order."""

    def __init__(self, bridge: Bridge, client: Client):
        self.bridge, self.client, self.ids = bridge, client, bridge.told
        self.channel_id = int(self.ids["channels"]["experiments"])

    async def posted(self, what: str, test) -> dict:
        """The newest message of the channel that passes the test."""
        async def find():
            found = await self.bridge.ask(f"messages/{self.channel_id}")
            return next((message for message in reversed(found) if test(message)), None)

        return await until(find, what)

    async def ready(self) -> None:
        await asyncio.wait_for(self.client.is_ready_event.wait(), PATIENCE_S)
        self.channel = self.client.get_channel(self.channel_id)
        assert self.channel.name == "experiments" and self.channel.guild.me.id == int(self.ids["bot"])

    async def command_sync(self) -> None:
        synced = await self.client.tree.sync()
        assert [command.name for command in synced] == ["runlore"], synced

    async def mention(self) -> None:
        await self.bridge.do("say", user="ada", channel="experiments", text="among ourselves")
        assert (await self.client.next()).content == "", "text without the intent and without a mention"
        text = f"<@{self.ids['bot']}> hello"
        await self.bridge.do("say", user="ada", channel="experiments", text=text)
        heard = await self.client.next()
        assert heard.content == text and heard.mentions == [self.client.user] and heard.author.name == "ada", heard
        answer = await heard.reply("hello", mention_author=False)
        assert (await self.bridge.message(answer.id))["pings"]["users"] == []

    async def deferral(self) -> None:
        asked = await self.bridge.do("slash", user="ada", channel="experiments", name="runlore", options=self.question("why"))
        answer = await self.posted("the deferred answer", lambda message: message["content"] == "about why")
        assert answer["interaction"] == asked["interaction"] and not answer["edited"], answer
        told = next(told for told in await self.bridge.ask("interactions") if told["id"] == asked["interaction"])
        assert told["answer_ms"] < 1000 and told["callbacks"][0]["type"] == 5, told

    async def edit(self) -> None:
        sent = await self.channel.send("first")
        await sent.edit(content="second")
        told = await self.bridge.message(sent.id)
        assert told["content"] == "second" and told["edits"] == ["first"] and told["edited"], told

    async def follow_up(self) -> None:
        hidden = await self.posted("the follow-up", lambda message: message["content"] == "for you alone")
        assert hidden["ephemeral_for"] == self.ids["users"]["ada"], hidden
        assert int(hidden["id"]) not in [message.id async for message in self.channel.history(limit=100)]

    async def autocomplete(self) -> None:
        options = self.question("wh")
        options[0]["options"][0]["focused"] = True
        told = await self.bridge.do("autocomplete", user="ada", channel="experiments", name="runlore", options=options)
        assert [choice["value"] for choice in told["choices"]] == ["wh0", "wh1", "wh2"] and told["ms"] < 1000, told

    async def button(self) -> None:
        options = [{"name": "buttons", "type": 1}]
        await self.bridge.do("slash", user="ada", channel="experiments", name="runlore", options=options)
        self.buttons = await self.posted("the buttons", lambda message: message["content"] == "less")
        await self.bridge.do("press", user="grace", message=self.buttons["id"], custom_id="more")
        await self.posted("the edit by a button", lambda message: message["content"] == "more")

    async def modal(self) -> None:
        pressed = await self.bridge.do("press", user="ada", message=self.buttons["id"], custom_id="wrong")

        async def shown():
            told = next(told for told in await self.bridge.ask("interactions") if told["id"] == pressed["interaction"])
            return told["answer_ms"]

        await until(shown, "the modal")
        await self.bridge.do("modal", user="ada", custom_id="correction", values={"right": "0.25"})
        noted = await self.posted("the answer to the modal", lambda message: message["content"] == "noted: 0.25")
        assert noted["ephemeral_for"] == self.ids["users"]["ada"], noted

    async def attachment(self) -> None:
        sent = await self.channel.send("a curve", file=discord.File(io.BytesIO(PNG), "loss curve.png", description="The loss falls"))
        told = (await self.bridge.message(sent.id))["attachments"][0]
        assert (told["filename"], told["description"], told["size"]) == ("loss_curve.png", "The loss falls", len(PNG)), told
        assert await self.bridge.ask(f"attachment/{told['id']}") == PNG
        assert await sent.attachments[0].read() == PNG and sent.attachments[0].width == 4

    async def direct_message(self) -> None:
        await self.bridge.do("dm", user="grace", text="between us")
        heard = await self.client.next()
        assert heard.guild is None and heard.content == "between us", heard
        await heard.channel.send("yes")
        await self.bridge.do("close_dms", user="grace")
        assert await refused(heard.channel.send("no")) == 50007

    async def thread(self) -> None:
        source = await self.channel.send("to be talked over")
        thread = await source.create_thread(name="talk")
        await thread.send("here")
        assert await refused(source.create_thread(name="again")) == 160004
        assert thread.id == source.id and thread in await self.channel.guild.active_threads()
        contents = [message.content async for message in thread.history(oldest_first=True)]
        assert contents == ["to be talked over", "here"] or contents[-1] == "here", contents
        await self.bridge.do("say", user="ada", thread=str(thread.id), text=f"<@{self.ids['bot']}> there")
        assert (await self.client.next()).channel.id == thread.id

    async def nonce(self) -> None:
        first = await self.channel.send("once", nonce="n-1")
        second = await self.channel.send("once", nonce="n-1")
        assert first.id == second.id and (await self.bridge.message(first.id))["nonce"] == "n-1"
        told = await self.bridge.ask(f"messages/{self.channel_id}")
        assert [message["content"] for message in told].count("once") == 1

    async def history(self) -> None:
        ids = [int((await self.bridge.do("say", user="ada", channel="general", text=str(n)))["id"]) for n in range(120)]
        general = self.client.get_channel(int(self.ids["channels"]["general"]))
        for _ in ids:
            await self.client.next()
        after = [message.id async for message in general.history(after=discord.Object(ids[5]), limit=110, oldest_first=True)]
        assert after == ids[6:116], "after"
        before = [message.id async for message in general.history(before=discord.Object(ids[-1]), limit=None)]
        assert before == ids[-2::-1], "before"
        around = [message.id async for message in general.history(around=discord.Object(ids[50]), limit=11)]
        assert sorted(around) == ids[45:56], "around"

    async def permissions(self) -> None:
        await self.bridge.do("mute_channel", channel="experiments")
        assert await refused(self.channel.send("muted")) == 50013
        await self.bridge.do("hide_channel", channel="experiments")
        assert await refused(self.channel.send("hidden")) == 50001
        await self.bridge.do("say", user="ada", channel="experiments", text=f"<@{self.ids['bot']}> unseen")
        await self.bridge.do("hide_channel", channel="experiments", hidden=False)
        await self.bridge.do("mute_channel", channel="experiments", muted=False)
        await self.heard_once("seen again")

    async def rate_limits(self) -> None:
        await self.bridge.do("strict_bucket", path="/messages$", method="POST", limit=2, per=0.5)
        await asyncio.gather(*(self.channel.send(f"burst {n}") for n in range(5)))
        await self.bridge.do("clear_faults")
        await self.bridge.do("fault", method="POST", path="/messages$", kind="status", status=429, retry_after=0.2)
        await self.channel.send("after a 429")
        statuses = [entry["status"] for entry in await self.bridge.ask("log")]
        assert 429 in statuses

    async def resume_after_op7(self) -> None:
        await self.resumes("gateway", action="op7")

    async def resume_after_an_abrupt_close(self) -> None:
        await self.resumes("gateway", action="abrupt")

    async def a_new_session(self) -> None:
        self.client.is_ready_event.clear()
        await self.bridge.do("gateway", action="op9")
        await asyncio.wait_for(self.client.is_ready_event.wait(), PATIENCE_S)
        await self.heard_once("in the new session")
        assert (await self.bridge.ask("gateway"))["identified"] == 2

    async def nothing_wrong(self) -> None:
        """discord.py sends `tts` with edits too, where Discord does not know it."""
        found = [told for told in await self.bridge.ask("violations") if (told["rule"], told["detail"][-4:]) != ("unknown key", ".tts")]
        assert found == [], json.dumps(found, indent=1)

    async def resumes(self, verb: str, **arguments) -> None:
        self.client.resumed.clear()
        await self.bridge.do(verb, **arguments)
        await self.heard_once(f"while away: {arguments['action']}")
        await asyncio.wait_for(self.client.resumed.wait(), PATIENCE_S)

    async def heard_once(self, text: str) -> None:
        await self.bridge.do("say", user="ada", channel="experiments", text=f"<@{self.ids['bot']}> {text}")
        heard = await self.client.next()
        assert heard.content.endswith(text) and self.client.heard.empty(), (text, heard.content)

    def question(self, text: str) -> list[dict]:
        return [{"name": "ask", "type": 1, "options": [{"name": "question", "type": 3, "value": text}]}]


async def refused(call) -> int:
    """The error code with which a call ends."""
    try:
        await call
    except discord.HTTPException as error:
        return error.code
    raise AssertionError("it was taken")


async def main() -> None:
    bridge = Bridge()
    await bridge.start(sys.argv[1])
    discord.http.Route.BASE = f"{bridge.base}/api/v10"
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(f"ws://127.0.0.1:{bridge.told['port']}/gateway")
    client = Client()
    running = asyncio.create_task(client.start(bridge.told["token"]))
    checks = Checks(bridge, client)
    try:
        for name, check in vars(Checks).items():
            if name in STEPS:
                await check(checks)
                print(f"ok {name}", flush=True)
    finally:
        await client.close()
        running.cancel()
        await bridge.end()


STEPS = (
    "ready", "command_sync", "mention", "deferral", "edit", "follow_up", "autocomplete", "button", "modal", "attachment",
    "direct_message", "thread", "nonce", "history", "permissions", "rate_limits", "resume_after_op7", "resume_after_an_abrupt_close",
    "a_new_session", "nothing_wrong",
)

if __name__ == "__main__":
    asyncio.run(main())
