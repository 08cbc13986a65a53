"""What a learner hands in: one zip with the notebook, its hash, and the versions that it was written with."""

import hashlib
import io
import json
import platform
import stat
import zipfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import PurePosixPath

from tito.grading import intake

MANIFEST = "tito.json"
MOST_FILES = 200_000  # of one archive: an LMS's of a large class
MOST_BYTES = 4 * intake.LARGEST  # of what one student handed in


class Refused(Exception):
    """An archive cannot be used; the message says why."""


def pack(module, path, student=None):
    """Return the bytes of a submission's zip.

    Args:
        module: The module.
        path: `pathlib.Path` of the learner's notebook.
        student: The name to hand it in under, or None where the LMS knows it.
    """
    data = path.read_bytes()
    about = {
        "module": module.folder,
        "notebook": path.name,
        "sha256": hashlib.sha256(data).hexdigest(),
        "student": student,
        "versions": {"course": installed("tinytorch-course"), "numpy": installed("numpy"), "python": platform.python_version()},
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(path.name, data)
        archive.writestr(MANIFEST, json.dumps(about, indent=1) + "\n")
    return packed.getvalue()


def installed(distribution):
    """Return the version of an installed distribution, or None."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def files(data, wanted=lambda name: True):
    """Yield (path, bytes, problem) for each file in a zip; nothing is ever written by a name that is in it.

    Args:
        data: A path or a binary file.
        wanted: Says by a file's name whether its bytes are needed.

    Returns:
        Iterator. The bytes are None for a file that is not wanted, or that cannot be used; then the problem is a text.

    Raises:
        Refused: It is no zip, or has far too many entries.
    """
    try:
        with zipfile.ZipFile(data) as archive:
            entries = archive.infolist()
            if len(entries) > MOST_FILES:
                raise Refused(f"it has {len(entries):,} entries")
            for entry in entries:
                path = PurePosixPath(entry.filename.replace("\\", "/"))
                if not entry.is_dir() and path.parts and not intake.is_hidden(path):
                    yield path, *(read(archive, entry) if wanted(path.name) else (None, None))
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError) as error:
        raise Refused(f"it cannot be read as a zip: {error}") from None


def read(archive, entry):
    """Return the bytes of an entry and None, or None and a text if it is a link, encrypted, damaged, or a bomb."""
    if stat.S_ISLNK(entry.external_attr >> 16):
        return None, f"{entry.filename} is a link"
    try:
        with archive.open(entry) as file:
            content = file.read(intake.LARGEST + 1)
    except Exception as error:
        return None, f"{entry.filename} cannot be read: {error}"
    if len(content) > intake.LARGEST:
        return None, f"{entry.filename} has more than {intake.LARGEST // 2**20} MB: clear its outputs"
    return content, None


def unpack(data, skipped):
    """Return the notebooks in a student's zip, a dict from path to bytes, and the manifest, {} without one.

    Raises:
        Refused: It is no zip.
    """
    notebooks, others, manifest, left = {}, [], {}, MOST_BYTES
    for path, content, problem in files(io.BytesIO(data), is_needed):
        if problem:
            skipped.append(problem)
        elif content is None:
            others.append(path.name)
        elif path.name == MANIFEST:
            manifest = checked_manifest(content)
        elif left < len(content):
            skipped.append(f"{path} and what follows it is not used: one zip has more than {MOST_BYTES // 2**20} MB of notebooks")
            break
        else:
            left -= len(content)
            notebooks[str(path)] = content
    named = manifest.get("notebook")
    if named in notebooks and hashlib.sha256(notebooks[named]).hexdigest() != manifest.get("sha256"):
        skipped.append(f"{named} is not the file that `tito module submit` packed: it was changed after that")
    if not notebooks and not skipped:
        skipped.append(f"it has no notebook{', but ' + shortened(others) if others else ''}")
    return notebooks, manifest


def is_needed(name):
    """Return whether a file in a student's zip is read, by its name: a notebook, a script, or the manifest."""
    return name == MANIFEST or intake.plain_name(name).lower().endswith(intake.KINDS)


def shortened(names, most=5):
    """Return names as a text, a long list cut."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def checked_manifest(content):
    """Return the manifest as a dict of texts, {} if it is none."""
    try:
        about = json.loads(content[:100_000])
    except (ValueError, RecursionError):
        return {}
    return {key: value for key, value in about.items() if isinstance(value, str)} if isinstance(about, dict) else {}
