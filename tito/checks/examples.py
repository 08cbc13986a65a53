"""Docstring examples as cases: the learner's code must give what an exercise's docstring shows.

Only this side knows the expected text. Its numbers may differ in the last digit shown, and white space does not count.
"""

import ast
import doctest
import re
from dataclasses import dataclass

from tito.checks import wording
from tito.checks.compare import Mismatch
from tito.checks.learner_process import EXAMPLE

NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w])")
NUMPY_NUMBER = re.compile(r"np\.(?:(?:float|u?int)\d+\(([^()]*)\)|(True|False)_)")
PYTHON_NUMBER = re.compile(r"Python (float|int)s?\b")  # in a docstring, a promise
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
CLOSE = 1e-4  # relative: in longer numbers the last digits are rounding


@dataclass(frozen=True)
class ExampleCase:
    """The example of one docstring: its statements and their expected outputs.

    `inputs` is empty, because misconceptions do not use examples.
    """

    steps: tuple[doctest.Example, ...]
    plain: bool = False  # the docstring promises a number of Python's, so one of NumPy's is no answer
    inputs = {}

    @property
    def encoded(self):
        """The example as a worker receives it, without its outputs."""
        return {EXAMPLE: [step.source for step in self.steps]}

    def mismatch(self, got):
        """Return the first `Mismatch` between the example's outputs and the observed ones, or None.

        Args:
            got: `Observation`: a list of texts, and the exception of the statement after them.
        """
        texts = got.value if isinstance(got.value, list) else []
        for index, step in enumerate(self.steps):
            text = texts[index] if index < len(texts) else None
            if not alike(step, text, got.error):
                of_numpy = isinstance(text, str) and alike(step, as_python(text), got.error)
                if of_numpy and not self.plain and "np." not in step.want:
                    continue
                return Mismatch("example", self.rows(index, text, got.error), wording.NUMPY_NUMBER if of_numpy else None)
            if text is None:
                return None  # an exception that was expected ends the example
        return None

    def rows(self, index, text, error):
        """Return the rows that show the example up to one of its statements."""
        step = self.steps[index]
        called = ("called", "".join(step.source for step in self.steps[: index + 1]).rstrip())
        expected = step.exc_msg or step.want
        expected = expected or "None" * (text is not None)
        shown = (("expected", expected.rstrip()),) if expected else ()
        raised = (*wording.raised_rows(error), *(wording.perhaps_rows(error) if error else ()))
        got = raised if text is None else (("got", text.rstrip() or wording.NOTHING),)
        return (called, *shown, *got)


def as_python(text):
    """Return a text with NumPy's numbers as Python shows its own.

    Example:
        >>> as_python("[np.float64(0.5), np.True_]")
        '[0.5, True]'
    """
    return NUMPY_NUMBER.sub(lambda match: match[1] or match[2], text)


def alike(step, text, error):
    """Return whether a statement gave what the example shows.

    Args:
        step: `doctest.Example`.
        text: What it printed; None if it raised.
        error: The exception of the example, or None.
    """
    if not isinstance(text, str):
        return bool(step.exc_msg and error and step.exc_msg.partition(":")[0].strip() == error.type)
    return step.exc_msg is None and (same_text(step.want, ending(text, step.want)) if step.want else not text)


def ending(text, want):
    """Return the last lines of a text, as many as `want` has: earlier prints of the learner do not count."""
    return "".join(text.splitlines(keepends=True)[-want.count("\n") :]) if want else ""


def same_text(want, got):
    """Return whether two texts are the same, apart from white space and the last digit of numbers.

    Example:
        >>> same_text("array([0.25, 1.5])", "array([ 0.25000001, 1.5 ])"), same_text("array([1, 2])", "array([1., 2.])")
        (True, False)
    """
    if doctest.OutputChecker().check_output(want, got, FLAGS):
        return True
    shown, given = NUMBER.findall(want), NUMBER.findall(got)
    return (
        skeleton(want) == skeleton(got)
        and len(shown) == len(given)
        and all(same_number(*numbers) for numbers in zip(shown, given))
    )


def skeleton(text):
    """Return a text with its numbers replaced, and without white space."""
    return "".join(NUMBER.sub("#", text).split())


def same_number(want, got):
    """Return whether two numbers have the same form and are nearly equal."""
    if is_whole(want) != is_whole(got):
        return False
    if is_whole(want):
        return int(want) == int(got)
    return abs(float(want) - float(got)) <= last_digit(want) + CLOSE * abs(float(want))


def is_whole(number):
    return number.lstrip("+-").isdigit()


def last_digit(number):
    """Return the value of one unit in the last digit of a number."""
    digits, _, exponent = number.lower().partition("e")
    return 1.01 * 10.0 ** (int(exponent or 0) - len(digits.partition(".")[2]))


@dataclass(frozen=True)
class SignatureCase(ExampleCase):
    """The signature of an op: its settings must be keyword-only (after the `*`), or they count as inputs.

    Inputs may have any name.
    """

    name: str = ""

    def mismatch(self, got):
        """Return a `Mismatch` if the settings differ from the course's, or None."""
        text = got.value[-1] if isinstance(got.value, list) and got.value else None
        given, asked = settings(text) if isinstance(text, str) else None, settings(self.steps[-1].want)
        if given is not None and offers(given, asked):
            return None
        shown = (("got", text.strip()),) if isinstance(text, str) else wording.raised_rows(got.error)
        same_names = given is not None and set(given) == set(asked)
        cause = wording.other_default(asked, given) if same_names else wording.NO_SETTING
        rows = (("called", f"inspect.signature({self.name}.forward)"), ("expected", self.steps[-1].want.strip()), *shown)
        return Mismatch("example", rows, cause)


def settings(signature):
    """Return the keyword-only names of a signature's text with their defaults, or None if it is not a signature."""
    try:
        function = ast.parse(f"def f{signature.strip().removeprefix('<Signature ').removesuffix('>')}: pass").body[0]
    except (SyntaxError, IndexError):
        return None
    defaults = [default and ast.unparse(default) for default in function.args.kw_defaults]
    return dict(zip((argument.arg for argument in function.args.kwonlyargs), defaults))


def offers(given, asked):
    """Return whether all required settings are present; extra settings need a default."""
    return all(name in given and (default is None or given[name] == default) for name, default in asked.items()) and all(
        name in asked or default is not None for name, default in given.items()
    )


def examples(text):
    """Return the examples of an exercise's cell: a case for each docstring with examples, and for an op's signature.

    Args:
        text: The cell's source.
    """
    nodes = documented(text)
    parsed = [doctest.DocTestParser().get_examples(ast.get_docstring(node) or "") for node in nodes]
    plain = PYTHON_NUMBER.search(text) is not None
    return [ExampleCase(tuple(steps), plain) for steps in parsed if steps] + [
        signature(node) for node in nodes if has_settings(node)
    ]


def documented(text):
    """Return the functions and classes of a cell."""
    try:
        nodes = ast.walk(ast.parse(text))
    except SyntaxError:
        return []
    return [node for node in nodes if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))]


def is_op(node):
    """Return whether a definition has the decorator `@op`."""
    return any(isinstance(decorator, ast.Name) and decorator.id == "op" for decorator in node.decorator_list)


def has_settings(node):
    return is_op(node) and bool(node.args.kwonlyargs)


def signature(node):
    """Return the case that asks an op for its signature."""
    steps = [("import inspect\n", ""), (f"inspect.signature({node.name}.forward)\n", f"<Signature ({ast.unparse(node.args)})>\n")]
    return SignatureCase(tuple(doctest.Example(source, want) for source, want in steps), name=node.name)
