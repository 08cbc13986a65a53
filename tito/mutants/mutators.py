"""What may stand in a node's place: each function takes a node of one kind and lists its mutations."""

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
AXES = ("axis", "dim")


def replacements(node, holder=None):
    """List the nodes that may stand for one.

    Args:
        node: A statement or an expression.
        holder: The list that a statement stands in, or the fields of the node above.
    """
    found = [mutation for kind, mutate in MUTATORS.items() if isinstance(node, kind) for mutation in mutate(node)]
    if isinstance(node, ast.stmt) and isinstance(holder, list) and not isinstance(node, ast.Pass):
        found.append(ast.Pass())
    return found


def exchangeable(node, following):
    """Say whether the order of two statements may matter: the second uses or changes what the first sets, or both only call."""
    if any(isinstance(one, (ast.Return, ast.Raise, ast.Pass, ast.Import, ast.ImportFrom)) for one in (node, following)):
        return False
    if isinstance(node, ast.AugAssign) and isinstance(following, ast.AugAssign) and type(node.op) is type(following.op):
        return False  # two terms of one sum
    if isinstance(node, ast.Expr) and isinstance(following, ast.Expr):
        return True
    first, second = stored(node), stored(following)
    return bool(first & (used(following) | second)) or bool(second & used(node))


def stored(node):
    """Return what a statement sets: names, attributes and places in containers, as text."""
    kinds = (ast.Name, ast.Attribute, ast.Subscript)
    inner = {target for one in ast.walk(node) if isinstance(one, ast.comprehension) for target in ast.walk(one.target)}
    targets = [one for one in ast.walk(node) if isinstance(one, kinds) and isinstance(one.ctx, ast.Store) and one not in inner]
    return {ast.unparse(one) for one in targets}


def used(node):
    """Return what a statement reads, as text."""
    kinds = (ast.Name, ast.Attribute, ast.Subscript)
    return {ast.unparse(inner) for inner in ast.walk(node) if isinstance(inner, kinds) and isinstance(inner.ctx, ast.Load)}


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
    """`or` for `and` and the reverse; one operand left out."""
    swapped = changed(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
    shorter = [without(node.values, index) for index in range(len(node.values))]
    return [swapped, *(values[0] if len(values) == 1 else changed(node, values=values) for values in shorter)]


def constant(node):
    """True for False, a number's neighbours, another word; not another comma."""
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
    opposite = [[ast.UnaryOp(ast.Not(), test) if one is test else one for one in node.ifs] for test in node.ifs]
    shorter = [without(node.ifs, index) for index in range(len(node.ifs))]
    return [changed(node, ifs=ifs) for ifs in [*opposite, *shorter]]


def call(node):
    """A function's twin; an argument left out; two neighbours exchanged; another axis."""
    pairs = range(len(node.args) - 1)
    swapped = [[*node.args[:i], node.args[i + 1], node.args[i], *node.args[i + 2 :]] for i in pairs]
    several = len(node.args) + len(node.keywords) > 1
    shorter = [without(node.args, index) for index in range(len(node.args))] if several else []
    return [
        *(changed(node, func=twin) for twin in twins(node.func)),
        *(changed(node, args=args) for args in [*swapped, *shorter]),
        *(changed(node, keywords=without(node.keywords, index)) for index in range(len(node.keywords))),
    ]


def cast_away(node):
    """The array as it is, in place of one with another dtype; one class in place of several."""
    name = getattr(node.func, "attr", getattr(node.func, "id", None))
    if name == "astype" and isinstance(node.func, ast.Attribute):
        return [node.func.value]
    if name == "isinstance" and isinstance(node.args[-1], ast.Tuple):
        return [changed(node, args=[node.args[0], kind]) for kind in node.args[-1].elts]
    return []


def cast(node):
    """The result of an op in float32, whatever it was."""
    function = ast.Attribute(ast.Name("np", ast.Load()), "float32", ast.Load())
    return [changed(node, value=ast.Call(function, [node.value], []))] if node.value else []


def not_deeper(node):
    """What a function calls itself with, in place of the call: a nested case is not followed."""
    return [node.args[0] if node.args else ast.Tuple([], ast.Load())]


def unguarded(node):
    """What `finally` does is done at the end only; a handler meets ordinary exceptions only."""
    narrow = [changed(one, type=ast.Name("Exception", ast.Load())) for one in node.handlers]
    wide = [index for index, one in enumerate(node.handlers) if one.type is None or ast.unparse(one.type) == "BaseException"]
    narrowed = [changed(node, handlers=[*node.handlers[:i], narrow[i], *node.handlers[i + 1 :]]) for i in wide]
    if not node.finalbody:
        return narrowed
    inner = [changed(node, finalbody=[])] if node.handlers else node.body
    return [block([*inner, *node.finalbody]), *narrowed]


def without_manager(node):
    """The body alone, where nothing in it needs what the context manager gives."""
    kept = any(item.optional_vars or "errstate" in ast.unparse(item) for item in node.items)  # a warning is no mistake
    return [] if kept else [block(node.body)]


def once(node):
    """Only the first round of a loop."""
    return [changed(node, body=[*node.body, ast.Break()])]


def block(statements):
    """Return several statements as one."""
    return ast.If(ast.Constant(True), list(statements), [])


def twins(function):
    """List what a function is easily mistaken for."""
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", None)
    others = [pair[1 - pair.index(name)] for pair in TWINS if name in pair]
    key = "attr" if isinstance(function, ast.Attribute) else "id"
    return [changed(function, **{key: other}) for other in others]


def keyword(node):
    """An axis in place of all of them."""
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
