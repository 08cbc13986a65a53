"""The process that marks submissions for `tito grade`: it reads, decodes and compares, within limits of time and memory.

Run as `python -m tito.grading.process`. Each line of its input is a job: a submission's file and how to mark it. Its output are
lines of JSON: `{"at": ...}` before each step, so that the process that started it knows which step was too much for it, and
`{"record": ...}` or `{"failed": ...}` at the end.
"""

import base64
import contextlib
import json
import os
import sys

SECONDS = 20  # of the processor, for each step
MEMORY = 4 * 2**30  # bytes


def main():
    """Mark submissions until the input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever prints must not mix with the answers
    limit_memory()

    def tell(**said):
        answers.write(json.dumps(said) + "\n")
        answers.flush()

    def begin(step):
        tell(at=step)
        limit_time()

    for words in sys.stdin:
        try:
            tell(record=mark(json.loads(words), begin))
        except Exception as error:
            tell(failed=f"{type(error).__name__}: {error}"[:2000])


def mark(job, begin):
    """Return the record of one submission."""
    from tito import workspace
    from tito.grading import intake, judge, sandbox

    module = workspace.Workspace(workspace.course_dir()).curriculum.module(job["module"])
    handed = intake.Handed(job["name"], base64.b64decode(job["data"]), tuple(job["notes"]))
    options = sandbox.options(job["sandbox"]) if job["sandbox"] else {}
    about = {"own": job["own"], "timeout": job["timeout"], **options}
    judged = judge.judge_file(module, handed, job["seeds"], job["spared"], begin, **about)
    return judge.record(judged, module)


def limit_time():
    """Let the kernel end this process if the next step takes too long; processes that it starts have limits of their own."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
        resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + SECONDS, hard))


def limit_memory():
    """Limit the memory of this process, where the system can."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))


if __name__ == "__main__":
    main()
