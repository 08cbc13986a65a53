"""The conversation of `tito bench`: what runs, what is missing, one table after the other."""

import json
import sys

from tito import console, machine
from tito.bench import cases, imports, table
from tito.bench.recording import HOW_TO_ADD, BenchFailed
from tito.curriculum import UnknownName
from tito.files import write_atomically

MEMORY = "memory"
MKL_ON_AMD = (
    "note: PyTorch's matrix products are MKL's, which takes a slower path on AMD than on Intel: `tito bench matmul` "
    "shows it. Its convolutions are oneDNN's, which does not."
)
AVX2_ON_AMD = (
    "note: OpenBLAS has chosen its kernels for AVX-512; on AMD those for AVX2 can be faster: set OPENBLAS_CORETYPE=Haswell "
    "before Python starts, and compare."
)


def titles():
    """Return what is measured, by name."""
    return {
        **{case.name: case.title for case in cases.CASES},
        imports.NAME: imports.TITLE,
        MEMORY: "Peak memory of training steps",
    }


def list_cases():
    """Print the names of the cases and what each measures."""
    for name, title in titles().items():
        console.say(f"  {name:15}{title}")
    console.next_step(f"tito bench {cases.CASES[0].name}")


def chosen(names):
    """Return the names of the cases wanted, all for none; refuse an unknown one."""
    known = titles()
    for name in names:
        if name not in known:
            raise UnknownName(name, {one: one for one in known}, "case")
    return [one for one in known if not names or one in names]


def measure(bench, wanted, keep=lambda record: None):
    """Measure, show each table when it is done, and return the record.

    Args:
        bench: The `Bench`.
        wanted: Names of cases.
        keep: Called with the record as it grows, so that what was measured outlives an interruption.

    Returns:
        The record, a dict.
    """
    record = {**bench.describe(), "cases": []}
    introduce(record)
    for case in (case for case in cases.CASES if case.name in wanted):
        for entry in measured(bench, case):
            record["cases"].append(entry)
            keep(record)
    if imports.NAME in wanted:
        record["imports"] = waited_for("measuring imports", bench.imports)
        show(table.imports(record["imports"]))
    if MEMORY in wanted:
        measurable = [case for case in cases.CASES if case.memory and not bench.missing(case)]
        record["memory"] = [waited_for(f"measuring the memory of {case.name}", lambda: bench.memory(case)) for case in measurable]
        show(table.memory(record["memory"]))
    record["load_after"] = machine.load()
    keep(record)
    return record


def introduce(record):
    """Print the machine and the libraries, and what to mind about them."""
    for line in about(record):
        console.say(console.wrap(line))
    here = record["machine"]
    if machine.is_busy(here):
        console.say(
            console.wrap(
                f"warning: the machine is busy, load {here['load']} on {here['cores']} cores: times, and those on "
                "several threads above all, will not be those of a quiet one"
            ),
            style="yellow",
        )
    for name, how in HOW_TO_ADD.items():
        if name not in record["libraries"]:
            console.say(f"{name} is not installed, so it is left out: {how}", style="yellow")
    console.say("ratio: a median time by that of the fastest PyTorch, which has 1.00; below 1 is faster")


def about(record):
    """Return the lines that name the machine and the libraries of a record."""
    here, libraries = record["machine"], record["libraries"]
    lines = [f"{here['processor']}, {here['cores']} cores, load {here['load']}; {here['system']}, Python {here['python']}"]
    numpy, torch = libraries["numpy"], libraries.get("torch")
    lines.append(f"NumPy {numpy['version']}, {' '.join(filter(None, map(numpy.get, ('blas', 'blas_version', 'architecture'))))}")
    if torch:
        lines.append(f"PyTorch {torch['version']}, {torch['cpu_capability']}{', MKL' if torch['mkl'] else ''}")
        if "+cu" in torch["version"]:
            lines.append("note: this PyTorch is built for CUDA, too; one for the CPU alone imports faster and takes less memory")
    lines += [f"{name} {libraries[name]['version']}" for name in ("numba", "tinygrad") if name in libraries]
    if torch and torch["mkl"] and "AuthenticAMD" in here["processor"]:
        lines.append(MKL_ON_AMD)
    if numpy.get("architecture") == "SkylakeX" and "AuthenticAMD" in here["processor"]:
        lines.append(AVX2_ON_AMD)
    if here["settings"]:
        lines.append(f"set: {' '.join(settings(here))}")
    return lines


def settings(here):
    """Return what was set for the libraries, as one would write it before a command."""
    return [f"{name}={value}" for name, value in here["settings"].items()]


def measured(bench, case):
    """Measure a case; yield each entry once its table was shown, and words when modules are missing or it fails."""
    missing = bench.missing(case)
    if missing:
        console.say()
        console.say(f"{case.name}: needs {', '.join(missing)}")
        yield {"case": case.name, "title": case.title, "needs": missing, "threads": {}}
        return
    try:
        entries = bench.sizes(case)
        while entry := waited_for(f"measuring {case.name}, {at_most(bench)}", lambda: next(entries, None)):
            show(table.times(entry))
            yield entry
    except BenchFailed as error:  # the other cases can do without this one
        console.say()
        console.say(str(error), style="red")
        yield {"case": case.name, "title": case.title, "failed": str(error), "threads": {}}


def waited_for(text, work):
    """Return what a function returns, and show meanwhile that it works."""
    with console.working(text):
        return work()


def at_most(bench):
    """Say how long a table's turns go on."""
    return f"at most {bench.seconds * len(bench.threads):g} s a table, and what starting takes"


def show(lines):
    """Print the lines of a table, its title in bold."""
    for number, line in enumerate(lines):
        console.say(line, style="bold" if number == 1 else None)
    sys.stdout.flush()  # into a file, too: the next table takes its time


def write(path, record):
    """Write a record to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, laid_out(record) + "\n")


def laid_out(value, margin="\n"):
    """Return JSON in which a dict or a list stands on one line if it holds no other."""
    inner = list(value.values()) if isinstance(value, dict) else value
    if not isinstance(inner, list) or not any(isinstance(one, (dict, list)) for one in inner):
        return json.dumps(value)
    names = [f"{json.dumps(name)}: " for name in value] if isinstance(value, dict) else [""] * len(value)
    lines = ",".join(f"{margin} {name}{laid_out(one, margin + ' ')}" for name, one in zip(names, inner))
    left, right = "{}" if isinstance(value, dict) else "[]"
    return f"{left}{lines}{margin}{right}"
