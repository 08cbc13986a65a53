"""Progress goes to stderr: a bar on a terminal that can show one, a line elsewhere."""

import io
import sys

import pytest

from tinytorch.datasets.download_progress import progress


class Terminal(io.TextIOWrapper):
    def __init__(self, encoding):
        super().__init__(io.BytesIO(), encoding=encoding, write_through=True)

    def isatty(self):
        return True

    def text(self):
        return self.buffer.getvalue().decode(self.encoding)


def run(done=0, total=2_000_000):
    with progress("  from example.org", done, total) as advance:
        advance(1_000_000)


@pytest.mark.parametrize(
    "done, total, line",
    [
        (0, 2_000_000, "  from example.org, 2.0 MB\n"),
        (0, None, "  from example.org\n"),
        (7, 2_000_000, "  from example.org, 2.0 MB, from byte 7 on\n"),
    ],
)
def test_a_pipe_gets_one_line(capsys, done, total, line):
    run(done, total)
    assert capsys.readouterr() == ("", line)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_a_terminal_gets_a_bar_in_what_it_can_write(monkeypatch, encoding):
    pytest.importorskip("rich", reason="the bar is rich's")
    monkeypatch.setattr(sys, "stderr", Terminal(encoding))
    run()
    assert "from example.org" in sys.stderr.text() and "1.0/2.0 MB" in sys.stderr.text()


def test_a_terminal_without_rich_gets_the_line(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal("utf-8"))
    for name in [name for name in sys.modules if name.split(".")[0] == "rich"] + ["rich", "rich.progress"]:
        monkeypatch.setitem(sys.modules, name, None)
    run()
    assert sys.stderr.text() == "  from example.org, 2.0 MB\n"
