"""How a kernel becomes a function that Python can run thread by thread. Given.

A GPU runs thousands of threads at once. Python runs one, but a generator can stop in the middle and go on later. So the
kernel's source is rewritten: wherever a thread has to wait for others, at a barrier or a warp's shuffle, it yields. The
simulator (`simulator.py`) resumes the threads of a block in turn.

Two more things are changed, so that numbers have the types that numba would give them: a constant such as ``0.5`` becomes a
float64, and functions of `math` keep float32. And every turn of a ``while`` loop is counted, so that an endless one ends.
"""

import ast
import functools
import inspect
import linecache
import math
import textwrap

import numpy as np

from tinytorch.given.gpu.arrays import Unsupported

WARP_WAITS = ("syncwarp", "shfl_sync", "shfl_up_sync", "shfl_down_sync", "shfl_xor_sync", "ballot_sync", "any_sync", "all_sync")
WAITS = ("syncthreads", "syncthreads_and", "syncthreads_or", "syncthreads_count", *WARP_WAITS)
INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "intp", "uintp")
NUMBERS = ("float32", *INTEGERS)  # what a kernel makes numbers with
NO_ARRAYS = "a thread computes with numbers; cuda.shared.array makes an array for its block, cuda.local.array one for itself"
CONSTANTS = "it is a number, or a name outside the kernel such as THREADS"
NO_CODE = {  # syntax that is not compiled for a GPU
    "an exception is not caught on a GPU, where nothing is raised: ask with `if` before": (ast.Try, ast.TryStar, ast.With),
    "a kernel has no lists, dicts and sets: use single numbers, tuples, or an array that is shared or local": (
        *(ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp),
        *(ast.GeneratorExp, ast.Yield, ast.YieldFrom),
    ),
}
CONSTANTS_OF_MATH = ("pi", "e", "tau", "inf", "nan")
MAKERS = (  # functions of NumPy's that return a new array
    *("zeros", "ones", "empty", "full", "zeros_like", "ones_like", "empty_like", "full_like", "array", "asarray", "arange"),
    *("copy", "concatenate", "stack", "dot", "matmul", "sum"),
)


