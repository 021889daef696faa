"""A Discord on loopback for tests: starts the bridge of the package beside this file, which says what it is.

usage: discord_double.py [--port N] [--schemas FOLDER] [--privileged message_content] [--heartbeat-ms N] [--detached]
       discord_double.py --self-test --schemas FOLDER
"""
# The folder of the same name comes first in an import.
from discord_double.main import main

if __name__ == "__main__":
    main()
