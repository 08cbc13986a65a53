"""`tito update`: bring a workspace that an older course wrote along to today's."""

import typer


def update(
    dry_run: bool = typer.Option(False, "--dry-run", help="Say what would change, and change nothing."),
):
    """Bring a workspace made by an older course along.

    What is given is replaced by today's; what you wrote stays, cell by cell. A dated copy of every file that is replaced is
    kept under .tito/backups.
    """
    from tito import console, workspace
    from tito.update import files

    space = workspace.find()
    if files.is_unfinished(space) and not dry_run:
        console.say("An update was interrupted here: going on with it.")
        files.go_on(space)
    plan = files.plan(space)
    if not plan.written and not plan.leaving:
        console.say("This workspace is up to date.")
        console.next_step("tito")
        return
    for note in plan.notes:
        console.say(note)
    if plan.notes:
        console.say()
    if dry_run:
        for path, data in plan.changes.items():
            console.say(f"  {'leaves ' if data is None else 'written'}  {path}")
        console.say(f"{len(plan.written)} files would be written, {len(plan.leaving)} would leave. Nothing was changed.")
        console.next_step("tito update")
        return
    files.carry_out(space, plan)
    console.say(
        f"{len(plan.written)} files are today's, {len(plan.leaving)} have left. A copy of every file as it was is under .tito/backups."
    )
    console.next_step("tito")