class Rewriter(ast.NodeTransformer):
    """Rewrites a kernel's syntax tree.

    Args:
        names: Dict of what the function's names stand for.
        waiting: Names of the device functions that wait for other threads.
        typed: Whether integers get a type, too; a check needs that to see float64, and it is slower.
        refuse: Function of a node and a sentence that raises `Unsupported` at the node's line.
    """

    def __init__(self, names, waiting, typed, refuse):
        self.names, self.waiting, self.typed, self.refuse = names, waiting, typed, refuse
        self.waits, self.constants, self.targets, self.own, self.function = False, {}, {}, {}, ""

    def visit_FunctionDef(self, node):
        """Remember the function's own names: the value of one that is assigned once, None for all others."""
        stored = stored_in(node)
        self.own, self.function = dict.fromkeys(stored), node.name
        for inner in ast.walk(node):
            if isinstance(inner, ast.Assign) and stored.count(name := named(inner.targets[0])) == 1:
                self.own[name] = inner.value
        return self.generic_visit(node)

    def generic_visit(self, node):
        """Refuse what is not compiled for a GPU."""
        for sentence, kinds in NO_CODE.items():
            if isinstance(node, kinds):
                self.refuse(node, sentence)
        return super().generic_visit(node)

    def visit_Call(self, node):
        """Make a wait of a call that waits, constants of numbers, and name the arrays that a kernel asks for."""
        name = named(node.func)
        if name == "float32" and len(node.args) == 1 and is_number(node.args[0]):
            return ast.copy_location(self.constant(np.float32(ast.literal_eval(node.args[0]))), node)
        if name in MAKERS and self.value(node.func) is np:
            self.refuse(node, f"np.{name} makes an array, or needs a whole one: {NO_ARRAYS}")
        makes_array = name == "array" and named(getattr(node.func, "value", None)) in ("shared", "local")
        if makes_array:
            self.refuse_changing_size(node)
        self.generic_visit(node)
        if name in WAITS and isinstance(node.func, ast.Attribute):
            self.waits = True
            request = [ast.Constant(name), ast.Constant((self.function, node.lineno)), *node.args]
            return ast.copy_location(ast.Yield(ast.Tuple(request, ast.Load())), node)
        if name in self.waiting:
            self.waits = True
            return ast.copy_location(ast.YieldFrom(node), node)
        if name in NUMBERS and isinstance(node.func, ast.Attribute):  # np.float32(...)
            node.func = ast.copy_location(ast.Name(name, ast.Load()), node.func)
        elif makes_array:
            # An array is known by its place in the source: two on one line are two arrays.
            node.keywords += [
                ast.keyword("name", ast.Constant(self.targets.get(id(node), "array"))),
                ast.keyword("place", ast.Constant((node.lineno, node.col_offset))),
            ]
        return node

    def refuse_changing_size(self, node):
        """Refuse the size of an array unless it is the same in every launch."""
        for size in [*node.args[:1], *(keyword.value for keyword in node.keywords if keyword.arg == "shape")]:
            if not self.is_constant(size):
                given = ast.unparse(size)
                self.refuse(node, f"the size of an array has to be known before the launch, got {given}: {CONSTANTS}")

    def value(self, node):
        """Return what the name before a dot stands for: NumPy for ``np.zeros``; None if that is no name."""
        base = getattr(node, "value", None)
        return self.names.get(base.id) if isinstance(base, ast.Name) and base.id not in self.own else None

    def is_constant(self, node):
        """Say whether an expression is made of numbers and of names that are the same in every launch."""
        if isinstance(node, ast.Name):
            value = self.own.get(node.id)
            return node.id not in self.own or (value is not None and self.is_constant(value))
        if isinstance(node, ast.Attribute):
            owner = self.value(node)
            return owner is not None and getattr(owner, "gridsize", None) is None  # what `cuda` has differs from thread to thread
        inner = list(ast.iter_child_nodes(node))
        return not isinstance(node, ast.Call) and all(map(self.is_constant, inner))

    def visit_Assign(self, node):
        """Remember which name a value gets."""
        values, targets = [node.value], node.targets[:1]
        if isinstance(node.value, ast.Tuple) and isinstance(targets[0], ast.Tuple):
            values, targets = node.value.elts, targets[0].elts
        self.targets |= {id(value): named(target) for value, target in zip(values, targets)}
        return self.generic_visit(node)

    def visit_Constant(self, node):
        """Give a number a type."""
        kinds = (float, int) if self.typed else (float,)
        if type(node.value) not in kinds:
            return node
        return ast.copy_location(
            self.constant(np.float64(node.value) if type(node.value) is float else np.int64(node.value)), node
        )

    def visit_While(self, node):
        """Count the turns of a loop."""
        self.generic_visit(node)
        turn = ast.Expr(ast.Call(ast.Name("count_turn", ast.Load()), [ast.Constant((self.function, node.lineno))], []))
        node.body.insert(0, ast.copy_location(turn, node))
        return node

    def constant(self, value):
        """Return a name for a constant; a name is faster than making the number each time."""
        name = f"constant_{len(self.constants)}"
        self.constants[name] = value
        return ast.Name(name, ast.Load())


def stored_in(definition):
    """Return the names that a function gives values to, once for each time; its arguments come last."""
    stored = [node.id for node in ast.walk(definition) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
    return [*stored, *(argument.arg for argument in definition.args.args)]


def named(node):
    """Return the last part of a name in a syntax tree: ``grid`` of ``cuda.grid``; None for anything else."""
    return getattr(node, "attr", None) or getattr(node, "id", None)


def is_number(node):
    """Say whether a piece of syntax is a number, possibly with a sign."""
    inner = node.operand if isinstance(node, ast.UnaryOp) else node
    return isinstance(inner, ast.Constant) and type(inner.value) in (int, float)


def source_of(function):
    """Return the source of a function, and the number of its first line.

    Args:
        function: The kernel as Python wrote it.

    Raises:
        ValueError: The source cannot be found. The message says what to do.
    """
    file, first = function.__code__.co_filename, function.__code__.co_firstlineno
    linecache.checkcache(file)
    lines = linecache.getlines(file, function.__globals__)[first - 1 :]
    if not lines:
        raise ValueError(
            f"the simulator reads a kernel's source, and that of {function.__name__} cannot be found: "
            "define it in a file or in a notebook's cell"
        )
    return textwrap.dedent("".join(inspect.getblock(lines))), first


def raise_at(error, function, line):
    """Raise an error as if a line of a function had raised it, so that its traceback shows the line.

    Args:
        error: The exception.
        function: A function of the file.
        line: Number of the line in the file.
    """
    code = compile("\n" * (line - 1) + "raise error", function.__code__.co_filename, "exec")
    exec(code, {**function.__globals__, "error": error})


def float64_lines(function):
    """Return the numbers of the lines of a function with a number such as 0.5, or the word float64."""
    source, first = source_of(function)
    tree = ast.parse(source)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and named(node.func) == "float32"]
    made = {id(inner) for call in calls for inner in ast.walk(call)}
    wide = [node for node in ast.walk(tree) if is_float64(node) and id(node) not in made]
    return sorted(first + node.lineno - 1 for node in wide)


