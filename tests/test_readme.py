"""What the README promises: its commands work, and it says what is there."""

import os
import re
import subprocess
import sys
import time
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
NOWHERE = "http://127.0.0.1:9"  # a proxy where nobody listens
README = (ROOT / "README.md").read_text(encoding="utf-8")


def command(name):
    """Return the command between two marks of the README."""
    return re.search(rf"<!-- {name} -->\n```\n(.*)\n```\n<!-- /{name} -->", README)[1]


def tito(*words, cwd, **variables):
    """Run tito; with variables, without the folder of data sets that this machine may have."""
    environment = {**os.environ, **variables}
    if variables:
        environment.pop("TINYTORCH_DATA", None)
    return subprocess.run(
        [sys.executable, "-m", "tito", *words],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )


def test_both_commands_install_this_project_with_extras_that_exist():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    for name in ("main-command", "test-command"):
        install, _, rest = command(name).partition(" && ")
        extra = re.fullmatch(r'python -m pip install -e "\.\[(\w+)\]"', install)[1]
        assert extra in extras
        assert rest


def test_the_main_command_trains_in_a_clone(tmp_path):
    """The README's own words, without a network and with an empty cache."""
    words = command("main-command").partition(" && ")[2].split()
    assert words[0] == "tito"
    offline = {"XDG_CACHE_HOME": str(tmp_path), "LOCALAPPDATA": str(tmp_path), "HOME": str(tmp_path), "https_proxy": NOWHERE}
    began = time.monotonic()
    done = tito(*words[1:], "--checkpoint", str(tmp_path / "run"), cwd=ROOT, **offline)
    assert done.returncode == 0, done.stdout + done.stderr
    assert float(re.search(r"\n  test accuracy +(\d+\.\d+)", done.stdout)[1]) > 90
    assert "5,000 MNIST images" in done.stdout and "come with the course" in done.stderr
    assert time.monotonic() - began < 120


def test_the_steps_to_an_own_workspace_work(tmp_path):
    steps = re.search(r"```\n(tito init mine\n.*?)```", README, re.DOTALL)[1].splitlines()
    assert steps == ["tito init mine", "cd mine", "tito module start 01"]
    assert tito("init", "mine", cwd=tmp_path).returncode == 0
    assert tito("module", "start", "01", cwd=tmp_path / "mine").returncode == 0


def test_every_command_that_is_named_exists():
    named = {tuple(words.split()[:3]) for words in re.findall(r"`tito ((?:[a-z]+ ?)+)", README)}
    assert named
    for words in named:
        assert tito(*[word for word in words if not word.isdigit()], "--help", cwd=ROOT).returncode == 0, words


def test_the_modules_said_to_be_here_are_here():
    first, last, others = re.search(r"modules (\d\d) to (\d\d) \([^)]*\)((?:\s+and \d\d)*)", README).groups()
    there = sorted(path.parent.name[:2] for path in (ROOT / "modules").glob("[0-9][0-9]_*/checks*"))
    said = [f"{number:02d}" for number in range(int(first), int(last) + 1)]
    assert there == [*said, *re.findall(r"\d\d", others)]


def test_the_extras_that_messages_name_exist():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    named = {
        name
        for folder in ("tito", "tinytorch", "milestones")
        for path in (ROOT / folder).rglob("*.py")
        for name in re.findall(r"tinytorch-course\[(\w+)\]", path.read_text(encoding="utf-8"))
    }
    assert named and named <= set(extras)
