"""`tito milestone grade`: grade a training run by its saved weights and the package's gradients."""

import textwrap
from pathlib import Path

import typer


def grade(
    name: str = typer.Argument(help="The milestone; `tito milestone list` lists them."),
    run: Path = typer.Option(None, help="Folder of the run (runs/NAME)."),
    data_dir: Path = typer.Option(None, help="Folder of the data, as for the run."),
):
    """Grade a training run.

    Loads the saved weights into the milestone's network and measures their accuracy on the test examples. Compares your
    gradients with finite differences, and checks that training changed every layer. Logs do not count.
    """
    from tito import console, workspace
    from tito.evidence import passed, verdict

    space = workspace.find()
    milestone = space.curriculum.milestone(name)
    if milestone.floor is None:
        raise workspace.WorkspaceError(f"{milestone.name} is not in this release yet")
    path = (run or space.root / "runs" / milestone.name) / "weights.safetensors"
    saved = verdict.read(path, milestone)
    milestone = milestone.chosen(saved.choices)
    console.say(f"{milestone.name}: {space.label(path)}")
    with console.working("running your package on the test images"):
        rows = verdict.judge(milestone, saved, verdict.examples(milestone, data_dir), space.root)
    console.say()
    for row in rows:
        console.say(
            line("passed" if row.passed else "failed", f"{row.what}: {row.found}"), style="green" if row.passed else "red"
        )
    caveats = passed.caveats(space, milestone, saved.about)
    for caveat in caveats:
        console.say(line("note", caveat), style="yellow")
    if all(row.passed for row in rows):
        passed.keep(space, milestone, [(row.what, row.found) for row in rows], caveats, path)
        console.say()
        console.say(f"{milestone.name} is passed{', subject to the notes above' * bool(caveats)}.", style="bold green")
        console.next_step("tito")
        raise typer.Exit(0)
    reason, command = again(milestone, rows, saved.about)
    if reason:
        console.say()
        console.say(reason, style="yellow")
    console.next_step(command)
    raise typer.Exit(1)


def line(word, text):
    """Return a row of the verdict, with its sign."""
    from tito import console

    begin, width = f"  {console.SIGNS[word]} {word:7} ", console.text_width() - 1  # ± may be printed as +-
    return textwrap.fill(text, width, initial_indent=begin, subsequent_indent=" " * len(begin), break_on_hyphens=False)


def again(milestone, rows, about):
    """Return the advice after a failure and the next command: train longer if only the accuracy is too low."""
    command = f"tito milestone run {milestone.name}"
    epochs, usual = about.get("epochs"), about.get("usual_epochs")
    if [row.what for row in rows if not row.passed] != ["test accuracy"] or not isinstance(epochs, int):
        return "", command
    longer = f" --epochs {2 * epochs}" if epochs >= (usual or 0) else ""
    too_few = f"{epochs} epochs were" if epochs != 1 else "1 epoch was"
    return f"Train longer: {too_few} not enough.", command + longer
