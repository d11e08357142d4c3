"""The page about the settings of ``understudy serve``, made of their source."""

from collections.abc import Iterator

from reference_pages.text import code, page, table
from settings_list import Setting, read_settings
from typer.core import TyperGroup
from typer.main import get_command
from understudy_server.cli.main import app

_ABOUT = """\
Settings of `understudy serve`. Each can stand in the environment, as `UNDERSTUDY_` and its name in capitals
(`UNDERSTUDY_API_RATE=120/60`), and in the file of `--config`, below `server:` (`api_rate: 120/60`). Those with a flag
can be given on the command line too. A flag counts more than the environment, the environment more than the file.
"""


def write() -> str:
    """The page."""
    return page("Settings", _parts())


def _parts() -> Iterator[str]:
    yield _ABOUT
    flags = _flags()
    yield from table(
        ("Setting", "Flag", "Default", "What it is"),
        [(code(each.name), flags.get(each.name, ""), _default(each), _about(each)) for each in read_settings()],
    )


def _about(setting: Setting) -> str:
    return f"{setting.about} One of {', '.join(map(code, setting.choices))}." if setting.choices else setting.about


def _default(setting: Setting) -> str:
    return code(setting.default) if setting.default else ""


def _flags() -> dict[str, str]:
    group = get_command(app)
    if not isinstance(group, TyperGroup):
        raise TypeError("the command line has no commands")
    return {each.name: code(each.opts[0]) for each in group.commands["serve"].params if each.name}
