"""A course of two tiny modules with a book of its own, and ways to read a site that know nothing of how it was made."""

import contextlib
import html
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tito import workspace

ROOT = Path(__file__).resolve().parents[2]
REPOSITORY = "owner/course"  # where the book of the course is published, for the tests
MANIFEST = """
[[module]]
number = "01"
name = "shapes"
title = "Shapes"
exports = "shapes.py"

[[module]]
number = "02"
name = "colours"
title = "Colours"
exports = "colour_tools.py"
requires = ["01"]

[[module]]
number = "03"
name = "light"
title = "Light"
exports = "light.py"
requires = ["01"]

[[milestone]]
name = "first-picture"
script = "first_picture.py"
title = "A picture"
requires = ["02"]
"""
SHAPES = '''\
# %% [markdown]
# # Shapes
#
# The area is $A = w h$.

# %% [markdown]
# Write it.

# %% exercise="01.1" minutes=5 points=1
#| export
def area(width, height):
    """Return the area of a rectangle."""
    ### BEGIN SOLUTION
    product = width * height
    return abs(product) if product < 0 else product
    ### END SOLUTION

# %% check="01.1"
assert area(3, -4) == 12

# %% [markdown] hint="01.1"
# No area is negative.

# %% [markdown] hint="01.1"
# Multiply first.

# %% [markdown] question="01.1"
# How large is a field of 20 m by 30 m?

# %%
print("a field of", area(20, 30), "m²")
'''
COLOURS = '''\
# %% [markdown]
# # Colours
#
# Paint for `area` of module 01.

# %%
from tinytorch.shapes import area
print("litres:", area(6, 7) / 2)

# %% exercise="02.1" minutes=5 points=1
#| export
def mix(first, second):
    """Return the colour half way between two."""
    ### BEGIN SOLUTION
    return tuple((a + b) // 2 for a, b in zip(first, second))
    ### END SOLUTION

# %% check="02.1"
mix((0, 0, 0), (10, 20, 30))
'''.replace("# %% exercise", "# %% [markdown]\n# Mix two colours.\n\n# %% exercise")


INTRO = """
# Shapes and colours

```{include} map.md
```
"""


class Course:
    """A course in a folder of its own; modules are added one by one."""

    def __init__(self, root):
        self.root = root
        shutil.copytree(ROOT / "book", root / "book", ignore=shutil.ignore_patterns("_build", "*.md", "figures", "rooflines"))
        (root / "book" / "intro.md").write_text(INTRO, encoding="utf-8")
        for folder in ("modules", "tinytorch/given", "milestones"):
            (root / folder).mkdir(parents=True)
        pictures = "tinytorch/datasets/mnist_5k"
        shutil.copytree(ROOT / pictures, root / pictures)  # the page See and learn shows some
        (root / "modules" / "curriculum.toml").write_text(MANIFEST, encoding="utf-8")
        (root / "tinytorch" / "__init__.py").write_text('"""Nothing is given."""\n', encoding="utf-8")
        self.write("01_shapes/shapes.py", SHAPES)

    def write(self, name, text):
        path = self.root / "modules" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def edit(self, name, old, new):
        text = (self.root / "modules" / name).read_text(encoding="utf-8")
        assert old in text
        self.write(name, text.replace(old, new))

    def add_colours(self):
        self.write("02_colours/colours.py", COLOURS)


@contextlib.contextmanager
def stand_in(folder):
    """Make tito take a new course for the one that it is installed with, until the block ends, whether or not it fails."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workspace, "course_dir", lambda: folder)
        yield Course(folder)


@pytest.fixture
def course(tmp_path_factory):
    with stand_in(tmp_path_factory.mktemp("course")) as course:
        yield course


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """The site of the course with both modules, built once."""
    pytest.importorskip("jupyter_book", reason="the extra `book` is not installed")
    from tito.book import site

    with stand_in(tmp_path_factory.mktemp("course")) as course, pytest.MonkeyPatch.context() as patch:
        patch.delenv("GITHUB_REPOSITORY", raising=False)  # which workflows set
        course.add_colours()
        return site.build(tmp_path_factory.mktemp("built") / "site").parent


@pytest.fixture(scope="session")
def book(tmp_path_factory):
    """The site of the course itself, built as its workflow builds it; or the one in the folder that TINYTORCH_BOOK names."""
    if os.environ.get("TINYTORCH_BOOK"):
        return Path(os.environ["TINYTORCH_BOOK"])
    pytest.importorskip("jupyter_book", reason="the extra `book` is not installed")
    out = tmp_path_factory.mktemp("book") / "site"
    done = subprocess.run(
        [sys.executable, "-m", "tito", "book", "build", "--out", str(out)],
        env={**os.environ, "GITHUB_REPOSITORY": REPOSITORY},
        cwd=ROOT,
        text=True,
        encoding="utf-8",
        capture_output=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert str(out / "index.html") in done.stdout
    return out


@pytest.fixture(scope="session")
def texts():
    """Return a function: every text file below a folder, as it is and as a reader sees it, by its path."""

    def texts(folder):
        found = {}
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            raw = path.read_bytes().decode("utf-8", errors="ignore")
            found[path.relative_to(folder).as_posix()] = raw + html.unescape(re.sub("<[^>]*>", "", raw))
        return found

    return texts


@pytest.fixture(scope="session")
def holding(texts):
    """Return a function: the files below a folder that hold one of some texts."""

    def holding(folder, wanted):
        return [(name, piece) for name, text in texts(folder).items() for piece in wanted if piece in text]

    return holding


class Loads(HTMLParser):
    """What a browser fetches for a page, and the scripts that stand in it."""

    def __init__(self):
        super().__init__()
        self.found, self.script = [], False

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.script = tag == "script"
        self.found += [given.get(name) for name in ("src", "srcset", "data", "poster", "style")]
        self.found += [given.get("href")] if tag in ("link", "use", "base") else []

    def handle_endtag(self, tag):
        self.script = False

    def handle_data(self, data):
        self.found += [data] if self.script else []


@pytest.fixture(scope="session")
def fetched_from_elsewhere():
    """Return a function: every address on another machine that a site's pages and style sheets load."""

    def elsewhere(folder):
        found = []
        for path in folder.rglob("*.html"):
            page = Loads()
            page.feed(path.read_text(encoding="utf-8"))
            found += [(path.name, load) for load in page.found if load and re.search(r"(https?:|^|['\"(])//\w", load)]
        for path in folder.rglob("*.css"):
            text = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
            found += [
                (path.name, load) for load in re.findall(r"(?:url\(|@import)[^)]{0,99}//\w[^)]*", text) if "data:" not in load
            ]
        return found

    return elsewhere
