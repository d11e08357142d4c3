import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner
from understudy_server.cli import main
from understudy_server.cli.nouns import build

NOUNS = ("session", "override", "scenario", "mock", "state", "environment", "project", "key")


def help_of(app: typer.Typer, *arguments: str) -> str:
    result = CliRunner(env={"COLUMNS": "200"}).invoke(app, [*arguments, "--help"], prog_name="understudy")
    assert result.exit_code == 0
    return result.stdout


def test_the_list_of_commands_is_the_same_whatever_is_built() -> None:
    assert help_of(build([])) == help_of(main.app)


@pytest.mark.parametrize("noun", NOUNS)
def test_a_noun_that_is_named_has_all_its_commands(noun: str) -> None:
    alone = build([noun, "list", "--json"])
    assert help_of(alone, noun) == help_of(main.app, noun)
    assert "list" in help_of(alone, noun) or noun == "override"


def test_there_is_nothing_else_to_be_had_by_name() -> None:
    with pytest.raises(AttributeError):
        _ = main.nothing


_COUNTED = """
import gc, sys
from understudy_server.cli.main import main
looked = []
gc.collect()
gc.callbacks.append(lambda phase, info: looked.append(phase))
sys.argv = ["understudy", "mock", "list", "--data", "/nonexistent"]
try:
    main()
except SystemExit:
    print(looked.count("start"), gc.get_freeze_count() > 0)
"""


def test_a_command_is_not_looked_through_for_garbage() -> None:
    """What it imports lives until its end, and to look through it several times takes as long as some commands do."""
    ran = subprocess.run([sys.executable, "-c", _COUNTED], capture_output=True, text=True, check=True)
    times, frozen = ran.stdout.split()
    assert int(times) <= 5
    assert frozen == "True"
