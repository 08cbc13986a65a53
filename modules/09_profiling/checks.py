"""Checks of module 09. NumPy only: nothing here runs the code that it judges, except `observe`. No check looks at a real clock."""
import math

import numpy as np

NOTHING = ("raises", "ValueError")


# 09.1 measure: a clock that stands still until the function is called

describe_measure = "measure(function, repeats={repeats}, warm_up={warm_up}, clock=...)"


def draw_measure(rng):
    for repeats, warm_up in ((4, 2), (1, 0), (3, 1), (5, 4), (None, None), (0, 1)):
        calls = (30 if repeats is None else repeats) + (3 if warm_up is None else warm_up)
        yield dict(repeats=repeats, warm_up=warm_up, zero=float(rng.integers(1, 1000)),
                   durations=[float(x) / 64 for x in rng.integers(1, 640, calls + 20)])


def observe_measure(measure, repeats, warm_up, zero, durations):
    """Measure a function whose every call moves the clock; note in which order it is called and the clock is read."""
    now, events = [zero], []

    def work():
        now[0] += durations[events.count("call") % len(durations)]
        events.append("call")

    def clock():
        events.append("clock")
        return now[0]

    settings = {name: value for name, value in (("repeats", repeats), ("warm_up", warm_up)) if value is not None}
    times = measure(work, **settings, clock=clock)
    return {"calls, and looks at the clock": " ".join(events), "times": times}


def oracle_measure(repeats, warm_up, zero, durations, timed_warm_up=False, skipped=False, looks="each", mean=False):
    repeats, warm_up = 30 if repeats is None else repeats, 3 if warm_up is None else warm_up
    if repeats < 1:
        return NOTHING
    unseen = 0 if timed_warm_up or skipped else warm_up
    count = repeats + warm_up if timed_warm_up else repeats
    times = durations[unseen:unseen + count]
    events = ["call"] * unseen
    if looks == "each":
        events += ["clock", "call", "clock"] * count
    else:
        events += ["clock"] + ["call", "clock"] * count
        times = [math.fsum(times[:i + 1]) for i in range(count)]
    times = [math.fsum(times) / count] * count if mean else times
    return {"calls, and looks at the clock": " ".join(events), "times": times}


misconceptions_measure = {
    "the warm-up calls were timed, too": lambda **inputs: oracle_measure(**inputs, timed_warm_up=True),
    "there was no warm-up": lambda **inputs: oracle_measure(**inputs, skipped=True),
    "the clock was read once before all calls: the times add up": lambda **inputs: oracle_measure(**inputs, looks="once"),
    "every time is the mean of all: one call's own time is wanted": lambda **inputs: oracle_measure(**inputs, mean=True),
    "0 repeats were accepted": lambda **inputs: oracle_measure(**inputs) if inputs["repeats"] != 0 else
        {"calls, and looks at the clock": " ".join(["call"] * inputs["warm_up"]), "times": []},
}


# 09.2 quartiles

def draw_quartiles(rng):
    for count in (4, 3, 2, 7, 1, 12):
        values = rng.permutation(np.cumsum(rng.integers(1, 30, count)) / 16) - 3
        yield dict(values=values if count != 7 else values.tolist())
    values = rng.uniform(1.0, 2.0, 9)
    values[rng.integers(9)] = 1000.0
    yield dict(values=values)
    yield dict(values=[])


def oracle_quartiles(values, sort=True, between="line", last=1, q=(0.25, 0.5, 0.75), middle=None):
    if len(values) == 0:
        return NOTHING
    ordered = sorted(float(x) for x in values) if sort else [float(x) for x in values]
    found = []
    for one in q:
        position = min(one * (len(ordered) - last), len(ordered) - 1)
        below = math.floor(position)
        above = min(below + 1, len(ordered) - 1)
        rest = {"line": position - below, "below": 0.0}[between]
        found.append(ordered[below] + rest * (ordered[above] - ordered[below]))
    if middle:
        found[1] = middle(ordered)
    return tuple(found)


misconceptions_quartiles = {
    "the values were not sorted": lambda values: oracle_quartiles(values, sort=False),
    "the middle one is the mean: one slow call pulls it away": lambda values: oracle_quartiles(
        values, middle=lambda ordered: math.fsum(ordered) / len(ordered)),
    "v[n // 4] and the like are near, but no quartiles: the position is q * (n - 1), and may lie between two values":
        lambda values: oracle_quartiles(values, between="below", last=0),
    "a position between two values was rounded down": lambda values: oracle_quartiles(values, between="below"),
    "the position is q * n: it is q * (n - 1)": lambda values: oracle_quartiles(values, last=0),
    "the smallest and the largest were taken for the quartiles": lambda values: oracle_quartiles(values, q=(0, 0.5, 1)),
    "no values at all were accepted": lambda values: oracle_quartiles(values) if len(values) else (math.nan,) * 3,
}


