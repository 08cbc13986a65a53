"""The closing table, and the same as JSON."""
import json
import os
import sys
import textwrap


def rows(metrics):
    """Return metrics as the labels and texts of the closing table."""
    def percent(name):
        return f"{100 * metrics[name]:.2f}"

    m, sign, memory = metrics, plus_minus(), metrics["peak_memory_mb"]
    warm_up = f"{1000 * m['warm_up_seconds']:.1f} ms, the first {count(m['warm_up_steps'], 'step')}"
    return {
        "test accuracy": f"{percent('test_accuracy')} {sign} {percent('test_accuracy_error')} %",
        "test loss": f"{m['test_loss']:.4f} {sign} {m['test_loss_error']:.4f}",
        "training": f"{m['seconds']:.1f} s, {m['cpu_seconds']:.1f} s of CPU time; seed {m['seed']}",
        "a step": f"{m['step_ms_median']:.3f} ms, the median ({count(m['steps'], 'step')} in all)",
        "warm-up": f"{warm_up}, left out of the median",
        "peak memory": f"{memory:.0f} MB" if memory else "not known on this system",
        "BLAS": f"{m['blas']}, {count(m['threads'], 'thread')}",
        "kernels": f"{m['kernels']}, {fallbacks(m['fallbacks'])}",
    }


def show(table):
    """Print labels and texts in 80 columns."""
    print()
    for label, text in table.items():
        print(textwrap.fill(text, 80, initial_indent=f"  {label:15}", subsequent_indent=" " * 17))


def fallbacks(found):
    """Say which ops the chosen kernel set lacked."""
    if not found:
        return "no fallbacks"
    ops = [f"{op} ({count(times, 'time')})" for op, times in found.items()]
    return f"but numpy ran {', '.join(ops)}"


def count(number, noun):
    """Return a number with its noun."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def plus_minus():
    """Return the sign, as far as standard output can show it."""
    try:
        "±".encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return "+-"
    return "±"


def write_json(path, data):
    """Write JSON so that a reader never sees half of it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
    os.replace(temporary, path)
