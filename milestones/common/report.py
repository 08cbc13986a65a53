"""The closing table, and the same as JSON."""
import json
import os
import sys


def rows(metrics):
    """Return metrics as the labels and texts of the closing table."""
    m, memory = metrics, metrics["peak_memory_mb"]
    sign = "±" if can_print("±") else "+-"
    fallbacks = ", ".join(f"{op} {count:,} times" for op, count in m["fallbacks"].items())
    return {
        "test accuracy": f"{100 * m['test_accuracy']:.2f} {sign} {100 * m['test_accuracy_error']:.2f} %",
        "test loss": f"{m['test_loss']:.4f} {sign} {m['test_loss_error']:.4f}",
        "training": f"{m['seconds']:.1f} s, {m['cpu_seconds']:.1f} s of CPU time: {m['steps']:,} steps, seed {m['seed']}",
        "a step": f"{m['step_ms_median']:.3f} ms, the median after a warm-up of {1000 * m['warm_up_seconds']:.1f} ms",
        "peak memory": f"{memory:.0f} MB" if memory else "not known on this system",
        "BLAS": f"{m['blas']}, {m['threads']} thread{'s' * (m['threads'] > 1)}",
        "kernels": m["kernels"] + (f"; numpy instead for {fallbacks}" if fallbacks else ", no fallbacks"),
    }


def can_print(text):
    """Say whether standard output can show a text."""
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def write_json(path, data):
    """Write JSON so that a reader never sees half of it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
    os.replace(temporary, path)
