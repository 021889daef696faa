"""A Discord on loopback: the REST API and the gateway, version 10, over simcord's state, with people and trouble on order.

simcord (PyPI, pinned) is not ours: it keeps guilds, channels, messages and interactions, and judges what a bot sends. The bridge
around it speaks HTTP and WebSocket, and adds what Discord does and simcord leaves out. Where to look:

main.py         starts it, says where it listens, ends it with its standard input
bridge.py       what belongs together in one running bridge
world.py        the guild, the people and the channels that are there from the start, and how control names them
backend.py      simcord's state on the real clock, with Discord's threads, ephemeral messages and interaction tokens
wire.py         simcord's JSON with the fields that Discord has and serenity needs
records.py      all that was ever posted, with former texts; pings.py: whom it would wake, and which links would unfurl
rest.py         a request from arrival to answer; requests.py: its body; routes.py: routes that simcord lacks or gets wrong
rules.py        what Discord refuses and simcord takes; checks.py, limits.py, schemas.py: the judgement of bodies
rate_limits.py  buckets, headers, 429; faults.py: answers that fail on order
                nonces.py: what was sent before; cdn.py: files
gateway.py      sessions that are started and resumed; connection.py: sockets; session.py: what a session is sent; intents.py: what
                it may see
interactions.py commands, buttons, modals and completions, from the person's side to the bot's answer
control.py      /_ctl: the verbs of people.py, commands.py, places.py and trouble.py, and what report.py tells
self_test.py    shows that every judgement can fail; self_test_bridge.py and probe.py, that the bridge does what tests lean on
"""
