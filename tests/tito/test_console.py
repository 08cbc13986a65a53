"""What a terminal shows: long lines are broken between words, everything else stays as it is."""

import pytest

from tito import console


@pytest.fixture
def shown(monkeypatch, capsys):
    """Return a function that prints a text on a terminal of some width, and returns its lines."""
    monkeypatch.setattr(console, "plain", lambda: False)

    def say(text, width=40, style=None):
        monkeypatch.setenv("COLUMNS", str(width))
        console.say(text, style)
        return capsys.readouterr().out.splitlines()

    return say


@pytest.mark.parametrize("style", [None, "yellow"])
def test_a_long_line_is_broken_between_words(shown, style):
    text = 'numba is not installed, so it is left out; to add it: pip install "tinytorch-course[kernels]"'
    lines = shown(text, style=style)
    assert len(lines) > 1 and max(map(len, lines)) <= 40 and " ".join(lines) == text


def test_the_rest_of_a_long_line_is_indented_below_it(shown):
    assert shown("  look  a finding of several words that is long") == ["  look  a finding of several words that", "    is long"]


@pytest.mark.parametrize("text", ["a" * 60, "short   with   gaps", "", "two\n  lines"])
def test_what_fits_or_cannot_be_broken_is_printed_as_it_is(shown, text):
    assert "\n".join(shown(text)) == text


def test_a_wide_terminal_shows_a_long_line_whole(shown):
    assert shown("word " * 18, width=100) == ["word " * 18]


def test_prose_is_as_wide_as_a_narrow_terminal_and_never_broken_twice(shown, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    text = "word " * 30
    lines = shown(console.wrap(text))
    assert {len(line) for line in lines[:-1]} == {39}, "no short line is left over in the middle"
    monkeypatch.setenv("COLUMNS", "200")
    assert max(map(len, console.wrap(text).splitlines())) <= 80
