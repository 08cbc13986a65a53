"""The page in Debian's Chromium, or Playwright's own, opened as a file, without a network.

Not part of a plain `pytest` run: `pip install playwright`, then `python -m pytest -m browser tests/page`.
"""

import importlib.util
import shutil
import sys
from pathlib import Path

import pytest

from tito import page as page_files, workspace

sys.path.insert(0, str(Path(__file__).parent))
BROWSER = shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture(scope="session")
def browser():
    if importlib.util.find_spec("playwright") is None:
        pytest.skip("pip install playwright")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as player:
        started = player.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """Write the page into a folder, and return its address."""
    return page_files.write(tmp_path_factory.mktemp("site"), workspace.course_dir()).as_uri()


@pytest.fixture
def opened(browser, site):
    """Return a function that opens the page; afterwards no request has left it, and no error was reported."""
    pages = []

    def open_page(address=site, **options):
        context = browser.new_context(accept_downloads=True, **options)
        tab = context.new_page()
        tab.said, tab.asked = [], []
        tab.on("console", lambda message: tab.said.append(message.text) if message.type in ("error", "warning") else None)
        tab.on("pageerror", lambda error: tab.said.append(str(error)))
        tab.on("request", lambda request: tab.asked.append(request.url))
        tab.goto(address)
        tab.wait_for_function(
            "() => window.tinytorchPage && Object.keys(tinytorchPage.state.models).length && tinytorchPage.state.data"
        )
        pages.append(tab)
        return tab

    yield open_page
    for tab in pages:
        outside = [url for url in tab.asked if not url.startswith(("file:", "blob:", "data:", "http://127.0.0.1:"))]
        assert (tab.said, outside) == ([], [])
        tab.context.close()