# 09.3 matmul_flops

describe_matmul_flops = "matmul_flops(out, a, b)"


def draw_matmul_flops(rng):
    n, k, m = (int(x) for x in rng.permutation([3, 5, 7]))
    for before_a, before_b, sizes in (((), (), (n, k, m)), ((), (), (4, 1, n)), ((2,), (2,), (k, m, n)),
                                      ((4, 1), (3,), (2, n, 5)), ((), (6,), (m, 2, 3)), ((), (), (0, 4, m))):
        a = rng.standard_normal((*before_a, sizes[0], sizes[1]), np.float32)
        b = rng.standard_normal((*before_b, sizes[1], sizes[2]), np.float32)
        yield dict(out=a @ b, a=a, b=b)


def oracle_matmul_flops(out, a, b, each=2, less=0):
    count = 0
    for _ in out.flat:
        for _ in range(a.shape[-1]):
            count += each
        count -= less
    return count


misconceptions_matmul_flops = {
    "each multiplication brings an addition with it: these are half of them":
        lambda **inputs: oracle_matmul_flops(**inputs, each=1),
    "the first addition of each entry was left out: the loop adds to 0, and that counts":
        lambda **inputs: oracle_matmul_flops(**inputs, less=1),
    "the matrices of a batch were counted once, not each":
        lambda out, a, b: 2 * a.shape[-2] * a.shape[-1] * b.shape[-1],
    "the batch of b was left out: out has all matrices": lambda out, a, b: 2 * a.size * b.shape[-1],
}


# 09.4 softmax_flops

describe_softmax_flops = "softmax_flops(out, a, dim={dim})"


def draw_softmax_flops(rng):
    sizes = [int(x) for x in rng.permutation([2, 3, 5])]
    for shape, dim in ((sizes[:2], 1), (sizes[1:], 0), (sizes, 1), (sizes, -1), (sizes, -3), ([7], 0), ([4, 1], 1)):
        scores = rng.standard_normal(shape).astype(np.float32)
        powers = np.exp(scores)
        yield dict(out=powers / powers.sum(axis=dim, keepdims=True), a=scores, dim=dim)


def oracle_softmax_flops(out, a, dim, kinds="max sub exp sum div", first=True):
    count = 0
    for row in np.moveaxis(a, dim, -1).reshape(-1, a.shape[dim]):
        for kind in kinds.split():
            count += len(row) - (first and kind in ("max", "sum"))
    return count


misconceptions_softmax_flops = {
    "the largest and the sum of n numbers take n - 1 steps, not n": lambda **inputs: oracle_softmax_flops(**inputs, first=False),
    "dim is ignored: always the last axis": lambda out, a, dim: oracle_softmax_flops(out, a, -1),
    "dim is ignored: always the first axis": lambda out, a, dim: oracle_softmax_flops(out, a, 0),
    "the search for the largest was left out": lambda **inputs: oracle_softmax_flops(**inputs, kinds="sub exp sum div"),
    "one largest and one sum for the whole array, not for each row": lambda out, a, dim: 5 * a.size - 2,
}


# 09.5 bytes_moved

describe_bytes_moved = "bytes_moved(out, *inputs)"


def draw_bytes_moved(rng):
    def array(*shape, dtype=np.float32):
        return (10 * rng.standard_normal(shape)).astype(dtype)

    n, m = int(rng.integers(2, 6)), int(rng.integers(6, 9))
    plain = dict(view=None, stretch=None)
    yield dict(inputs=[array(n, m), array(m, 3)], out=array(n, 3), **plain)
    yield dict(inputs=[array(n, m), 2.5], out=array(n, m), **plain)
    yield dict(inputs=[array(n, m, dtype=bool), array(n, m), 0], out=array(n, m), **plain)
    yield dict(inputs=[array(n, m, dtype=np.float64), array(n, dtype=np.int64)], out=array(dtype=np.float64), **plain)
    yield dict(inputs=[array(n, m)], out=None, view=[0, "transpose"], stretch=None)
    yield dict(inputs=[array(n, m), array(m)], out=None, view=[1, "slice"], stretch=None)
    yield dict(inputs=[array(n, m), array(n, 1)], out=array(n, m), view=None, stretch=[1, [n, m]])
    yield dict(inputs=[array(0, m), array(m)], out=array(0, m), **plain)


