"""The API reference, made from docstrings: a page for each file that a module fills, and for given parts of PyTorch's names."""

import ast
import re

from tito import workspace

GIVEN = {  # page -> what it is called, and the folders or files of the package that define it
    "nn": ("tinytorch.nn", ["more/nn"]),
    "functional": ("tinytorch.nn.functional", ["more/functional"]),
    "init": ("tinytorch.nn.init", ["more/init"]),
    "optim_more": ("tinytorch.optim, given", ["more/optim"]),
    "top": ("tinytorch", ["more/top"]),
    "utils_data": ("tinytorch.utils.data", ["utils/data.py"]),
    "datasets": (
        "tinytorch.datasets",
        [
            "datasets/images.py",
            "datasets/load_mnist.py",
            "datasets/load_mnist_5k.py",
            "datasets/load_cifar10.py",
            "datasets/idx.py",
        ],
    ),
    "drawing": ("tinytorch.drawing", ["drawing"]),
}
HEAD = """# API reference

Every public name, made from the docstrings in the code. A file at the top of the package is yours: each of its names links to the
part of the lesson in which you write it or meet it. The others are given; they are built on yours.

{rows}
"""
SECTIONS = ("Args", "Returns", "Raises", "Yields", "Example", "Source")
SECTION = re.compile(rf"^({'|'.join(SECTIONS)}):(.*)$", re.MULTILINE)
ENTRY = re.compile(r"^    (\*{0,2}\w+(?:, \*{0,2}\w+)*):(?: |\n)", re.MULTILINE)


def pages(course, curriculum, notebooks):
    """Return the pages by path; none if the package holds nothing to document.

    Args:
        course: `pathlib.Path` of the clone.
        curriculum: The `Curriculum`.
        notebooks: The modules' sources.
    """
    made, rows, places = {}, ["| names of | written in | names |", "|---|---|---|"], {}
    by_folder = {notebook.path.parent.name: notebook for notebook in notebooks}
    for module in curriculum.modules:
        path = course / "tinytorch" / module.exports
        if workspace.is_to_come(module) or not path.is_file():
            continue
        lesson = Lesson(module, by_folder[module.folder])
        title, names = f"tinytorch.{module.package_name}", public(path)
        if names:
            made[f"reference/{module.package_name}.md"] = page(title, names, lesson)
            rows.append(f"| [{title}]({module.package_name}) | [{module.title}](../modules/{module.folder}) | {len(names)} |")
            places |= {name.name: (module.package_name, name.name) for name in names}
    for stem, (title, parts) in GIVEN.items():
        names = [name for part in parts for file in files(course / "tinytorch" / part) for name in public(file)]
        if names:
            made[f"reference/{stem}.md"] = page(title, names, None)
            rows.append(f"| [{title}]({stem}) | given | {len(names)} |")
    if made:
        made["reference/index.md"] = HEAD.format(rows="\n".join(rows))
    return made


def files(path):
    """List the Python files that a path names."""
    return sorted(path.glob("*.py")) if path.is_dir() else [path] if path.is_file() else []


def public(path):
    """List the documented functions and classes of a file, in their order."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    made = [node for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
    return [node for node in made if not node.name.startswith("_") and ast.get_docstring(node)]


class Lesson:
    """Where a module's notebook defines each name: the heading above the cell."""

    def __init__(self, module, notebook):
        self.module, self.headings, self.exercises = module, {}, {}
        heading = ""
        for cell in notebook.cells:
            if cell.kind == "markdown":
                found = re.findall(r"^#{1,3} (.+)$", cell.text, re.MULTILINE)
                heading = found[-1] if found else heading
            else:
                for name in re.findall(r"^(?:def|class) (\w+)", cell.text, re.MULTILINE):
                    self.headings.setdefault(name, heading)
        for exercise in notebook.exercises():
            self.exercises[exercise.name] = exercise.id

    def head(self):
        """Say which file the names are in, and which module fills it, as Markdown."""
        module = self.module
        lesson = f"[module {module.number}, {module.title}](../modules/{module.folder}.ipynb)"
        return (
            f"The names in `tinytorch/{module.exports}`, which {lesson} fills. You write the exercises; the rest is given there."
        )

    def link(self, name):
        """Say where a name is defined, as Markdown."""
        heading = self.headings.get(name)
        address = f"../modules/{self.module.folder}.ipynb"
        number = f", exercise {self.exercises[name]}" if name in self.exercises else ", given there"
        if not heading:
            return f"[Module {self.module.number}]({address}){number}"
        return f"[Module {self.module.number}, {heading}]({address}#{slug(heading)}){number}"


def slug(heading):
    """Return the anchor that MyST gives a heading."""
    kept = re.sub(r"[^\w\- ]", "", heading.strip().lower().replace("`", ""))
    return kept.replace(" ", "-")


def page(title, names, lesson):
    """Return one page in Markdown: where the names come from, and each of them."""
    head = lesson.head() if lesson else "Given, and built on what you write."
    return "\n".join([f"# {title}", "", head, "", *(block for name in names for block in entry(name, lesson))]) + "\n"


def entry(node, lesson):
    """Yield the lines on one function or class, and on a class's public methods."""
    yield f"## {node.name}\n"
    yield f"```python\n{signature(node)}\n```\n"
    yield markdown(ast.get_docstring(node))
    if isinstance(node, ast.ClassDef):
        for method in node.body:
            if isinstance(method, ast.FunctionDef) and not method.name.startswith("_") and ast.get_docstring(method):
                yield f"**`{signature(method)}`**\n"
                yield markdown(ast.get_docstring(method))
    yield f"*{lesson.link(node.name)}.*\n" if lesson else "*Given.*\n"


def signature(node):
    """Return how a function or class is called."""
    if isinstance(node, ast.FunctionDef):
        return f"{node.name}({ast.unparse(node.args)})"
    made = next((part for part in node.body if isinstance(part, ast.FunctionDef) and part.name == "__init__"), None)
    if made is None:
        return f"class {node.name}"
    arguments = ast.unparse(made.args).partition(", ")[2]
    return f"{node.name}({arguments})"


def markdown(docstring):
    """Return a docstring as Markdown: its sections become lists and code."""
    pieces = SECTION.split(docstring)
    text = [escaped(pieces[0].strip()), ""]
    for name, first, body in zip(pieces[1::3], pieces[2::3], pieces[3::3]):
        text += section(name, (first.strip() + "\n" if first.strip() else "") + body.strip("\n"))
    return "\n".join(text)


def section(name, body):
    """Return the lines of one section."""
    if name == "Example":
        return ["```pycon", re.sub(r"^    ", "", body, flags=re.MULTILINE).strip("\n"), "```", ""]
    if name in ("Args", "Raises") and ENTRY.search(body):
        starts = [found.start() for found in ENTRY.finditer(body)] + [len(body)]
        items = [" ".join(body[a:b].split()) for a, b in zip(starts, starts[1:])]
        pairs = [item.partition(": ") for item in items]
        return [f"**{name}**", "", *(f"- `{label}`: {escaped(text)}" for label, _, text in pairs), ""]
    return [f"**{name}.** {escaped(' '.join(body.split()))}", ""]


def escaped(text):
    """Return prose in which stars, dollars and pointed brackets stand for themselves; code stays code."""
    parts = re.split(r"(``?[^`]+``?)", text)
    return "".join(
        f"`{part.strip('`')}`" if at % 2 else re.sub(r"([*$<>_\[\]|])", r"\\\1", part) for at, part in enumerate(parts)
    )
