"""`nn`, `nn.functional` and `nn.init` hold PyTorch's names for what the modules export, and given ones beside them."""

import pytest

import tinytorch
import tinytorch.nn as nn
import tinytorch.nn.functional as F
from tinytorch import activations, layers


def test_names_are_those_of_the_exported_files():
    assert nn.Linear is layers.Linear and nn.Module is layers.Module and nn.Parameter is layers.Parameter
    assert F.gelu is activations.gelu and F.linear is layers.linear
    assert nn.init.kaiming_uniform_ is layers.kaiming_uniform_
    assert nn.functional is F and tinytorch.nn is nn and tinytorch.gelu is activations.gelu
    assert issubclass(nn.CrossEntropyLoss, tinytorch.losses.CrossEntropyLoss)


def test_names_can_be_imported():
    from tinytorch.nn import Sequential
    from tinytorch.nn.functional import gelu
    from tinytorch.nn.init import xavier_uniform_

    assert (Sequential, gelu, xavier_uniform_) == (layers.Sequential, activations.gelu, layers.xavier_uniform_)


@pytest.mark.parametrize("module", [nn, F, nn.init])
def test_a_name_that_there_is_not_says_so(module):
    with pytest.raises(AttributeError, match=f"{module.__name__} has no 'Linnear'") as said:
        module.Linnear
    assert not hasattr(module, "Linnear")
    with pytest.raises(ImportError) as said_by_import:
        exec(f"from {module.__name__} import Linnear")
    assert str(said_by_import.value) == str(said.value)


@pytest.mark.parametrize("module", [nn, F, nn.init])
def test_python_s_own_questions_get_python_s_answers(module):
    assert not hasattr(module, "__wrapped__")
