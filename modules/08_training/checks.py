"""Checks of module 08. NumPy only: nothing here runs the code that it judges, except `observe`."""
import math
import tempfile
import warnings
from pathlib import Path

import numpy as np

NOTHING = ("raises", "ValueError")


# 08.1 train_epoch: a network of one matrix, whose optimizer writes down what it is given

describe_train_epoch = "train_epoch(model, loader, criterion, optimizer, clip_norm={clip_norm})"


def draw_train_epoch(rng):
    for sizes, clip_norm, reported in (([4, 4, 1], None, True), ([3, 2], 0.5, False), ([2, 5, 3], 1e6, True),
                                       ([1], None, False), ([], None, True)):
        yield dict(inputs=[rng.standard_normal((n, 3), np.float32) for n in sizes],
                   labels=[rng.standard_normal(n).astype(np.float32) for n in sizes],
                   weight=rng.standard_normal(3).astype(np.float32), stale=rng.standard_normal(3).astype(np.float32),
                   lr=float(rng.uniform(0.05, 0.2)), clip_norm=clip_norm, reported=reported)


def observe_train_epoch(module, inputs, labels, weight, stale, lr, clip_norm, reported):
    """Train a matrix that has an old gradient and stands in evaluation mode, and note what each step gets."""
    w = module.Tensor(weight.copy(), requires_grad=True)
    w.grad = module.Tensor(stale.copy())
    modes, steps, reports = [], [], []

    def forget(*_):
        w.grad = None

    class Model:
        training, zero_grad = False, forget

        def train(self, mode=True): self.training = mode
        def eval(self): self.training = False
        def parameters(self): return iter([w])

        def __call__(self, x):
            modes.append(self.training)
            return (x * w).sum(1)

    class Optimizer:
        zero_grad = forget

        def step(self):
            steps.append("no gradient" if w.grad is None else w.grad.data.copy())
            if w.grad is not None:
                w.data -= np.float32(lr) * w.grad.data

    def criterion(outputs, targets):
        return ((outputs - 2 * targets) ** 2).mean()  # not the same the other way round

    def note(loss):
        reports.append((type(loss).__name__, loss, w.data.copy()))

    settings = {**({} if clip_norm is None else {"clip_norm": clip_norm}), **({"after_step": note} if reported else {})}
    batches = [(module.Tensor(x), module.Tensor(y)) for x, y in zip(inputs, labels)]
    loss = module.train_epoch(Model(), iter(batches), criterion, Optimizer(), **settings)
    return {"training mode": modes, "gradient at each step": steps, "loss": loss, "calls of after_step": reports}


def oracle_train_epoch(inputs, labels, weight, stale, lr, clip_norm, reported, zeroed="before", by_batch=False,
                       clip=True, mode=True, late=True):
    """Walk over the batches with a gradient worked out by hand."""
    if not inputs:
        return NOTHING
    w, grad = weight.astype(np.float64), stale.astype(np.float64)
    steps, reports, losses = [], [], []
    for x, y in zip(inputs, labels):
        error = x.astype(np.float64) @ w - 2 * y.astype(np.float64)
        grad = (grad if zeroed == "never" else 0) + 2 * error @ x.astype(np.float64) / len(y)
        norm = math.sqrt(sum(float(entry) ** 2 for entry in grad))
        grad = grad * clip_norm / norm if clip and clip_norm is not None and norm > clip_norm else grad
        steps.append("no gradient" if zeroed == "after" else grad)
        before = w
        w = w if zeroed == "after" else w - lr * grad
        losses.append(float(np.mean(error ** 2)))
        reports.append(("float", losses[-1], w if late else before))
    sizes = [1] * len(labels) if by_batch else [len(y) for y in labels]
    loss = sum(one * size for one, size in zip(losses, sizes)) / sum(sizes)
    return {"training mode": [mode] * len(steps), "gradient at each step": steps, "loss": loss,
            "calls of after_step": reports if reported else []}


