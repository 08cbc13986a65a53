"""`python -m tito.models JOB`: do a job of `jobs.py` in a process that may import the learner's package."""

import sys


def main():
    """Do the job; Ctrl-C ends it without a traceback, also during the imports."""
    try:
        from tito.models import jobs

        jobs.do(sys.argv[1])
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
