"""The trusted side of a milestone's grade: it sends questions to the learner's package and judges the answers itself."""

import json
import math
import os
import secrets
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file, save_file

from tito import leftovers, workspace
from tito.checks import runner
from tito.evidence import examples as drawing, observe as observing

DIRECTIONS = 3  # in each parameter, along which slopes are compared
AGREEMENT = 1e-3  # largest relative difference between gradient and slope
MOVED = 1e-3  # least distance that a parameter must have moved, relative to its length
FILTERS = 0.05  # least distance that most filters of each convolution must have moved, relative to their length
SCORES = 1e-3  # largest difference between an image's scores alone and in a batch, relative to the largest score
MEMORY, SECONDS = 6 * 2**30, 300


class NoEvidence(workspace.WorkspaceError):
    """There is nothing to grade; the remedy says how to get it."""

    def __init__(self, message, remedy):
        self.remedy = remedy
        super().__init__(message)


@dataclass(frozen=True)
class Row:
    """One criterion: its name, the result, and whether it passed."""

    what: str
    found: str
    passed: bool


@dataclass(frozen=True)
class Saved:
    """What a run saved: its weights and their description."""

    weights: dict
    about: dict

    @property
    def choices(self):
        """The options that the run's network and data were made with."""
        choices = self.about.get("choices")
        return choices if isinstance(choices, dict) else {}


def read(path, milestone):
    """Read the weights of a run.

    Args:
        path: The file.
        milestone: The milestone.

    Returns:
        `Saved`.

    Raises:
        NoEvidence: The file is missing, or it is from another milestone.
    """
    again = f"tito milestone run {milestone.name}"
    if not path.is_file():
        raise NoEvidence(f"{path} does not exist: a run saves its weights when it ends", again)
    try:
        with safe_open(path, framework="numpy") as file:
            about = {name: json.loads(text) for name, text in (file.metadata() or {}).items()}
        weights = load_file(path)
    except (SafetensorError, ValueError, TypeError) as error:
        raise NoEvidence(f"{path} is not a complete safetensors file: {error}", again) from None
    if about.get("milestone") != milestone.name:
        raise NoEvidence(f"{path} was not saved by {milestone.name}", again)
    saved = Saved(weights, about)
    if saved.choices.get("dataset") == "mnist-5k":
        raise NoEvidence(
            f"{path} was trained on the 5,000 images that come with the course, and a grade counts on all of MNIST only",
            f"{again} --data mnist",
        )
    return saved


def examples(milestone, data_dir, seed=None):
    """Return the examples to grade on; see `tito.evidence.examples`.

    Raises:
        NoEvidence: The data are missing.
    """
    with leftovers.folder() as folder:
        path = folder / "examples.safetensors"
        words = [str(workspace.course_dir()), milestone.data, str(data_dir or ""), str(seed or secrets.randbits(32)), str(path)]
        done = leftovers.run(
            [sys.executable, "-P", "-X", "utf8", drawing.__file__, *words], stderr=subprocess.PIPE, encoding="utf-8"
        )
        if done.returncode:
            whole = "\nA grade counts on all of MNIST only, not on the images that come with the course."
            raise NoEvidence(
                done.stderr.strip() + whole * (milestone.data == "mnist"), f"tito milestone grade {milestone.name} --data-dir DIR"
            )
        return load_file(path)


