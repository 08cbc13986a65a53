"""The mutations of a node: each function takes a node of one kind and lists its replacements."""

import ast
import copy

ARITHMETIC = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div, ast.Add),
    ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Mult,),
    ast.Mod: (ast.Mult,),
    ast.Pow: (ast.Mult,),
    ast.MatMult: (ast.Mult,),
    ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd,),
}
COMPARISONS = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
TWINS = [
    ("min", "max"),
    ("minimum", "maximum"),
    ("argmin", "argmax"),
    ("amin", "amax"),
    ("sum", "prod"),
    ("sum", "mean"),
    ("any", "all"),
    ("zeros", "ones"),
    ("zeros_like", "ones_like"),
    ("floor", "ceil"),
    ("log", "log1p"),
    ("exp", "expm1"),
    ("sin", "cos"),
    ("append", "remove"),
    ("isnan", "isfinite"),
    ("logical_and", "logical_or"),
]
SYMMETRIC = frozenset("max min maximum minimum fmax fmin result_type may_share_memory shares_memory hypot logaddexp".split())
AXES = ("axis", "dim")


def replacements(node, holder=None):
    """List the replacements of a node.

    Args:
        node: A statement or an expression.
        holder: The list that contains a statement, or the fields of the parent node.
    """
    mutations = [mutation for kind, mutate in MUTATORS.items() if isinstance(node, kind) for mutation in mutate(node)]
    if isinstance(node, ast.stmt) and isinstance(holder, list) and not isinstance(node, ast.Pass):
        mutations.append(ast.Pass())
    return mutations


def exchangeable(node, following):
    """Return whether the order of two statements may matter: the second uses or sets what the first sets, or both are calls."""
    if any(isinstance(each, (ast.Return, ast.Raise, ast.Pass, ast.Import, ast.ImportFrom)) for each in (node, following)):
        return False
    if isinstance(node, ast.AugAssign) and isinstance(following, ast.AugAssign) and type(node.op) is type(following.op):
        return False  # two terms of one sum
    if isinstance(node, ast.Expr) and isinstance(following, ast.Expr):
        return True
    first, second = stored(node), stored(following)
    return bool(first & (used(following) | second)) or bool(second & used(node))


def stored(node):
    """Return what a statement sets: names, attributes and items of containers, as text."""
    kinds = (ast.Name, ast.Attribute, ast.Subscript)
    nodes = list(ast.walk(node))
    inner = {target for each in nodes if isinstance(each, ast.comprehension) for target in ast.walk(each.target)}
    targets = [each for each in nodes if isinstance(each, kinds) and isinstance(each.ctx, ast.Store) and each not in inner]
    return {ast.unparse(target) for target in targets}


def used(node):
    """Return what a statement reads, as text."""
    kinds = (ast.Name, ast.Attribute, ast.Subscript)
    return {ast.unparse(inner) for inner in ast.walk(node) if isinstance(inner, kinds) and isinstance(inner.ctx, ast.Load)}


def called(node):
    """Return the name of the function or method that a node calls, or None if it is no call."""
    return getattr(node.func, "attr", getattr(node.func, "id", None)) if isinstance(node, ast.Call) else None


def changed(node, **fields):
    """Return a copy of a node with some of its fields replaced."""
    twin = copy.copy(node)
    for name, value in fields.items():
        setattr(twin, name, value)
    return twin


def arithmetic(node):
    """Another operator; one operand alone."""
    others = [changed(node, op=operator()) for operator in ARITHMETIC.get(type(node.op), ())]
    return [*others, node.left, node.right]


def augmented(node):
    """Another operator."""
    return [changed(node, op=operator()) for operator in ARITHMETIC.get(type(node.op), ())]


def unary(node):
    """The operand without its sign or its `not`."""
    return [node.operand]


def comparison(node):
    """Another comparison, one at a time."""
    return [
        changed(node, ops=[*node.ops[:index], other(), *node.ops[index + 1 :]])
        for index, operator in enumerate(node.ops)
        for other in COMPARISONS.get(type(operator), ())
    ]


