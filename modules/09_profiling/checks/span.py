"""The check of 09.7 span: blocks within blocks, each with work before and after the inner ones, on a clock that only work moves."""

from .shared import whole

OTHER_CLOCK = "not a time of log.clock()"
ENDS = {"no error": None, "ArithmeticError": ArithmeticError, "KeyboardInterrupt": KeyboardInterrupt, "SystemExit": SystemExit}


def block(name, before, inner=(), after=0.0, end="no error"):
    """Describe a with block: seconds of work before and after the inner blocks, and the error that it ends with."""
    return dict(name=name, before=before, inner=list(inner), after=after, end=end)


def draw_span(rng):
    """Blocks alone, in a row, in each other; errors out of the inner and the outer one; Ctrl-C, which is no Exception."""

    def work():
        return float(rng.integers(1, 64)) / 8

    names = [str(one) for one in rng.permutation(["add", "mul", "exp", "sum", "log"])]
    row = [block(name, work(), (), work()) for name in names[: int(rng.integers(2, 4))]]
    deep = block("a", work(), [block("b", work(), [block("c", work(), (), work())], work())], work())
    failing = block("fails", work(), end="ArithmeticError")
    stopped = block("stopped", work(), end="KeyboardInterrupt")
    yield dict(zero=work(), blocks=[block(names[0], work())])
    yield dict(zero=work(), blocks=[block("step", work(), row, work()), block("last", work(), (), work())])
    yield dict(zero=work(), blocks=[deep])
    yield dict(zero=work(), blocks=[failing, block("next", work())])
    yield dict(zero=work(), blocks=[block("outer", work(), [failing, block("skipped", work())], work()), block("next", work())])
    yield dict(zero=work(), blocks=[block("outer", work(), [block(names[1], work()), stopped], work()), block("next", work())])
    yield dict(zero=work(), blocks=[block("ends", work(), end="SystemExit")])


@whole
def describe_span(zero, blocks):
    """Write the blocks as code."""
    lines = []

    def write(one, indent):
        lines.append(f'{indent}with span(log, "{one["name"]}", details):')
        lines.append(f"{indent}    work for {one['before']:g} s")
        for inner in one["inner"]:
            write(inner, indent + "    ")
        if one["end"] != "no error":
            lines.append(f"{indent}    raise {one['end']}")
        elif one["after"]:
            lines.append(f"{indent}    work for {one['after']:g} s")

    for one in blocks:
        write(one, "")
    return "\n".join(lines)


def observe_span(module, zero, blocks):
    """Run the blocks, and note the depth inside of each; an error ends all blocks that it passes."""
    now, depths, errors, kept, looks = [zero], {}, [], [], []

    def clock():
        looks.append(now[0])
        return now[0]

    log = module.Log(clock=clock)

    def run(one):
        details = {"kind": one["name"]}
        with module.span(log, one["name"], details):
            kept.append(details)
            depths[one["name"]] = log.depth
            now[0] += one["before"]
            if one["end"] != "no error":
                raise ENDS[one["end"]](one["name"])
            for other in one["inner"]:
                run(other)
            now[0] += one["after"]
        now[0] += 1.0

    for one in blocks:
        try:
            run(one)
            errors.append("no error")
        except (ArithmeticError, KeyboardInterrupt, SystemExit) as error:
            errors.append(type(error).__name__)
    spans = log.spans
    return {
        "log.depth within the block": depths,
        "log.depth after all blocks": log.depth,
        "names in log.spans": [one.name for one in spans],
        "span": {
            one.name: {
                "began": one.began if looks else OTHER_CLOCK,
                "ended": one.ended if looks else OTHER_CLOCK,
                "depth": one.depth,
                "details": details_seen(one.details, kept, one.name),
            }
            for one in spans
        },
        "what came out of the outermost blocks": errors,
    }


def details_seen(details, kept, name):
    """Say whether a span has the dict that it was given, as it was given."""
    if not any(details is one for one in kept):
        return "another object"
    return "the dict given" if details == {"kind": name} else "the dict given, with other entries"


