"""When something was handed in. nbgrader keeps it as a text, beside the submission and in the exports of LMSs."""

import re
from datetime import UTC, datetime, timedelta, timezone

from tito.grading import intake

NAME = "timestamp.txt"
EXAMPLE = "2026-10-01T20:00+02:00"
TIME = re.compile(
    r"(\d{4})[-/.](\d\d?)[-/.](\d\d?)(?:T|\s+)(\d\d?):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s*(\S*)", re.ASCII | re.IGNORECASE
)
OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)?", re.ASCII)
ZONE = re.compile(r"[A-Za-z]+(/[A-Za-z_-]+)*")


class NoTime(ValueError):
    """A text is no time; the message says why, and how to write one."""


def parse(text):
    """Return the time in a text, in UTC without a zone, as the gradebook stores it.

    nbgrader's own parser is not used. It takes what is missing from today's date, ignores a zone that it does not know, and reads
    `+0200` as 200 seconds.

    Args:
        text: A date, a time of day and a zone, such as `2026-10-01 20:00:00.123456 UTC`. Without a zone, it is UTC.

    Raises:
        NoTime: It is none.
    """
    text = text.strip()
    match = TIME.fullmatch(text)
    if not match:
        raise NoTime(f"{shown(text)} is not a date with a time: write it like {EXAMPLE}")
    *parts, fraction, zone = match.groups()
    try:
        when = datetime(*map(int, filter(None, parts)), tzinfo=zone_of(zone))
        micro = int((fraction or "0").ljust(6, "0")[:6])
        return when.replace(microsecond=micro).astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError) as error:
        raise NoTime(f"{shown(text)} is not a time ({error}): write it like {EXAMPLE}") from None


def zone_of(name):
    """Return the zone that ends a time: UTC for "", an offset such as `+02:00`, or a name such as `Europe/Berlin`.

    Raises:
        ValueError: It is unknown. Abbreviations such as CEST are: several zones have the same.
    """
    from dateutil.tz import gettz

    if name.upper() in ("", "Z", "UTC", "GMT"):
        return UTC
    if offset := OFFSET.fullmatch(name):
        hours = timedelta(hours=int(offset[2]), minutes=int(offset[3] or 0))
        return timezone(hours if offset[1] == "+" else -hours)
    zone = gettz(name) if ZONE.fullmatch(name) else None
    if zone is None:
        raise ValueError(f"the zone {name} is not known")
    return zone


def of(folder):
    """Return when the submission in a folder was handed in, in UTC, as nbgrader's file in it says.

    Raises:
        NoTime: There is no such file, or no time in it.
    """
    path = folder / NAME
    if not path.exists() and not path.is_symlink():
        raise NoTime(f"there is no {NAME}")
    try:
        return parse(intake.content(path).decode("utf-8-sig")[:200])
    except (intake.Unreadable, UnicodeDecodeError) as error:
        raise NoTime(f"{NAME} cannot be read: {error}") from None
    except NoTime as error:
        raise NoTime(f"{NAME}: {error}") from None


def shown(text):
    """Return a text that is no time, short, for a message."""
    return repr(text[:40] + "..." * (len(text) > 40))
