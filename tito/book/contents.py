"""The table of contents and the map on the first page, made from the curriculum and the modules that exist."""

import json

from tito import workspace


def chapters(curriculum):
    """Return the modules that have a source, and so a page."""
    return [module for module in curriculum.modules if not workspace.is_to_come(module)]


def table(modules, beside=()):
    """Return `_toc.yml`, which is JSON (and so YAML too); `beside` lists the pages that compare the framework with PyTorch."""
    pages = [{"file": f"modules/{module.folder}", "title": f"{module.number} {module.title}"} for module in modules]
    parts = [{"caption": "Modules", "chapters": pages}] if pages else []
    parts += [{"caption": "Beside PyTorch", "chapters": [{"file": name} for name in beside]}] if beside else []
    return json.dumps({"format": "jb-book", "root": "intro", "parts": parts}, indent=1) + "\n"


def course_map(curriculum):
    """Return the map as Markdown: every module and milestone, what it needs, and whether it exists yet."""
    here = chapters(curriculum)
    lines = ["| | module | in `tinytorch/` | needs |", "|---|---|---|---|"]
    for module in curriculum.modules:
        name = f"[{module.title}](modules/{module.folder})" if module in here else f"{module.title}, not in this release yet"
        lines.append(f"| {module.number} | {name} | `{module.exports}` | {', '.join(module.requires)} |")
    lines += ["", "| milestone | | needs |", "|---|---|---|"]
    for milestone in curriculum.milestones:
        written = (workspace.course_dir() / "milestones" / milestone.script).is_file()
        title = milestone.title if written else f"{milestone.title}, not in this release yet"
        lines.append(f"| `{milestone.name}` | {title} | {', '.join(milestone.requires)} |")
    return "\n".join(lines) + "\n"
