"""The check of 05.10 recording."""

import numpy as np


def draw_recording(rng):
    """On and off, from on and from off, one block within another, ending normally, with an exception and with Ctrl-C."""
    cases = [
        (True, False, None, "normally"),
        (True, False, None, "with a KeyError"),
        (False, False, None, "normally"),
        (False, True, None, "with a KeyError"),
        (True, False, True, "normally"),
        (False, True, False, "with KeyboardInterrupt"),
        (True, True, False, "with a KeyError"),
        (True, False, None, "with KeyboardInterrupt"),
    ]
    for i in rng.permutation(len(cases)):
        before, on, inner, ends = cases[int(i)]
        yield dict(before=before, on=on, inner=inner, ends=ends)


def describe_recording(before, on, inner, ends):
    block = [] if inner is None else [f"    with recording({inner}): ...", "    ..."]
    last = {
        "normally": [],
        "with a KeyError": ["    raise KeyError"],
        "with KeyboardInterrupt": ["    (somebody presses Ctrl-C)"],
    }[ends]
    return "\n".join([f"state.recording = {before}", f"with recording({on}):", *(block or ["    ..."]), *last])


def observe_recording(module, before, on, inner, ends):
    saved, seen = module.state.recording, {}
    module.state.recording = before
    try:
        with module.recording(on):
            seen["state.recording in the block"] = remembered(module)
            if inner is not None:
                with module.recording(inner):
                    seen["state.recording in the block inside of it"] = remembered(module)
                seen["state.recording after the block inside of it"] = remembered(module)
            if ends != "normally":
                raise {"with a KeyError": KeyError, "with KeyboardInterrupt": KeyboardInterrupt}[ends]("on purpose")
        seen["the block ends"] = "normally"
    except (KeyError, KeyboardInterrupt) as error:
        if "on purpose" not in str(error):
            raise
        seen["the block ends"] = "with a KeyError" if isinstance(error, KeyError) else "with KeyboardInterrupt"
    finally:
        seen["state.recording after the block"], module.state.recording = remembered(module), saved
    return seen


def remembered(module):
    """Say whether ops are remembered now, by an op; and the switch, where the two differ."""
    does = bool((module.Tensor(np.ones(2, np.float32), requires_grad=True) + 1.0).requires_grad)
    return does if module.state.recording is does else f"{module.state.recording!r}"


def recording_turn(set_to=lambda on, before: on, back=lambda before, on, ends: before, swallows=False):
    """Make the right switch, or a wrong turn.

    Args:
        set_to: What a block sets, for what it was asked to set and what was there.
        back: What is put back at the end of a block, for what was there, what was asked for, and how it ends; None for nothing.
        swallows: Whether exceptions end with the block.
    """

    def switch(before, on, inner, ends):
        now = set_to(on, before)
        seen = {"state.recording in the block": now}
        if inner is not None:
            outer, now = now, set_to(inner, now)
            seen["state.recording in the block inside of it"] = now
            restored = back(outer, inner, "normally")
            seen["state.recording after the block inside of it"] = now = now if restored is None else restored
        restored = back(before, on, ends)
        seen["the block ends"] = "normally" if swallows else ends
        return {**seen, "state.recording after the block": now if restored is None else restored}

    return switch


def without_yield(before, on, inner, ends):
    return "raises", "RuntimeError"


oracle_recording = recording_turn()
misconceptions_recording = {
    "an exception leaves it switched: put back what was there in any case (try, finally)": recording_turn(
        back=lambda before, on, ends: before if ends == "normally" else None
    ),
    "Ctrl-C leaves it switched: `except Exception` misses KeyboardInterrupt, `finally` does not": recording_turn(
        back=lambda before, on, ends: None if ends == "with KeyboardInterrupt" else before
    ),
    "True is put back, whatever was there before": recording_turn(back=lambda before, on, ends: True),
    "False is put back, whatever was there before": recording_turn(back=lambda before, on, ends: False),
    "the opposite of `on` was put back; it is what was there before the block": recording_turn(
        back=lambda before, on, ends: not on
    ),
    "the opposite of what was there before was put back": recording_turn(back=lambda before, on, ends: not before),
    "it is never put back": recording_turn(back=lambda before, on, ends: None),
    "state.recording was not set": recording_turn(set_to=lambda on, before: before),
    "on is ignored: ops are not remembered": recording_turn(set_to=lambda on, before: False),
    "on is turned around": recording_turn(set_to=lambda on, before: not on),
    "the exception ends with the block: the caller has to see it": recording_turn(swallows=True),
    "the exception ends with the block, and leaves it switched": recording_turn(
        back=lambda before, on, ends: before if ends == "normally" else None, swallows=True
    ),
    "a generator for @contextmanager yields once: there is no `yield`, or more than one": without_yield,
}
