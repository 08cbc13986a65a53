"""Build the website from the modules: write pages, run Jupyter Book, search for answers, then move the site into place."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from tito import leftovers, page as see_and_learn, workspace
from tito.book import BookError, contents, edition, execution, generated, page, svg, unchanged
from tito.curriculum import Curriculum
from tito.notebooks import source
from tito.notebooks.answers import leaks

MATHJAX = "sphinx-mathjax-offline"  # contains MathJax 3, which pages would otherwise load from the network
NEEDED = ("jupyter_book", "nbclient", "ipykernel", "matplotlib", MATHJAX)
JUPYTER_BOOK = "from jupyter_book.cli.main import main; main(prog_name='jupyter-book')"
MADE_BY_SPHINX = ".buildinfo"
ZIP = "tinytorch-book.zip"


def build(out=None, execute=True, tell=lambda text: None):
    """Build the book of all modules that exist.

    Args:
        out: Folder for the site; by default `book/_build/html` in the clone. An existing book is replaced, unless it is the same.
        execute: Whether pages show outputs.
        tell: Called with a line of text for each page.

    Returns:
        Path of `index.html`.

    Raises:
        BookError: Something is missing, a notebook fails, Jupyter Book warns, or the site holds an answer.
    """
    course = workspace.course_dir()
    out = Path(out or course / "book" / "_build" / "html").absolute()
    _require_parts(course)
    _require_free(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    with leftovers.folder(f".{out.name}-", out.parent) as draft:
        notebooks = write_sources(draft / "source", execute, tell)
        origin = unchanged.made_of(draft / "source")
        if unchanged.is_unchanged(out, origin):
            tell("nothing has changed since this book was built")
            return out / "index.html"
        tell("building the pages with Jupyter Book")
        site = run_jupyter_book(draft / "source", draft / "built")
        see_and_learn.write(site / "see", course)
        copy_mathjax(site / "_static" / "mathjax")
        write_notebooks(site / "notebooks", notebooks)
        tell("looking for answers in the pages")
        refuse_answers(site, notebooks)
        pack(site)
        unchanged.stamp(site, origin)
        if out.exists():
            shutil.rmtree(out)
        site.rename(out)
    return out / "index.html"


def write_sources(folder, execute=True, tell=lambda text: None):
    """Write what Jupyter Book reads: the book's own files, one page per module, the table of contents and the map.

    Returns:
        The modules' sources, as a list of `Notebook`.
    """
    course = workspace.course_dir()
    curriculum = Curriculum.load(course / workspace.MANIFEST)
    shutil.copytree(course / "book", folder, ignore=shutil.ignore_patterns("_build", ".*"))
    modules = contents.chapters(curriculum)
    notebooks, made = [], {}
    for module in modules:
        notebooks.append(source.read(workspace.course_source(module)))
        produced = _outputs(module, curriculum, tell) if execute else None
        made[f"modules/{module.folder}.ipynb"] = page.text(notebooks[-1], produced, made)
    made |= generated.pages(course, curriculum, notebooks)
    for name, content in made.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    write_dark(folder)
    (folder / "_toc.yml").write_text(contents.table(modules, folder), encoding="utf-8")
    (folder / "book.json").write_text(json.dumps(edition.facts(course, modules, made), indent=1), encoding="utf-8")
    return notebooks


def write_dark(folder):
    """Write a version for dark pages beside every drawing that has none."""
    for path in sorted(folder.rglob("*.svg")):
        dark = path.with_name(f"{path.stem}-dark.svg")
        if path.parent.name not in ("_static", "figures") and not path.stem.endswith("-dark") and not dark.exists():
            dark.write_text(svg.darkened(path.read_text(encoding="utf-8")), encoding="utf-8")


def write_notebooks(folder, notebooks):
    """Write the notebooks that learners download and, for a published course, those that set Colab up first."""
    address = edition.repository(workspace.course_dir())
    for notebook in notebooks:
        made = {".": page.learners(notebook)} | ({"colab": edition.for_colab(notebook, address)} if address else {})
        for name, text in made.items():
            path = folder / name / f"{notebook.path.parent.name}.ipynb"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


def pack(site):
    """Write the site into a zip of itself, to read without a network; its `index.html` is at the top."""
    files = sorted(path for path in site.rglob("*") if path.is_file())
    with zipfile.ZipFile(site / ZIP, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
        for path in files:
            archive.write(path, f"tinytorch-book/{path.relative_to(site).as_posix()}")


def copy_mathjax(folder):
    """Copy the part of MathJax that pages load, a tenth of it.

    Jupyter Book would load it on every page if it were among the sources.
    """
    package = Path(importlib.util.find_spec(MATHJAX).origin).parent / "static" / "mathjax"
    fonts = Path("output") / "chtml" / "fonts"
    shutil.copytree(package / fonts, folder / fonts)
    shutil.copy(package / "tex-chtml.js", folder)


def run_jupyter_book(folder, out):
    """Build the site in a separate process, treating warnings as errors; return the site's folder."""
    command = [sys.executable, "-c", JUPYTER_BOOK, "build", str(folder), "--path-output", str(out), "-W", "--keep-going", "-q"]
    done = leftovers.run(
        command,
        env={**os.environ, "PYTHONUTF8": "1", "NO_COLOR": "1"},
        text=True,
        encoding="utf-8",
        errors="replace",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).replace(str(folder) + os.sep, "")
        raise BookError(f"Jupyter Book refuses the pages:\n{said}")
    return out / "_build" / "html"


def refuse_answers(site, notebooks):
    """Raise if any file of the site shows a solution."""
    leaked = leaks(site, notebooks)
    if leaked:
        shown = "\n".join(str(leak) for leak in leaked[:10])
        raise BookError(f"the site shows {len(leaked)} answers, so it is not kept:\n{shown}")


def parts(execute=True):
    """Return how many times `build` calls `tell`."""
    chapters = contents.chapters(Curriculum.load(workspace.course_dir() / workspace.MANIFEST)) if execute else ()
    return len(chapters) + 2


def _outputs(module, curriculum, tell):
    cache = workspace.course_dir() / "book" / "_build" / "outputs"
    tell(f"module {module}: {'run' if execution.kept(cache, module, curriculum) is None else 'unchanged'}")
    return execution.outputs(module, curriculum, cache)


def _require_parts(course):
    if not (course / "book" / "_config.yml").is_file():
        raise BookError("the book is built in a clone of the course, from its folder `book`; this is an installed copy", 2)
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise BookError(f'the book needs {", ".join(missing)}: pip install "tinytorch-course[book]"', 2)


def _require_free(out):
    """Raise if the folder holds something other than a book."""
    if out.exists() and not (out.is_dir() and ((out / MADE_BY_SPHINX).is_file() or not any(out.iterdir()))):
        raise BookError(f"{out} already exists and is not a book: name a new folder", 2)
