"""Find out whether an exercise fails only because an earlier exercise or module is wrong, and name that one.

The proof is a trial: with the course's own solution in its place, this one passes.
"""

import ast
from dataclasses import replace

from tito import workspace
from tito.checks import wording
from tito.notebooks import source
from tito.notebooks.export import assembled
from tito.notebooks.parts import exported_parts

WRONG = "failed", "error"


def named(verdicts, trial):
    """Return the verdicts; the first failed one names an earlier exercise if that is at fault.

    Args:
        verdicts: `checking.Verdict` of some exercises of the module, in order.
        trial: `Substitution` that checks an exercise with some of the course's own solutions.
    """
    first = next((verdict for verdict in verdicts if verdict.status in WRONG or trial.hangs_elsewhere(verdict)), None)
    culprit = trial.culprit(first) if first else None
    if culprit is None:
        return verdicts
    number, sentence = culprit
    rows = ("at fault", sentence), *first.failure.rows
    blamed = replace(first, failure=replace(first.failure, rows=rows, looks_like=None, culprit=number))
    return tuple(blamed if verdict is first else verdict for verdict in verdicts)


class Substitution:
    """The learner's module, with some of its solutions replaced by the course's own.

    Args:
        space: The learner's workspace.
        module: The module.
        written: The learner's notebook, repaired as `salvage` does.
        reference: The course's own source of the module.
        check: Function of the module file's text, exercises, and a dict of other files' texts, that returns verdicts.
    """

    def __init__(self, space, module, written, reference, check):
        self.space, self.module, self.check = space, module, check
        self.written, self.reference = written, reference
        self.ours, self.theirs = cells_by_name(reference), cells_by_name(written)

    def culprit(self, verdict):
        """Return the number of the earlier exercise or module that makes an exercise fail, and a message; None if none does."""
        exercises = self.reference.exercises()
        place = [exercise.id for exercise in exercises].index(verdict.id)
        label = f"{verdict.id} {verdict.name}"
        earlier = [exercise for exercise in exercises[:place] if self.differs(exercise.name)]
        if earlier and not verdict.failure.shared and self.passes(exercises[place], [exercise.name for exercise in earlier]):
            culprit = self.narrowed(exercises[place], earlier)
            return culprit.id, wording.at_fault(culprit.label, label)
        modules = dict(self.prerequisites())
        files = {needed.exports: text for needed, text in modules.items()}
        if not files or not self.passes(exercises[place], [], files):
            return None
        alone = (needed for needed in modules if self.passes(exercises[place], [], {needed.exports: modules[needed]}))
        culprit = next(alone, next(iter(modules)))
        return culprit.number, wording.at_fault(f"module {culprit} (tinytorch/{culprit.exports})", label)

    def hangs_elsewhere(self, verdict):
        """Return whether an exercise did not end, in code of another module: only then is a trial worth its time."""
        place = dict(verdict.failure.rows).get("at") if verdict.status == "timeout" else None
        return bool(place) and not place.startswith(self.written.path.name)

    def narrowed(self, exercise, suspects):
        """Return the exercise among the suspects that is at fault; if several are, the first that fails its own check."""
        verdicts = self.check(self.text([]), suspects, {})
        failing = [suspect for suspect, verdict in zip(suspects, verdicts) if verdict.status != "passed"]
        others = [suspect for suspect in suspects if suspect not in failing]
        alone = (suspect for suspect in [*failing, *others[::-1]] if self.passes(exercise, [suspect.name]))
        return next(alone, [*failing, *others][0])

    def passes(self, exercise, names, files=None):
        """Return whether an exercise passes with the course's solutions of some others."""
        (verdict,) = self.check(self.text(names), [exercise], files or {})
        return verdict.status == "passed"

    def text(self, names):
        """Return the text of the module's file, with the course's own cells for these names."""
        texts = {self.theirs[name].index: self.ours[name].text for name in names}
        cells = tuple(replace(cell, text=texts.get(cell.index, cell.text)) for cell in self.written.cells)
        return assembled(exported_parts(replace(self.written, cells=cells)), self.space.label(self.written.path))

    def differs(self, name):
        """Return whether the learner's code of an exercise differs from the course's."""
        return name in self.theirs and code(self.theirs[name].text) != code(self.ours[name].text)

    def prerequisites(self):
        """Yield the prerequisites whose file is missing or has other code than the course's, with the course's text."""
        for needed in self.space.curriculum.prerequisites(self.module):
            theirs, ours = self.space.package / needed.exports, workspace.course_dir() / "tinytorch" / needed.exports
            if not ours.is_file():
                continue
            text = ours.read_text(encoding="utf-8")
            if not theirs.is_file() or code(theirs.read_bytes()) != code(text):
                yield needed, text


def cells_by_name(notebook):
    """Return a dict from each name to the exported cell that defines it."""
    return {name: part.cell for part in exported_parts(notebook) for name, _ in part.provided}


def code(text):
    """Return Python code in a form without comments and layout."""
    try:
        return ast.dump(ast.parse(text))
    except (SyntaxError, ValueError):  # ValueError: null bytes
        return text


def also_defined(notebook, name):
    """Return, for each cell of a notebook that defines a name, whether it is exported; an empty list unless there are several."""
    defining = []
    for cell in notebook.cells:
        try:
            body = ast.parse(cell.text).body if cell.kind == "code" else ()
        except SyntaxError:
            continue
        if any(name in source.definitions(node) for node in body):
            defining.append(cell.exported)
    return defining if len(defining) > 1 else []
