"""What the pages say to type: every block of code runs, and prints what stands below it; every command exists."""

import contextlib
import io
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```([\w{}-]*)[^\n]*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PAGES = sorted((ROOT / "book").glob("*.md"))
MADE = {"benchmarks", "differences"}  # made from records and tables, without code
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]


def blocks(path):
    """List a page's fenced blocks that are not directives, as pairs of language and text."""
    return [(kind, text) for kind, text in BLOCK.findall(path.read_text(encoding="utf-8")) if not kind.startswith("{")]


def test_every_block_says_what_it_is():
    seen = {kind for path in PAGES if path.stem not in MADE for kind, _ in blocks(path)}
    assert seen == {"python", "output", "sh", "powershell"}


RUN = """
import contextlib, io, json, linecache, sys
names, said = {}, []
for number, text in enumerate(json.load(sys.stdin)):
    file = f"block {number}"
    linecache.cache[file] = len(text), None, text.splitlines(True), file  # the simulator reads a kernel's source
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(compile(text, file, "exec"), names)
    said.append(out.getvalue())
json.dump(said, sys.stdout)
"""


@pytest.mark.parametrize(
    "path", [path for path in PAGES if any(kind == "python" for kind, _ in blocks(path))], ids=lambda path: path.stem
)
def test_code_runs_and_prints_what_the_page_shows(path):
    if "numba" in path.read_text(encoding="utf-8"):
        pytest.importorskip("numba", reason="the extra `kernels` is not installed")
    found = blocks(path)
    codes = [text for kind, text in found if kind == "python"]
    environment = {**os.environ, "TINYTORCH_WORKSPACE": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", RUN], input=json.dumps(codes), capture_output=True, text=True, encoding="utf-8", cwd=ROOT,
        env=environment, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = iter(json.loads(done.stdout))
    for at, (kind, _) in enumerate(found):
        if kind == "python":
            following = found[at + 1] if at + 1 < len(found) else ("", "")
            assert next(said) == (following[1] if following[0] == "output" else "")


def test_every_output_follows_the_code_that_printed_it():
    for path in PAGES:
        kinds = [kind for kind, _ in blocks(path)]
        assert all(before == "python" for before, kind in zip(["", *kinds], kinds) if kind == "output"), path.name


COMMANDS = sorted(
    {line.strip() for path in PAGES for kind, text in blocks(path) if kind in ("sh", "powershell") for line in text.splitlines()}
)
# What leaves this test: it needs a network, a shell of its own, an editor, or minutes. Each is a whole command, with the reason.
TAKEN_AS_READ = {
    "code mine": "opens an editor",
    "source .venv/bin/activate": "a shell's own",
    r".venv\Scripts\Activate.ps1": "a shell's own, on Windows",
    "py -m venv .venv": "Windows' launcher",
    "tito": "shown by tests/cli",
}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_can_be_typed(command, tmp_path):
    words = shlex.split(command)
    if command in TAKEN_AS_READ or (words[0] == "cd" and len(words) == 2):
        return
    installs = re.fullmatch(r'(?:uv pip|python3? -m pip) install (?:-c (\S+) )?-e "\.\[([\w,]+)\]"', command)
    if installs:
        assert set(installs[2].split(",")) <= set(EXTRAS) and (not installs[1] or (ROOT / installs[1]).is_file())
    elif words[:2] == ["uv", "sync"]:
        assert set(words[3::2]) <= set(EXTRAS) and set(words[2::2]) == {"--extra"}
    elif words[:2] == ["uv", "venv"] or words[1:] == ["-m", "venv", ".venv"]:
        assert len(words) in (2, 4)
    elif words[0] == "tito":
        assert accepted(words[1:])
    else:
        assert words[0] == "python" and (ROOT / words[1]).is_file(), command


def accepted(words):
    """Return whether tito has a command and the options that are given to it."""
    import typer

    from tito.app import app

    command, left = typer.main.get_command(app), list(words)
    while left and getattr(command, "commands", None):
        command = command.commands[left.pop(0)]
    given = {word for word in left if word.startswith("--")}
    known = {option for parameter in command.params for option in parameter.opts}
    passed_on = command.context_settings.get("ignore_unknown_options")
    if passed_on and left:  # a milestone's own options
        help = subprocess.run(
            [sys.executable, ROOT / "milestones" / f"{left[0].replace('-', '_')}.py", "--help"],
            capture_output=True, text=True, encoding="utf-8", check=False,
        )  # fmt: skip
        known |= set(re.findall(r"--[\w-]+", help.stdout))
    return given <= known


def test_a_command_that_does_not_exist_is_seen():
    assert accepted(["module", "start", "01"])
    assert not accepted(["module", "start", "--no-such-option"])
    with pytest.raises(KeyError):
        accepted(["module", "no-such-command"])


def test_commands_in_the_text_of_a_page_exist():
    for path in PAGES:
        for words in re.findall(r"`tito ((?:[a-z]+ ?)+)", path.read_text(encoding="utf-8")):
            assert accepted([word for word in words.split()[:2]]), (path.name, words)


def test_what_the_milestones_page_calls_usual_is_what_the_scripts_do():
    from tito.book.milestones import USUAL

    for name, usual in USUAL.items():
        text = (ROOT / "milestones" / f"{name.replace('-', '_')}.py").read_text(encoding="utf-8")
        if "recipe" in usual:
            assert f'choices=RECIPES, default="{usual["recipe"]}"' in text
    assert 'RECIPES = {"mnist": Recipe(epochs=5' in (ROOT / "milestones" / "mnist_mlp.py").read_text(encoding="utf-8")
    with contextlib.redirect_stdout(io.StringIO()):
        from tito.book import results
    group = {"dataset": "cifar10", "model": "lenet5", "kernels": "numpy", "gradients": "autograd", "epochs": 20}
    assert results.settings(group, USUAL["lenet5"]) == "`--data cifar10`"
    assert results.settings({**group, "dataset": "mnist"}, USUAL["lenet5"]) == "as it is"


def test_the_seconds_of_a_class_are_the_recorded_ones():
    record = json.loads((ROOT / "benchmarks" / "results" / "grading.json").read_text(encoding="utf-8"))
    text = " ".join((ROOT / "book" / "instructor_commands.md").read_text(encoding="utf-8").split())
    for name in ("tito", "nbgrader"):
        assert f"took {record[name]['seconds_each']:.1f} seconds for each submission" in text, name
