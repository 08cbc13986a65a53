"""A module's page: the learner's notebook with the outputs of the solved one, its hints collapsed."""

import base64
import html
import json
import re
from dataclasses import replace

from tito.book import diagrams, figures, svg
from tito.curriculum import Curriculum
from tito.notebooks import cards, ipynb, strip

PICTURES = "_static/figures"  # where pages find them, seen from the book's folder
DRAWN = re.compile(r"^```\n.*?^```$", re.MULTILINE | re.DOTALL)  # a notebook's drawing in characters


def text(notebook, outputs=None, pictures=None):
    """Return a module's page as the text of an `.ipynb` file.

    Args:
        notebook: The module's source.
        outputs: One list of outputs for each cell of the learner's notebook; None for a page without outputs.
        pictures: Dict to put the page's pictures into, bytes by path; None leaves them inside the page.
    """
    name = notebook.path.parent.name
    cells = [_framed(_illustrated(name, cell)) for cell in _numbered(name, strip.learner_cells(notebook))]
    document = json.loads(ipynb.render(cells))
    for record, produced in zip(document["cells"], outputs or (), strict=outputs is not None):
        if record["cell_type"] == "code":
            record["outputs"] = produced
    fold_what_is_predicted(cells, document["cells"])
    if pictures is not None:
        take_pictures(document, name, pictures)
    document["cells"] = [
        shown for cell, record in zip(cells, document["cells"]) for shown in (record, *_hint_cell(notebook, cell, record["id"]))
    ]
    document["metadata"]["language_info"]["pygments_lexer"] = "ipython3"  # knows magics
    return json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def fold_what_is_predicted(cells, records):
    """Fold the output below a question that asks for a prediction, so that nobody reads it before they predict."""
    for cell, record in zip(cells, records[1:]):
        if cell.question and "Predict" in cell.text and record["cell_type"] == "code":
            record["metadata"].setdefault("tags", []).append("hide-output")


def take_pictures(document, name, pictures):
    """Replace a notebook's pictures by two files each, one for light and one for dark pages, and a description.

    Args:
        document: The notebook, a dict, which is changed.
        name: What the files' names begin with.
        pictures: Dict that gets the files' bytes, by path.
    """
    for record in document["cells"]:
        for output in record.get("outputs", ()):
            data = output.get("data", {})
            made = {**data.pop(figures.MIME, {})}
            if "image/svg+xml" in data:
                drawing = "".join(data.pop("image/svg+xml"))
                kind, light, dark = "svg", drawing.encode("utf-8"), svg.darkened(drawing).encode("utf-8")
                made["alt"] = svg.words(drawing)
                size = re.search(r'<svg[^>]*? width="([\d.]+)[^>]*? height="([\d.]+)', drawing)
                size = {"width": round(float(size[1])), "height": round(float(size[2]))} if size else {}
                data.pop("image/png", None)
            elif "image/png" in data and "dark" in made:
                kind, light, dark = "png", *(base64.b64decode("".join(text)) for text in (data.pop("image/png"), made["dark"]))
                size = output.get("metadata", {}).get("image/png", {})
            else:
                continue
            stem = f"{name}-{len(pictures) + 1:02d}"
            for shade, content in (("light", light), ("dark", dark)):
                pictures[f"{PICTURES}/{stem}-{shade}.{kind}"] = content
            output["metadata"] = {}
            output["data"] = {"text/html": "".join(image(stem, kind, shade, made["alt"], size) for shade in ("light", "dark"))}


def image(stem, kind, shade, alt, size):
    """Return a picture's element: pages of the other shade hide it."""
    sizes = "".join(f' {side}="{size[side]}"' for side in ("width", "height") if side in size)
    return f'<img class="tt-figure tt-{shade}" src="../{PICTURES}/{stem}-{shade}.{kind}" alt="{html.escape(alt)}"{sizes}>'


def learners(notebook):
    """Return the notebook that a learner gets, as the text of an `.ipynb` file: what `tito init` writes, for the download."""
    return ipynb.render(cards.dressed(strip.learner_cells(notebook), True))


def module_of(notebook):
    """Return a source's module, and the curriculum that it belongs to."""
    curriculum = Curriculum.load(notebook.path.parent.parent / "curriculum.toml")
    return curriculum.module(notebook.path.parent.name), curriculum


def _numbered(name, cells):
    """Put the module's number into the page's title, which the browser and the links at the page's end show too."""
    first, *rest = cells
    return [replace(first, text=re.sub(r"^# ", f"# {name.partition('_')[0]} ", first.text)), *rest]


def question_mark(question):
    """Return the name by which other pages link to a question."""
    return f"question-{question.replace('.', '-')}"


def _illustrated(name, cell):
    """Add the diagram that belongs to a cell of prose; it takes the place of a drawing in characters."""
    drawing = diagrams.in_place(name, cell.text) if cell.kind == "markdown" else None
    if not drawing:
        return cell
    text, replaced = DRAWN.subn(lambda _: drawing, cell.text, count=1)
    return replace(cell, text=text if replaced else f"{cell.text}\n\n{drawing}")


def _framed(cell):
    """Put a question into a box, and tag exercises and checks for the style sheet."""
    if cell.question:
        box = f"::::{{admonition}} Question {cell.question}\n{cell.text}\n::::"
        cell = replace(cell, text=f"({question_mark(cell.question)})=\n{box}")
    kinds = [kind for kind in ("exercise", "check") if getattr(cell, kind)]
    return replace(cell, metadata={**cell.metadata, "tags": [*cell.metadata.get("tags", ()), *kinds]})


def _hint_cell(notebook, cell, identity):
    """Return a list of one cell with the collapsed hints of an exercise after its check, or an empty list."""
    hints = [hint.text for hint in notebook.cells if hint.hint and hint.hint == cell.check]
    if not hints:
        return []
    folded = [f"::::{{dropdown}} Hint {number} of {len(hints)}\n{hint}\n::::" for number, hint in enumerate(hints, 1)]
    return [{"cell_type": "markdown", "id": f"{identity}-hints", "metadata": {}, "source": "\n\n".join(folded)}]
