"""What ``understudy serve`` does once its options are known."""

import os
from collections.abc import Mapping

from understudy_server.cli.collector import for_good
from understudy_server.cli.failures import CommandFailed, ExitCode


def run_server(flags: Mapping[str, str | None]) -> None:
    """Run a server until it is told to stop; ``flags`` are texts by setting. Raises CommandFailed."""
    with for_good():
        from understudy_server.cli.lifetime import run_until_signal, serve_until
        from understudy_server.cli.settings import BadSettings, config_path, load_settings

    try:
        settings = load_settings(flags, os.environ)
    except BadSettings as error:
        raise CommandFailed(ExitCode.USAGE, str(error)) from error
    config = config_path(flags, os.environ)
    run_until_signal(lambda stop: serve_until(stop, settings, config), settings.log_format, settings.log_level)
