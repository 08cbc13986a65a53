"""The check of 09.8 self_times."""

from .shared import afterwards, grow, kind_of, named, whole


def draw_self_times(rng):
    """No span, one, trees, trees side by side, of spans with one name, and a tree within spans that are not over."""
    yield dict(spans=[])
    yield dict(spans=[("a0", 1.0, float(rng.integers(10, 30)) / 8, 0)])
    for trees, levels in ((1, 1), (2, 1), (1, 2), (3, 2), (2, 3)):
        spans, now = [], float(rng.integers(1, 9))
        for _ in range(trees):
            spans += grow(rng, now, 0, levels)
            now = spans[-1][2]
        yield dict(spans=named(spans))
    yield dict(spans=grow(rng, 0.0, 0, 2))
    yield dict(spans=named([(name, began, ended, depth + 2) for name, began, ended, depth in grow(rng, 0.0, 0, 2)]))


def places(spans):
    """Name spans by their place in the list and their name, which others may have, too."""
    return [f"spans[{i}], {one[0]}" for i, one in enumerate(spans)]


def listed(spans, most=9):
    """Return spans as text, a line for each."""
    lines = [f'Span("{name}", {began:g}, {ended:g}, depth={depth})' for name, began, ended, depth, *_ in spans]
    return "\n".join(lines if len(lines) <= most else [*lines[: most - 1], f"... and {len(lines) - most + 1} more"])


@whole
def describe_self_times(spans):
    """Write the call as a learner would."""
    return f"self_times(spans), where spans holds\n{listed(spans)}" if spans else "self_times([])"


def observe_self_times(module, spans):
    given = [module.Span(*one, {}) for one in spans]
    before = list(given)
    answer = module.self_times(given)
    times = answer if isinstance(answer, (list, tuple)) else []
    return {
        "returned": kind_of(answer),
        "number of self times": len(times),
        "self time of": dict(zip(places(spans), times)),
        "the list of spans given": afterwards(given, before),
    }


def oracle_self_times(spans, inner="children", since=True, wholes=True, most=None, through=True):
    """Take off what is inside.

    Args:
        inner: What counts as inside: the "children", "all" that is deeper, or "none".
        since: Whether to stop at an earlier span that is not deeper; "outermost" for one of depth 0, "shallower" for one less deep.
        wholes: Whether whole durations are taken off, not self times.
        most: How many are taken off at most.
        through: Whether the walk back goes on behind spans that are deeper than the children.
    """
    own = []
    for i, (_, began, ended, depth) in enumerate(spans):
        left, j, count = ended - began, i - 1, 0
        least = {"outermost": 1, "shallower": depth, False: 0}.get(since, depth + 1)  # depth of the spans that the walk passes
        while j >= 0 and spans[j][3] >= least and (through or spans[j][3] == depth + 1):
            counts = spans[j][3] == depth + 1 if inner == "children" else spans[j][3] > depth
            if counts and inner != "none" and (most is None or count < most):
                left -= spans[j][2] - spans[j][1] if wholes else own[j]
                count += 1
            j -= 1
        own.append(left)
    return {
        "number of self times": len(spans),
        "self time of": dict(zip(places(spans), own)),
        "returned": "a list",
        "the list of spans given": "unchanged",
    }


def reversed_times(spans):
    """The list was filled from its end."""
    right = oracle_self_times(spans)
    return right | {"self time of": dict(zip(right["self time of"], list(right["self time of"].values())[::-1]))}


def by_name(spans):
    """Keep the sums under the names of the spans, which others may have, too: the last of a name counts for all of them."""
    right = oracle_self_times(spans)
    times = list(right["self time of"].values())
    last = {one[0]: own for one, own in zip(spans, times)}
    return right | {"self time of": dict(zip(places(spans), [last[one[0]] for one in spans]))}


misconceptions_self_times = {
    "the times were kept under the names of the spans: several spans may have one name": by_name,
    "these are whole durations: what lies inside was not taken off": lambda **inputs: oracle_self_times(**inputs, inner="none"),
    "spans within the inner spans were taken off, too: they are part of those already": lambda **inputs: oracle_self_times(
        **inputs, inner="all"
    ),
    "all earlier spans one deeper were taken off, those inside of another span, too": lambda **inputs: oracle_self_times(
        **inputs, since=False
    ),
    "spans inside an earlier span of the same depth were taken off, too: stop at the first one before it that is not deeper": (
        lambda **inputs: oracle_self_times(**inputs, since="shallower")
    ),
    "the spans inside of another one were taken off, too: those of a span are forgotten when it ends, not at the outermost alone": lambda **inputs: (
        oracle_self_times(**inputs, since="outermost")
    ),
    "the list that was given was turned round: it belongs to the log": lambda spans: (
        oracle_self_times(spans) | {"the list of spans given": "turned round" if len(spans) > 1 else "unchanged"}
    ),
    "the self times of the inner spans were taken off: their whole durations are": lambda **inputs: oracle_self_times(
        **inputs, wholes=False
    ),
    "only the last span directly inside was taken off": lambda **inputs: oracle_self_times(**inputs, most=1),
    "the walk back ended at a span that is deeper still: it ends at one that is not deeper": lambda **inputs: oracle_self_times(
        **inputs, through=False
    ),
    "the times stand in the reverse order of the spans": reversed_times,
}
