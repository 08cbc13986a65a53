"""What a passed milestone leaves in the workspace: when, how well, with what. The map reads it, so its imports are light."""

import hashlib
from datetime import datetime

from tito import records, standing


def caveats(space, milestone, about):
    """Return what a pass is to be read with: what of the package was not the learner's own, or is not what trained the weights.

    Args:
        space: The workspace.
        milestone: The milestone.
        about: Dict of what the run says of its weights.

    Returns:
        List of sentences.
    """
    needed = space.curriculum.prerequisites(milestone)
    borrowed = [str(module) for module in needed if standing.is_borrowed(space, module)]
    trained_by = about.get("package")
    if not isinstance(trained_by, dict):
        changed = ["the run does not say which files trained these weights"]
    else:
        other = [module for module in needed if trained_by.get(module.exports) != standing.digest(space.exported(module))]
        changed = [f"tinytorch/{module.exports} (module {module}) is not the file that trained these weights" for module in other]
    return [f"borrowed from the reference: {', '.join(borrowed)}"] * bool(borrowed) + changed


def keep(space, milestone, rows, caveats, weights):
    """Keep the evidence of a pass.

    Args:
        space: The workspace.
        milestone: The milestone.
        rows: Pairs of what was looked at and what was found.
        caveats: What `caveats` returned.
        weights: Path of the file that was graded.
    """
    evidence = {
        "when": datetime.now().isoformat(" ", "seconds"),
        "rows": [list(row) for row in rows],
        "caveats": caveats,
        "weights": hashlib.sha256(weights.read_bytes()).hexdigest(),
    }
    records.write(space, f"milestones/{milestone.name}.json", evidence)


def read(space, milestone):
    """Return the evidence of a milestone's last pass; None if it was not passed."""
    found = records.read(space, f"milestones/{milestone.name}.json")
    whole = isinstance(found.get("when"), str) and isinstance(found.get("rows"), list) and isinstance(found.get("caveats"), list)
    return found if whole else None


def in_words(evidence):
    """Say in a few words how a milestone was passed: `97.94 %, on 2026-03-01`, and that there is more to say of it."""
    rows = {row[0]: str(row[1]) for row in evidence["rows"] if isinstance(row, list) and len(row) == 2}
    accuracy = rows.get("test accuracy", "").partition(" ")[0]
    borrowed = any(str(caveat).startswith("borrowed") for caveat in evidence["caveats"])
    words = f"passed with {accuracy} %" if accuracy else "passed"
    return ", ".join([words, evidence["when"][:10]] + ["on borrowed modules"] * borrowed)