def other_reports(change):
    """Make a wrong oracle whose reports alone differ."""
    def wrong(**inputs):
        expected = oracle_train_epoch(**inputs)
        changed = inputs["inputs"] and {"calls of after_step": change(expected["calls of after_step"])}
        return {**expected, **changed} if changed else expected
    return wrong


misconceptions_train_epoch = {
    "the gradients were not zeroed: each step got those of the batches before it, too":
        lambda **inputs: oracle_train_epoch(**inputs, zeroed="never"),
    "the gradients were zeroed between backward and step: nothing was left to step with":
        lambda **inputs: oracle_train_epoch(**inputs, zeroed="after"),
    "the loss is the mean of the batch means: a small last batch counts as much as a full one":
        lambda **inputs: oracle_train_epoch(**inputs, by_batch=True),
    "the network was not told that it is being trained: dropout would rest":
        lambda **inputs: oracle_train_epoch(**inputs, mode=False),
    "the gradients were not clipped before the step": lambda **inputs: oracle_train_epoch(**inputs, clip=False),
    "after_step was called before the step": lambda **inputs: oracle_train_epoch(**inputs, late=False),
    "after_step was not called": other_reports(lambda reports: []),
    "after_step got a tensor, not a Python number": other_reports(
        lambda reports: [("Tensor", loss, w) for _, loss, w in reports]),
}


# 08.2 mean_and_error

def draw_mean_and_error(rng):
    for count, dtype in ((7, np.float32), (2, np.float64), (40, np.float32), (1, np.float64), (0, np.float32)):
        yield dict(values=(rng.standard_normal(count) * 3 - 1).astype(dtype))
    yield dict(values=(1e7 + 3 * rng.standard_normal(3000)).astype(np.float32))  # its mean is no float32
    hits = np.zeros(12, bool)
    hits[rng.permutation(12)[:9]] = True
    yield dict(values=hits)


rtol_mean_and_error = 1e-6


def observe_mean_and_error(mean_and_error, values):
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        mean, error = mean_and_error(values)
    types = [type(mean).__name__, type(error).__name__]
    return dict(mean=mean, error=error, types=types, warnings=[str(one.message) for one in warned])


def oracle_mean_and_error(values, less=1, root=True, scale=1.0):
    count = len(values)
    if count == 0:
        return NOTHING
    numbers = [float(value) for value in values]
    mean = math.fsum(numbers) / count
    squares = math.fsum((number - mean) ** 2 for number in numbers)
    error = math.sqrt(squares / (count - less)) if count > 1 else math.nan
    error = error / math.sqrt(count) if root else error
    return dict(mean=scale * mean, error=scale * error, types=["float", "float"], warnings=[])


def over_n(values):
    """Divide the error by n, not by its root."""
    expected = oracle_mean_and_error(values, root=False)
    return expected if expected is NOTHING else {**expected, "error": expected["error"] / len(values)}


misconceptions_mean_and_error = {
    "the sum of squares was divided by n, not by n - 1": lambda values: oracle_mean_and_error(values, less=0),
    "the error is the spread of single values: it was not divided by the root of n":
        lambda values: oracle_mean_and_error(values, root=False),
    "the error was divided by n, not by its root": over_n,
    "both are in percent: leave them as fractions": lambda values: oracle_mean_and_error(values, scale=100.0),
}


# 08.3 predict

describe_predict = "predict(model, loader)"


def draw_predict(rng):
    for sizes, classes, training in (([3, 3, 1], 4, True), ([2, 4], 3, False), ([1], 5, True), ([4, 2, 2], 2, False)):
        yield dict(inputs=[rng.standard_normal((n, 3), np.float32) for n in sizes],
                   labels=[rng.integers(0, classes, n) for n in sizes],
                   weight=rng.standard_normal((3, classes), np.float32), training=training)


