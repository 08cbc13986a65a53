"""`tito grade autograde`: mark submissions."""

import os
from pathlib import Path

import typer

SAYS_YES = "--unsafe-no-sandbox"
EVERY = 60  # seconds between two lines on the progress, where no line can be replaced


def autograde(
    module: str = typer.Argument(help="03, 3 or layers; 03.2 to mark one exercise again."),
    course: Path = typer.Option(Path("."), "--course", help="The class's folder."),
    student: str = typer.Option(None, "--student", help="Mark only this student's submission."),
    timeout: float = typer.Option(10.0, help="Seconds that each exercise may take."),
    workers: int = typer.Option(max(1, (os.cpu_count() or 2) // 2), min=1, help="Submissions to mark at the same time."),
    scheduler: str = typer.Option(None, help="Mark on a Dask cluster, such as tcp://10.0.0.1:8786."),
    force: bool = typer.Option(False, "--force", help="Mark also what has not changed since it was marked."),
    wanted: str = typer.Option(
        None, "--sandbox", help="bubblewrap, podman or docker; by default the first of them that works here."
    ),
    unsafe: bool = typer.Option(
        False, SAYS_YES, help="Run submissions with your own rights: they can read and change your files."
    ),
):
    """Mark submissions.

    Marks go into the gradebook, and each student gets feedback. A rerun marks what is new or has changed.
    """
    from tito import console, workspace
    from tito.commands.grade import of, refresh_penalties, say_untimed
    from tito.commands.grade.release import enter, known_exercise

    target, exercise = workspace.Workspace(workspace.course_dir()).curriculum.target(module)
    chosen, classroom = enter(target.number, course)
    known_exercise(chosen, exercise)
    waiting = handed_in(classroom, chosen, student, of(course))
    with classroom.opened():
        jobs = new_jobs(classroom, chosen, waiting, force or exercise is not None)
        if len(jobs) < len(waiting):
            console.say(
                f"{len(waiting) - len(jobs)} of {len(waiting)} have not changed since they were marked; --force repeats them."
            )
        unmarked = mark_all(classroom, chosen, jobs, exercise, timeout, workers, scheduler, wanted, unsafe) if jobs else []
        current = refresh_penalties(classroom, chosen)
        say_untimed(classroom, chosen)
    if unmarked:
        console.say(f"\nNot marked: {', '.join(unmarked)}. The gradebook keeps what it had.", style="red")
        console.next_step(f"read why above, then tito grade autograde {chosen.number} --student {unmarked[0]}{of(course)}")
        raise typer.Exit(1)
    console.next_step(
        f"read {classroom.path('feedback', chosen, 'NAME').relative_to(classroom.folder).as_posix()}/feedback.txt, "
        f"then tito grade export {chosen.number}{of(course)}"
    )
    raise typer.Exit(0 if current else 1)


def handed_in(classroom, module, student, where):
    """Return the folders of the submissions to mark, by student; `where` ends the next command.

    Raises:
        typer.Exit: There is none, or the class has no release of the module in its current form.
    """
    from tito.grading import assignment

    submissions = classroom.submissions(module)
    place = classroom.path("submitted", module, student or "NAME")
    checks = {name: points for name, points in classroom.points(module).items() if name.startswith("check-")}
    if checks != assignment.points(module):
        refuse(
            f"{classroom.folder} has no release of module {module} with the course's current exercises and points",
            f"tito grade release {module.number}{where}",
        )
    released = classroom.path("release", module) / f"{module.name}.ipynb"
    if not released.is_file():
        refuse(f"{released} is missing, and marked notebooks are made of it", f"tito grade release {module.number}{where}")
    if not submissions or student and student not in submissions:
        refuse(
            f"nothing was handed in: there is no {place}",
            f"put {module.name}.ipynb there, or tito grade collect {module.number} FILE.zip{where}",
        )
    return {student: submissions[student]} if student else submissions


def new_jobs(classroom, module, waiting, force):
    """Return what is to be marked: a dict from student to the hash of the submission, without those marked already."""
    from tito.grading import verdicts

    course, done = verdicts.course_digest(module), set() if force else classroom.marked(module)
    jobs = {}
    for student, folder in waiting.items():
        digest = verdicts.digest(verdicts.hand_in(folder, module)) + course
        if student not in done or verdicts.load(classroom, module, student).get("digest") != digest:
            jobs[student] = folder, digest
    return jobs


def mark_all(classroom, module, jobs, exercise, timeout, workers, scheduler, wanted, unsafe):
    """Mark submissions, and record each as soon as its marks are there.

    Returns:
        The students whose submissions could not be marked because the machine failed.
    """
    from tito import console
    from tito.grading import assignment, sandbox, workers as pool

    box = confinement(wanted, unsafe)
    seeds = draw(module, {"timeout": timeout, **(sandbox.options(box) if box else {})})
    exercises = [{"id": each.id, "name": each.name, "worth": each.points} for each in assignment.exercises(module)]
    unmarked, unread, meter = [], [], Meter(len(jobs))
    console.say(f"{'student':24}{'exercises':>12}{'points':>12}")
    try:
        with pool.cluster(scheduler) if scheduler else pool.local(min(workers, len(jobs))) as each:
            work = submissions(classroom, module, jobs, seeds, timeout, box, lambda *empty: finish(*empty))

            def finish(student, record):
                if not settle(classroom, module, student, {**record, "digest": jobs[student][1]}, exercise, meter):
                    unmarked.append(student)
                elif record["reason"]:
                    unread.append((student, record["reason"]))

            empty = pool.nothing(exercises, "")
            for student, future in each(work(empty), exercises):
                try:
                    record = future.result()
                except Exception as error:
                    meter.say(f"{student:24}  not marked: {type(error).__name__}: {error}", style="red")
                    unmarked.append(student)
                    continue
                finish(student, record)
    except pool.NotMarked as error:
        refuse(str(error), "fix that, then run the command again; what is marked stays marked", 1)
    if unread:
        console.say("\nNot readable, and so without points; look at them yourself:")
        for student, reason in unread:
            console.say(f"  {student:22}  {reason.splitlines()[0][:200]}")
    return unmarked


def submissions(classroom, module, jobs, seeds, timeout, box, finish):
    """Return a function that yields (student, job) for the files that are there, and finishes the others at once."""
    from tito.grading import verdicts, workers as pool

    def work(empty):
        for student, (folder, _) in jobs.items():
            handed = verdicts.hand_in(folder, module)
            if isinstance(handed, str):
                finish(student, {**empty, "reason": handed})
            else:
                yield student, pool.job(module, handed, seeds, timeout, box, own_modules(classroom, module, student))

    return work


def own_modules(classroom, module, student):
    """Return what a student handed in for the modules before this one: a dict from the package's files to their texts."""
    from tito import workspace
    from tito.grading import verdicts

    earlier = workspace.Workspace(workspace.course_dir()).curriculum.prerequisites(module)
    texts = {each.exports: verdicts.load(classroom, each, student).get("text") for each in earlier}
    return {name: text for name, text in texts.items() if text}


def settle(classroom, module, student, record, exercise, meter):
    """Record what was found about a submission: gradebook, marked notebook, feedback, verdict; then print its line.

    The verdict comes last, so that a kill before it means no more than marking the submission once more.

    Returns:
        Whether it was recorded. An error in one submission does not keep the others from being marked.
    """
    from tito.grading import gradebook, verdicts

    try:
        before = verdicts.load(classroom, module, student)
        if exercise and (other := difference(before, record)):
            meter.say(f"{student:24}  all exercises are marked: {other}")
            exercise = None
        if exercise:
            record = merged(before, record, exercise)
        enter_marks(classroom, module, student, record, before, exercise)
    except Exception as error:
        meter.say(f"{student:24}  not marked: {gradebook.reason(error)}", style="red")
        return False
    try:
        verdicts.save(classroom, module, student, record)
    except OSError as error:
        meter.say(f"{student:24}  marked, but its record is not written: {gradebook.reason(error)}", style="red")
        return False
    tell(student, record, meter)
    return True


def enter_marks(classroom, module, student, record, before, exercise):
    """Write a submission's points, marked notebook and feedback; an error leaves the gradebook as it was."""
    from tito.grading import assignment, feedback, marked, penalties

    points = {assignment.grade_id(each["id"]): each["points"] for each in record["exercises"] if exercise in (None, each["id"])}
    written = {name: text != before.get("answers", {}).get(name) for name, text in record["answers"].items()}
    with classroom.changing() as gradebook:
        asked = [name for name in classroom.points(module) if name.startswith("answer-")]
        classroom.enter_into(gradebook, module, student, points, {name: written.get(name, True) for name in asked})
        penalties.penalize(classroom, gradebook, gradebook.find_submission(module.folder, student))
        marked.write(classroom, module, student, record)
        feedback.write(classroom, module, student, record)


def tell(student, record, meter):
    """Print the line of a submission, and below it what the instructor may want to look at."""
    from tito.checks import layout

    passed = sum(each["status"] == "passed" for each in record["exercises"])
    exercises, points = f"{passed} of {len(record['exercises'])}", f"{record['points']} of {record['maximum']}"
    reason = layout.clean(record["reason"].splitlines()[0][:200]) if record["reason"] else ""
    meter.done(f"{student:24}{exercises:>12}{points:>12}   {reason}".rstrip())
    own = (record.get("own") or {}).get("failing")
    failing = [f"on the student's own earlier modules (no points depend on it) these fail: {', '.join(own)}"] if own else []
    for text in [*record["notes"][:5], *record["flags"], *failing]:
        meter.say(f"{'':26}{layout.clean(text[:300])}", style="yellow")


def difference(before, record):
    """Return why the verdicts of two records do not belong together, or None if both are about the same file."""
    from tito.grading import verdicts

    if not before:
        return "it was not marked before"
    if not verdicts.is_marked(before, verdicts.of_submission(record)):
        return "it has changed since it was marked"
    return "it could not be read" if before["reason"] or record["reason"] else None


def merged(before, record, exercise):
    """Return what was found before, with one exercise as it was found now.

    Its digest stays the earlier one: if the course has changed since, the other exercises are still to be marked by it.
    """
    fresh = {each["id"]: each for each in record["exercises"]}
    lines = [fresh[each["id"]] if each["id"] == exercise else each for each in before["exercises"]]
    return {**before, "exercises": lines, "points": sum(each["points"] for each in lines)}


class Meter:
    """The progress of a class: how many are marked, how fast, and how long the rest takes."""

    def __init__(self, total):
        import time

        self.total, self.count, self.clock = total, 0, time.monotonic
        self.began = self.told = self.clock()

    def say(self, text, style=None):
        from tito import console

        console.pending()
        console.say(text, style=style)

    def done(self, text):
        from tito import console

        self.count += 1
        self.say(text)
        now = self.clock()
        rate = self.count / max(now - self.began, 1e-3)
        left = (self.total - self.count) / rate
        rest = f"{left / 60:.0f} min left" if left >= 60 else "less than a minute left"
        progress = f"  {self.count} of {self.total}, {60 * rate:.0f} a minute, {rest}" if left else ""
        console.pending(progress)
        if progress and console.plain() and now - self.told > EVERY:
            self.told = now
            console.say(progress)


def confinement(wanted, unsafe):
    """Return the name of the sandbox that submissions run in, or None if `unsafe`.

    Raises:
        typer.Exit: There is none, or not the one that is wanted, and `unsafe` is not set.
    """
    from tito import console
    from tito.grading import sandbox

    if unsafe:
        console.say("No sandbox: a submission can read and change whatever you can.", style="red")
        return None
    if wanted not in (None, *sandbox.SANDBOXES):
        refuse(f"There is no sandbox {wanted}.", f"choose one of {', '.join(sandbox.SANDBOXES)}")
    try:
        return sandbox.choose(wanted)
    except sandbox.NoSandbox as error:
        refuse(
            f"Submissions are marked in a sandbox, and none works here:\n{error}",
            f"do what a line above says; or trust every submission: {SAYS_YES}",
        )


def draw(module, options):
    """Return the seeds for this run.

    Raises:
        typer.Exit: The course's own solutions do not pass here.
    """
    from tito.checks import checking, runner
    from tito.grading import judge

    try:
        return judge.draw_seeds(module, **options)
    except (judge.CourseBroken, checking.CheckBroken, runner.RunnerError) as error:
        refuse(str(error), f"fix the course: tito dev check {module.number}", 1)


def refuse(reason, next_step, status=2):
    """Print what is missing and what to do, and exit with a status."""
    from tito import console

    console.say(reason)
    console.next_step(next_step)
    raise typer.Exit(status)
