"""The playground in a browser: the same page, with the learner's package behind it."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

pytest.importorskip("starlette", reason="pip install starlette uvicorn")
from test_page import draw, said

sys.path.insert(0, str(Path(__file__).parents[1] / "playground"))
import spaces

pytestmark = pytest.mark.browser
LINE = "return linear(x, self.weight, self.bias)"  # of the package's Linear
STOPPED = "() => /Stopped|Trained for/.test(document.getElementById('progress').textContent)"


@pytest.fixture(scope="module")
def playground(tmp_path_factory):
    """Start the command in a workspace; return its workspace and its address."""
    space = spaces.exported(tmp_path_factory.mktemp("space"))
    words = [sys.executable, "-m", "tito", "playground", "--port", "0", "--no-browser"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, encoding="utf-8", cwd=space.root)
    timer = threading.Timer(60, process.kill)
    timer.start()
    try:
        ready = process.stdout.readline()
        assert ready.startswith("The playground is ready: http://127.0.0.1:"), ready
        timer.cancel()
        yield space, ready.split()[-1]
    finally:
        timer.cancel()
        process.terminate()
        process.wait(15)


def test_the_package_reads_a_digit_and_its_error_is_shown_until_it_is_corrected(opened, playground):
    space, address = playground
    tab, path = opened(address), space.package / "layers.py"
    whole = path.read_text(encoding="utf-8")
    draw(tab, 7, 60, 40, 200)
    assert said(tab) == 7
    path.write_text(whole.replace(LINE, "return x @ self.weights_of_mine"), encoding="utf-8")
    try:
        draw(tab, 4, 70, 70, 140)
        tab.wait_for_function("() => document.getElementById('problem').textContent.includes('weights_of_mine')")
        assert "layers.py, cell" in tab.inner_text("#problem")
    finally:
        path.write_text(whole, encoding="utf-8")
    draw(tab, 7, 60, 40, 200)
    tab.wait_for_function("() => !document.getElementById('problem').textContent")
    assert said(tab) == 7


def test_a_second_tab_cannot_start_a_second_training_and_a_stop_ends_the_first(opened, playground):
    _, address = playground
    first, second = opened(address), opened(address)
    for tab in (first, second):
        tab.fill("#hidden", "16")
        tab.fill("#epochs", "100")
    first.click("#start")
    first.wait_for_function("() => tinytorchPage.state.result")
    second.evaluate("() => document.getElementById('training').requestSubmit()")
    second.wait_for_function("() => document.getElementById('training-problem').textContent.includes('another tab')")
    second.said.clear()  # the browser reports the answer that refuses
    first.click("#stop")
    first.wait_for_function(STOPPED)
    assert first.inner_text("#progress").startswith("Stopped after")
