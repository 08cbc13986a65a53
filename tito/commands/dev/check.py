"""`tito dev check`: the authors' lint."""

import typer


def check(
    modules: list[str] = typer.Argument(None, help="03, layers; all by default."),
    rule: list[str] = typer.Option(None, "--rule", help="Check only this rule; may be repeated."),
    show_rules: bool = typer.Option(False, "--list", help="List the rules and what each requires."),
):
    """Check that the modules follow the rules of the course.

    The rules are about sources, checks, limits, prose and answers.
    """
    from tito import console
    from tito.lint import RULES, course

    wanted = chosen(rule) if rule else RULES
    if show_rules:
        for listed in wanted:
            console.say(f"  {listed.name:18}{listed.purpose}")
        console.next_step("tito dev check")
        return
    here = course.find(modules or ())
    broken = [each.name for each in wanted if not passes(each, here)]
    exercises = sum(len(readable(here, module)) for module in here.modules)
    conclude(wanted, broken, exercises, here)
    raise typer.Exit(1 if broken or not exercises else 0)


def chosen(names):
    """Return the rules with these names."""
    from tito.curriculum import UnknownName
    from tito.lint import RULES, named

    for name in names:
        if named(name) is None:
            raise UnknownName(name, {rule.name: rule.name for rule in RULES}, "rule")
    return [named(name) for name in names]


def passes(rule, course):
    """Check one rule, print the result, and return whether it is kept; warnings do not count."""
    import time

    from tito import console

    start = time.perf_counter()
    problems = list(dict.fromkeys(rule.problems(course)))
    errors = [problem for problem in problems if not problem.warning]
    word = f"{len(errors)} {'problem' if len(errors) == 1 else 'problems'}" if errors else "ok"
    console.say(f"  {rule.name:18}{word:14}{time.perf_counter() - start:5.1f} s", style="red" if errors else None)
    for problem in problems:
        console.say(f"      {'look: ' if problem.warning else ''}{problem}", style="yellow" if problem.warning else None)
    return not errors


def readable(course, module):
    """Return a module's exercises, or none if its source cannot be read."""
    from tito.notebooks.problems import SourceError

    try:
        return course.exercises(module)
    except SourceError:
        return ()


def conclude(rules, broken, exercises, course):
    """Print a summary, and what to do next."""
    from tito import console

    console.say()
    console.say(
        f"{len(rules)} rules, {len(course.modules)} modules, {exercises} exercises: "
        f"{'all kept' if not broken else f'{len(broken)} not kept'}"
    )
    if broken:
        console.next_step(f"fix the first problem, then tito dev check --rule {broken[0]}")
    elif not exercises:
        console.next_step("write a module with an exercise: nothing was checked")
    else:
        console.next_step("tito dev mutate")
