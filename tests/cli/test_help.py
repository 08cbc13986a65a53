"""Every command's help: 80 columns, no word cut, and an example where an argument is missing."""

import re

import pytest
import typer
from typer.testing import CliRunner

from tito.app import app


def commands(command, words=()):
    """Yield each command below a command, with the words that call it."""
    yield words, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, (*words, name))


EVERY = {" ".join(words): command for words, command in commands(typer.main.get_command(app))}


@pytest.mark.parametrize("words", EVERY)
def test_help_fits_and_no_word_is_cut(words, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    said = CliRunner().invoke(app, [*[word for word in words.split() if words != "milestone run"], "--help"]).output
    assert said and max(map(len, said.splitlines())) <= 80
    assert not re.search(r"\w\.\.\.$", said, re.MULTILINE), "an ellipsis at the end of a line"


@pytest.mark.parametrize(
    "words",
    [words for words, one in EVERY.items() if any(part.param_type_name == "argument" and part.required for part in one.params)],
)
def test_a_missing_argument_shows_an_example(words):
    done = CliRunner().invoke(app, words.split())
    assert done.exit_code == 2 or "Usage" in done.output
    if not words.startswith("dev"):
        assert f"Example: tito {words} " in done.output
