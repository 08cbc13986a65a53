"""`tito milestone grade`: a verdict on a training run, by evidence."""

import textwrap
from pathlib import Path

import typer


def grade(
    name: str = typer.Argument(help="The milestone; `tito milestone list` shows which there are."),
    run: Path = typer.Option(None, help="Folder that the run was kept in (runs/NAME)."),
    data_dir: Path = typer.Option(None, help="Folder of the data, as for the run."),
):
    """Say whether your package has learned what the milestone asks for.

    No log is read: the saved weights are loaded into the milestone's network, and their answers to the test examples counted.
    Your gradients are compared with measured slopes, and every layer has to have moved.
    """
    from tito import console, workspace
    from tito.evidence import verdict

    space = workspace.find()
    milestone = space.curriculum.milestone(name)
    if milestone.floor is None:
        raise workspace.WorkspaceError(f"{milestone.name} is not in this release yet")
    path = (run or space.root / "runs" / milestone.name) / "weights.safetensors"
    saved = verdict.read(path, milestone)
    milestone = milestone.chosen(saved.choices)
    rows = verdict.judge(milestone, saved, verdict.examples(milestone, data_dir), space.root)
    console.say(f"{milestone.name}: {space.label(path)}")
    console.say()
    for row in rows:
        begin = f"  {'passed' if row.passed else 'failed'}  "
        text = textwrap.fill(f"{row.what}: {row.found}", 79, initial_indent=begin, subsequent_indent=" " * 10)  # 80 where ± is +-
        console.say(text, style=None if row.passed else "red")
    passed = all(row.passed for row in rows)
    console.next_step("tito" if passed else f"tito milestone run {milestone.name}")
    raise typer.Exit(0 if passed else 1)
