"""The site: built offline, every file of it searched, and refused whole when an answer is in it."""

import re
import shutil
import threading
import urllib.request

import pytest
from typer.testing import CliRunner

from tito.app import app
from tito.book import BookError, edition, page, serving, site, unchanged
from tito.notebooks import strip

pytest.importorskip("jupyter_book", reason="the extra `book` is not installed")
# What only the solutions say, in words of the test's own.
ANSWERS = ["product = width * height", "abs(product)", "zip(first, second)"]


@pytest.fixture
def quick(monkeypatch):
    """Take the pages for the site: what is searched is then the notebooks, without the seconds that Sphinx takes."""
    monkeypatch.setattr(site, "run_jupyter_book", lambda folder, out: folder)


def tito(*words):
    """Run a command of tito in this process."""
    return CliRunner().invoke(app, list(map(str, words)))


def test_there_is_a_page_for_every_module_and_the_first_page_leads_to_each(built):
    assert sorted(path.name for path in (built / "modules").glob("*.html")) == ["01_shapes.html", "02_colours.html"]
    first = (built / "intro.html").read_text(encoding="utf-8")
    assert (
        'href="modules/01_shapes.html" aria-label="Module 01, Shapes' in first
        and "Module 03, Light: not in this release yet" in first
    )
    assert 'http-equiv="Refresh" content="0; url=intro.html"' in (built / "index.html").read_text(encoding="utf-8")


def test_no_file_of_the_site_holds_an_answer(built, holding):
    assert holding(built, [*ANSWERS, "SOLUTION"]) == []
    assert {name for name, _ in holding(built, ["NotImplementedError"])} >= {
        "modules/01_shapes.html",
        "modules/02_colours.html",
        "_sources/modules/01_shapes.ipynb",
    }


def test_pages_show_outputs_folded_hints_and_formulas(built, texts):
    text = texts(built)["modules/01_shapes.html"]
    assert "a field of 600 m²" in text and "\\(A = w h\\)" in text and "Hint 1 of 2" in text
    assert re.search(r"<details[^>]*>\s*<summary[^>]*>[\s\S]*?Hint 1 of 2", text) and "<details open" not in text


def test_without_an_address_no_page_links_to_where_the_course_is_published(built, texts):
    shown = texts(built)
    words = ("github.com/", "colab.research", "github.io", "Edit this page", "git clone")
    assert [
        (name, word) for name, text in shown.items() if not name.startswith("_static/") for word in words if word in text
    ] == []
    assert not (built / "notebooks" / "colab").exists() and (built / "notebooks" / "01_shapes.ipynb").is_file()


def test_the_address_is_the_workflow_s_or_the_configured_one(course, monkeypatch):
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    assert edition.repository(course.root) == ""
    config = course.root / "book" / "_config.yml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace('url: ""', "url: https://github.com/me/mine/"), encoding="utf-8")
    assert edition.repository(course.root) == "https://github.com/me/mine"
    assert "git clone https://github.com/me/mine\ncd mine\n" in edition.clone(course.root)
    monkeypatch.setenv("GITHUB_REPOSITORY", "you/yours")
    assert edition.repository(course.root) == "https://github.com/you/yours"


def test_a_browser_fetches_nothing_from_elsewhere(built, fetched_from_elsewhere):
    assert fetched_from_elsewhere(built) == []
    assert (built / "_static" / "mathjax" / "tex-chtml.js").is_file()
    assert list((built / "_static" / "mathjax").rglob("MathJax_Main-Regular.woff"))


@pytest.mark.parametrize(
    "html",
    [
        '<script src="https://cdn.example/mathjax.js"></script>',
        '<link rel="stylesheet" href="//cdn.example/x.css">',
        '<img src="http://example.org/x.png">',
        '<script>const url = "https://unpkg.com/thebe"</script>',
        '<p style="background: url(https://example.org/x.png)">',
    ],
)
def test_what_a_browser_fetches_from_elsewhere_is_seen(html, tmp_path, fetched_from_elsewhere):
    (tmp_path / "page.html").write_text(f'<a href="https://example.org">a link is no load</a>{html}', encoding="utf-8")
    assert len(fetched_from_elsewhere(tmp_path)) == 1


def test_broken_stripping_leaves_no_site(course, monkeypatch, tmp_path, holding):
    monkeypatch.setattr(strip, "stub", lambda text, label: strip._without_marks(text))
    kept = []
    monkeypatch.setattr(
        site,
        "refuse_answers",
        lambda folder, notebooks, refuse=site.refuse_answers: (
            kept.append(shutil.copytree(folder, tmp_path / "kept")),
            refuse(folder, notebooks),
        ),
    )
    with pytest.raises(BookError, match="shows the answer to 01.1: product = width"):
        site.build(tmp_path / "site", execute=False)
    assert not (tmp_path / "site").exists()
    leaking = {name for name, _ in holding(kept[0], ANSWERS)}  # the other test's own search is red for it, too
    assert {"modules/01_shapes.html", "_sources/modules/01_shapes.ipynb"} <= leaking


