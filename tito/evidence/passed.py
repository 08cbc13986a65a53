"""The record of a passed milestone in the workspace: when, how well, with what. The map reads it, so it imports little."""

import hashlib
from datetime import datetime

from tito import records, standing


def caveats(space, milestone, about):
    """Return the caveats of a pass: modules that were borrowed, and files that did not train these weights.

    Args:
        space: The workspace.
        milestone: The milestone.
        about: The run's description of its weights, a dict.

    Returns:
        List of sentences.
    """
    needed = space.curriculum.prerequisites(milestone)
    borrowed = [str(module) for module in needed if standing.is_borrowed(space, module)]
    trained_by = about.get("package")
    if not isinstance(trained_by, dict):
        changed = ["the run did not record which files trained these weights"]
    else:
        other = [module for module in needed if trained_by.get(module.exports) != standing.digest(space.exported(module))]
        changed = [f"tinytorch/{module.exports} (module {module}) is not the file that trained these weights" for module in other]
    return [f"borrowed from the reference: {', '.join(borrowed)}"] * bool(borrowed) + changed


def keep(space, milestone, rows, caveats, weights):
    """Save the evidence of a pass.

    Args:
        space: The workspace.
        milestone: The milestone.
        rows: Pairs of a criterion and its result.
        caveats: The result of `caveats`.
        weights: Path of the graded file.
    """
    evidence = {
        "when": datetime.now().isoformat(" ", "seconds"),
        "rows": [list(row) for row in rows],
        "caveats": caveats,
        "weights": hashlib.sha256(weights.read_bytes()).hexdigest(),
    }
    records.write(space, f"milestones/{milestone.name}.json", evidence)


def read(space, milestone):
    """Return the evidence of a milestone's last pass, or None if it has not passed."""
    evidence = records.read(space, f"milestones/{milestone.name}.json")
    kinds = {"when": str, "rows": list, "caveats": list}
    complete = all(isinstance(evidence.get(key), kind) for key, kind in kinds.items())
    return evidence if complete else None


def in_words(evidence):
    """Return a short summary of a pass, such as `passed with 97.94 %, 2026-03-01`."""
    rows = {row[0]: str(row[1]) for row in evidence["rows"] if isinstance(row, list) and len(row) == 2}
    accuracy = rows.get("test accuracy", "").partition(" ")[0]
    borrowed = any(str(caveat).startswith("borrowed") for caveat in evidence["caveats"])
    words = f"passed with {accuracy} %" if accuracy else "passed"
    return ", ".join([words, evidence["when"][:10]] + ["on borrowed modules"] * borrowed)
