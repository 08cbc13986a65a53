"""Download one URL into one file, continuing where an earlier attempt stopped."""

import threading
from contextlib import contextmanager
from typing import NamedTuple

from tinytorch.datasets.download_progress import progress

CHUNK = 1 << 16  # bytes to read from the network at once


class Patience(NamedTuple):
    """Say how long to wait for a server.

    Args:
        answer: seconds until its answer begins, including looking up its name and connecting.
        stall: seconds without a byte after that.

    Example:
        >>> Patience(answer=2.5, stall=30).stall
        30
    """

    answer: float
    stall: float


class Interrupted(Exception):
    """Report that the server or the network, not this machine, ended a transfer."""


def transfer(url, part, limit, patience):
    """Append the missing bytes to a file.

    Args:
        url: where the whole file is.
        part: the file, holding the first bytes from an earlier attempt, or absent.
        limit: the most bytes that the whole file may have.
        patience: how long to wait for the server.

    Returns:
        How many bytes of the earlier attempt were kept: 0 if the server sent the whole file.

    Raises:
        Interrupted: if the server refuses, stalls, stops early or sends too much. The bytes received are kept.
        OSError: if this machine cannot write the file.

    Source: RFC 9110, HTTP Semantics, section 14, Range Requests.
    """
    response, kept = _ask(url, size(part), patience)
    with response, open(part, "ab" if kept else "wb") as file:
        total = None if response.length is None else kept + response.length
        with progress(f"  from {_host(url)}", kept, total) as advance:
            for chunk in _chunks(response, patience.stall):
                file.write(chunk)
                advance(len(chunk))
                if file.tell() > limit:
                    raise Interrupted(f"sent more than the {limit} bytes that the file can have")
        # http.client ends the body without an error when the connection closes early: cpython issue 115997.
        if total is not None and file.tell() < total:
            raise Interrupted(f"stopped after {file.tell()} of {total} bytes")
    return kept


def size(path):
    """Return a file's size in bytes, 0 if it is absent.

    Example:
        >>> from pathlib import Path
        >>> size(Path("no/such/file"))
        0
    """
    return path.stat().st_size if path.exists() else 0


def _ask(url, have, patience):
    """Request a file from byte `have` on; return the answer, and the byte at which it starts: `have` or 0."""
    response = _open(url, have, patience)
    if response.status == 200:
        return response, 0
    if have and (response.headers["Content-Range"] or "").startswith(f"bytes {have}-"):
        return response, have
    response.close()
    if have and response.status in (206, 416):  # our bytes are not the beginning of the server's file
        return _ask(url, 0, patience)
    raise Interrupted(f"HTTP {response.status} {response.reason}")


def _open(url, start, patience):
    """Send a request and return the answer, whatever its status."""
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    headers = {"User-Agent": "tinytorch"} | ({"Range": f"bytes={start}-"} if start else {})
    with _network(patience.answer):
        try:
            return within(patience.answer, lambda: urlopen(Request(url, headers=headers), timeout=patience.stall))
        except HTTPError as answer:
            return answer


def within(seconds, ask):
    """Return what a function returns, or give up on it.

    A socket's timeout does not limit the name lookup, and starts again for each address of the server.

    Args:
        seconds: how long it may take.
        ask: the function; if it takes too long, it continues in its own thread, which ends with the program.

    Raises:
        TimeoutError: if it takes longer.

    Example:
        >>> within(1, lambda: "an answer")
        'an answer'
    """
    outcome = {}

    def run():
        try:
            outcome["value"] = ask()
        except BaseException as error:
            outcome["error"] = error

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if "error" in outcome:
        raise outcome["error"]
    if "value" not in outcome:
        raise TimeoutError
    return outcome["value"]


def _chunks(response, timeout):
    """Read a body piece by piece, each piece as soon as it arrives."""
    while True:
        with _network(timeout):
            chunk = response.read1(CHUNK)
        if not chunk:
            return
        yield chunk


@contextmanager
def _network(timeout):
    """Turn the errors of urllib, sockets and TLS into Interrupted, so that errors of the disk stay separate."""
    from http.client import HTTPException

    try:
        yield
    except (OSError, HTTPException) as error:
        raise Interrupted(_reason(error, timeout)) from error


def _reason(error, timeout):
    """Say in one line what ended a request."""
    from urllib.error import URLError

    cause = error.reason if isinstance(error, URLError) else error  # urllib wraps what the socket raised
    if isinstance(cause, TimeoutError):
        return f"no bytes within {timeout:g} s"
    text = (cause.strerror if isinstance(cause, OSError) else None) or str(cause) or type(cause).__name__
    if "CERTIFICATE_VERIFY_FAILED" in text:
        text += " (Python from python.org on macOS: run its Install Certificates.command once)"
    return text


def _host(url):
    """Return the name of a URL's server."""
    from urllib.parse import urlsplit

    return urlsplit(url).hostname or url
