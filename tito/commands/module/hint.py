"""`tito module hint`: show one more hint with each call."""

import typer


def hint(
    exercise: str = typer.Argument(help="The exercise, such as 03.2."),
    solution: bool = typer.Option(False, "--solution", help="Show the reference solution instead."),
    again: bool = typer.Option(False, "--again", help="Start from the first hint."),
):
    """Show one more hint for an exercise."""
    from tito import console, hints, workspace

    space = workspace.find()
    module, number = space.curriculum.target(exercise)
    if number is None:
        raise typer.BadParameter(f"name one exercise of module {module}, such as {module.number}.1", param_hint="EXERCISE")
    available = hints.of(module, number)
    if solution:
        console.say(hints.solution(module, number))
        console.next_step(f"close this, write it in your own words, then tito module test {number}")
        return
    shown = 1 if again else min(hints.shown(space, number) + 1, len(available))
    hints.remember(space, number, shown)
    console.say(f"{number}, hint {shown} of {len(available)}", style="bold")
    console.say()
    console.say(console.wrap(available[shown - 1]))
    more = f"tito module hint {number}" if shown < len(available) else f"tito module hint {number} --solution"
    console.next_step(f"tito module test {number}, or {more}")
