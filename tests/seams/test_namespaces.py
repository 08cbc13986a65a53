"""Every name of PyTorch's that there is can be had as an attribute and by import; every other says what is nearest."""

import importlib
import shutil
import subprocess
import sys

import numpy as np
import pytest

import tinytorch
from tinytorch.given import built, imports, names
from tito import workspace

PATHS = [
    "tinytorch.nn.Linear",
    "tinytorch.nn.ModuleList",
    "tinytorch.nn.functional.relu",
    "tinytorch.nn.functional.one_hot",
    "tinytorch.nn.init.kaiming_uniform_",
    "tinytorch.nn.init.zeros_",
    "tinytorch.nn.utils.clip_grad_norm_",
    "tinytorch.nn.utils.parameters_to_vector",
    "tinytorch.optim.Adam",
    "tinytorch.optim.lr_scheduler.StepLR",
    "tinytorch.utils.data.DataLoader",
    "tinytorch.autograd.grad",
    "tinytorch.cuda.is_available",
    "tinytorch.backends.mps",
    "tinytorch.float32",
    "tinytorch.long",
    "tinytorch.device",
    "tinytorch.Generator",
    "tinytorch.manual_seed",
    "tinytorch.randint",
    "tinytorch.cat",
    "tinytorch.einsum",
    "tinytorch.topk",
    "tinytorch.save",
    "tinytorch.load",
    "tinytorch.no_grad",
    "tinytorch.Tensor",
    "tinytorch.tensor",
]
ABSENT = [
    ("tinytorch.nn", "Conv3d", "Conv2d"),
    ("tinytorch.nn.functional", "softmx", "softmax"),
    ("tinytorch.nn.init", "kaiming_uniform", "kaiming_uniform_"),
    ("tinytorch.nn.utils", "clip_grad_norm", "clip_grad_norm_"),
    ("tinytorch.optim", "AdamWW", "AdamW"),
    ("tinytorch.optim.lr_scheduler", "StepLRS", "StepLR"),
    ("tinytorch.utils.data", "DataLoaders", "DataLoader"),
    ("tinytorch", "arrange", "arange"),
    ("tinytorch", "compile", "use"),
]


@pytest.mark.parametrize("path", PATHS)
def test_a_path_works_as_attribute_and_as_import(path):
    package, _, name = path.rpartition(".")
    value = importlib.import_module("tinytorch")
    for part in path.split(".")[1:]:
        value = getattr(value, part)
    scope = {}
    exec(f"from {package} import {name}", scope)
    assert scope[name] is value
    assert name in dir(importlib.import_module(package))


@pytest.mark.parametrize(("package", "name", "nearest"), ABSENT)
def test_a_name_that_is_not_there_says_what_is_nearest(package, name, nearest):
    module = importlib.import_module(package)
    assert not hasattr(module, name) and name not in dir(module)
    with pytest.raises(AttributeError, match=f"{package} has no '{name}': .*{nearest}") as said:
        getattr(module, name)
    with pytest.raises(ImportError) as said_by_import:
        exec(f"from {package} import {name}")
    assert str(said_by_import.value) == str(said.value)


@pytest.mark.parametrize("package", sorted({path.rpartition(".")[0] for path in PATHS}))
def test_dir_shows_what_is_there_and_nothing_else(package):
    module = importlib.import_module(package)
    for name in dir(module):
        assert hasattr(module, name), name


def test_the_list_of_names_is_that_of_the_exported_files():
    for stem, listed in built.NAMES.items():
        assert listed == [name for name in dict.fromkeys(names.definitions(imports.PACKAGE / f"{stem}.py"))], stem


UNWRITTEN = """
import tinytorch
from tinytorch.given import imports
imports.writing("03")
for words in ("tinytorch.optim.SGD", "tinytorch.nn.Conv2d", "tinytorch.nn.Conv3d", "tinytorch.nn.functional.cross_entropy", "tinytorch.sum"):
    package, _, name = words.rpartition(".")
    try:
        exec(f"from {package} import {name}")
        print(name, "is there")
    except ImportError as error:
        print(name, error)
"""


def test_only_what_an_unwritten_module_builds_names_that_module():
    done = subprocess.run([sys.executable, "-c", UNWRITTEN], capture_output=True, text=True, encoding="utf-8", check=True)
    sgd, conv2d, conv3d, loss, total = done.stdout.splitlines()
    assert "built in module 06" in sgd and "built in module 12" in conv2d and "built in module 04" in loss
    assert conv3d.startswith("Conv3d tinytorch.nn has no 'Conv3d'") and "module" not in conv3d
    assert total == "sum is there"


def test_before_module_01_a_method_s_function_names_module_01(tmp_path):
    package = workspace.course_dir() / "tinytorch"
    workspace.copy_package(package, tmp_path / "tinytorch")
    (tmp_path / "modules").mkdir()
    shutil.copy(package.parent / workspace.MANIFEST, tmp_path / "modules")
    code = "import tinytorch; assert 'topk' in dir(tinytorch)\ntry: tinytorch.topk\nexcept ImportError as error: print(error)"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, encoding="utf-8")
    assert "is built in module 01 (tensor)" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("join", [tinytorch.cat, tinytorch.stack, tinytorch.concat])
def test_tensors_come_as_a_list_or_one_by_one(join):
    a, b = tinytorch.tensor([[1.0, 2.0]]), tinytorch.tensor([[3.0, 4.0]])
    several = [join([a, b]), join((a, b)), join(a, b), join(tensors=[a, b]), join([a, b], dim=0), join([a, b], 0)]
    assert len({(str(out.tolist()), out.shape) for out in several}) == 1
    assert join([a, b], 1).shape == join([a, b], dim=1).shape == join(a, b, dim=1).shape
    with pytest.raises(TypeError, match="needs tensors, got"):
        join([1.0, 2.0])


def test_a_function_of_a_method_wants_a_tensor():
    x = tinytorch.tensor([[1.0, 5.0]])
    assert tinytorch.topk(x, 1).values.tolist() == tinytorch.topk(input=x, k=1).values.tolist() == [[5.0]]
    with pytest.raises(TypeError, match="topk needs a tensor, got list"):
        tinytorch.topk([1.0, 5.0], 1)


def test_dtypes_are_what_a_tensor_has():
    for name in ("float32", "float64", "int64", "int32", "uint8", "bool"):
        assert tinytorch.zeros(2, dtype=getattr(tinytorch, name)).dtype is getattr(tinytorch, name)
    assert tinytorch.float is tinytorch.float32 and tinytorch.long is tinytorch.int64 and tinytorch.double is tinytorch.float64


def test_a_generator_repeats_and_is_numpy_s():
    first, second = (tinytorch.Generator().manual_seed(3) for _ in range(2))
    assert tinytorch.randn(4, generator=first).tolist() == tinytorch.randn(4, generator=second).tolist()
    state = first.get_state()
    drawn = tinytorch.randperm(9, generator=first).tolist()
    first.set_state(state)
    assert tinytorch.randperm(9, generator=first).tolist() == drawn
    assert isinstance(first, np.random.Generator)