def is_float64(node):
    """Say whether a piece of syntax is a float64: a number such as 0.5, a constant such as ``math.pi``, or the word itself."""
    if isinstance(node, ast.Attribute) and named(node.value) == "math":
        return node.attr in CONSTANTS_OF_MATH
    return isinstance(node, ast.Constant) and type(node.value) is float or named(node) == "float64"


def names_of(function):
    """Return the names that a function can see: those of its module, and those of the functions around it."""
    names = dict(function.__globals__)
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or ()):
        names[name] = cell.cell_contents
    return names


def rewritten(function, replaced, typed):
    """Rewrite a kernel, and compile it.

    Args:
        function: The kernel as Python wrote it.
        replaced: Function of a name and its value that returns the value to use instead.
        typed: Whether integers get a type, too.

    Returns:
        Pair of the new function, and whether it waits: then calling it makes a generator.

    Raises:
        Unsupported: It has something that is not compiled for a GPU.
    """
    source, first = source_of(function)
    tree = ast.parse(source)

    def refuse(node, sentence):
        raise_at(Unsupported(sentence), function, first + node.lineno - 1)

    names = names_of(function)
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - set(stored_in(tree.body[0]))
    names |= {name: replaced(name, names.get(name, BUILTINS.get(name))) for name in used if name in names or name in BUILTINS}
    waiting = {name for name in used if getattr(names.get(name), "waits", False)}
    definition = tree.body[0]
    definition.decorator_list = []
    definition.name = function.__name__
    rewriter = Rewriter(names, waiting, typed, refuse)
    rewriter.visit(definition)
    ast.increment_lineno(ast.fix_missing_locations(tree), first - 1)
    numbers = {name: replaced(name, getattr(np, name)) for name in NUMBERS if name not in used}
    names |= rewriter.constants | numbers | {"count_turn": replaced("count_turn", None)}
    exec(compile(tree, function.__code__.co_filename, "exec"), names)
    return names[function.__name__], rewriter.waits


def keeping_float32(function):
    """Return a function of `math` that has a float32 result for float32 arguments, as on a GPU."""

    @functools.wraps(function)
    def run(*values):
        kind = np.result_type(*values) if all(isinstance(value, np.generic) for value in values) else np.dtype(np.float64)
        try:
            result = function(*map(float, values))
        except (ValueError, OverflowError, ZeroDivisionError):  # math raises where a GPU returns nan or inf
            result = float(getattr(np, NUMPY.get(function.__name__, function.__name__))(*map(np.float64, values)))
        return (np.float32 if kind == np.float32 else np.float64)(result)

    return run


NUMPY = {"pow": "power"}  # where NumPy's name is not that of math


class Float32Math:
    """`math`, as a kernel sees it."""

    def __getattr__(self, name):
        value = getattr(math, name)
        if not callable(value):
            return np.float64(value)
        return value if name in ("isnan", "isinf", "isfinite") else keeping_float32(value)


def widest(choose):
    """Return `max` or `min` as numba has it: the result has the type that holds all arguments; nan does not win."""

    def run(*values):
        return (
            np.result_type(*values).type(choose(values))
            if any(isinstance(value, np.generic) for value in values)
            else choose(values)
        )

    return run


BUILTINS = {"max": widest(max), "min": widest(min), "range": range}
