"""Checks messages and views with the block models of Slack's own library, slack_sdk 3.47.0.

usage: slack_blocks.py < LINES

Each line is {"text": ..., "blocks": [...]} or {"view": {...}}. Prints each failure with its line number and exits with 1 where there is
one. Slack's models pass over some limits: bot/src/slack/outgoing/limits.rs has them all.
"""
import json, logging, sys

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

logging.disable(logging.WARNING)


def block_failures(blocks):
    """One sentence for each block that the library does not know or refuses."""
    for i, raw in enumerate(blocks):
        try:
            block = Block.parse(raw)
            if block is None:
                yield f"block {i}: type {raw.get('type')!r} is not known"
            else:
                block.validate_json()
                block.to_dict()
        except (SlackObjectFormationError, TypeError, ValueError, KeyError, AttributeError) as error:
            yield f"block {i}: {error!r}"


def view_failures(raw):
    """The same for a view and its blocks."""
    try:
        View(**raw).validate_json()
    except (SlackObjectFormationError, TypeError, ValueError, KeyError, AttributeError) as error:
        yield f"view: {error!r}"
    yield from block_failures(raw.get("blocks", []))


def failures(line):
    """What is wrong with one line."""
    message = json.loads(line)
    if "view" in message:
        yield from view_failures(message["view"])
        return
    if not message.get("text", "").strip():
        yield "the text is empty"
    yield from block_failures(message["blocks"])


def main():
    n_messages, n_failures = 0, 0
    # Not `splitlines`: JSON may hold U+2028 as it is.
    for number, line in enumerate(sys.stdin, start=1):
        if not line.strip():
            continue
        n_messages += 1
        try:
            found = list(failures(line))
        except (json.JSONDecodeError, KeyError, AttributeError) as error:
            found = [f"not a message: {error!r}"]
        n_failures += len(found)
        for failure in found:
            print(f"line {number}: {failure}")
    if n_failures:
        sys.exit(1)
    print(f"{n_messages} messages pass")


if __name__ == "__main__":
    main()
