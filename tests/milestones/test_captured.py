"""`--capture` trains each recipe to the same weights as without it, to the last bit: the default run at tiny sizes."""

import numpy as np
import pytest
from safetensors.numpy import load_file

SMALL = {
    "lenet5.py": "--data cifar10 --batch-size 50 --examples 500 --epochs 2",
    "cifar10_mlp.py": "--recipe baseline --batch-size 1000 --lr 0.1 --epochs 2",
    "cifar10_cnn.py": "--widths 4 6 8 --batch-size 50 --examples 500 --lr 0.01 --epochs 2",
}


@pytest.mark.slow
@pytest.mark.parametrize("kernels", ["numpy", "numba"])
@pytest.mark.parametrize("script", SMALL)
def test_a_captured_recipe_trains_to_the_same_weights(milestone, cifar10, tmp_path, request, script, kernels):
    variables = request.getfixturevalue("numba") if kernels == "numba" else {}
    weights, losses = [], []
    for more in ([], ["--capture"]):
        arguments = [*SMALL[script].split(), "--data-dir", str(cifar10), "--kernels", kernels, *more]
        said, status, metrics = milestone(script, *arguments, **variables)
        assert status == 0, said
        weights.append(load_file(tmp_path / "run" / "weights.safetensors"))
        losses.append([metrics["test_loss"], *(epoch["validation_accuracy"] for epoch in metrics["history"])])
    assert losses[0] == losses[1]
    assert all(np.array_equal(array, weights[1][name]) for name, array in weights[0].items())
