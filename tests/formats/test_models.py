"""Networks as files of other programs, each read back by a reader that is not ours."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tinytorch.datasets import mnist_5k
from tinytorch.given import gguf, safetensors
from tinytorch.given.files import BadFile
from tito import workspace
from tito.models import evaluating, formats, network

RNG = np.random.default_rng(0)
SHAPES = {
    "lenet5": [(6, 1, 5, 5), (16, 6, 5, 5), (120, 400), (84, 120), (10, 84)],
    "mnist-cnn": [(8, 1, 3, 3), (16, 8, 3, 3), (10, 784)],
    "tutorial": [(32, 1, 3, 3), (64, 32, 3, 3), (10, 1600)],
    "mnist-fc": [(500, 784), (10, 500)],
    "mlp": [(20, 784), (15, 20), (10, 15)],
    "linear": [(10, 784)],
}
DIGITS = mnist_5k().test_images[:100]


def arrays(name):
    """Return random arrays of a network, with the names that a Sequential gives them."""
    made = {}
    for number, shape in enumerate(SHAPES[name]):
        made[f"{3 * number}.weight"] = (RNG.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))).astype(np.float32)
        made[f"{3 * number}.bias"] = RNG.standard_normal(shape[0]).astype(np.float32)
    return made


def written(tmp_path, name, pixels=None, **about):
    path = tmp_path / f"{name}.safetensors"
    texts = {key: json.dumps(value) for key, value in about.items()}
    path.write_bytes(safetensors.dump(arrays(name), texts))
    return network.read(path, pixels)


def torch_layers(model):
    """Return the network in PyTorch, made from its layers as the file describes them."""
    torch = pytest.importorskip("torch")
    made = []
    for layer in model.layers:
        weight = model.arrays.get(layer.get("weight"))
        if layer["kind"] == "conv2d":
            made.append(torch.nn.Conv2d(weight.shape[1], weight.shape[0], weight.shape[2], padding=layer["padding"]))
        elif layer["kind"] == "linear":
            made.append(torch.nn.Linear(weight.shape[1], weight.shape[0]))
        else:
            made.append(
                {"relu": torch.nn.ReLU(), "flatten": torch.nn.Flatten(), "max_pool2d": torch.nn.MaxPool2d(2)}[layer["kind"]]
            )
        if weight is not None:
            made[-1].load_state_dict({part: torch.tensor(model.arrays[layer[part]]) for part in ("weight", "bias")})
    return torch.nn.Sequential(*made).eval()


@pytest.mark.parametrize("name", SHAPES)
def test_the_layers_are_found_from_the_shapes_and_give_pytorch_s_logits(name, tmp_path):
    torch = pytest.importorskip("torch")
    model = written(tmp_path, name)
    ours = network.run(model, DIGITS)
    with torch.no_grad():
        theirs = torch_layers(model)(torch.tensor(network.inputs(model, DIGITS))).numpy()
    np.testing.assert_allclose(ours, theirs, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", SHAPES)
def test_onnxruntime_gives_the_same_logits(name, tmp_path):
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    model = written(tmp_path, name)
    assert formats.check_onnx(formats.to_onnx(model), model, DIGITS, network.run(model, DIGITS)) < 1e-5


def test_pytorch_s_own_lenet_is_read(tmp_path):
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    class LeNet(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1, self.conv2 = torch.nn.Conv2d(1, 6, 5, padding=2), torch.nn.Conv2d(6, 16, 5)
            self.fc1, self.fc2, self.fc3 = torch.nn.Linear(400, 120), torch.nn.Linear(120, 84), torch.nn.Linear(84, 10)

        def forward(self, x):
            f = torch.nn.functional
            x = f.max_pool2d(f.relu(self.conv1(x)), 2)
            x = f.max_pool2d(f.relu(self.conv2(x)), 2).flatten(1)
            return self.fc3(f.relu(self.fc2(f.relu(self.fc1(x)))))

    torch.manual_seed(0)
    theirs = LeNet()
    save_file(theirs.state_dict(), tmp_path / "lenet.safetensors")
    model = network.read(tmp_path / "lenet.safetensors")
    with torch.no_grad():
        logits = theirs(torch.tensor(network.inputs(model, DIGITS))).numpy()
    np.testing.assert_allclose(network.run(model, DIGITS), logits, atol=1e-5)
    (tmp_path / "out.safetensors").write_bytes(formats.to_safetensors(model))
    from safetensors.torch import load_file

    theirs.load_state_dict(load_file(tmp_path / "out.safetensors"))


def independent(data, tmp_path):
    """Return the arrays of a GGUF file as the package `gguf` reads them, and the architecture."""
    reading = pytest.importorskip("gguf")
    path = tmp_path / "model.gguf"
    path.write_bytes(data)
    reader = reading.GGUFReader(path)
    field = reader.fields["general.architecture"]
    shaped = {one.name: np.array(one.data).reshape([int(size) for size in one.shape][::-1]) for one in reader.tensors}
    return shaped, bytes(field.parts[field.data[0]]).decode()


def ggml_logits(tensors, images):
    """Compute what mnist-eval does with a file's tensors, in float64, from its source: pictures flattened as row, column, channel."""
    x = images.reshape(-1, 1, 28, 28) / 255.0
    if "fc1.weight" in tensors:
        hidden = np.maximum(x.reshape(-1, 784) @ tensors["fc1.weight"].T + tensors["fc1.bias"], 0)
        return hidden @ tensors["fc2.weight"].T + tensors["fc2.bias"]
    for number in (1, 2):
        padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
        x = np.einsum("nchwij,ocij->nohw", windows, tensors[f"conv{number}.kernel"]) + tensors[f"conv{number}.bias"].reshape(
            1, -1, 1, 1
        )
        n, c, h, w = x.shape
        x = np.maximum(x, 0).reshape(n, c, h // 2, 2, w // 2, 2).max(axis=(3, 5))
    return x.transpose(0, 2, 3, 1).reshape(len(x), -1) @ tensors["dense.weight"].T + tensors["dense.bias"]


@pytest.mark.parametrize("name", ["mnist-fc", "mnist-cnn"])
def test_ggml_gets_the_tensors_that_it_loads_and_the_same_logits(name, tmp_path):
    model = written(tmp_path, name, "unit" if name == "mnist-cnn" else "standard")
    tensors, architecture = independent(formats.to_gguf(model), tmp_path)
    assert architecture == name
    assert {key: array.shape for key, array in tensors.items()} == gguf.PEERS[name]
    assert all(array.dtype == np.float32 for array in tensors.values())
    ours = network.run(model, DIGITS)
    np.testing.assert_allclose(ggml_logits(tensors, DIGITS), ours, atol=1e-4)
    back = network.read(tmp_path / "model.gguf")
    np.testing.assert_allclose(network.run(back, DIGITS), ours, atol=1e-4)
    mine, _ = gguf.load_file(tmp_path / "model.gguf")
    assert all(mine[key].tobytes() == array.tobytes() for key, array in tensors.items())


def test_without_the_order_of_the_columns_ggml_would_see_something_else(tmp_path, monkeypatch):
    model = written(tmp_path, "mnist-cnn", "unit")
    monkeypatch.setattr(formats, "rows_first", lambda weight: weight)
    tensors = gguf.parse(formats.to_gguf(model))[0]
    assert np.abs(ggml_logits(tensors, DIGITS) - network.run(model, DIGITS)).max() > 0.1


def test_a_run_of_mnist_cnn_has_pixels_from_0_to_1(tmp_path):
    assert written(tmp_path, "mnist-cnn", choices={"model": "mnist-cnn"}).pixels == network.UNIT
    assert written(tmp_path, "mnist-cnn", choices={"model": "lenet5"}).pixels == network.STANDARD


@pytest.mark.parametrize(
    "name, pixels, reason", [("mlp", None, "this is 784, 20, 15, 10"), ("mnist-cnn", "standard", "from 0 to 1")]
)
def test_what_ggml_cannot_load_is_not_written(name, pixels, reason, tmp_path):
    with pytest.raises(formats.NoExport, match=reason):
        formats.to_gguf(written(tmp_path, name, pixels))


@pytest.mark.parametrize(
    "change",
    [
        lambda arrays: arrays.pop("fc2.bias"),
        lambda arrays: arrays.update(more=np.zeros(3, np.float32)),
        lambda arrays: arrays.update({"fc1.weight": arrays["fc1.weight"].T}),
        lambda arrays: arrays.update({"fc1.bias": arrays["fc1.bias"].astype(np.float16)}),
        lambda arrays: arrays.update({"fc1.bias": arrays["fc1.bias"] * np.nan}),
    ],
)
def test_the_writer_checks_before_it_writes(change):
    made = {name: np.zeros(shape, np.float32) for name, shape in gguf.PEERS["mnist-fc"].items()}
    gguf.dump(made, "mnist-fc")
    change(made)
    with pytest.raises(ValueError, match="mnist-fc needs"):
        gguf.dump(made, "mnist-fc")


NO_NETWORKS = {
    "a gap between layers": {"0.weight": (20, 784), "2.weight": (10, 30)},
    "eleven classes": {"0.weight": (11, 784)},
    "no linear layer": {"0.weight": (6, 1, 5, 5)},
    "a picture of another size": {"0.weight": (10, 1024)},
    "an array of three axes": {"0.weight": (10, 784), "more": (1, 2, 3)},
    "colours": {"0.weight": (6, 3, 5, 5), "3.weight": (10, 864)},
}


@pytest.mark.parametrize("what", NO_NETWORKS)
def test_what_is_no_network_of_digits_is_refused_in_our_words(what, tmp_path):
    (tmp_path / "a").write_bytes(
        safetensors.dump({name: np.zeros(shape, np.float32) for name, shape in NO_NETWORKS[what].items()})
    )
    with pytest.raises(BadFile, match="^.*a: "):
        network.read(tmp_path / "a")


def test_accuracy_and_loss_have_the_errors_of_mnist_eval():
    logits, labels = RNG.standard_normal((1000, 10)), RNG.integers(0, 10, 1000)
    accuracy, error, loss, spread = evaluating.measures(logits, labels, 100)
    right = (logits.argmax(axis=1) == labels).mean()
    losses = -np.log(np.exp(logits)[np.arange(1000), labels] / np.exp(logits).sum(axis=1))
    means = losses.reshape(10, 100).mean(axis=1)
    assert (accuracy, error) == (right, np.sqrt(right * (1 - right) / 999))
    np.testing.assert_allclose([loss, spread], [losses.mean(), np.sqrt(((means - means.mean()) ** 2).sum() / 9 / 10)])


def tito(*words):
    return subprocess.run(
        [sys.executable, "-m", "tito", "model", *map(str, words)], capture_output=True, text=True, encoding="utf-8"
    )


def test_the_commands_show_measure_and_write(tmp_path):
    path = tmp_path / "weights.safetensors"
    path.write_bytes(safetensors.dump(arrays("mlp"), {"milestone": '"mnist-mlp"'}))
    said = tito("show", path).stdout
    assert "0.weight  float32  (20, 784)" in said and "linear (10, 15)" in said and "Next: tito model eval" in said
    said = tito("eval", path, "--data", "mnist-5k", "--seed", "1").stdout
    assert "1,000 of 5,000 MNIST images" in said and "accuracy" in said and "+-" in said and "predicted" in said
    said = tito("eval", path, "--data", "mnist-5k", "--batch", "5000", "--threads", "1000").stdout
    assert "nan" not in said and "needs two batches or more: --batch 500)" in said
    assert "1000 threads are more than the" in said and "digits  1,000 of 5,000 MNIST images, all in one batch" in said
    done = tito("export", path, "--to", "web")
    assert done.returncode == 0, done.stderr
    back = network.read(tmp_path / "weights.web.safetensors")
    np.testing.assert_array_equal(network.run(back, DIGITS), network.run(network.read(path), DIGITS))
    done = tito("export", path, "--to", "gguf")
    assert done.returncode == 2 and "784-500-10" in done.stdout and not Path(tmp_path, "weights.gguf").exists()
    done = tito("export", path, "--to", "safetensors", "--out", path)
    assert done.returncode == 2 and "name another one" in done.stdout
    path.write_bytes(b"no network")
    done = tito("eval", path)
    assert done.returncode == 2 and "not a whole safetensors file" in done.stdout and not done.stderr


@pytest.mark.parametrize("to", ["web", "gguf", "safetensors"])
def test_no_export_takes_the_place_of_a_notebook(to, tmp_path):
    path, notebook = tmp_path / "weights.safetensors", tmp_path / "mine.ipynb"
    path.write_bytes(safetensors.dump(arrays("mlp"), {"milestone": '"mnist-mlp"'}))
    notebook.write_text("{}", encoding="utf-8")
    for out, advice in ((notebook, "name another one"), (tmp_path, "name a file in it")):
        done = tito("export", path, "--to", to, "--out", out)
        assert done.returncode and advice in " ".join((done.stdout + done.stderr).split())
    assert notebook.read_text(encoding="utf-8") == "{}"


def test_ctrl_c_during_the_imports_prints_nothing(tmp_path):
    (tmp_path / "jobs.py").write_text("raise KeyboardInterrupt", encoding="utf-8")
    code = f"import sys, tito.models; tito.models.__path__.insert(0, {str(tmp_path)!r}); from tito.models.__main__ import main; main()"
    done = subprocess.run([sys.executable, "-c", code, "{}"], capture_output=True, text=True, encoding="utf-8")
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_a_package_that_lacks_a_module_is_refused_before_anything_is_measured(tmp_path, monkeypatch):
    root = Path(network.__file__).parents[2]
    workspace.copy_package(root / "tinytorch", tmp_path / "space" / "tinytorch", ["tensor.py"])
    (tmp_path / "space" / "modules").mkdir()
    shutil.copy(root / workspace.MANIFEST, tmp_path / "space" / "modules")
    path = tmp_path / "weights.safetensors"
    path.write_bytes(safetensors.dump(arrays("mlp"), {"milestone": '"mnist-mlp"'}))
    monkeypatch.setenv("TINYTORCH_WORKSPACE", str(tmp_path / "space"))
    done = tito("eval", path, "--data", "mnist-5k")
    assert done.returncode == 2 and done.stdout.startswith("tinytorch.layers is built in module 03") and not done.stderr