def boolean(node):
    """`or` for `and` and vice versa; one operand left out."""
    swapped = changed(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
    shorter = [without(node.values, index) for index in range(len(node.values))]
    return [swapped, *(values[0] if len(values) == 1 else changed(node, values=values) for values in shorter)]


def constant(node):
    """True for False, a number's neighbours, another word; punctuation is left alone."""
    value = node.value
    if isinstance(value, bool):
        return [ast.Constant(not value)]
    if isinstance(value, int):
        return [ast.Constant(value + 1), ast.Constant(value - 1)]
    if isinstance(value, float):
        return [ast.Constant(value + 1), ast.Constant(value * 2)] if value else [ast.Constant(1.0)]
    meaningful = isinstance(value, str) and any(letter.isalnum() for letter in value)
    return [ast.Constant(value + "x")] if meaningful else []


def condition(node):
    """The opposite condition."""
    return [changed(node, test=ast.UnaryOp(ast.Not(), node.test))]


def comprehension(node):
    """No condition, or its opposite."""
    opposite = [[ast.UnaryOp(ast.Not(), test) if each is test else each for each in node.ifs] for test in node.ifs]
    shorter = [without(node.ifs, index) for index in range(len(node.ifs))]
    return [changed(node, ifs=ifs) for ifs in [*opposite, *shorter]]


def call(node):
    """A function's twin; an argument left out; two neighbours exchanged; another axis."""
    pairs = range(len(node.args) - 1)
    swapped = [[*node.args[:i], node.args[i + 1], node.args[i], *node.args[i + 2 :]] for i in pairs]
    swapped = [] if called(node) in SYMMETRIC else swapped
    several = len(node.args) + len(node.keywords) > 1
    shorter = [without(node.args, index) for index in range(len(node.args))] if several else []
    return [
        *(changed(node, func=twin) for twin in twins(node.func)),
        *(changed(node, args=args) for args in [*swapped, *shorter]),
        *(changed(node, keywords=without(node.keywords, index)) for index in range(len(node.keywords))),
    ]


def cast_away(node):
    """The array itself instead of `astype`; one class instead of several in `isinstance`."""
    name = called(node)
    if name == "astype" and isinstance(node.func, ast.Attribute):
        return [node.func.value]
    if name == "isinstance" and isinstance(node.args[-1], ast.Tuple):
        return [changed(node, args=[node.args[0], kind]) for kind in node.args[-1].elts]
    return []


def cast(node):
    """The result of an op, cast to float32."""
    function = ast.Attribute(ast.Name("np", ast.Load()), "float32", ast.Load())
    return [changed(node, value=ast.Call(function, [node.value], []))] if node.value else []


def not_deeper(node):
    """The first argument of a recursive call instead of the call, so that nested cases are not handled."""
    return [node.args[0] if node.args else ast.Tuple([], ast.Load())]


def unguarded(node):
    """`finally` runs only at the normal end; a handler catches only ordinary exceptions."""
    handlers = node.handlers
    narrow = [changed(handler, type=ast.Name("Exception", ast.Load())) for handler in handlers]
    wide = [i for i, handler in enumerate(handlers) if handler.type is None or ast.unparse(handler.type) == "BaseException"]
    narrowed = [changed(node, handlers=[*handlers[:i], narrow[i], *handlers[i + 1 :]]) for i in wide]
    if not node.finalbody:
        return narrowed
    inner = [changed(node, finalbody=[])] if handlers else node.body
    return [block([*inner, *node.finalbody]), *narrowed]


def without_manager(node):
    """The body alone, if it does not use the context manager's value."""
    kept = any(item.optional_vars or "errstate" in ast.unparse(item) for item in node.items)  # a warning is not a mistake
    return [] if kept else [block(node.body)]


def once(node):
    """Only the first iteration of a loop."""
    return [changed(node, body=[*node.body, ast.Break()])]


def block(statements):
    """Return several statements as a single one."""
    return ast.If(ast.Constant(True), list(statements), [])


def twins(function):
    """List the functions that are easily confused with a function."""
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", None)
    others = [pair[1 - pair.index(name)] for pair in TWINS if name in pair]
    key = "attr" if isinstance(function, ast.Attribute) else "id"
    return [changed(function, **{key: other}) for other in others]


def keyword(node):
    """One axis instead of all."""
    every = isinstance(node.value, ast.Constant) and node.value.value is None
    return [changed(node, value=ast.Constant(0))] if node.arg in AXES and every else []


def slice_ends(node):
    """One end of a slice left open."""
    return [changed(node, **{end: None}) for end in ("lower", "upper", "step") if getattr(node, end) is not None]


def without(items, index):
    """Return a list without one of its items."""
    return [item for position, item in enumerate(items) if position != index]


MUTATORS = {
    ast.BinOp: arithmetic,
    ast.AugAssign: augmented,
    ast.UnaryOp: unary,
    ast.Compare: comparison,
    ast.BoolOp: boolean,
    ast.Constant: constant,
    ast.If: condition,
    ast.While: condition,
    ast.IfExp: condition,
    ast.comprehension: comprehension,
    ast.Call: lambda node: [*call(node), *cast_away(node)],
    ast.Try: unguarded,
    ast.With: without_manager,
    ast.For: once,
    ast.keyword: keyword,
    ast.Slice: slice_ends,
}
