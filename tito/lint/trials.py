"""What the learner's checks say about the notebook as it is handed out, and about the reference solutions."""


def unwritten(course, module):
    """The notebook as learners get it: every exercise is reported as not written yet, and no other way."""
    for exercise, verdict in zip(course.exercises(module), course.verdicts(module, False)):
        if verdict.status != "unwritten":
            reason = f"{exercise.label} is not written, yet its check says: {verdict.status}{told(verdict)}"
            yield course.at(module, reason, course.cell(module, exercise))


def solved(course, module):
    """The solved notebook passes every check, on the modules that it requires alone; so reference equals oracle."""
    for exercise, verdict in zip(course.exercises(module), course.verdicts(module, True)):
        if verdict.status != "passed":
            reason = f"the reference of {exercise.label} does not pass: {verdict.status}{told(verdict)}"
            yield course.at(module, reason, course.cell(module, exercise))


def told(verdict):
    """Return in one line what a verdict shows a learner."""
    rows = verdict.failure.rows if verdict.failure else ()
    return "".join(f"; {label} {text}".replace("\n", " ") for label, text in rows)
