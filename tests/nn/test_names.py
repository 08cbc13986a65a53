"""`nn`, `nn.functional` and `nn.init` hold PyTorch's names for what the modules export, and nothing of their own."""

import pytest

import tinytorch
import tinytorch.nn as nn
import tinytorch.nn.functional as F
from tinytorch import activations, layers


def test_names_are_those_of_the_exported_files():
    assert nn.Linear is layers.Linear and nn.Module is layers.Module and nn.Parameter is layers.Parameter
    assert F.relu is activations.relu and F.linear is layers.linear and F.dropout is layers.dropout
    assert nn.init.kaiming_uniform_ is layers.kaiming_uniform_
    assert nn.functional is F and tinytorch.nn is nn and tinytorch.softmax is activations.softmax


def test_names_can_be_imported():
    from tinytorch.nn import Sequential
    from tinytorch.nn.functional import log_softmax
    from tinytorch.nn.init import xavier_uniform_

    assert (Sequential, log_softmax, xavier_uniform_) == (layers.Sequential, activations.log_softmax, layers.xavier_uniform_)


@pytest.mark.parametrize("module", [nn, F, nn.init])
def test_a_name_that_there_is_not_says_so(module):
    with pytest.raises((ImportError, AttributeError), match="tinytorch has no 'Linnear'"):
        module.Linnear


@pytest.mark.parametrize("module", [nn, F, nn.init])
def test_python_s_own_questions_get_python_s_answers(module):
    assert not hasattr(module, "__wrapped__")
