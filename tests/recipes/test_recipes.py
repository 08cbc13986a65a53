"""The recipes of CONTRIBUTING.md, each followed to the letter on a copy of the repository.

A recipe is a heading `### Add ...` with blocks below it. The first line of a block says what it is:

    ```python FILE              a new file
    ```python FILE below TEXT   lines that go below the first line of the file that holds TEXT
    ```python FILE after TEXT   a definition that goes after the one whose first line holds TEXT
    ```sh                       what to run, from the top of the repository
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
BLOCK = re.compile(
    r"^```(?P<language>\w+)(?: (?P<file>\S+)(?: (?P<how>below|after) (?P<text>[^\n]+))?)?\n(?P<body>.*?)^```$", re.M | re.S
)
RECIPES = {
    heading: list(BLOCK.finditer(body))
    for heading, body in re.findall(r"^### (Add [^\n]+)\n(.*?)(?=^### |^## |\Z)", GUIDE, re.M | re.S)
}
PROMISED = ["an op", "an optimizer", "a data set", "a misconception", "a command", "a lint rule", "a module"]
QUICK = {"Add an op", "Add a misconception"}  # the others are followed with `-m slow`


def test_every_promised_recipe_is_there():
    assert list(RECIPES) == [f"Add {what}" for what in PROMISED]
    for blocks in RECIPES.values():
        assert blocks[-1]["language"] == "sh" and any(block["file"] for block in blocks)


@pytest.fixture
def copy(tmp_path):
    """A copy of what git knows of the repository."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("this is no clone, so that a copy of the repository cannot be made")
    for name in filter(None, listed.stdout.decode().split("\0")):
        target = tmp_path / "copy" / name
        if (ROOT / name).is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, target)
    return tmp_path / "copy"


def follow(block, root):
    """Do what a block says."""
    path = root / block["file"]
    if not block["how"]:
        assert not path.exists(), f"{block['file']} is there already"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block["body"], encoding="utf-8")
        return
    lines = path.read_text(encoding="utf-8").split("\n")
    at = next((number for number, line in enumerate(lines) if block["text"] in line), None)
    assert at is not None, f"no line of {block['file']} holds {block['text']}"
    new = block["body"].rstrip("\n").split("\n")
    if block["how"] == "after":
        at = next(number for number in range(at + 1, len(lines)) if number + 1 == len(lines) or is_end(lines, number))
        new = ["", "", *new]
    lines[at + 1 : at + 1] = new
    path.write_text("\n".join(lines), encoding="utf-8")


def is_end(lines, number):
    """Say whether a definition ends with a line: what is not blank comes next at the margin."""
    following = next((line for line in lines[number + 1 :] if line.strip()), "")
    return bool(lines[number].strip()) and not following.startswith((" ", ")", "]"))


def run(commands, root):
    """Run a block's commands with the copy's tito and package."""
    environment = {name: value for name, value in os.environ.items() if name != "TINYTORCH_WORKSPACE"}
    for command in commands.strip().split("\n"):
        words = shlex.split(command, comments=True)
        words = [sys.executable, *(words[1:] if words[0] == "python" else ["-m", *words])]
        done = subprocess.run(
            words,
            cwd=root,
            env={**environment, "PYTHONPATH": str(root)},
            text=True,
            encoding="utf-8",
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}{done.stderr[-2000:]}"


@pytest.mark.parametrize("name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in RECIPES])
def test_the_recipe_works(name, copy):
    for block in RECIPES[name]:
        if block["file"]:
            follow(block, copy)
    for block in RECIPES[name]:
        if block["language"] == "sh":
            run(block["body"], copy)
