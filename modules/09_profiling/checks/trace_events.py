"""The check of 09.9 trace_events."""

from .shared import afterwards, grow, kind_of, named, whole


def draw_trace_events(rng):
    """Trees alone and side by side, with and without details, at times that are no whole microseconds; one name for all; no span."""
    for trees, thread in ((1, int(rng.integers(1, 9))), (2, 0), (1, int(rng.integers(9, 99))), (3, 1)):
        zero = float(rng.integers(1, 100))
        spans = []
        for _ in range(trees):
            spans += grow(rng, (spans[-1][2] if spans else zero) + float(rng.integers(1, 9)) / 2**12, 0, 1, 2**12)
        spans = spans if thread == 0 else named(spans)
        spans = [(*one, {"flops": int(rng.integers(1, 100)), "kind": "kernel"} if i % 2 else {}) for i, one in enumerate(spans)]
        yield dict(spans=spans, zero=zero, thread=thread)
    yield dict(spans=[], zero=0.0, thread=1)


@whole
def describe_trace_events(spans, zero, thread):
    """Write the call as a learner would."""
    if not spans:
        return f"trace_events([], zero={zero:g}, thread={thread})"
    lines = [f'Span("{name}", {began!r}, {ended!r}, {depth}, {details})' for name, began, ended, depth, details in spans[:6]]
    more = [f"... and {len(spans) - 6} more"] if len(spans) > 6 else []
    return "\n".join([f"trace_events(spans, zero={zero:g}, thread={thread}), where spans holds", *lines, *more])


def observe_trace_events(module, spans, zero, thread):
    given = [module.Span(*one) for one in spans]
    before = list(given)
    answer = module.trace_events(given, zero, thread)
    return with_order(answer, afterwards(given, before))


def with_order(events, given="unchanged", returned=None):
    """Give events the form in which they are compared: their order first, then each under its name."""
    returned = returned or kind_of(events)
    events = events if isinstance(events, (list, tuple)) else []
    order = [one.get("name", "an event without a name") if isinstance(one, dict) else kind_of(one) for one in events]
    return {
        "returned": returned,
        "names of the events, in order": order,
        "event": {f"{i}, {name}": one for i, (name, one) in enumerate(zip(order, events))},
        "the list of spans given": given,
    }


def oracle_trace_events(
    spans,
    zero,
    thread,
    unit=1e6,
    start=True,
    end=False,
    order=lambda spans: spans[::-1],
    swapped=False,
    rounded=False,
    drop=(),
    given="unchanged",
    **other,
):
    events = []
    for name, began, ended, _, details in order(spans):
        ts, dur = (began - (zero if start else 0.0)) * unit, (ended - ((zero if start else 0.0) if end else began)) * unit
        ts, dur = (int(ts), int(dur)) if rounded else (ts, dur)
        event = {
            "name": name,
            "ph": "X",
            "ts": ts,
            "dur": dur,
            "pid": thread if swapped else 0,
            "tid": 0 if swapped else thread,
            "args": details,
        } | other
        events.append({key: value for key, value in event.items() if key not in drop})
    return with_order(events, given if len(spans) > 1 else "unchanged", "a list")


def scaled_key(key):
    """Make the oracle of events in which one of the two times is in seconds."""

    def oracle(**inputs):
        right = oracle_trace_events(**inputs)
        return right | {"event": {name: {**event, key: event[key] / 1e6} for name, event in right["event"].items()}}

    return oracle


misconceptions_trace_events = {
    "ts is in seconds: microseconds are wanted": scaled_key("ts"),
    "dur is in seconds: microseconds are wanted": scaled_key("dur"),
    "the times are in seconds: microseconds are wanted": lambda **inputs: oracle_trace_events(**inputs, unit=1.0),
    "the times are in milliseconds: microseconds are wanted": lambda **inputs: oracle_trace_events(**inputs, unit=1e3),
    "the times are in nanoseconds: microseconds are wanted": lambda **inputs: oracle_trace_events(**inputs, unit=1e9),
    "the times were rounded to whole microseconds: short ops lose theirs": lambda **inputs: oracle_trace_events(
        **inputs, rounded=True
    ),
    "zero was ignored: times count from it": lambda **inputs: oracle_trace_events(**inputs, start=False),
    "dur is when it ended: how long it took is wanted": lambda **inputs: oracle_trace_events(**inputs, end=True),
    "the spans are in the order in which they ended: the outer one has to stand first": lambda **inputs: oracle_trace_events(
        **inputs, order=list
    ),
    "the spans were sorted by their beginning: the last one of the list stands first": lambda **inputs: oracle_trace_events(
        **inputs, order=lambda spans: sorted(spans, key=lambda one: one[1])
    ),
    "the spans were sorted by their depth: the last one of the list stands first": lambda **inputs: oracle_trace_events(
        **inputs, order=lambda spans: sorted(spans, key=lambda one: one[3])
    ),
    "the list that was given was turned round: it belongs to the log": lambda **inputs: oracle_trace_events(
        **inputs, given="turned round"
    ),
    "the list that was given is empty afterwards: it belongs to the log": lambda **inputs: (
        oracle_trace_events(**inputs) | {"the list of spans given": "emptied" if inputs["spans"] else "unchanged"}
    ),
    "pid and tid are exchanged": lambda **inputs: oracle_trace_events(**inputs, swapped=True),
    'ph is "X", for a complete event; "B" is only its beginning': lambda **inputs: oracle_trace_events(**inputs, ph="B"),
    "args is empty: it holds the span's details": lambda **inputs: oracle_trace_events(**inputs, args={}),
    "the key args is missing: it holds the span's details": lambda **inputs: oracle_trace_events(**inputs, drop=("args",)),
}
rtol_trace_events = 1e-9  # a million, to the last digit