def observe_bytes_moved(module, inputs, out, view, stretch):
    """Call it with an array stretched, or with a result that is a view, which no wire can carry."""
    given = list(inputs)
    if stretch:
        given[stretch[0]] = np.broadcast_to(given[stretch[0]], stretch[1])
    if view:
        source = given[view[0]]
        out = source.T if view[1] == "transpose" else source[1:]
    return module.bytes_moved(out, *given)


def oracle_bytes_moved(inputs, out, view, stretch, result=True, size=None, number=0, views=True, stretched=False, once=False):
    shapes = [x.shape for x in inputs if isinstance(x, np.ndarray)]
    if stretch and stretched:
        shapes[stretch[0]] = tuple(stretch[1])
    sizes = [size or x.dtype.itemsize for x in inputs if isinstance(x, np.ndarray)]
    total = sum(math.prod(shape) * each for shape, each in zip(shapes, sizes))
    total += number * sum(not isinstance(x, np.ndarray) for x in inputs)
    if view and (views is True or (views == "first" and view[0] == 0)):
        return 0
    if view:
        source = inputs[view[0]]
        out = source.T if view[1] == "transpose" else source[1:]
    return total + (out.size * (size or out.dtype.itemsize) if result else 0)


misconceptions_bytes_moved = {
    "the result was left out: it has to be written": lambda **inputs: oracle_bytes_moved(**inputs, result=False),
    "these are entries, not bytes": lambda **inputs: oracle_bytes_moved(**inputs, size=1),
    "every entry counts 4 bytes, whatever its dtype": lambda **inputs: oracle_bytes_moved(**inputs, size=4),
    "a Python number counts 8 bytes: it is not in memory": lambda **inputs: oracle_bytes_moved(**inputs, number=8),
    "views count as if their entries had been moved": lambda **inputs: oracle_bytes_moved(**inputs, views=False),
    "only the first input was asked whether the result is a view of it":
        lambda **inputs: oracle_bytes_moved(**inputs, views="first"),
    "a stretched number counts as often as it is read (nbytes): held counts it once":
        lambda **inputs: oracle_bytes_moved(**inputs, stretched=True),
}


# 09.6 bound

describe_bound = "bound({flops}, {moved}, Machine(flops={peak}, memory={memory}, cache={cache}, ...))"


def draw_bound(rng):
    scale = 2.0 ** int(rng.integers(28, 34))
    rates = dict(peak=64 * scale, memory=8 * scale, cache=32 * scale)
    for intensity in (0.5, 40.0, 8.0, 9.5, 3.0):
        moved = float(rng.integers(1, 100)) * scale / 1024
        yield dict(flops=intensity * moved, moved=moved, **rates)
    yield dict(flops=0.0, moved=scale / 64, **rates)
    yield dict(flops=scale / 8, moved=0.0, **rates)


def observe_bound(module, flops, moved, peak, memory, cache):
    return module.bound(flops, moved, module.Machine(peak, memory, cache, threads=1, blas=""))


def oracle_bound(flops, moved, peak, memory, cache, which=max, cached=False, ties="compute", words=("compute", "memory")):
    compute, traffic = flops / peak, moved / (cache if cached else memory)
    limit = words[0] if compute > traffic else words[1] if compute < traffic else ties
    return which(compute, traffic), limit


misconceptions_bound = {
    "the smaller of the two times: the processor waits for the longer one": lambda **inputs: oracle_bound(**inputs, which=min),
    "the two times were added: arithmetic and traffic go on at once":
        lambda **inputs: oracle_bound(**inputs, which=lambda a, b: a + b),
    "the rate of the cache was taken for that of the memory": lambda **inputs: oracle_bound(**inputs, cached=True),
    "the two words are exchanged": lambda **inputs: oracle_bound(**inputs, words=("memory", "compute"), ties="memory"),
    "where both take as long it is compute, by agreement": lambda **inputs: oracle_bound(**inputs, ties="memory"),
}


# 09.7 span: blocks within blocks, each with work before and after the inner ones, on a clock that only work moves

describe_span = "a with block of span for each name, those in brackets inside of it: {program}"


def block(name, before, inner, after, raises=False):
    return dict(name=name, before=before, inner=inner, after=after, raises=raises)


def told(blocks):
    """Return blocks as text: the seconds of work before and after the inner blocks stand around these."""
    texts = []
    for one in blocks:
        inner = f" ({told(one['inner'])})" if one["inner"] else ""
        texts.append(f"{one['name']} {one['before']} s{inner}" + (", raises" if one["raises"] else f" + {one['after']} s"))
    return "; ".join(texts)


