"""Whether a site is what a build would make again: it keeps a hash of what it was made of, and one of what it holds."""

import hashlib
import sys
from importlib import metadata
from pathlib import Path

import tito

STAMP = ".made-of"


def made_of(sources):
    """Hash all that a site depends on: the pages' sources, tito with the page See and learn, and the libraries.

    Args:
        sources: `pathlib.Path` of the folder that Jupyter Book reads.
    """
    own = Path(tito.__file__).parent
    files = [*sorted(path for path in sources.rglob("*") if path.is_file()), *sorted(own.rglob("*.py"))]
    files += sorted(path for path in (own / "page").iterdir() if path.is_file())
    installed = sorted({f"{one.name} {one.version}" for one in metadata.distributions()})
    digest = hashlib.sha256(repr([sys.version, installed]).encode("utf-8"))
    for path in files:
        within = path.relative_to(sources) if path.is_relative_to(sources) else path.relative_to(own)
        digest.update(repr((within.as_posix(), hashlib.sha256(path.read_bytes()).digest())).encode("utf-8"))
    return digest.hexdigest()


def holds(site):
    """Hash the names and sizes of a site's files."""
    files = sorted((path.relative_to(site).as_posix(), path.stat().st_size) for path in site.rglob("*") if path.is_file())
    return hashlib.sha256(repr([one for one in files if one[0] != STAMP]).encode("utf-8")).hexdigest()


def stamp(site, origin):
    """Keep in a finished site what it was made of, as `made_of` returned it, and what it holds."""
    (site / STAMP).write_text(f"{origin} {holds(site)}", encoding="utf-8")


def is_unchanged(site, origin):
    """Return whether a site was made of the same, and whether no file has gone or changed its size since then."""
    path = site / STAMP
    return path.is_file() and path.read_text(encoding="utf-8") == f"{origin} {holds(site)}"
