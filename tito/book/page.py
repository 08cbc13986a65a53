"""A module's page: the learner's notebook with the outputs of the solved one, its hints collapsed."""

import json
from dataclasses import replace

from tito.notebooks import ipynb, strip


def text(notebook, outputs=None):
    """Return a module's page as the text of an `.ipynb` file.

    Args:
        notebook: The module's source.
        outputs: One list of outputs for each cell of the learner's notebook; None for a page without outputs.
    """
    cells = [_framed(cell) for cell in strip.learner_cells(notebook)]
    document = json.loads(ipynb.render(cells))
    for record, produced in zip(document["cells"], outputs or (), strict=outputs is not None):
        if record["cell_type"] == "code":
            record["outputs"] = produced
    document["cells"] = [
        shown for cell, record in zip(cells, document["cells"]) for shown in (record, *_hint_cell(notebook, cell, record["id"]))
    ]
    document["metadata"]["language_info"]["pygments_lexer"] = "ipython3"  # knows magics
    return json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _framed(cell):
    """Put a question into a box, and tag exercises and checks for the style sheet."""
    if cell.question:
        cell = replace(cell, text=f"::::{{admonition}} Question {cell.question}\n{cell.text}\n::::")
    kinds = [kind for kind in ("exercise", "check") if getattr(cell, kind)]
    return replace(cell, metadata={**cell.metadata, "tags": [*cell.metadata.get("tags", ()), *kinds]})


def _hint_cell(notebook, cell, identity):
    """Return a list of one cell with the collapsed hints of an exercise after its check, or an empty list."""
    hints = [hint.text for hint in notebook.cells if hint.hint and hint.hint == cell.check]
    if not hints:
        return []
    folded = [f"::::{{dropdown}} Hint {number} of {len(hints)}\n{hint}\n::::" for number, hint in enumerate(hints, 1)]
    return [{"cell_type": "markdown", "id": f"{identity}-hints", "metadata": {}, "source": "\n\n".join(folded)}]