def draw_span(rng):
    def work():
        return float(rng.integers(1, 64)) / 8

    inner = [block("mul", work(), [], work()), block("sum", work(), [], work())]
    deep = block("a", work(), [block("b", work(), [block("c", work(), [], work())], work())], work())
    failing = block("fails", work(), [], work(), raises=True)
    nested = block("outer", work(), [failing, block("skipped", work(), [], 0.0)], work())
    for blocks in ([block("add", work(), [], 0.0)], [block("step", work(), inner, work()), block("last", work(), [], work())],
                   [deep], [failing, block("next", work(), [], work())], [nested, block("next", work(), [], work())]):
        yield dict(zero=work(), blocks=blocks, program=told(blocks))


def observe_span(module, zero, blocks, program):
    """Run the blocks, and note the depth inside of each; an error ends all blocks that it passes."""
    now, depths, errors, kept = [zero], [], [], []
    log = module.Log(clock=lambda: now[0])

    def run(one):
        details = {"kind": one["name"]}
        with module.span(log, one["name"], details):
            kept.append(details)
            depths.append(log.depth)
            now[0] += one["before"]
            if one["raises"]:
                raise ArithmeticError(one["name"])
            for other in one["inner"]:
                run(other)
            now[0] += one["after"]
        now[0] += 1.0

    for one in blocks:
        try:
            run(one)
            errors.append("no error")
        except ArithmeticError as error:
            errors.append(f"ArithmeticError: {error}")
    same = [any(each.details is details for details in kept) for each in log.spans]
    return {"spans": [(each.name, each.began, each.ended, each.depth) for each in log.spans], "depth inside": depths,
            "depth afterwards": log.depth, "what came out of each block": errors, "details are the dict given": same}


def oracle_span(zero, blocks, program, lost=False, stuck=False, inner_depth=False, swallowed=False, still=False, first=False):
    state = dict(now=zero, depth=0)
    spans, depths, errors = [], [], []

    def run(one):
        began, depth = state["now"], state["depth"]
        state["depth"] += not still
        depths.append(state["depth"])
        place = len(spans)
        fails = work(one)
        entry = (one["name"], began, state["now"], depth + inner_depth)
        if not (fails and lost):
            spans.insert(place if first else len(spans), entry)
        if stuck != "always" and not (fails and stuck):
            state["depth"] = depth
        fails = None if swallowed else fails
        state["now"] += 0.0 if fails else 1.0
        return fails

    def work(one):
        state["now"] += one["before"]
        if one["raises"]:
            return one["name"]
        for other in one["inner"]:
            failed = run(other)
            if failed:
                return failed
        state["now"] += one["after"]
        return None

    for one in blocks:
        failed = run(one)
        errors.append(f"ArithmeticError: {failed}" if failed else "no error")
    return {"spans": spans, "depth inside": depths, "depth afterwards": state["depth"],
            "what came out of each block": errors, "details are the dict given": [True] * len(spans)}


misconceptions_span = {
    "a block that raises left no span, and the log stayed too deep: the end belongs into `finally`":
        lambda **inputs: oracle_span(**inputs, lost=True, stuck=True),
    "a block that raises left no span": lambda **inputs: oracle_span(**inputs, lost=True),
    "after an error the log stayed too deep": lambda **inputs: oracle_span(**inputs, stuck=True),
    "the log's depth was not put back": lambda **inputs: oracle_span(**inputs, stuck="always"),
    "the error was swallowed: it has to go on": lambda **inputs: oracle_span(**inputs, swallowed=True),
    "the depth noted is that inside of the block; the outermost span has depth 0":
        lambda **inputs: oracle_span(**inputs, inner_depth=True),
    "the log's depth did not change: spans within spans look like neighbours":
        lambda **inputs: oracle_span(**inputs, still=True),
    "the span was appended at the beginning: the list is in the order in which they end":
        lambda **inputs: oracle_span(**inputs, first=True),
}


# 09.8 self_times

describe_self_times = "self_times(spans) of the spans {listed}"


def grow(rng, began, depth, levels):
    """Yield the spans of a random tree in the order in which they end, as tuples; the last one is its root."""
    now = began + float(rng.integers(0, 5)) / 8
    spans = []
    for _ in range(int(rng.integers(1, 4)) if levels else 0):
        spans += grow(rng, now, depth + 1, levels - 1)
        now = spans[-1][2] + float(rng.integers(0, 5)) / 8
    return [*spans, (f"{'abcdef'[depth]}{int(rng.integers(1000))}", began, now + float(rng.integers(1, 9)) / 8, depth)]


