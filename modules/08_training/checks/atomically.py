"""The check of 08.7 atomically."""

import io
import sys
import tempfile
from pathlib import Path

from .shared import kind


def describe_atomically(name, before, ends, parts):
    there = "a file is there already" if before == "a file" else "no file is there yet"
    return f"atomically(path, write), where {there} and write ends {ends}", ""


def draw_atomically(rng):
    """A file that is there or is not; writing that ends well, with an exception of several types, or with Ctrl-C."""
    for before, ends in (
        ("a file", "normally"),
        ("none", "normally"),
        ("a file", "with an OSError"),
        ("none", "with an OSError"),
        ("a file", "with a ValueError"),
        ("a file", "with KeyboardInterrupt"),
    ):
        yield dict(
            name=f"state-{rng.integers(1000)}.bin",
            before=before,
            ends=ends,
            parts=[[int(i) for i in rng.integers(0, 256, 4)] for _ in range(3)],
        )


ENDS = {"with an OSError": OSError, "with a ValueError": ValueError, "with KeyboardInterrupt": KeyboardInterrupt}


def observe_atomically(atomically, name, before, parts, ends):
    """Write in three parts, end there or go on, and look at the file after every line that runs."""
    old, new = bytes([7, 7, 7]), b"".join(map(bytes, parts))
    with tempfile.TemporaryDirectory() as folder:
        path, moments, seen = Path(folder) / name, [], {"the bytes go to": "nothing: write was not called"}
        files = []
        if before == "a file":
            path.write_bytes(old)

        def look(*_):
            state = meaning(path, old, new)
            if moments[-1:] != [state]:
                moments.append(state)
            return look

        def write(file):
            seen["the bytes go to"] = target(file, path)
            files.append(file)
            for part in parts[:2]:
                file.write(bytes(part))
            if ends != "normally":
                raise ENDS[ends]("no space left")
            file.write(bytes(parts[2]))

        try:
            returned, ended = watched(look, atomically, path, write), "normally"
        except tuple(ENDS.values()) as error:
            if str(error) != "no space left":
                raise
            returned, ended = None, next(end for end, kind_of in ENDS.items() if isinstance(error, kind_of))
        look()
        left, is_open = beside(path), any(not file.closed for file in files)
    return {
        **seen,
        "what the name means, one moment after the other": moments,
        "it ended": ended,
        "files left beside it": len(left),
        "returned": kind(returned),
        "the file for write, in the end": "open" if is_open else "closed",
    }


def beside(path):
    """Return the names of the other files in the folder of a path."""
    return {other.name for other in path.parent.iterdir() if other != path}


def watched(look, function, *arguments):
    """Call a function, and look after every line that runs and every call of something built in."""
    before = sys.gettrace(), sys.getprofile()
    look()
    sys.settrace(look)
    sys.setprofile(look)
    try:
        return function(*arguments)
    finally:
        sys.settrace(before[0])
        sys.setprofile(before[1])


GAP, COPY = "neither of both", "neither of both, with another file beside it"


def meaning(path, old, new):
    """Say what a name means now."""
    try:
        content = path.read_bytes()
    except OSError:
        return "no file"
    if content in (old, new):
        return "the old file" if content == old else "the new file"
    return COPY if beside(path) else GAP


def target(file, path):
    """Say where the bytes go."""
    if beside(path):
        return "a temporary file in the same folder"
    if isinstance(file, io.BytesIO):
        return "memory"
    return "the file itself" if str(getattr(file, "name", "")) == str(path) else "a file in another folder"


def atomic_turn(
    well=None,
    badly=None,
    goes="a temporary file in the same folder",
    left=lambda ends: 0,
    swallows=False,
    returned="nothing",
    left_open=lambda ends: False,
):
    """Make the writing of a file, or a wrong turn.

    Args:
        well: What the name means, one after the other, where writing ends well: a function of what it means at first.
        badly: The same, where it does not.
        goes: Where the bytes go.
        left: How many files are left beside it, a function of how writing ends.
        swallows: Whether errors end there.
        returned: What is returned.
        left_open: Whether the file stays open, a function of how writing ends.
    """

    def turn(name, before, parts, ends):
        first = "the old file" if before == "a file" else "no file"
        if ends == "normally":
            moments = well(first) if well else [first, "the new file"]
        else:
            moments = badly(first) if badly else [first]
        moments = [state for state, last in zip(moments, [None, *moments]) if state != last]
        return {
            "the bytes go to": goes,
            "what the name means, one moment after the other": moments,
            "it ended": "normally" if swallows else ends,
            "files left beside it": left(ends),
            "returned": returned if swallows or ends == "normally" else "nothing",
            "the file for write, in the end": "open" if left_open(ends) else "closed",
        }

    return turn


