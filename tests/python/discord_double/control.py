"""/_ctl, by which a test acts as a person, as an administrator or as bad luck.

POST {"do": VERB, ...}: each verb is a function of people.py, commands.py, places.py or trouble.py, and takes what its parameters
say. The answer is 200 with the function's result, or 400 {"error": ...}.
"""
import inspect
import json

from aiohttp import web
from simcord.backend.errors import BackendError, SetupError

from . import commands, people, places, report, trouble
from .world import ControlError

VERBS = {
    name: function
    for module in (people, commands, places, trouble)
    for name, function in vars(module).items()
    if inspect.isfunction(function) and function.__module__ == module.__name__ and not name.startswith("_")
}
REPORTS = {name: function for name, function in vars(report).items() if inspect.isfunction(function) and not name.startswith("_")}


class Control:
    def __init__(self, bridge):
        self.bridge = bridge

    async def act(self, request: web.Request) -> web.Response:
        try:
            arguments = await request.json()
            verb = VERBS.get(arguments.pop("do", None))
            if verb is None:
                raise ControlError(f"there is no such verb; there are {sorted(VERBS)}")
            inspect.signature(verb).bind(self.bridge, **arguments)
            result = verb(self.bridge, **arguments)
            return web.json_response(await result if inspect.isawaitable(result) else result)
        except (ControlError, BackendError, SetupError, TypeError, ValueError, KeyError, json.JSONDecodeError) as error:
            return web.json_response({"error": f"{type(error).__name__}: {error}"}, status=400)

    async def tell(self, request: web.Request) -> web.StreamResponse:
        report = REPORTS.get(request.match_info["what"])
        if report is None:
            return web.json_response({"error": f"there are {sorted(REPORTS)}"}, status=404)
        try:
            key = request.match_info.get("key")
            result = report(self.bridge, key) if key else report(self.bridge)
        except (ControlError, TypeError) as error:
            return web.json_response({"error": str(error)}, status=400)
        return result if isinstance(result, web.StreamResponse) else web.json_response(result)
