"""`tito update`: update a workspace that an older course wrote."""

import typer


def update(dry_run: bool = typer.Option(False, "--dry-run", help="Show what would change, and change nothing.")):
    """Update a workspace that an older course wrote.

    Given code is replaced by the current version; what you wrote is kept, cell by cell. A dated copy of every replaced file is
    kept under .tito/backups.
    """
    from tito import console, workspace
    from tito.update import files

    space = workspace.find()
    if files.is_unfinished(space) and not dry_run:
        console.say("An update was interrupted here: continuing it.")
        files.go_on(space)
    plan = files.plan(space)
    if not plan.changes:
        console.say("This workspace is up to date.")
        console.next_step("tito")
        return
    for note in plan.notes:
        console.say(f"  {note}")
    for line in summary(plan):
        console.say(f"  {line}")
    if dry_run:
        console.say("\nThis was a dry run: nothing was changed.")
        console.next_step("tito update")
        return
    files.carry_out(space, plan)
    console.say("\nDone. A dated copy of every replaced file is under .tito/backups.")
    console.next_step("tito")


def summary(plan):
    """Yield a line for each changed file of the learner, and one for the given files of each folder."""
    from collections import Counter
    from pathlib import PurePosixPath

    given = Counter()
    for label, data in plan.changes.items():
        folders = PurePosixPath(label).parts[:-1]
        if folders and folders[0] in ("milestones", "tinytorch") and (len(folders) > 1 or data is None):
            given["removed" if data is None else "written", "/".join(folders[:2])] += 1
        elif folders != (".tito",):
            yield f"written   {label}"
    for (what, folder), count in given.items():
        yield f"{what}   {folder}/: {count} given"