def observe_predict(module, inputs, labels, weight, training):
    """Run a matrix that doubles its outputs in training, and note the modes."""
    w = module.Tensor(weight.copy(), requires_grad=True)
    modes, graphs = [], []

    class Model:
        def __init__(self): self.training = training

        def train(self, mode=True):
            self.training = mode
            return self

        def eval(self): return self.train(False)

        def __call__(self, x):
            out = (x @ w) * (2.0 if self.training else 1.0)
            modes.append(self.training)
            graphs.append(out.requires_grad)
            return out

    model = Model()
    batches = [(module.Tensor(x), module.Tensor(y)) for x, y in zip(inputs, labels)]
    outputs, targets = module.predict(model, iter(batches))
    return {"training mode": modes, "graph remembered": graphs, "outputs": outputs, "labels": targets,
            "training mode afterwards": model.training, "gradients on afterwards": (w * 1.0).requires_grad}


def oracle_predict(inputs, labels, weight, training, during=False, remembered=False, after=None, last=False):
    chosen = slice(-1 if last else 0, None)
    rows = [[sum(float(a) * float(b) for a, b in zip(row, column)) for column in weight.T]
            for x in inputs[chosen] for row in x]
    scale = 2.0 if during else 1.0
    return {"training mode": [during] * len(inputs), "graph remembered": [remembered] * len(inputs),
            "outputs": scale * np.array(rows), "labels": np.array([int(label) for y in labels[chosen] for label in y]),
            "training mode afterwards": training if after is None else after, "gradients on afterwards": True}


misconceptions_predict = {
    "the network stayed in training mode: dropout would be at work":
        lambda **inputs: oracle_predict(**inputs, during=inputs["training"]),
    "the network was left in evaluation mode": lambda **inputs: oracle_predict(**inputs, after=False),
    "the network was put into training mode afterwards, though it had not been":
        lambda **inputs: oracle_predict(**inputs, after=True),
    "a graph was remembered for a backward pass that never comes":
        lambda **inputs: oracle_predict(**inputs, remembered=True),
    "only the last batch was returned": lambda **inputs: oracle_predict(**inputs, last=True),
}


# 08.4 confusion_matrix

def draw_confusion_matrix(rng):
    for count, classes in ((30, 3), (25, 5), (6, 4), (0, 2)):
        labels = rng.integers(0, classes, count)
        slips = (labels + rng.integers(0, 2, count) * rng.integers(0, classes, count)) % classes
        yield dict(labels=labels, predictions=np.where(labels == 0, np.minimum(1, classes - 1), slips), classes=classes)


def observe_confusion_matrix(confusion_matrix, labels, predictions, classes):
    counts = confusion_matrix(labels, predictions, classes)
    return counts, np.asarray(counts).dtype.kind


def oracle_confusion_matrix(labels, predictions, classes, swapped=False, once=False, share=False):
    counts = np.zeros((classes, classes), np.int64)
    for label, prediction in zip(labels, predictions):
        place = (prediction, label) if swapped else (label, prediction)
        counts[place] = 1 if once else counts[place] + 1
    if share:
        return counts / np.maximum(1, counts.sum(axis=1, keepdims=True)), "f"
    return counts, "i"


misconceptions_confusion_matrix = {
    "rows and columns changed places: a row is a true class":
        lambda **inputs: oracle_confusion_matrix(**inputs, swapped=True),
    "each pair was counted once, however often it occurs": lambda **inputs: oracle_confusion_matrix(**inputs, once=True),
    "the rows were divided by their sums: counts are asked for":
        lambda **inputs: oracle_confusion_matrix(**inputs, share=True),
}


# 08.5 Patience

describe_Patience = "Patience(patience={patience}, min_delta={min_delta}) and a step for each loss"


def state(improved, best, waited, over):
    """Name what is known after a step."""
    return {"improved": improved, "best": best, "waited": waited, "over": over}


def draw_Patience(rng):
    for patience, min_delta in ((2, 0.0), (1, 0.1), (3, 0.25), (2, 0.0)):
        drop = rng.uniform(0.3, 1.0, 12)
        losses = [float(x) for x in np.round(3 - np.cumsum(drop * rng.choice([1, 1, -1, -0.2], 12)) / 2, 3)]
        yield dict(losses=losses, patience=patience, min_delta=min_delta)
    yield dict(losses=[0.75, 0.5, 0.25, 0.5, 0.375, 0.25, float(rng.integers(1, 9))], patience=2, min_delta=0.25)
    yield dict(losses=[1.0, math.nan, 0.5, math.nan, math.nan, float(rng.integers(1, 9))], patience=2, min_delta=0.0)
    yield dict(losses=[1.0, 0.95, 0.9, 0.85, 0.8, -float(rng.integers(1, 9))], patience=2, min_delta=0.125)


