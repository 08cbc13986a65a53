"""Where data sets and compiled kernels are kept between runs. Given."""

import os
import sys
from pathlib import Path


def cache_dir():
    """Return the user's folder for files that the course can make or download again; it may not exist yet.

    Returns:
        `%LOCALAPPDATA%/tinytorch` on Windows, `~/Library/Caches/tinytorch` on macOS, else
        `$XDG_CACHE_HOME/tinytorch` or `~/.cache/tinytorch`.

    Example:
        >>> cache_dir().name
        'tinytorch'

    Source: XDG Base Directory Specification, version 0.8, section 3.
    """
    if sys.platform == "win32":
        base, default = os.environ.get("LOCALAPPDATA", ""), "AppData/Local"
    elif sys.platform == "darwin":
        base, default = "", "Library/Caches"
    else:
        base, default = os.environ.get("XDG_CACHE_HOME", ""), ".cache"
    # The specification says to ignore a relative path in the variable.
    return (Path(base) if os.path.isabs(base) else Path.home() / default) / "tinytorch"
