"""`tito dev mutate`: how many planted mistakes the learner's checks catch."""

from pathlib import Path

import typer


def mutate(
    modules: list[str] = typer.Argument(None, help="03, layers; all by default."),
    exercise: str = typer.Option(None, "--exercise", help="One exercise, such as 03.2."),
    jobs: int = typer.Option(2, "--jobs", min=1, help="Number of processes."),
    json_file: Path = typer.Option(None, "--json", help="Also write the result to this file."),
):
    """Plant mistakes, and count how many are caught.

    They go into the reference solutions, one at a time, and the checks must catch 95 % of them.
    """
    from tito.files import check_output
    from tito.lint import course

    check_output(json_file, ".json", "--json")
    here = course.find(modules or ())
    results = {module: judge(here, module, exercises, jobs) for module, exercises in select(here, exercise)}
    if json_file:
        write_json(json_file, results)
    raise typer.Exit(conclude(here, results))


def select(course, exercise):
    """List the modules to mutate, each with its exercises; `exercise` narrows both down to one."""
    from tito.curriculum import UnknownExercise

    if exercise is None:
        return [(module, course.exercises(module)) for module in course.modules]
    module, number = course.curriculum.target(exercise)
    chosen = [each for each in course.exercises(module) if each.id == number] if module in course.modules else []
    if not chosen:
        raise UnknownExercise(f"no exercise {exercise} among the modules {', '.join(map(str, course.modules))}")
    return [(module, chosen)]


def judge(course, module, exercises, jobs):
    """Run a module's mutants, print the result, and return the scores, or none if they could not run."""
    from tito import console
    from tito.checks.checking import CheckBroken
    from tito.mutants.scoring import scores
    from tito.notebooks.problems import SourceError

    try:
        module_scores = scores(course, module, exercises, jobs)
    except (CheckBroken, SourceError) as error:
        where = f"{course.label(course.checks_path(module))} " if isinstance(error, CheckBroken) else ""
        console.say(f"{module}: nothing was mutated\n  {where}{error}\n", style="red")
        return []
    show(module, module_scores)
    return module_scores


def show(module, scores):
    """Print a module's table, and the lines of every survivor below it."""
    from tito import console

    console.say(f"{module}: {summary(scores)}", style="bold")
    for score in scores:
        share = f"{score.caught} of {score.total} caught"
        console.say(f"  {score.exercise.id:6}{score.exercise.name:36}{share}")
    for score in scores:
        for mutant in score.survivors:
            survivor(mutant, dict(score.excused).get(mutant))
        for number, before, after in score.outdated:
            console.say(f"  {number} is caught now, remove it from survivors.toml: {before!r} -> {after!r}")
    console.say()


def survivor(mutant, reason):
    """Print a survivor as a diff."""
    from tito import console

    console.say(f"  {mutant.exercise} survives{': ' + reason if reason else ''}", style=None if reason else "yellow")
    for sign, text in (("-", mutant.before), ("+", mutant.after)):
        for line in text.split("\n"):
            console.say(f"      {sign} {line}")


def summary(scores):
    """Return the share of mutants that were caught: of all, and of those without a reason to survive."""
    total, caught = sum(score.total for score in scores), sum(score.caught for score in scores)
    excused = sum(len(score.excused) for score in scores)
    rest = f"{percent(caught, total - excused)} without the {excused} with a reason"
    return f"{percent(caught, total)} of {total} mutants caught; {rest}"


def percent(part, whole):
    """Format a share, rounded down: 95 % means at least 95 %."""
    return f"{1000 * part // whole / 10:.1f} %" if whole else "none"


def conclude(course, results):
    """Print what to do next, and return the exit status."""
    from tito import console

    weak = [module for module, scores in results.items() if not strong(scores)]
    if weak:
        console.next_step(f"sharpen {course.label(course.checks_path(weak[0]))}, then tito dev mutate {weak[0].number}")
    else:
        console.next_step("tito dev check" if results else "write an exercise: nothing was mutated")
    return 1 if weak or not results else 0


def strong(scores):
    """Return whether enough mutants were caught; survivors with a reason count as survivors."""
    from tito.mutants.scoring import GOAL

    total = sum(score.total for score in scores)
    return total > 0 and sum(score.caught for score in scores) >= GOAL * total


def write_json(path, results):
    """Write the result as JSON."""
    import json

    rows = [
        {
            "exercise": score.exercise.id,
            "name": score.exercise.name,
            "mutants": score.total,
            "caught": score.caught,
            "survivors": [
                {"before": mutant.before, "after": mutant.after, "reason": dict(score.excused).get(mutant)}
                for mutant in score.survivors
            ],
        }
        for scores in results.values()
        for score in scores
    ]
    path.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
