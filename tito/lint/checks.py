"""The checks themselves: complete, NumPy only, with draws that tell solutions apart and misconceptions that are recognised."""

import ast
import sys

import numpy as np

from tito.checks import checking, files
from tito.checks.cases import drawn
from tito.checks.compare import arrays_in
from tito.checks.wire import encode

PARTS = ("draw", "oracle", "misconceptions", "observe", "rtol", "atol", "describe")
FEWEST = 2  # misconceptions per exercise


def whole(course, module):
    """Every exercise has its draw, oracle and misconceptions; nothing is left without an exercise; only NumPy is imported."""
    names = {exercise.name for exercise in course.exercises(module)}
    defined = vars(course.checks(module).module)
    for name in names:
        for part in PARTS[:3]:
            if f"{part}_{name}" not in defined:
                yield course.in_checks(module, f"{part}_{name} is missing")
    for name in defined:
        part, _, rest = name.partition("_")
        if part in ("draw", "misconceptions") and rest and rest not in names:
            yield course.in_checks(module, f"{name} belongs to no exercise", name)
    yield from imports(course, module)


def imports(course, module):
    """Checks import the standard library and NumPy; a name is defined in one of their files, and imported from there."""
    home = {}
    for file in course.checks_files(module):
        tree = course.tree(file)
        for name in defined(tree):
            if home.setdefault(name, file.stem) != file.stem:
                yield course.problem_in(file, f"{name} is defined in {home[name]}.py as well: all files share their names")
        own = files.imports(tree)
        for node in own:
            for name in (alias.name for alias in node.names if home.get(alias.name) != node.module):
                yield course.problem_in(file, f"imports {name}, which {node.module}.py does not define", node.lineno)
        for node in (node for node in ast.walk(tree) if node not in own):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or "."] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                if name.partition(".")[0] not in (*sys.stdlib_module_names, "numpy"):
                    reason = f"imports {name}: the trusted side imports NumPy and none of our code"
                    yield course.problem_in(file, reason, node.lineno)


def defined(tree):
    """List the names that a file defines at its top level."""
    definitions = [node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
    targets = [target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets]
    return definitions + [name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)]


def misconceptions(course, module):
    """Each exercise has at least two misconceptions, and each is caught and named by its own sentence."""
    for exercise in course.exercises(module):
        check = course.checks(module).check(exercise.name)
        part = f"misconceptions_{exercise.name}"
        if len(check.misconceptions) < FEWEST:
            reason = f"{exercise.label} has {len(check.misconceptions)} misconceptions, and needs {FEWEST}"
            yield course.in_checks(module, reason, part)
        for sentence, how in checking.blind_spots(check, course.cases(module, exercise.name)).items():
            yield course.in_checks(module, f"{exercise.label}: {sentence!r} {how}", part)


def draws(course, module):
    """Draws change with the seed, shapes too, and are not constant; a warning if all are positive or square."""
    for exercise in course.exercises(module):
        check = course.checks(module).check(exercise.name)
        first, second = (drawn(check, seed) for seed in checking.SEEDS)
        part = f"draw_{exercise.name}"
        if [encode(case.inputs) for case in first] == [encode(case.inputs) for case in second]:
            yield course.in_checks(module, f"{exercise.label}: two seeds draw the same", part)
        if checking.always_the_same_form(check):
            reason = f"{exercise.label}: every seed draws the same shapes and settings, which a learner could write down"
            yield course.in_checks(module, reason, part)
        for argument in constant(first + second):
            yield course.in_checks(module, f"{exercise.label}: {argument} is constant in every case", part)
        for word in too_special(first + second):
            yield course.in_checks(module, f"{exercise.label}: every array is {word}", part, warning=True)


def constant(cases):
    """List the arguments whose arrays all hold a single repeated value."""
    by_argument = {}
    for case in cases:
        for argument, value in case.inputs.items():
            by_argument.setdefault(argument, []).extend(array for array in arrays_in(value) if array.size > 1)
    return [
        argument for argument, arrays in by_argument.items() if arrays and all(np.ptp(numbers(array)) == 0 for array in arrays)
    ]


def numbers(array):
    """Return the finite entries of an array as float64."""
    finite = array[np.isfinite(array)].astype(np.float64)
    return finite if finite.size else np.zeros(1)


def too_special(cases):
    """Yield what all floating-point arrays of an exercise have in common that could hide a mistake."""
    arrays = [array for case in cases for array in arrays_in(case.inputs) if array.dtype.kind == "f" and array.size > 1]
    tables = [array for array in arrays if array.ndim > 1]
    if arrays and all((numbers(array) >= 0).all() for array in arrays):
        yield "without a negative entry"
    if tables and all(array.shape[-1] == array.shape[-2] for array in tables):
        yield "square"
        if all(np.array_equal(array, np.swapaxes(array, -1, -2)) for array in tables):
            yield "symmetric"
