"""`tito dev mutate`: how many planted mistakes the learner's checks catch."""

import typer


def mutate(
    modules: list[str] = typer.Argument(None, help="03, layers; all that are there by default."),
    exercise: str = typer.Option(None, "--exercise", help="One exercise, such as 03.2."),
    jobs: int = typer.Option(2, "--jobs", min=1, help="How many processes share the work."),
    json_file: str = typer.Option(None, "--json", help="Write the result to this file as well."),
):
    """Plant mistakes, and count how many are caught.

    They go into the reference solutions, one at a time, and the checks have to catch 90 % of them.
    """
    from tito.lint import course

    here = course.find(modules or ())
    found = {module: judge(here, module, exercises, jobs) for module, exercises in select(here, exercise)}
    if json_file:
        write_json(json_file, found)
    raise typer.Exit(conclude(found))


def select(course, exercise):
    """List the modules to mutate, each with its exercises; `exercise` narrows both down to one."""
    from tito.curriculum import UnknownExercise

    if exercise is None:
        return [(module, course.exercises(module)) for module in course.modules]
    module, number = course.curriculum.target(exercise)
    chosen = [one for one in course.exercises(module) if one.id == number] if module in course.modules else []
    if not chosen:
        raise UnknownExercise(f"no exercise {exercise} among the modules {', '.join(map(str, course.modules))}")
    return [(module, chosen)]


def judge(course, module, exercises, jobs):
    """Run a module's mutants, print what came of them, and return the scores; none if they could not be run."""
    from tito import console
    from tito.checks.checking import CheckBroken
    from tito.mutants.scoring import scores
    from tito.notebooks.problems import SourceError

    try:
        found = scores(course, module, exercises, jobs)
    except (CheckBroken, SourceError) as error:
        where = f"{course.label(course.checks_path(module))} " if isinstance(error, CheckBroken) else ""
        console.say(f"{module}: nothing was mutated\n  {where}{error}\n", style="red")
        return []
    show(module, found)
    return found


def show(module, scores):
    """Print a module's table, and below it the lines of every survivor."""
    from tito import console

    console.say(f"{module}: {summary(scores)}", style="bold")
    for one in scores:
        share = f"{one.caught} of {one.total} caught"
        console.say(f"  {one.exercise.id:6}{one.exercise.name:36}{share}")
    for one in scores:
        for mutant in one.survivors:
            survivor(mutant, dict(one.excused).get(mutant))
        for number, before, after in one.outdated:
            console.say(f"  {number} is caught now, take it out of survivors.toml: {before!r} -> {after!r}")
    console.say()


def survivor(mutant, reason):
    """Print a survivor as a difference of lines."""
    from tito import console

    console.say(f"  {mutant.exercise} survives{': ' + reason if reason else ''}", style=None if reason else "yellow")
    for sign, text in (("-", mutant.before), ("+", mutant.after)):
        for line in text.split("\n"):
            console.say(f"      {sign} {line}")


def summary(scores):
    """Say which share of the mutants was caught: of all, and of those that have no reason to live."""
    total, caught = sum(one.total for one in scores), sum(one.caught for one in scores)
    excused = sum(len(one.excused) for one in scores)
    return (
        f"{percent(caught, total)} of {total} mutants caught; {percent(caught, total - excused)} but for {excused} with a reason"
    )


def percent(part, whole):
    """Format a share, rounded down: 90 % means at least 90 %."""
    return f"{1000 * part // whole / 10:.1f} %" if whole else "none"


def conclude(found):
    """Print what to do next, and return the exit status."""
    from tito import console

    weak = [module for module, scores in found.items() if not strong(scores)]
    if weak:
        console.next_step(f"sharpen modules/{weak[0].folder}/checks.py, then tito dev mutate {weak[0].number}")
    else:
        console.next_step("tito dev check" if found else "write an exercise: nothing was mutated")
    return 1 if weak or not found else 0


def strong(scores):
    """Say whether enough of some mutants were caught; survivors with a reason count as survivors."""
    from tito.mutants.scoring import GOAL

    total = sum(one.total for one in scores)
    return total > 0 and sum(one.caught for one in scores) >= GOAL * total


def write_json(path, found):
    """Write the result as JSON."""
    import json
    from pathlib import Path

    rows = [
        {
            "exercise": one.exercise.id,
            "name": one.exercise.name,
            "mutants": one.total,
            "caught": one.caught,
            "survivors": [
                {"before": mutant.before, "after": mutant.after, "reason": dict(one.excused).get(mutant)}
                for mutant in one.survivors
            ],
        }
        for scores in found.values()
        for one in scores
    ]
    Path(path).write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
