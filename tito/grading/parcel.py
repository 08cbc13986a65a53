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


def files(data, skipped):
    """Yield (path, bytes, date) for each file in a zip; nothing is ever written by a name that is in it.

    Args:
        data: A path or a binary file.
        skipped: List to which texts about entries that are not used are added.

    Raises:
        Refused: It is no zip, or has far too many entries.
    """
    try:
        with zipfile.ZipFile(data) as archive:
            entries = archive.infolist()
            if len(entries) > MOST_FILES:
                raise Refused(f"it has {len(entries):,} entries")
            for entry in entries:
                if not entry.is_dir():
                    content = read(archive, entry, skipped)
                    if content is not None:
                        yield PurePosixPath(entry.filename.replace("\\", "/")), content, entry.date_time
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError) as error:
        raise Refused(f"it cannot be read as a zip: {error}") from None


def read(archive, entry, skipped):
    """Return the bytes of an entry, or None if it is a link, encrypted, damaged, or a bomb."""
    if stat.S_ISLNK(entry.external_attr >> 16):
        skipped.append(f"{entry.filename} is a link")
        return None
    try:
        with archive.open(entry) as file:
            content = file.read(intake.LARGEST + 1)
    except Exception as error:
        skipped.append(f"{entry.filename} cannot be read: {error}")
        return None
    if len(content) > intake.LARGEST:
        skipped.append(f"{entry.filename} has more than {intake.LARGEST // 2**20} MB")
        return None
    return content


def unpack(data, skipped):
    """Return the notebooks in a student's zip, a dict from file name to bytes, and the manifest, {} without one.

    Raises:
        Refused: It is no zip.
    """
    notebooks, manifest, left = {}, {}, MOST_BYTES
    for path, content, _ in files(io.BytesIO(data), skipped):
        left -= len(content)
        if left < 0:
            skipped.append(f"more than {MOST_BYTES // 2**20} MB in one zip")
            break
        if path.name == MANIFEST:
            manifest = checked_manifest(content)
        elif path.suffix.lower() in intake.KINDS and not path.name.startswith(".") and "__MACOSX" not in path.parts:
            notebooks.setdefault(path.name, content)
    named = manifest.get("notebook")
    if named in notebooks and hashlib.sha256(notebooks[named]).hexdigest() != manifest.get("sha256"):
        skipped.append(f"{named} is not the file that `tito module submit` packed: it was changed after that")
    return notebooks, manifest


def checked_manifest(content):
    """Return the manifest as a dict of texts, {} if it is none."""
    try:
        about = json.loads(content[:100_000])
    except (ValueError, RecursionError):
        return {}
    return {key: value for key, value in about.items() if isinstance(value, str)} if isinstance(about, dict) else {}
