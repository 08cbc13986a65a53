"""Run the learner's checks on the notebook as handed out, and on the reference solutions."""


def unwritten(course, module):
    """In the notebook as learners get it, every exercise is reported as not written yet."""
    for exercise, verdict in zip(course.exercises(module), course.verdicts(module, False)):
        if verdict.status != "unwritten":
            reason = f"{exercise.label} is not written, yet its check says: {verdict.status}{shown(verdict)}"
            yield course.at(module, reason, course.cell(module, exercise))


def solved(course, module):
    """The solved notebook passes every check, with only the modules that it requires; so reference equals oracle."""
    for exercise, verdict in zip(course.exercises(module), course.verdicts(module, True)):
        if verdict.status != "passed":
            reason = f"the reference of {exercise.label} does not pass: {verdict.status}{shown(verdict)}"
            yield course.at(module, reason, course.cell(module, exercise))


def shown(verdict):
    """Return on one line what a verdict shows a learner."""
    rows = verdict.failure.rows if verdict.failure else ()
    return "".join(f"; {label} {text}".replace("\n", " ") for label, text in rows)
