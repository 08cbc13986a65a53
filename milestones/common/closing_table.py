"""The table at the end of a run."""

import sys
import textwrap

from tito.console import text_width


def rows(metrics):
    """Return metrics as the labels and texts of the closing table."""

    def percent(name):
        return f"{100 * metrics[name]:.2f}"

    m, sign, memory = metrics, plus_minus(), metrics["peak_memory_mb"]
    step, warm_up = "not timed in this process", "none"
    if m["warm_up_steps"]:
        first = f"{1000 * m['warm_up_seconds']:.1f} ms, the first {count(m['warm_up_steps'], 'step')}"
        step, warm_up = f"{m['step_ms_median']:.3f} ms, the median", f"{first}, left out of the median"
    return {
        "test accuracy": f"{percent('test_accuracy')} {sign} {percent('test_accuracy_error')} %",
        "test loss": f"{m['test_loss']:.4f} {sign} {m['test_loss_error']:.4f}",
        "training": f"{m['seconds']:.1f} s, {m['cpu_seconds']:.1f} s of CPU time; seed {m['seed']}",
        "a step": f"{step} ({count(m['steps'], 'step')} in all)",
        "warm-up": warm_up,
        "peak memory": f"{memory:.0f} MB" if memory else "not known on this system",
        "BLAS": f"{m['blas']}, {count(m['threads'], 'thread')}",
        "kernels": f"{m['kernels']}, {fallbacks(m['fallbacks'])}",
    }


def show(table):
    """Print labels and texts in 80 columns, or as many as the terminal has; a path stays whole, so that it can be copied."""
    print()
    whole = dict(break_long_words=False, break_on_hyphens=False)
    for label, text in table.items():
        print(textwrap.fill(text, text_width(), initial_indent=f"  {label:15}", subsequent_indent=" " * 17, **whole))


def compare(runs):
    """Print several runs of the same network side by side.

    Args:
        runs: List of what `Run.metrics` returned, each with a ``largest_difference``.
    """
    sign, first = plus_minus(), runs[0]["gradients"]
    print(f"\n  {'gradients':11}{'test accuracy':>17}{'test loss':>11}{'seconds':>9}{'CPU s':>8}{'ms a step':>11}  apart")
    for m in runs:
        accuracy = f"{100 * m['test_accuracy']:.2f} {sign} {100 * m['test_accuracy_error']:.2f} %"
        print(
            f"  {m['gradients']:11}{accuracy:>17}{m['test_loss']:>11.4f}{m['seconds']:>9.1f}"
            f"{m['cpu_seconds']:>8.1f}{m['step_ms_median']:>11.3f}  {m['largest_difference']:.1e}"
        )
    print(
        f"\n  apart: the largest difference of a weight from {first}'s, after the last step\n"
        f"  {runs[0]['blas']}, {count(runs[0]['threads'], 'thread')}; "
        f"{count(runs[0]['steps'], 'step')} of {runs[0]['batch_size']}; seed {runs[0]['seed']}"
    )


def fallbacks(counts):
    """Say for which ops the chosen kernel set has no kernel."""
    if not counts:
        return "no fallbacks"
    ops = [f"{op} ({count(times, 'time')})" for op, times in counts.items()]
    return f"but numpy ran {', '.join(ops)}"


def count(number, noun):
    """Return a number with its noun."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def plus_minus():
    """Return the sign, or +- if standard output cannot show it."""
    try:
        "±".encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return "+-"
    return "±"
