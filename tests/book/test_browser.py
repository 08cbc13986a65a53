"""Every page of the book in a browser, over HTTP and from disk: no request elsewhere, no error, no sideways scrolling, accessible.

It needs Chromium and the packages playwright and axe-playwright-python: `pip install playwright axe-playwright-python`. Chromium is
the one on the path, or the one that `playwright install chromium` fetched. `TINYTORCH_BOOK=FOLDER` takes a site that is built, by
`GITHUB_REPOSITORY=owner/course tito book build --out FOLDER`.
"""

import shutil
import threading

import pytest

from tito.book import serving

pytestmark = [pytest.mark.browser, pytest.mark.slow]
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
OF_THE_THEME = {"label-content-name-mismatch"}  # the search button's label
LOCAL = ("file:", "data:", "blob:", "http://127.0.0.1:")


@pytest.fixture(scope="session")
def browser():
    with playwright.sync_playwright() as started:
        path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
        chromium = started.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def addresses(book):
    """The site's address over HTTP, from the server of `tito book serve`, and from disk."""
    server = serving.server(book, 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield {"http": f"http://127.0.0.1:{server.server_port}", "file": book.as_uri()}
    server.shutdown()


def names(book):
    """List the pages, as paths within the site, without `index.html` at the top, which sends the browser on to the first page."""
    inside = [path.relative_to(book) for path in sorted(book.rglob("*.html"))]
    return [path.as_posix() for path in inside if "_static" not in path.parts and path.as_posix() != "index.html"]


@pytest.mark.parametrize("way", ["http", "file"])
def test_no_page_asks_elsewhere_or_has_an_error(browser, addresses, book, way):
    page = browser.new_page()
    faults, asked = [], []
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.on("response", lambda answer: faults.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None)
    seen = []
    for name in names(book):
        page.goto(f"{addresses[way]}/{name}", wait_until="load")
        page.wait_for_timeout(150)
        seen += [(name, fault) for fault in faults]
        faults.clear()
    assert seen == []
    assert len(asked) > len(names(book)) and [url for url in asked if not url.startswith(LOCAL)] == []
    page.close()


def test_no_page_scrolls_sideways_on_a_phone_and_wide_code_scrolls_in_its_box(browser, addresses, book):
    page = browser.new_page(viewport={"width": 390, "height": 844})
    wide = []
    for name in names(book):
        page.goto(f"{addresses['file']}/{name}", wait_until="load")
        over = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        wide += [(name, over)] if over > 0 else []
    assert wide == []
    page.goto(f"{addresses['file']}/modules/02_activations.html")
    scrolls = "[...document.querySelectorAll('pre')].some(pre => pre.scrollWidth > pre.clientWidth && getComputedStyle(pre).overflowX == 'auto')"
    assert page.evaluate(scrolls)
    page.close()


def test_code_fits_its_column_on_a_laptop(browser, addresses, book):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    wide = {}
    for name in names(book):
        if name.startswith("modules/"):
            page.goto(f"{addresses['file']}/{name}", wait_until="load")
            over = "[...document.querySelectorAll('.cell_input pre')].filter(p => p.scrollWidth > p.clientWidth + 1).length"
            wide[name] = page.evaluate(over)
    assert {name: count for name, count in wide.items() if count} == {}
    page.close()


@pytest.mark.parametrize("shade", ["light", "dark"])
def test_axe_finds_nothing_serious_of_ours(browser, addresses, book, shade):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed").Axe()
    page = browser.new_context(color_scheme=shade).new_page()
    found = []
    for name in names(book):
        page.goto(f"{addresses['file']}/{name}", wait_until="load")
        page.wait_for_timeout(300)
        for rule in axe.run(page).response["violations"]:
            if rule["impact"] in ("serious", "critical") and rule["id"] not in OF_THE_THEME:
                found.append((name, rule["id"], len(rule["nodes"]), rule["nodes"][0]["html"][:160]))
    assert found == []
    page.close()


@pytest.mark.parametrize("way", ["http", "file"])
def test_search_finds_pages_with_excerpts(browser, addresses, way):
    page = browser.new_page()
    page.goto(f"{addresses[way]}/search.html?q=broadcasting")
    page.wait_for_selector("ul.search li p.context", timeout=10_000)
    assert "roadcast" in page.inner_text("ul.search")
    assert page.locator("ul.search li").count() > 3
    page.close()


def test_each_shade_shows_its_own_picture_and_formulas_are_numbered(browser, addresses):
    for shade, hidden in (("light", "tt-dark"), ("dark", "tt-light")):
        page = browser.new_context(color_scheme=shade).new_page()
        page.goto(f"{addresses['file']}/modules/02_activations.html")
        page.wait_for_timeout(800)
        assert page.locator("img.tt-figure").count() > 6
        visible = page.evaluate(
            "[...document.querySelectorAll('img.tt-figure')].filter(i => i.offsetParent).map(i => i.className)"
        )
        assert visible and not any(hidden in classes for classes in visible)
        assert page.locator("mjx-container").count() > 3 and page.locator("span.eqno").count() > 0
        page.close()


@pytest.mark.parametrize("way", ["http", "file"])
def test_the_page_see_and_learn_is_as_tall_as_it_needs_on_a_phone_and_as_dark_as_the_book(browser, addresses, way):
    page = browser.new_context(color_scheme="light", viewport={"width": 390, "height": 844}).new_page()
    page.goto(f"{addresses[way]}/see_and_learn.html", wait_until="load")
    inside = next(frame for frame in page.frames if frame.url.endswith("see/index.html"))
    inside.wait_for_function("() => document.documentElement.dataset.theme === 'light'")
    inside.wait_for_function("() => document.documentElement.scrollHeight <= innerHeight && innerHeight > 1500")
    page.evaluate("document.documentElement.dataset.theme = 'dark'")  # what the book's switch does
    inside.wait_for_function("() => getComputedStyle(document.documentElement).colorScheme === 'dark'")
    page.close()


def test_the_words_of_drawings_and_charts_can_be_read_on_a_phone(browser, addresses):
    page = browser.new_page(viewport={"width": 390, "height": 844})
    for name, least in (("modules/11_cuda", 4), ("modules/10_kernels", 3), ("performance", 8)):
        page.goto(f"{addresses['file']}/{name}.html", wait_until="load")
        scales = page.evaluate("""[...document.querySelectorAll('img.tt-light')].filter(one => /tt-diagram/.test(one.className) || /chart-/.test(one.src))
            .map(one => one.getBoundingClientRect().width / one.naturalWidth)""")
        assert len(scales) >= least and min(scales) * 12 > 10, (name, scales)
    page.close()


@pytest.mark.parametrize("width", [390, 1280])
def test_the_words_of_the_map_stay_in_their_boxes(browser, addresses, width):
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(f"{addresses['file']}/intro.html", wait_until="load")
    boxes, beyond = page.evaluate("""(() => {
        const shown = [...document.querySelectorAll('.tt-map svg a')].filter(one => one.getBoundingClientRect().width);
        const beyond = shown.flatMap(one => { const box = one.querySelector('rect').getBBox();
            return [...one.querySelectorAll('text')].filter(text => { const at = text.getBBox();
                return at.x + at.width > box.x + box.width - 2 || at.y + at.height > box.y + box.height; }).map(text => text.textContent); });
        return [shown.length, beyond];
    })()""")
    assert boxes == 12 and beyond == []
    page.close()
