"""What a page says about itself: the version, the source to edit, the notebook to download, and the one that opens in Colab."""

import json
import os
import subprocess
import tomllib
from datetime import UTC, datetime

import yaml

from tito.book import page
from tito.checks import files as check_files

# What Colab needs before the first cell of a notebook: the course, a workspace, and the modules before this one.
SET_UP = """\
# Colab begins empty: this installs the course, makes a workspace, and borrows the reference for the modules before this one.
%pip install -q "tinytorch-course[notebook,kernels] @ git+{repository}"
!tito init /content/mine
%cd -q /content/mine
{borrow}\
%env TINYTORCH_WORKSPACE=/content/mine
"""


def facts(course, modules, made):
    """Return what the pages are made of, for `tito.book.extension`.

    Args:
        course: `pathlib.Path` of the clone.
        modules: The modules that have a page.
        made: The generated pages, by path.
    """
    pages = {
        f"modules/{module.folder}": {
            "source": f"modules/{module.folder}/{module.name}.py",
            "notebook": f"{module.folder}.ipynb",
        }
        for module in modules
    }
    for name in made:
        stem, _, kind = name.rpartition(".")
        if kind == "md":
            pages[stem] = {"source": made_from(stem, course, modules)}
    commit, date = head(course)
    return {"version": version(course), "commit": commit, "date": date, "repository": repository(course), "pages": pages}


def made_from(stem, course, modules):
    """Return the file to edit if a generated page is wrong, as a path in the repository.

    Args:
        stem: The page's path in the book, without its ending.
        course: `pathlib.Path` of the clone.
        modules: The modules that have a page.
    """
    folder, _, name = stem.rpartition("/")
    module = next((module for module in modules if name in (module.folder, module.package_name)), None)
    if stem == "authors":
        return "CONTRIBUTING.md"
    if module:
        source = course / "modules" / module.folder / f"{module.name}.py"
        made = check_files.of(check_files.beside(source))[-1] if folder == "exercises" else source
        return made.relative_to(course).as_posix()
    own = f"tito/book/{'teaching' if folder == 'exercises' else folder or name}.py"
    return own if (course / own).is_file() else "tito/book/generated.py"


def repository(course):
    """Return the address at which the course is published, or "": that of the workflow that runs, or else the configured one."""
    if os.environ.get("GITHUB_REPOSITORY"):
        return f"{os.environ.get('GITHUB_SERVER_URL', 'https://github.com')}/{os.environ['GITHUB_REPOSITORY']}"
    configured = yaml.safe_load((course / "book" / "_config.yml").read_text(encoding="utf-8")).get("repository", {})
    return (configured.get("url") or "").rstrip("/")


def clone(course):
    """Return, as Markdown, the commands that clone the course; a comment if it is not known where it is published."""
    address = repository(course)
    commands = f"git clone {address}\ncd {address.rpartition('/')[2]}"
    return f"```sh\n{commands}\n```\n" if address else "% the course's address is not known\n"


def version(course):
    """Return the course's version."""
    path = course / "pyproject.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))["project"]["version"] if path.is_file() else ""


def head(course):
    """Return the commit that the clone is at, and its date; without git no commit, and today's date."""
    command = ["git", "-C", str(course), "log", "-1", "--format=%H %cs"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
        if done.returncode == 0:
            commit, _, date = done.stdout.strip().partition(" ")
            return commit, date
    except OSError:
        pass
    now = float(os.environ.get("SOURCE_DATE_EPOCH", datetime.now().timestamp()))
    return "", datetime.fromtimestamp(now, UTC).date().isoformat()


def for_colab(notebook, address):
    """Return the learner's notebook with a first cell that sets Colab up, as the text of an `.ipynb` file.

    Args:
        notebook: The module's source.
        address: Address of the repository to install the course from.
    """
    document = json.loads(page.learners(notebook))
    module, curriculum = page.module_of(notebook)
    borrow = "".join(f"!tito module complete {needed.number} --borrow\n" for needed in curriculum.prerequisites(module))
    text = SET_UP.format(repository=address, borrow=borrow)
    cell = {"cell_type": "code", "execution_count": None, "id": "colab", "metadata": {}, "outputs": [], "source": text}
    document["cells"].insert(0, cell)
    return json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