def judge(milestone, saved, given, package_parent, seconds=SECONDS):
    """Judge whether a run's weights were trained by this package, and are good enough.

    Args:
        milestone: The milestone, with the `floor` for the run's choices.
        saved: `Saved`.
        given: What `examples` returned.
        package_parent: Folder that holds the learner's `tinytorch`.
        seconds: How long the learner's package may take.

    Returns:
        List of `Row`; the milestone passes if all of them do.
    """
    trainer = saved.about.get("gradients")
    if trainer not in ("manual", "autograd"):
        return [Row("trained by your package", f"the gradients were computed by {trainer}", False)]
    directions = draw_directions(saved.weights)
    inputs = {
        **{name: given[name] for name in ("test_images", "images", "labels")},
        **observing.part("weights", saved.weights),
        **observing.part("direction", directions),
    }
    job = {
        "script": Path(milestone.script).stem,
        "milestones": str(workspace.course_dir() / "milestones"),
        "package_parent": str(package_parent),
        "seed": saved.about.get("seed", 0),
        "choices": saved.choices,
        "gradients": trainer,
        "memory": MEMORY,
        "seconds": seconds,
    }
    try:
        answer = observe(job, inputs, seconds)
    except NoAnswer as error:
        return [Row("your package runs", str(error), False)]
    rows = [architecture(saved.weights, observing.taken("initial", answer))]
    if not rows[0].passed:
        return rows
    observed = {kind: observing.taken(kind, answer) for kind in ("initial", "gradient", "slope")}
    trained, kept = parted(saved.weights, observed["gradient"])
    return [
        *rows,
        reached(observed["gradient"]),
        agreement(observed["gradient"], observed["slope"], directions),
        moved(observed["initial"], trained),
        *filters(observed["initial"], saved.weights, observed["gradient"]),
        *statistics(observed["initial"], kept),
        by_itself(answer["apart"], answer["logits"]),
        *accuracy(answer["logits"], given["test_labels"], milestone),
    ]


def parted(weights, parameters):
    """Split a state into parameters trained by gradients, and buffers such as BatchNorm's running statistics."""
    return tuple({name: array for name, array in weights.items() if (name in parameters) == wanted} for wanted in (True, False))


def draw_directions(weights):
    """Draw random directions of length 1, different ones for each grading."""
    rng = np.random.default_rng(secrets.randbits(64))
    drawn = {name: rng.standard_normal((DIRECTIONS, *array.shape)) for name, array in weights.items()}
    return {
        name: directions / np.sqrt((directions**2).sum(axis=tuple(range(1, directions.ndim)), keepdims=True))
        for name, directions in drawn.items()
    }


class NoAnswer(Exception):
    """The process that runs the learner's package gave no answer; the message says why."""


def observe(job, inputs, seconds):
    """Run the learner's package in a separate process, and return its answer."""
    with leftovers.folder() as folder:
        (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
        save_file(inputs, folder / "inputs.safetensors")
        command = [sys.executable, "-P", "-X", "utf8", observing.__file__, str(folder)]
        group = {"start_new_session": True} if os.name == "posix" else {"creationflags": 0x200}  # CREATE_NEW_PROCESS_GROUP
        environment = {**os.environ, **runner.ONE_THREAD, "TINYTORCH_WORKSPACE": job["package_parent"]}
        with (folder / "said").open("wb") as said:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=environment, **group)
            try:
                with leftovers.process(process, group=True):
                    process.wait(seconds)
            except subprocess.TimeoutExpired:
                raise NoAnswer(f"it did not finish in {seconds:g} s") from None
        if process.returncode:
            raise NoAnswer(last_words(folder / "said") or f"it ended the process: {runner.how_it_ended(process.returncode)}")
        return load_file(folder / "answer.safetensors")


def last_words(path):
    """Return the last words of a process; of a traceback, the error and its notes, which are not indented."""
    lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    indented = max((i for i, line in enumerate(lines) if line.startswith(" ")), default=-1)
    return ", ".join(lines[indented + 1 :])[-500:]


def architecture(weights, initial):
    """Compare the shapes of what was saved with those of the milestone's own network."""
    there, here = ({name: array.shape for name, array in state.items()} for state in (weights, initial))
    differ = [
        f"{name} is {there.get(name, 'missing')}, not {here.get(name, 'there')}"
        for name in {**here, **there}
        if there.get(name) != here.get(name)
    ]
    finite = all(np.isfinite(array).all() for array in weights.values())
    count = sum(array.size for array in weights.values())
    said = ", ".join(differ[:2]) if differ else f"{count:,} numbers" if finite else "some numbers are not finite"
    return Row("weights of the milestone's network", said, not differ and finite)


def reached(gradients):
    """Check that a gradient reaches every parameter of the untrained network."""
    dead = [name for name, grad in sorted(gradients.items()) if not np.isfinite(grad).all() or not grad.any()]
    return Row(
        "a gradient reaches every parameter", f"none reaches {', '.join(dead)}" if dead else f"{len(gradients)} of them", not dead
    )


