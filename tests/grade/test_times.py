"""The time of a hand-in is read as it is written, or refused; never guessed."""

from datetime import datetime

import pytest

from tito.grading import times

EIGHT = datetime(2026, 10, 1, 20, 0)  # in UTC


@pytest.mark.parametrize(
    "text",
    [
        "2026-10-01 20:00:00.000000 UTC",  # nbgrader
        "2026-10-01 20:00:00.000000000 Z",  # Gradescope
        "2026-10-01 13:00:00 -0700",
        "2026-10-01 13:00:00 America/Los_Angeles",
        "2026-10-01T22:00+02:00",
        "2026-10-01T22:00:00 +02",
        "2026/10/1 20:00",
        "  2026-10-01 20:00\r\n",
    ],
)
def test_common_forms_are_the_same_moment(text):
    pytest.importorskip("dateutil")
    assert times.parse(text) == EIGHT


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "12", "2026", "10 pm", "2026-10-01", "01.10.2026 20:00", "10/01/2026 20:00", "2026-10-01 99:99"]
    + ["2026-02-30 20:00", "2026-10-01 20:00 CEST", "2026-10-01 20:00 +99:99", "2026-10-01 8:00 PM", "0001-01-01 00:00 +10:00"]
    + ["2026-10-01 20:00 UTC and more", "\u0662026-10-01 20:00", "x" * 10_000],
)
def test_what_would_have_to_be_guessed_is_refused_with_a_form_that_is_right(text):
    pytest.importorskip("dateutil")
    with pytest.raises(times.NoTime) as raised:
        times.parse(text)
    assert times.EXAMPLE in str(raised.value) and len(str(raised.value)) < 250


def test_the_file_beside_a_submission_may_be_anything(tmp_path):
    file = tmp_path / times.NAME
    with pytest.raises(times.NoTime, match="there is no timestamp.txt"):
        times.of(tmp_path)
    file.write_bytes("\ufeff2026-10-01 20:00\r\n".encode())
    assert times.of(tmp_path) == EIGHT
    for data in (b"\xff\xfe\x00", b"", b"now"):
        file.write_bytes(data)
        with pytest.raises(times.NoTime, match=times.NAME):
            times.of(tmp_path)
    file.unlink()
    file.mkdir()
    with pytest.raises(times.NoTime, match=times.NAME):
        times.of(tmp_path)
