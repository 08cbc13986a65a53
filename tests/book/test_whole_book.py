"""The book of the course itself."""

import html
import json
import re
import zipfile
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from tito import workspace
from tito.curriculum import load
from tito.notebooks import ipynb, source, strip
from tito.notebooks.answers import secrets
from tito.notebooks.cards import dressed

pytest.importorskip("jupyter_book", reason="the extra `book` is not installed")
ROOT = Path(__file__).resolve().parents[2]
COURSE = load(ROOT / "modules" / "curriculum.toml")
HERE = [module for module in COURSE.modules if not workspace.is_to_come(module)]
REGION = re.compile(r"^ *### BEGIN SOLUTION\n(.*?)^ *### END SOLUTION", re.DOTALL | re.MULTILINE)


def test_every_exercise_has_a_line_by_which_its_answer_is_known():
    notebooks = [source.read(workspace.course_source(module)) for module in HERE]
    known = secrets(notebooks)
    assert [one.id for notebook in notebooks for one in notebook.exercises() if not known.get(one.id)] == []


def test_there_is_one_page_for_every_module_that_exists(book):
    assert HERE and {path.stem for path in (book / "modules").glob("*.html")} == {module.folder for module in HERE}


def test_no_solution_stands_in_any_file(book, texts):
    """Whole regions here, apart from the tool's own search for lines: blanks aside, no file holds one of several lines."""
    squeezed = {name: re.sub(r"\s|\\n", "", text) for name, text in texts(book).items()}
    regions = [
        region for module in HERE for region in REGION.findall(workspace.course_source(module).read_text(encoding="utf-8"))
    ]
    wanted = [re.sub(r"\s", "", region) for region in regions if region.count("\n") > 1]
    assert len(regions) > 20 and len(wanted) > 10
    assert [(name, region) for name, text in squeezed.items() for region in wanted if region in text] == []
    assert [name for name, text in squeezed.items() if re.search(r"(BEGIN|END)_?SOLUTION", text)] == []


def test_every_module_shows_its_outputs(book, texts):
    shown = texts(book)
    for module in HERE:
        text, exercises = shown[f"modules/{module.folder}.html"], source.read(workspace.course_source(module)).exercises()
        assert [one.id for one in exercises if f"✓ {one.label}</b> · passed" not in text] == []


def test_a_browser_fetches_nothing_from_elsewhere(book, fetched_from_elsewhere):
    assert fetched_from_elsewhere(book) == []


def solution_lines():
    """List the lines of all solutions that have four words or more and that no other cell shows, blanks made equal."""
    inside, outside = [], []
    for module in HERE:
        text = workspace.course_source(module).read_text(encoding="utf-8")
        inside += [line for region in REGION.findall(text) for line in region.splitlines()]
        outside.append(REGION.sub("", text))
    shown = squeezed("\n".join(outside))
    lines = dict.fromkeys(squeezed(line.partition("  #")[0]) for line in inside)
    return [line for line in lines if len(re.findall(r"\w+", line)) >= 4 and line not in shown]


def squeezed(text):
    """Return a text without blanks, as a page may break a line anywhere."""
    return re.sub(r"\s+", "", text)


def views(path):
    """Return a file's text as it is and as a reader sees it: without tags, without JSON's quoting, without blanks."""
    raw = path.read_bytes().decode("utf-8", errors="ignore")
    plain = html.unescape(re.sub("<[^>]*>", "", raw))
    return squeezed(raw.replace("\\n", " ").replace('\\"', '"')) + squeezed(plain)