def test_a_page_made_of_the_solved_notebook_leaves_no_site(course, quick, monkeypatch, tmp_path):
    monkeypatch.setattr(page.strip, "learner_cells", lambda notebook, made=strip.learner_cells: made(notebook, solved=True))
    with pytest.raises(BookError, match="01_shapes.ipynb shows the answer to 01.1"):
        site.build(tmp_path / "site", execute=False)


def test_an_output_that_prints_a_solution_leaves_no_site(course, quick, tmp_path):
    course.edit("01_shapes/shapes.py", 'print("a field of"', 'import inspect; print(inspect.getsource(area), "a field of"')
    with pytest.raises(BookError, match="01_shapes.ipynb shows the answer to 01.1"):
        site.build(tmp_path / "site")


def test_a_hint_that_holds_the_solution_leaves_no_site(course, quick, tmp_path):
    course.edit("01_shapes/shapes.py", "# Multiply first.", "# Write `product = width * height`.")
    with pytest.raises(BookError, match="shows the answer to 01.1: product = width"):
        site.build(tmp_path / "site", execute=False)


@pytest.mark.slow
def test_a_warning_of_sphinx_fails_and_the_book_that_was_there_stays(course, built, tmp_path):
    shutil.copytree(built, tmp_path / "site")
    course.edit("01_shapes/shapes.py", "# Write it.", "# Write it, as [here](nowhere.md).")
    done = tito("book", "build", "--no-execute", "--out", tmp_path / "site")
    assert done.exit_code == 1 and "modules/01_shapes.ipynb" in done.output and "nowhere.md" in done.output
    assert str(tmp_path / "site") + "/." not in done.output
    assert [path.name for path in tmp_path.iterdir()] == ["site"] and (tmp_path / "site" / "index.html").is_file()


def test_the_command_replaces_a_book_and_says_where_it_is(course, quick, tmp_path):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / ".buildinfo").write_text("", encoding="utf-8")
    (tmp_path / "site" / "old.html").write_text("", encoding="utf-8")
    done = tito("book", "build", "--no-execute", "--out", tmp_path / "site")
    assert done.exit_code == 0 and str(tmp_path / "site" / "index.html") in done.output
    assert done.output.rstrip().splitlines()[-1] == "Next: open that file in a browser"
    assert not (tmp_path / "site" / "old.html").exists()


def test_a_book_is_built_again_only_if_something_has_changed(course, monkeypatch, tmp_path):
    runs = []

    def run(folder, out):
        runs.append(folder)
        (folder / site.MADE_BY_SPHINX).touch()
        return folder

    monkeypatch.setattr(site, "run_jupyter_book", run)
    for slow in ("copy_mathjax", "pack", "see_and_learn.write", "write_notebooks"):
        monkeypatch.setattr(f"tito.book.site.{slow}", lambda *given: None)
    build = lambda: site.build(tmp_path / "site", execute=False)
    build()
    build()
    assert len(runs) == 1
    changes = [
        lambda: course.edit("01_shapes/shapes.py", "# Write it.", "# Write it now."),
        lambda: (course.root / "book" / "_static" / "book.css").write_text("", encoding="utf-8"),
        lambda: (course.root / "book" / "setup.md").write_text("# Set up", encoding="utf-8"),
        lambda: (tmp_path / "site" / "_toc.yml").unlink(),
        lambda: (tmp_path / "site" / "intro.md").write_text("cut", encoding="utf-8"),
        lambda: monkeypatch.setattr(unchanged.sys, "version", "another"),
    ]
    for count, change in enumerate(changes, 2):
        change()
        build()
        assert len(runs) == count, change


def test_the_command_replaces_nothing_but_a_book(course, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")
    done = tito("book", "build", "--out", tmp_path)
    assert done.exit_code == 2 and "is not a book" in done.output and "Next:" in done.output
    assert (tmp_path / "thesis.txt").read_text(encoding="utf-8") == "mine"


def test_without_the_extra_the_command_says_how_to_get_it(course, monkeypatch):
    monkeypatch.setattr(site, "NEEDED", ("no_such_library", "json"))
    done = tito("book", "build")
    assert done.exit_code == 2 and 'no_such_library: pip install "tinytorch-course[book]"' in " ".join(done.output.split())


def test_the_site_is_served_to_this_machine_only(tmp_path):
    (tmp_path / "index.html").write_text("the book", encoding="utf-8")
    with serving.server(tmp_path, 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        assert server.server_address[0] == "127.0.0.1"
        with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/") as answer:
            assert answer.read() == b"the book" and answer.headers["Cache-Control"] == "no-store"
        with pytest.raises(OSError):
            serving.server(tmp_path, server.server_port)
        server.shutdown()


def test_without_a_book_serving_says_how_to_build_one(course):
    done = tito("book", "serve")
    assert done.exit_code == 2 and done.output.rstrip().endswith("Next: tito book build")


def test_outside_a_clone_the_command_says_so(course):
    shutil.rmtree(course.root / "book")
    done = tito("book", "build")
    assert done.exit_code == 2 and "in a clone of the course" in done.output