def observe_Patience(Patience, losses, patience, min_delta):
    waiting = Patience(patience, min_delta) if min_delta else Patience(patience)
    after = [state("no step yet", waiting.best, waiting.waited, bool(waiting.over))]
    for loss in losses:
        improved = bool(waiting.step(loss))
        after.append({"loss": loss, **state(improved, waiting.best, waiting.waited, bool(waiting.over))})
    return dict(settings=[waiting.patience, waiting.min_delta], after=after)


def oracle_Patience(losses, patience, min_delta, extra=0, versus_last=False, delta=True, reset=True, drift=False,
                    reached=False):
    best, last, waited, after = math.inf, math.inf, 0, [state("no step yet", math.inf, 0, patience <= 0)]
    for loss in losses:
        bound = (last if versus_last else best) - (min_delta if delta else 0.0)
        improved = loss < bound or (reached and loss == bound)
        waited = (0 if reset else waited) if improved else waited + 1
        best = loss if improved or (drift and loss < best) else best
        last = loss
        after.append({"loss": loss, **state(improved, best, waited, waited >= patience + extra)})
    return dict(settings=[patience, min_delta], after=after)


misconceptions_Patience = {
    "it was over one epoch too late: patience epochs have been waited, not one more":
        lambda **inputs: oracle_Patience(**inputs, extra=1),
    "the loss was compared with the last one, not with the best":
        lambda **inputs: oracle_Patience(**inputs, versus_last=True),
    "min_delta was ignored": lambda **inputs: oracle_Patience(**inputs, delta=False),
    "an improvement did not set the count back to 0": lambda **inputs: oracle_Patience(**inputs, reset=False),
    "a loss that was better by less than min_delta became the best one: a slow slide would go unnoticed":
        lambda **inputs: oracle_Patience(**inputs, drift=True),
    "a loss of exactly best - min_delta counted; it must be below":
        lambda **inputs: oracle_Patience(**inputs, reached=True),
}


# 08.6 split_arrays

def draw_split_arrays(rng):
    def array(*shape):
        return rng.standard_normal(shape).astype(np.float32)

    lr = float(rng.uniform(0.1, 1))
    yield dict(tree={"lr": lr, "mean": array(3)}, name="")
    state = {0: {"step": np.array(3), "square": array(2, 3)}, 1: {"square": array(4)}}
    yield dict(tree={"optimizer": {"state": state, "betas": (0.9, lr)}}, name="")
    yield dict(tree=[array(2), {"scale": array(1, 2), "word": "cosine"}, [None, True, array()]], name="")
    yield dict(tree={"0.weight": array(3, 2), "0.bias": array(2)}, name="model")
    yield dict(tree=array(5), name="alone")
    yield dict(tree={"epoch": 7, "note": "none", "empty": {}, "list": []}, name="")


def observe_split_arrays(split_arrays, tree, name):
    rest, arrays = split_arrays(tree, name) if name else split_arrays(tree)
    return dict(rest=plain(rest), arrays=arrays)


