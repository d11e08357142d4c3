"""``understudy serve`` without what takes command lines apart, which takes longer to import than a server to start.

All its options are texts. A line of nothing but ``--name value`` and ``--name=value``, with the names that there are,
is read here; whatever else stands there is left to the command (`serving.py`), which helps, and says what is wrong.
"""

import errno
import os
import sys
from collections.abc import Mapping, Sequence

from understudy_server.cli.failures import CommandFailed, say

_COMMAND = "serve"
_INTERRUPTED = 130
FLAGS = frozenset(
    (
        "data",
        "config",
        "grpc",
        "rest",
        "proxy",
        "proxy_bound",
        "assertive",
        "init_stubs",
        "grpc_tls",
        "rest_tls",
        "proxy_tls",
        "proxy_upstream_allow",
        "proxy_upstream_ca",
        "api_rate",
        "plan",
        "durability",
        "journal",
        "ready_file",
        "metrics",
        "log_format",
        "log_level",
    )
)
"""The parameters of the command."""


def plain_flags(arguments: Sequence[str]) -> Mapping[str, str | None] | None:
    """What a line says for each option (``None``: nothing); ``None`` for a line that is left to the command."""
    if not arguments or arguments[0] != _COMMAND:
        return None
    flags: dict[str, str | None] = dict.fromkeys(FLAGS)
    rest = iter(arguments[1:])
    for each in rest:
        option, is_joined, value = each.partition("=")
        name = option.removeprefix("--").replace("-", "_")
        if option != f"--{name.replace('_', '-')}" or name not in FLAGS:
            return None
        if not is_joined:
            value = next(rest, "-")
            if value.startswith("-"):
                # It may be the next option, where somebody forgot a value.
                return None
        flags[name] = value
    return flags


def serve_plainly(flags: Mapping[str, str | None]) -> None:
    """Run a server as the command does, and end as it ends."""
    from understudy_server.cli.run_server import run_server

    try:
        run_server(flags)
    except CommandFailed as failure:
        say(failure)
        sys.exit(failure.exit_code)
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    except OSError as error:
        if error.errno != errno.EPIPE:
            raise
        # Whoever read what we say is gone, and what is left of it would be a complaint at the end of the process.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