def oracle_span(
    zero,
    blocks,
    lost=(),
    stuck=(),
    inner_depth=False,
    swallowed=(),
    still=False,
    begun_first=False,
    lasting=False,
    details="the dict given",
    absolute=False,
    noted_last=False,
    other_clock=False,
    order=list,
    marked=(),
):
    """Run the blocks.

    Args:
        lost: The ends of a block after which there is no span; ``stuck``: after which the depth stays; ``swallowed``: which do
            not come out.
        inner_depth: Whether the depth noted is that within the block.
        still: Whether the depth never changes.
        begun_first: Whether spans stand in the order in which they began.
        lasting: Whether the end that is noted is how long it took.
        details: What a span has of the details.
        absolute: Whether the depth is put to 0 after each block.
        noted_last: Whether the depth noted is one less than the log's at the end of the block.
        other_clock: Whether another clock was read.
        order: What was done to the order of the spans.
        marked: The ends of a block that were written into the details.
    """
    state = dict(now=zero, depth=0)
    names, spans, depths, errors = [], {}, {}, []

    def run(one):
        began, depth = state["now"], state["depth"]
        state["depth"] += not still
        depths[one["name"]] = state["depth"]
        place = len(names)
        end = work(one)
        if end not in lost:
            names.insert(place if begun_first else len(names), one["name"])
            times = {"began": began, "ended": state["now"] - (began if lasting else 0)}
            noted = state["depth"] - 1 if noted_last else depth + inner_depth
            spans[one["name"]] = {
                **(dict.fromkeys(times, OTHER_CLOCK) if other_clock else times),
                "depth": noted,
                "details": "the dict given, with other entries" if end in marked else details,
            }
        if end not in stuck:
            state["depth"] = 0 if absolute else depth
        end = "no error" if end in swallowed else end
        state["now"] += 1.0 if end == "no error" else 0.0
        return end

    def work(one):
        state["now"] += one["before"]
        if one["end"] != "no error":
            return one["end"]
        for other in one["inner"]:
            end = run(other)
            if end != "no error":
                return end
        state["now"] += one["after"]
        return "no error"

    for one in blocks:
        errors.append(run(one))
    return {
        "log.depth within the block": depths,
        "log.depth after all blocks": state["depth"],
        "names in log.spans": order(names),
        "span": spans,
        "what came out of the outermost blocks": errors,
    }


ANY = tuple(name for name in ENDS if name != "no error")
BEYOND = ("KeyboardInterrupt", "SystemExit")  # what `except Exception` lets pass
misconceptions_span = {
    "a block that raises left no span, and the log stayed too deep: the end belongs into `finally`": lambda **inputs: oracle_span(
        **inputs, lost=ANY, stuck=ANY
    ),
    "a block that raises left no span": lambda **inputs: oracle_span(**inputs, lost=ANY),
    "after an error the log stayed too deep": lambda **inputs: oracle_span(**inputs, stuck=ANY),
    "`except Exception` misses Ctrl-C (KeyboardInterrupt) and SystemExit: there the span is lost and the log stays too deep; `finally` "
    "runs at any end": lambda **inputs: oracle_span(**inputs, lost=BEYOND, stuck=BEYOND),
    "`except Exception` misses Ctrl-C (KeyboardInterrupt) and SystemExit: there the log stays too deep; `finally` runs at any end": lambda **inputs: (
        oracle_span(**inputs, stuck=BEYOND)
    ),
    "`except Exception` misses Ctrl-C (KeyboardInterrupt) and SystemExit: there the span is lost; `finally` runs at any end": lambda **inputs: (
        oracle_span(**inputs, lost=BEYOND)
    ),
    "the spans stand in the reverse order: each is appended at the end of the list": lambda **inputs: oracle_span(
        **inputs, order=lambda names: names[::-1]
    ),
    "the log's depth was not put back": lambda **inputs: oracle_span(**inputs, stuck=(*ANY, "no error")),
    "the log's depth was not put back after a block, and the span's depth was taken from it at the end": lambda **inputs: (
        oracle_span(**inputs, stuck=(*ANY, "no error"), noted_last=True)
    ),
    "log.clock() was not read, but another clock": lambda **inputs: oracle_span(**inputs, other_clock=True),
    "the log's depth was put to 0 after each block: it has to be what it was before": lambda **inputs: oracle_span(
        **inputs, absolute=True
    ),
    "the error was swallowed: it has to go on": lambda **inputs: oracle_span(**inputs, swallowed=ANY),
    "the error was swallowed, all but Ctrl-C and SystemExit: it has to go on": lambda **inputs: oracle_span(
        **inputs, swallowed=("ArithmeticError",)
    ),
    "the depth noted is that within the block; the outermost span has depth 0": lambda **inputs: oracle_span(
        **inputs, inner_depth=True
    ),
    "the log's depth did not change: spans within spans look like neighbours": lambda **inputs: oracle_span(**inputs, still=True),
    "the span was appended at the beginning: the list is in the order in which they end": lambda **inputs: oracle_span(
        **inputs, begun_first=True
    ),
    "`ended` holds how long the block took: it is the time of its end": lambda **inputs: oracle_span(**inputs, lasting=True),
    "the error was written into the details: the span keeps them as they are": lambda **inputs: oracle_span(**inputs, marked=ANY),
    "the details were copied: the span keeps the dict that it was given": lambda **inputs: oracle_span(
        **inputs, details="another object"
    ),
}