def plain(tree):
    """Return a tree with its kinds of containers written out, and keys as text."""
    if isinstance(tree, dict):
        return {key if isinstance(key, str) else f"{key}, no text": plain(value) for key, value in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [type(tree).__name__, *map(plain, tree)]
    return tree


def oracle_split_arrays(tree, name, rooted=False, short=False, dropped=False, tuples=False):
    """Walk with a list of what is still to be done, names and all."""
    arrays = {}

    def walk(node, path):
        if isinstance(node, np.ndarray):
            label = path[-1] if short else ".".join(([""] if rooted else []) + path)
            arrays[label] = node.astype(np.float64) if node.dtype.kind == "f" else node
            return {"array": label}
        if isinstance(node, dict):
            done = {key: walk(value, [*path, str(key)]) for key, value in node.items()}
            return {key: value for key, value in done.items() if not (dropped and isinstance(node[key], np.ndarray))}
        if isinstance(node, (list, tuple)):
            done = [walk(value, [*path, str(position)]) for position, value in enumerate(node)]
            return tuple(done) if tuples and isinstance(node, tuple) else done
        return node

    rest = walk(tree, [name] if name else [])
    return dict(rest=plain(rest), arrays=arrays)


misconceptions_split_arrays = {
    "the names begin with a dot: at the root there is nothing before the key": lambda tree, name: oracle_split_arrays(
        tree, name, rooted=not name),
    "an array's name is its last key alone: two arrays may share it, and one is lost":
        lambda tree, name: oracle_split_arrays(tree, name, short=True),
    "no note was left in the place of an array": lambda tree, name: oracle_split_arrays(tree, name, dropped=True),
    "tuples stayed tuples: JSON has lists": lambda tree, name: oracle_split_arrays(tree, name, tuples=True),
    "the prefix that the call gave was left out": lambda tree, name: oracle_split_arrays(tree, ""),
}


# 08.7 atomically

describe_atomically = "atomically(path, write)"


def draw_atomically(rng):
    for there, fails in ((True, False), (False, False), (True, True), (False, True)):
        old = [int(i) for i in rng.integers(0, 256, 6)] if there else None
        yield dict(name=f"state-{rng.integers(1000)}.bin", old=old, fails=fails,
                   parts=[[int(i) for i in rng.integers(0, 256, 4)] for _ in range(3)])


def observe_atomically(atomically, name, old, parts, fails):
    """Write in three parts, look at the folder after the second, and fail there or go on."""
    with tempfile.TemporaryDirectory() as folder:
        path, seen = Path(folder) / name, {}
        if old is not None:
            path.write_bytes(bytes(old))

        def content():
            return list(path.read_bytes()) if path.exists() else "not there"

        def others():
            return sum(other != path for other in path.parent.iterdir())

        def write(file):
            for part in parts[:2]:
                file.write(bytes(part))
            seen["the file meanwhile"], seen["files beside it meanwhile"] = content(), others()
            if fails:
                raise OSError("no space left")
            file.write(bytes(parts[2]))

        try:
            error = "none" if atomically(path, write) is None else "none, but something was returned"
        except OSError as raised:
            error = str(raised)
        return {**seen, "error": error, "the file afterwards": content(), "files beside it afterwards": others()}


def oracle_atomically(name, old, parts, fails, meanwhile=None, kept=None, beside=1, left=0, swallowed=False):
    old = "not there" if old is None else old
    written = [byte for part in parts[:2 if fails else 3] for byte in part]
    return {"the file meanwhile": old if meanwhile is None else meanwhile, "files beside it meanwhile": beside,
            "error": "no space left" if fails and not swallowed else "none",
            "the file afterwards": (old if kept is None else kept) if fails else written,
            "files beside it afterwards": left}


def half(parts, **_):
    """Return what has been written when the second part is."""
    return parts[0] + parts[1]


misconceptions_atomically = {
    "the file itself was opened for writing: for a while it was neither old nor new":
        lambda **inputs: oracle_atomically(**inputs, meanwhile=[], beside=0, kept=half(**inputs)),
    "the temporary file lies in another folder, perhaps on another disk, where no single step leads from":
        lambda **inputs: oracle_atomically(**inputs, beside=0),
    "the temporary file was left behind after a failure":
        lambda **inputs: oracle_atomically(**inputs, left=int(inputs["fails"])),
    "the error did not go on to the caller": lambda **inputs: oracle_atomically(**inputs, swallowed=True),
    "after a failure the half of a file took the old one's place":
        lambda **inputs: oracle_atomically(**inputs, kept=half(**inputs)),
    "the old file was removed first":
        lambda **inputs: oracle_atomically(**inputs, meanwhile="not there", kept="not there"),
}