oracle_atomically = atomic_turn()


def with_a_backup(name, before, parts, ends):
    """Give the old file another name, write the file itself, and turn that back after a failure."""
    there, well = before == "a file", ends == "normally"
    moments = (["the old file", "no file", COPY] if there else ["no file", GAP]) + (
        ["the new file"] if well else ["no file", "the old file"] if there else ["no file"]
    )
    return {
        **oracle_atomically(name=name, before=before, parts=parts, ends=ends),
        "what the name means, one moment after the other": moments,
        "the bytes go to": "a temporary file in the same folder" if there else "the file itself",
    }


def of_the_steps(wrong):
    """Turn an oracle into one that does not say whether the file is closed: that is a mistake of its own."""

    def oracle(**inputs):
        return {key: value for key, value in wrong(**inputs).items() if key != "the file for write, in the end"}

    oracle.partial = True
    return oracle


STEPS = {
    "the old file was given another name, as a backup, and the file itself opened for writing: for a while there is neither": with_a_backup,
    "the file itself was opened for writing: for a while it was neither old nor new": atomic_turn(
        lambda first: [first, GAP, "the new file"], lambda first: [first, GAP], goes="the file itself"
    ),
    "the file itself was opened for writing, and what was in it put back after an error: for a while it was neither old nor new": atomic_turn(
        lambda first: [first, GAP, "the new file"], lambda first: [first, GAP, first], goes="the file itself"
    ),
    "the old file was removed before the new one had its name: os.replace does it in one step": atomic_turn(
        lambda first: [first, "no file", "the new file"]
    ),
    "the old file was removed first, and is lost where writing fails": atomic_turn(
        lambda first: [first, "no file", "the new file"], lambda first: [first, "no file"]
    ),
    "the file got its name before it was closed: bytes were still waiting to be written": atomic_turn(
        lambda first: [first, GAP, "the new file"]
    ),
    "the bytes were copied from the temporary file into the other, which was neither old nor new meanwhile, and the temporary file stayed": atomic_turn(
        lambda first: [first, COPY, "the new file"], left=lambda ends: 1
    ),
    "the bytes were copied from the temporary file into the other, which was neither old nor new meanwhile: os.replace does it in one step": atomic_turn(
        lambda first: [first, COPY, "the new file"]
    ),
    "the bytes were copied from the temporary file into the other, and the temporary file stayed after a success": atomic_turn(
        lambda first: [first, COPY, "the new file"], left=lambda ends: int(ends == "normally")
    ),
    "the temporary file was left behind after a failure": atomic_turn(left=lambda ends: int(ends != "normally")),
    "the temporary file stayed after some errors: `write` may raise any, also KeyboardInterrupt; `except BaseException:` sees them all": atomic_turn(
        left=lambda ends: int(ends in ("with a ValueError", "with KeyboardInterrupt"))
    ),
    "after Ctrl-C the temporary file was left behind: `except Exception` misses KeyboardInterrupt": atomic_turn(
        left=lambda ends: int(ends == "with KeyboardInterrupt")
    ),
    "the temporary file never got the file's name": atomic_turn(lambda first: [first], left=lambda ends: 1),
    "the temporary file never got the file's name, and was removed": atomic_turn(lambda first: [first]),
    "the temporary file is in another folder, perhaps on another disk, where no single step leads from": atomic_turn(
        goes="a file in another folder"
    ),
    "the bytes were collected in memory; they are to go to a temporary file beside it while write is at work": atomic_turn(
        goes="memory"
    ),
    "the error did not go on to the caller": atomic_turn(swallows=True),
    "the error did not go on to the caller, and the temporary file was left behind": atomic_turn(
        swallows=True, left=lambda ends: int(ends != "normally")
    ),
    "after a failure the half of a file took the old one's place": atomic_turn(badly=lambda first: [first, GAP]),
}
misconceptions_atomically = {
    **{sentence: of_the_steps(wrong) for sentence, wrong in STEPS.items()},
    "after a failure the temporary file was still open, and Windows removes no open file: `with` closes it in any case": atomic_turn(
        left_open=lambda ends: ends != "normally"
    ),
}
