"""What `tito bench` prints: what runs, what is missing, one table after another."""

import json
import subprocess
import sys

from tito import console, leftovers, machine
from tito.bench import cases, gpu, imports, table
from tito.bench.recording import HOW_TO_ADD, BenchFailed
from tito.curriculum import UnknownName
from tito.files import write_atomically

MEMORY = "memory"
MKL_ON_AMD = (
    "note: PyTorch uses MKL for matrix products, and MKL is slower on AMD than on Intel: `tito bench matmul` shows it. "
    "Convolutions use oneDNN, which has no such difference."
)
AVX2_ON_AMD = (
    "note: OpenBLAS chose its AVX-512 kernels; on AMD those for AVX2 can be faster: set OPENBLAS_CORETYPE=Haswell "
    "before Python starts, and compare."
)


def titles():
    """Return the titles of all cases, by name."""
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
    """Return the names of the chosen cases, or all if none is named; refuse an unknown name."""
    known = titles()
    for name in names:
        if name not in known:
            raise UnknownName(name, {name: name for name in known}, "case")
    return [name for name in known if not names or name in names]


def measure(bench, wanted, keep=lambda record: None):
    """Measure, show each table as soon as it is done, and return the record.

    Args:
        bench: The `Bench`.
        wanted: Names of cases.
        keep: Called with the record as it grows, so that an interruption does not lose what was measured.

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


def on_gpu(space, device, json_file):
    """Measure on a GPU in a process of its own, show the times, and write the record to a file if one is given."""
    if device != "cuda":
        raise UnknownName(device, {"cpu": "cpu", "cuda": "cuda"}, "device")
    with leftovers.folder("tito-bench-") as folder:
        file = folder / "record.json"
        done = leftovers.run(
            [sys.executable, "-m", "tito.bench.gpu", str(file)],
            env={**space.environment(), "PYTHONIOENCODING": "utf-8"},
            cwd=space.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            stdin=subprocess.DEVNULL,
        )
        if not file.is_file():
            raise BenchFailed({"kind": f"--device {device}"}, done)
        record = json.loads(file.read_text(encoding="utf-8"))
    for line in gpu.lines(record):
        console.say(line)
    if json_file and "skipped" not in record:
        write(json_file, record)
    console.next_step("tito doctor" if "skipped" in record else "tito bench")


def introduce(record):
    """Print the machine and the libraries, with warnings about them."""
    for line in about(record):
        console.say(console.wrap(line))
    here = record["machine"]
    if machine.is_busy(here):
        console.say(
            console.wrap(
                f"warning: the machine is busy, load {here['load']} on {here['cores']} cores: times will be off, "
                "those on several threads most of all"
            ),
            style="yellow",
        )
    for name, how in HOW_TO_ADD.items():
        if name not in record["libraries"]:
            console.say(f"{name} is not installed, so it is left out; to add it: {how}", style="yellow")
    if "torch" in record["libraries"]:
        console.say(
            console.wrap("ratio: a median time divided by that of the fastest PyTorch, which has 1.00; below 1 is faster")
        )


def about(record):
    """Return the lines that name the machine and the libraries of a record."""
    here, libraries = record["machine"], record["libraries"]
    lines = [f"{here['processor']}, {here['cores']} cores, load {here['load']}; {here['system']}, Python {here['python']}"]
    numpy, torch = libraries["numpy"], libraries.get("torch")
    lines.append(f"NumPy {numpy['version']}, {' '.join(filter(None, map(numpy.get, ('blas', 'blas_version', 'architecture'))))}")
    if torch:
        lines.append(f"PyTorch {torch['version']}, {torch['cpu_capability']}{', MKL' if torch['mkl'] else ''}")
        if "+cu" in torch["version"]:
            lines.append("note: this PyTorch is built with CUDA; a CPU-only build imports faster and takes less memory")
    lines += [f"{name} {libraries[name]['version']}" for name in ("numba", "tinygrad") if name in libraries]
    if torch and torch["mkl"] and "AuthenticAMD" in here["processor"]:
        lines.append(MKL_ON_AMD)
    if numpy.get("architecture") == "SkylakeX" and "AuthenticAMD" in here["processor"]:
        lines.append(AVX2_ON_AMD)
    if here["settings"]:
        lines.append(f"set: {' '.join(settings(here))}")
    return lines


def settings(here):
    """Return the variables set for the libraries, as you would write them before a command."""
    return [f"{name}={value}" for name, value in here["settings"].items()]


def measured(bench, case):
    """Measure a case; yield each entry after showing its table, or an entry that says what is missing or failed."""
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
    except BenchFailed as error:  # the other cases still run
        console.say()
        console.say(str(error), style="red")
        yield {"case": case.name, "title": case.title, "failed": str(error), "threads": {}}


def waited_for(text, work):
    """Call a function, show that it is running, and return its result."""
    with console.working(text):
        return work()


def at_most(bench):
    """Return how long the turns of a table take at most."""
    return f"at most {bench.seconds * len(bench.threads):g} s a table, plus starting up"


def show(lines):
    """Print the lines of a table, its title in bold."""
    for number, line in enumerate(lines):
        console.say(line, style="bold" if number == 1 else None)
    sys.stdout.flush()  # also when printing to a file: the next table takes a while


def write(path, record):
    """Write a record to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, laid_out(record) + "\n")


def laid_out(value, margin="\n"):
    """Return JSON with each dict or list on one line if it holds no other."""
    inner = list(value.values()) if isinstance(value, dict) else value
    if not isinstance(inner, list) or not any(isinstance(item, (dict, list)) for item in inner):
        return json.dumps(value)
    names = [f"{json.dumps(name)}: " for name in value] if isinstance(value, dict) else [""] * len(value)
    lines = ",".join(f"{margin} {name}{laid_out(item, margin + ' ')}" for name, item in zip(names, inner))
    left, right = "{}" if isinstance(value, dict) else "[]"
    return f"{left}{lines}{margin}{right}"