def leaking(folder, lines):
    """List the files below a folder that hold a line."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix not in BINARY]
    return sorted({(path.name, line) for path in files for text in [views(path)] for line in lines if line in text})


BINARY = {".png", ".zip", ".woff", ".woff2", ".ttf", ".ico", ".inv"}


def test_no_file_holds_a_line_of_a_solution(book):
    lines = solution_lines()
    assert len(lines) > 200
    assert leaking(book, lines) == []


@pytest.mark.parametrize(
    "name", ["modules/page.html", "_sources/page.ipynb", "searchindex.js", "notebooks/page.ipynb", "reference/page.html"]
)
def test_a_planted_line_is_found(name, tmp_path):
    line = "return np.where(a >= 0, 1, small) / (1 + small)"
    planted = {
        "html": "<pre><span>return</span> np.where(a &gt;= <b>0</b>, 1, small) / (1 + small)</pre>",
        "ipynb": json.dumps({"cells": [{"source": ["def f(a):\n", f"    {line}\n"]}]}),
        "js": f'Search.setIndex({{"titles": "{line}"}})',
    }
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(planted[name.rpartition(".")[2]], encoding="utf-8")
    assert [found for found, _ in leaking(tmp_path, solution_lines())] == [Path(name).name]


def pages_of(book):
    """List the site's pages; the theme's folder holds a template as well."""
    return [path for path in sorted(book.rglob("*.html")) if "_static" not in path.parts]


class Links(HTMLParser):
    """The links and anchors of a page."""

    def __init__(self, path):
        super().__init__()
        self.links, self.anchors = [], set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.anchors |= {given[name] for name in ("id", "name") if given.get(name)}
        self.links += [given[name] for name in ("href", "src") if given.get(name)]


def test_internal_links_resolve_and_external_ones_are_known(book):
    pages = {path: Links(path) for path in pages_of(book)}
    broken, hosts = [], set()
    for path, page in pages.items():
        for link in page.links:
            if re.match(r"(https?:)?//", link):
                hosts.add(re.match(r"(?:https?:)?//([^/]+)", link)[1])
                continue
            address, _, anchor = unquote(link).partition("#")
            target = (path.parent / address.partition("?")[0]).resolve() if address else path
            if re.match(r"(mailto|data|javascript):", link):
                continue
            if not target.exists() or (anchor and target in pages and anchor not in pages[target].anchors):
                broken.append((path.relative_to(book).as_posix(), link))
    assert broken == []
    assert hosts <= EXTERNAL, hosts - EXTERNAL


EXTERNAL = {
    "github.com",
    "colab.research.google.com",
    "docs.astral.sh",
    "ebp.jupyterbook.org",
    "www.sphinx-doc.org",
    "pydata-sphinx-theme.readthedocs.io",
}


def test_the_notebooks_to_download_are_those_that_init_writes(book):
    for module in HERE:
        made = ipynb.render(dressed(strip.learner_cells(source.read(workspace.course_source(module))), True))
        assert (book / "notebooks" / f"{module.folder}.ipynb").read_text(encoding="utf-8") == made
        colab = json.loads((book / "notebooks" / "colab" / f"{module.folder}.ipynb").read_text(encoding="utf-8"))["cells"]
        assert colab[1:] == json.loads(made)["cells"] and "tito init /content/mine" in colab[0]["source"]
        assert [f"complete {needed.number} --borrow" in colab[0]["source"] for needed in COURSE.prerequisites(module)].count(
            False
        ) == 0


def test_every_page_says_its_edition_and_every_lesson_offers_its_notebook(book):
    for path in pages_of(book):
        text = path.read_text(encoding="utf-8")
        if path.name in ("index.html", "genindex.html", "search.html") and path.parent in (book, book / "see"):
            continue
        assert re.search(r"TinyTorch \d+\.\d+\.\d+, \d{4}-\d\d-\d\d", text) and "Edit this page" in text, path.name
    for module in HERE:
        text = (book / "modules" / f"{module.folder}.html").read_text(encoding="utf-8")
        assert f'href="../notebooks/{module.folder}.ipynb"' in text
        assert f"github/owner/course/blob/notebooks/colab/{module.folder}.ipynb" in text
        assert f"https://github.com/owner/course/edit/main/modules/{module.folder}/{module.name}.py" in text


def test_every_edit_link_leads_to_a_file_of_the_repository(book):
    begin, leading = "https://github.com/owner/course/edit/main/", set()
    for path in pages_of(book):
        leading |= {link.removeprefix(begin) for link in Links(path).links if link.startswith(begin)}
    assert {"CONTRIBUTING.md", "book/intro.md", "modules/01_tensor/tensor.py", "modules/01_tensor/checks.py"} <= leading
    assert [name for name in sorted(leading) if not (ROOT / name).is_file()] == []


def test_a_link_to_a_page_shows_the_card(book):
    assert (book / "_static" / "card.png").is_file() and (book / "_static" / "favicon.svg").is_file()
    for name in ("intro.html", "modules/02_activations.html"):
        text = (book / name).read_text(encoding="utf-8")
        assert re.search(rf'property="og:url" content="https://[^"]*/{name}"', text) and "_static/card.png" in text
        assert re.search(r'property="og:title" content="[^"<]+ · TinyTorch"', text)


def test_every_picture_has_words(book):
    for path in pages_of(book):
        for tag in re.findall(r"<img[^>]*>", path.read_text(encoding="utf-8")):
            alt = re.search(r'alt="([^"]*)"', tag)
            assert alt and (alt[1] or "logo" in tag), (path.name, tag[:200])
            assert "code above draws" not in tag, (path.name, tag[:200])


def test_the_zip_holds_the_site(book):
    with zipfile.ZipFile(book / "tinytorch-book.zip") as archive:
        inside = set(archive.namelist())
    there = {f"tinytorch-book/{path.relative_to(book).as_posix()}" for path in book.rglob("*") if path.is_file()}
    assert inside == there - {"tinytorch-book/tinytorch-book.zip", "tinytorch-book/.made-of"}


def test_every_public_name_of_the_learners_files_is_in_the_reference_and_leads_to_its_lesson(book):
    for module in HERE:
        text = (book / "reference" / f"{module.package_name}.html").read_text(encoding="utf-8")
        for exercise in source.read(workspace.course_source(module)).exercises():
            assert f", exercise {exercise.id}." in text or f"exercise {exercise.id}" in text, exercise.label
        assert text.count(f'href="../modules/{module.folder}.html#') > 3


def test_every_misconception_is_in_the_list_or_would_give_an_answer_away(book):
    from tito.checks import checking

    pages = [path.read_text(encoding="utf-8") for path in (book / "exercises").glob("*.html")]
    text = squeezed(html.unescape(re.sub("<[^>]*>", "", "\n".join(pages)))).replace("`", "")
    missing = []
    for module in HERE:
        checks = checking.load(workspace.course_checks(module))
        for exercise in source.read(workspace.course_source(module)).exercises():
            missing += [
                one for one in checks.check(exercise.name).misconceptions if re.sub(r"\W", "", one) not in re.sub(r"\W", "", text)
            ]
    assert len(missing) <= 3, missing
