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

WARP_WAITS = ("syncwarp", "shfl_sync", "shfl_up_sync", "shfl_down_sync", "shfl_xor_sync", "ballot_sync", "any_sync", "all_sync")
WAITS = ("syncthreads", "syncthreads_and", "syncthreads_or", "syncthreads_count", *WARP_WAITS)
INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "intp", "uintp")
NUMBERS = ("float32", *INTEGERS)  # what a kernel makes numbers with


class Rewriter(ast.NodeTransformer):
    """Rewrites a kernel's syntax tree.

    Args:
        waiting: Names of the device functions that wait for other threads.
        typed: Whether integers get a type, too; a check needs that to see float64, and it is slower.
    """

    def __init__(self, waiting, typed):
        self.waiting, self.typed = waiting, typed
        self.waits, self.constants, self.targets = False, {}, {}

    def visit_Call(self, node):
        """Make a wait of a call that waits, constants of numbers, and name the arrays that a kernel asks for."""
        name = named(node.func)
        if name == "float32" and len(node.args) == 1 and is_number(node.args[0]):
            return ast.copy_location(self.constant(np.float32(ast.literal_eval(node.args[0]))), node)
        self.generic_visit(node)
        if name in WAITS and isinstance(node.func, ast.Attribute):
            self.waits = True
            request = [ast.Constant(name), ast.Constant(node.lineno), *node.args]
            return ast.copy_location(ast.Yield(ast.Tuple(request, ast.Load())), node)
        if name in self.waiting:
            self.waits = True
            return ast.copy_location(ast.YieldFrom(node), node)
        if name in NUMBERS and isinstance(node.func, ast.Attribute):  # np.float32(...)
            node.func = ast.copy_location(ast.Name(name, ast.Load()), node.func)
        elif name == "array" and named(getattr(node.func, "value", None)) in ("shared", "local"):
            # An array is known by its place in the source: two on one line are two arrays.
            node.keywords += [
                ast.keyword("name", ast.Constant(self.targets.get(id(node), "array"))),
                ast.keyword("place", ast.Constant((node.lineno, node.col_offset))),
            ]
        return node

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
        turn = ast.Expr(ast.Call(ast.Name("count_turn", ast.Load()), [ast.Constant(node.lineno)], []))
        node.body.insert(0, ast.copy_location(turn, node))
        return node

    def constant(self, value):
        """Return a name for a constant; a name is faster than making the number each time."""
        name = f"constant_{len(self.constants)}"
        self.constants[name] = value
        return ast.Name(name, ast.Load())


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
    """
    source, first = source_of(function)
    tree = ast.parse(source)
    names = names_of(function)
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    names |= {name: replaced(name, names.get(name, BUILTINS.get(name))) for name in used if name in names or name in BUILTINS}
    waiting = {name for name in used if getattr(names.get(name), "waits", False)}
    definition = tree.body[0]
    definition.decorator_list = []
    definition.name = function.__name__
    rewriter = Rewriter(waiting, typed)
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