def agreement(gradients, slopes, directions):
    """Compare the package's gradients with finite differences; along each direction, the closer one counts."""
    worst, where, ratio = 0.0, "", 1.0
    for name, several in slopes.items():
        claimed = np.tensordot(directions[name], gradients[name], axes=gradients[name].ndim)
        measured = np.take_along_axis(several, np.abs(several - claimed).argmin(axis=0)[None], axis=0)[0]
        length = max(np.linalg.norm(claimed), np.linalg.norm(measured), 1e-12)
        apart = np.linalg.norm(claimed - measured) / length
        if not apart <= worst:
            worst, where, ratio = apart, name, float(claimed @ measured / max(measured @ measured, 1e-24))
    passed = bool(worst <= AGREEMENT)
    said = f"within {worst:.0e}" if passed else f"{where}: the gradient is {ratio:.3g} times the finite difference"
    return Row("gradients match finite differences", said, passed)


def moved(initial, weights, what="training changed every parameter"):
    """Check that training moved every array from its initial values."""
    still = [name for name, array in sorted(weights.items()) if not np.all(distance(initial[name], array) > MOVED)]
    return Row(what, f"{', '.join(still)} did not" if still else f"{len(weights)} of them", not still)


def distance(before, after, parts=1):
    """Return how far each of `parts` slices of an array, along the first axis, moved relative to its length."""
    before, after = (array.astype(np.float64).reshape(parts, -1) for array in (before, after))
    return np.linalg.norm(after - before, axis=1) / np.maximum(np.linalg.norm(before, axis=1), 1e-6)


def filters(initial, weights, gradients):
    """Yield whether, in each convolution, a gradient arrives and most filters moved far; nothing without convolutions."""
    layers = {name: array for name, array in weights.items() if array.ndim == 4}
    far = {name: distance(initial[name], array, len(array)) for name, array in layers.items()}
    dead = {name: not gradients.get(name, np.zeros(1)).any() for name in layers}
    still = [name for name, moves in far.items() if dead[name] or np.median(moves) <= FILTERS]
    by = ", ".join(f"{100 * np.median(moves):.0f}" for moves in far.values())
    if layers:
        yield Row(
            "filters were trained",
            f"those of {', '.join(still)} hardly moved" if still else f"each layer's moved by {by} % of their length",
            not still,
        )


def statistics(initial, kept):
    """Yield whether training moved the buffers of the network, if it has any."""
    if kept:
        yield moved(initial, kept, "running statistics moved")


def by_itself(apart, together):
    """Check that an image has the same scores alone and in a batch: no statistics may come from a test batch."""
    together = together[: len(apart)]
    worst = np.abs(apart - together).max() / max(np.abs(together).max(), 1e-12) if apart.shape == together.shape else math.inf
    said = f"within {worst:.0e}" if worst <= SCORES else f"its scores differ by {100 * worst:.0f} % from those in a batch"
    return Row("an image is classified on its own", said, bool(worst <= SCORES))


def accuracy(logits, labels, milestone):
    """Yield how many test examples the weights get right, and whether random filters would have been enough."""
    if logits.shape[:1] != labels.shape or logits.ndim != 2 or not np.isfinite(logits).all():
        yield Row("test accuracy", f"the scores have shape {logits.shape}, or are not finite", False)
        return
    right = int((logits.argmax(axis=1) == labels).sum())
    share = right / len(labels)
    error = math.sqrt(share * (1 - share) / len(labels))
    said = f"{100 * share:.2f} ± {100 * error:.2f} %, {right:,} of {len(labels):,}; the floor is {milestone.floor:.1f} %"
    yield Row("test accuracy", said, 100 * share >= milestone.floor)
    if milestone.frozen is not None:
        said = f"random filters reach {milestone.frozen:.1f} %, measured; this is {100 * share - milestone.frozen:+.1f}"
        yield Row("better than with random filters", said, 100 * (share - 2 * error) > milestone.frozen)