def listed(spans):
    """Return spans as text."""
    return "; ".join(f"{name} {began:g} to {ended:g}, depth {depth}" for name, began, ended, depth in spans)


def draw_self_times(rng):
    for spans in some_spans(rng):
        yield dict(spans=spans, listed=listed(spans))


def some_spans(rng):
    """Yield lists of spans: none, one, trees, trees side by side, and a tree within spans that are not over."""
    yield []
    yield [("one", 1.0, 3.5, 0)]
    for trees, levels in ((1, 1), (2, 1), (1, 2), (3, 2), (2, 3)):
        spans, now = [], float(rng.integers(1, 9))
        for _ in range(trees):
            spans += grow(rng, now, 0, levels)
            now = spans[-1][2]
        yield spans
    spans = grow(rng, 0.0, 0, 2)
    yield [(name, began, ended, depth + 2) for name, began, ended, depth in spans]


def observe_self_times(module, spans, listed):
    return module.self_times([module.Span(*one, {}) for one in spans])


def oracle_self_times(spans, listed, inner="children", since=True):
    own = []
    for i, (_, began, ended, depth) in enumerate(spans):
        left, j = ended - began, i - 1
        while j >= 0 and (spans[j][3] > depth or not since):
            counts = spans[j][3] == depth + 1 if inner == "children" else spans[j][3] > depth
            left -= (spans[j][2] - spans[j][1]) * (counts and inner != "none")
            j -= 1
        own.append(left)
    return own


misconceptions_self_times = {
    "these are whole durations: what lies inside was not taken off": lambda **inputs: oracle_self_times(**inputs, inner="none"),
    "spans within the inner spans were taken off, too: they are part of those already":
        lambda **inputs: oracle_self_times(**inputs, inner="all"),
    "all earlier spans one deeper were taken off, those inside of another span, too":
        lambda **inputs: oracle_self_times(**inputs, since=False),
}


# 09.9 trace_events

describe_trace_events = "trace_events(spans, zero={zero}, thread={thread})"


def draw_trace_events(rng):
    for trees, thread in ((1, 3), (2, 0), (1, 7)):
        zero = float(rng.integers(1, 100))
        spans = [one for _ in range(trees) for one in grow(rng, zero + float(rng.integers(1, 9)), 0, 1)]
        spans = [(*one, {"flops": int(rng.integers(1, 100)), "kind": "kernel"} if i % 2 else {}) for i, one in enumerate(spans)]
        yield dict(spans=spans, zero=zero, thread=thread)
    yield dict(spans=[], zero=0.0, thread=1)


def observe_trace_events(module, spans, zero, thread):
    return module.trace_events([module.Span(*one) for one in spans], zero, thread)


def oracle_trace_events(spans, zero, thread, unit=1e6, start=True, end=False, forwards=False, swapped=False):
    events = []
    for name, began, ended, _, details in spans if forwards else spans[::-1]:
        zero_here = zero if start else 0.0
        events.append({"name": name, "ph": "X", "ts": (began - zero_here) * unit,
                       "dur": (ended - (zero_here if end else began)) * unit,
                       "pid": thread if swapped else 0, "tid": 0 if swapped else thread, "args": details})
    return events


misconceptions_trace_events = {
    "ts is in seconds: microseconds are wanted": lambda **inputs: [
        {**event, "ts": event["ts"] / 1e6} for event in oracle_trace_events(**inputs)],
    "dur is in seconds: microseconds are wanted": lambda **inputs: [
        {**event, "dur": event["dur"] / 1e6} for event in oracle_trace_events(**inputs)],
    "the times are in seconds: microseconds are wanted": lambda **inputs: oracle_trace_events(**inputs, unit=1.0),
    "the times are in milliseconds: microseconds are wanted": lambda **inputs: oracle_trace_events(**inputs, unit=1e3),
    "zero was ignored: times count from it": lambda **inputs: oracle_trace_events(**inputs, start=False),
    "dur is when it ended: how long it took is wanted": lambda **inputs: oracle_trace_events(**inputs, end=True),
    "the spans are in the order in which they ended: the outer one has to stand first":
        lambda **inputs: oracle_trace_events(**inputs, forwards=True),
    "pid and tid are exchanged": lambda **inputs: oracle_trace_events(**inputs, swapped=True),
}
rtol_trace_events = 1e-9  # a million, to the last digit
