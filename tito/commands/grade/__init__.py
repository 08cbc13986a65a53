"""The commands of `tito grade`, one per file."""

MOST = 50  # lines of a list


def of(course):
    """Return the option that names the class's folder, to end a next command with; "" for the current folder."""
    import shlex

    return f" --course {shlex.quote(course.as_posix())}" if course.parts else ""


def refresh_penalties(classroom, module):
    """Compute the late penalties of a module again, from the times, deadlines and settings of now, and tell what changed.

    Returns:
        Whether all could be computed.
    """
    from tito import console
    from tito.grading import feedback, penalties, verdicts

    changed, failed = penalties.recompute(classroom, module, verdicts.waiting(classroom, module))
    for student in changed:
        feedback.write(classroom, module, student)
    if changed:
        console.say(f"Late penalty changed: {named(changed)}")
    for student, reason in failed.items():
        console.say(f"{student}: the late penalty stays as it was: {reason}", style="red")
    return not failed


def say_untimed(classroom, module):
    """Tell whose submissions count as in time because it is not known when they were handed in."""
    from tito import console
    from tito.checks import layout
    from tito.grading import times

    reasons = classroom.untimed(module)
    if reasons:
        console.say("\nCounted as in time, because it is not known when they were handed in:", style="yellow")
    for reason, students in list(reasons.items())[:MOST]:
        console.say(layout.clean(f"  {named(students)}: {reason}"))
    if len(reasons) > MOST:
        console.say(f"  and {sum(map(len, list(reasons.values())[MOST:]))} more")
    if reasons:
        folder = classroom.path("submitted", module, "NAME").relative_to(classroom.folder).as_posix()
        console.say(f"  Collect them again with --timestamp {times.EXAMPLE}, or write the time into {folder}/{times.NAME}.")


def named(students, most=10):
    """Return students in a list for the screen, the first few of many."""
    rest = len(students) - most
    return ", ".join(students[:most]) + (f" and {rest} more" if rest > 0 else "")
