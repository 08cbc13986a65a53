"""What a loader makes of examples of any kind, and every way to choose and cut them: as PyTorch's."""

import collections
import inspect
import warnings
from functools import partial

import numpy as np
import pytest

from tinytorch import data
from tinytorch.given import notes
from tinytorch.tensor import Tensor
from tinytorch.utils import data as names

Point = collections.namedtuple("Point", "x y")


def tensor(dtype, values):
    return ("tensor", dtype, values)


def described(batch):
    """Return a batch as plain Python: tensors as triples of a word, their dtype and their numbers."""
    if isinstance(batch, (str, bytes)):
        return batch
    if isinstance(batch, dict):
        return {key: described(part) for key, part in batch.items()}
    if isinstance(batch, Point):
        return Point(*map(described, batch))
    if isinstance(batch, (list, tuple)):
        return [described(part) for part in batch]
    return tensor(str(batch.dtype).replace("torch.", ""), batch.tolist())


TENSOR = "a tensor of the framework"  # stands for one in the examples below, whose framework differs
KINDS = {
    "whole numbers": ([1, 2], tensor("int64", [1, 2])),
    "numbers": ([1.5, 2.5], tensor("float64", [1.5, 2.5])),
    "a number among whole ones": ([1, 2.5], tensor("float32", [1.0, 2.5])),
    "a whole number among others": ([1.5, 2], tensor("float64", [1.5, 2.0])),
    "truth values": ([True, False], tensor("bool", [True, False])),
    "texts": (["a", "b"], ["a", "b"]),
    "bytes": ([b"a", b"b"], [b"a", b"b"]),
    "tensors": ([TENSOR, TENSOR], tensor("float32", [[1.0, 2.0], [1.0, 2.0]])),
    "pairs": ([(1, 2.0), (3, 4.0)], [tensor("int64", [1, 3]), tensor("float64", [2.0, 4.0])]),
    "lists": ([[1, "a"], [2, "b"]], [tensor("int64", [1, 2]), ["a", "b"]]),
    "one part": ([(1,), (2,)], [tensor("int64", [1, 2])]),
    "no part": ([(), ()], []),
    "named": ([Point(1, "a"), Point(2, "b")], Point(tensor("int64", [1, 2]), ["a", "b"])),
    "dicts": ([{"x": 1, "y": (2.0, "b")}] * 2, {"x": tensor("int64", [1, 1]), "y": [tensor("float64", [2.0, 2.0]), ["b", "b"]]}),
    "deep": (
        [{"a": [(np.ones(1), {"b": np.int16(3)})]}] * 2,
        {"a": [[tensor("float64", [[1.0], [1.0]]), {"b": tensor("int16", [3, 3])}]]},
    ),
    "pictures and labels": (
        [(np.zeros((1, 1, 2), np.float32), 7), (np.ones((1, 1, 2), np.float32), 8)],
        [tensor("float32", [[[[0.0, 0.0]]], [[[1.0, 1.0]]]]), tensor("int64", [7, 8])],
    ),
    **{
        f"arrays of {dtype}": ([np.zeros((2, 0), dtype), np.zeros((2, 0), dtype)], tensor(dtype, [[[], []], [[], []]]))
        for dtype in ("uint8", "int32", "float16", "float32", "float64", "bool")
    },
    **{
        f"{shape} of {dtype}": ([make(dtype), make(dtype)], tensor(dtype, [1, 1]))
        for dtype in ("uint8", "int16", "int64", "float32", "float64")
        for shape, make in (("numbers", lambda dtype: np.dtype(dtype).type(1)), ("0-d arrays", partial(np.array, 1)))
    },
}
every_kind = pytest.mark.parametrize("kind", KINDS)


def with_tensors(examples, make):
    return [make([1.0, 2.0]) if isinstance(example, str) and example == TENSOR else example for example in examples]


class Own(data.Dataset):
    """A dataset as a learner writes it."""

    def __init__(self, examples):
        self.examples = examples

    def __len__(self):
        return len(self.examples)

    def __getitem__(self, index):
        assert type(index) is int
        return self.examples[index]


class Plain:
    """A dataset that is of no class of ours."""

    def __init__(self, examples):
        self.__len__, self.examples = examples.__len__, examples

    def __len__(self):
        return len(self.examples)

    def __getitem__(self, index):
        return self.examples[index]


class Stream(names.IterableDataset):
    """Examples without positions."""

    def __init__(self, examples):
        self.examples = examples

    def __iter__(self):
        yield from self.examples


SOURCES = {
    "list": list,
    "tuple": tuple,
    "own": Own,
    "plain": Plain,
    "stream": Stream,
    "subset": lambda examples: data.Subset(["?", *examples], range(1, len(examples) + 1)),
    "subset of a subset": lambda examples: data.Subset(data.Subset(Own([*examples, "?"]), [1, 0]), [1, 0]),
    "concatenated": lambda examples: names.ConcatDataset([examples[:1], Own(examples[1:])]),
}


@every_kind
@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("prefetch", [0, 2])
def test_a_batch_is_collated_part_by_part(kind, source, prefetch):
    examples, expected = KINDS[kind]
    loader = data.DataLoader(SOURCES[source](with_tensors(examples, Tensor)), batch_size=2, prefetch=prefetch)
    (batch,) = loader
    assert described(batch) == expected
    assert type(batch) is (Point if kind == "named" else dict if kind in ("dicts", "deep") else type(batch))


@every_kind
def test_pytorch_makes_the_same_of_it(kind):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: the expected batches stand in for it")
    examples, expected = KINDS[kind]
    batch = described(torch.utils.data.default_collate(with_tensors(examples, torch.tensor)))
    assert batch == expected


@pytest.mark.parametrize(
    "examples, error, message",
    [
        ([None, None], TypeError, "got a NoneType: write the DataLoader's collate_fn"),
        ([object()], TypeError, "got a object"),
        ([(1, {2})], TypeError, "got a set"),
        ([np.array("text")], TypeError, "got an array of <U4"),
        ([np.array([None])], TypeError, "got an array of object"),
        ([(1, 2), (3,)], RuntimeError, "the same number of parts, got 2 in the first and 1 in number 1"),
        ([np.zeros(2), np.zeros(3)], RuntimeError, r"arrays of one shape, got \(2,\) in the first and \(3,\) in number 1"),
        (
            [Tensor([1.0]), Tensor([[1.0]])],
            RuntimeError,
            r"tensors of one shape, got \(1,\) in the first and \(1, 1\) in number 1",
        ),
    ],
)
def test_what_has_no_batch_is_refused(examples, error, message):
    with pytest.raises(error, match=message):
        list(data.DataLoader(examples, batch_size=len(examples)))


def test_a_gradient_flows_to_tensors_that_are_collated():
    weights = [Tensor([1.0, 2.0], requires_grad=True) for _ in range(2)]
    names.default_collate(weights).sum().backward()
    assert [w.grad.tolist() for w in weights] == [[1.0, 1.0]] * 2


@pytest.mark.parametrize("source", [list, Own, Stream, lambda examples: data.TensorDataset(np.array(examples))])
def test_a_collate_fn_gets_the_list_of_examples(source):
    loader = data.DataLoader(source([1, 2, 3]), batch_size=2, collate_fn=lambda examples: [type(examples), len(examples)])
    assert list(loader) == [[list, 2], [list, 1]]


def positions(**options):
    return [batch.tolist() for batch in data.DataLoader(list(range(7)), **options)]


@pytest.mark.parametrize(
    "options, expected",
    [
        (dict(batch_size=3), [[0, 1, 2], [3, 4, 5], [6]]),
        (dict(batch_size=np.int64(3), drop_last=True), [[0, 1, 2], [3, 4, 5]]),
        (dict(batch_size=2, sampler=[4, 4, 1]), [[4, 4], [1]]),
        (dict(batch_size=2, sampler=np.array([6, 0, 2])), [[6, 0], [2]]),
        (dict(batch_size=2, sampler=[4, 3, 1], drop_last=True), [[4, 3]]),
        (dict(batch_sampler=[[0], [5, 6], [1, 2, 3]]), [[0], [5, 6], [1, 2, 3]]),
        (dict(batch_sampler=names.BatchSampler(names.SequentialSampler(range(5)), 2, True)), [[0, 1], [2, 3]]),
        (dict(batch_size=4, sampler=[]), []),
    ],
)
@pytest.mark.parametrize("prefetch", [0, 2])
def test_samplers_choose_the_positions(options, expected, prefetch):
    assert positions(**options, prefetch=prefetch) == expected
    assert len(data.DataLoader(list(range(7)), **options)) == len(expected)


def test_a_stream_is_cut_into_batches_and_dropped_like_the_others():
    for drop_last, expected in ((False, [[0, 1], [2, 3], [4]]), (True, [[0, 1], [2, 3]])):
        assert [batch.tolist() for batch in data.DataLoader(Stream(range(5)), 2, drop_last=drop_last)] == expected


@pytest.mark.parametrize(
    "sampler, expected",
    [
        (lambda rng: names.RandomSampler(range(6), generator=rng), dict(length=6, distinct=6)),
        (lambda rng: names.RandomSampler(range(6), num_samples=4, generator=rng), dict(length=4, distinct=4)),
        (lambda rng: names.RandomSampler(range(3), num_samples=7, generator=rng), dict(length=7, distinct=3)),
        (lambda rng: names.RandomSampler(range(3), True, 50, generator=rng), dict(length=50, distinct=3)),
        (lambda rng: names.SubsetRandomSampler([4, 8, 2], generator=rng), dict(length=3, distinct=3)),
        (lambda rng: names.WeightedRandomSampler([1, 0, 3], 400, generator=rng), dict(length=400, distinct=2)),
        (lambda rng: names.WeightedRandomSampler([1, 1, 3], 3, False, generator=rng), dict(length=3, distinct=3)),
    ],
)
def test_random_samplers_draw_anew_each_time_and_repeat_with_a_seed(sampler, expected):
    one, other = (sampler(np.random.default_rng(5)) for _ in range(2))
    draws = [list(one) for _ in range(6)]
    assert draws == [list(other) for _ in range(6)] and any(draw != draws[0] for draw in draws)
    assert all((len(draw), len(set(draw))) == (len(one), expected["distinct"]) for draw in draws)
    assert len(one) == expected["length"]


def test_weights_are_in_proportion_to_probabilities():
    draw = list(names.WeightedRandomSampler([1, 0, 3], 4000, generator=np.random.default_rng(0)))
    assert 0.72 < np.mean(np.array(draw) == 2) < 0.78 and 1 not in draw


@pytest.mark.parametrize(
    "options, message",
    [
        (dict(batch_size=2.5), "batch_size needs a whole number above 0, got 2.5"),
        (dict(batch_size=None), "batch_size needs a whole number above 0, got None"),
        (dict(shuffle=True, sampler=[1]), "a sampler already decides the order: leave out shuffle"),
        (dict(batch_sampler=[[1]], batch_size=2), "a batch_sampler already decides the batches"),
        (dict(batch_sampler=[[1]], shuffle=True), "a batch_sampler already decides the batches"),
        (dict(batch_sampler=[[1]], sampler=np.array([1, 2])), "a batch_sampler already decides the batches"),
        (dict(batch_sampler=[[1]], drop_last=True), "a batch_sampler already decides the batches"),
        (dict(num_workers=-1), "need numbers of at least 0, got -1 and 0"),
        (dict(prefetch=-2), "need numbers of at least 0, got 0 and -2"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        data.DataLoader([1, 2, 3], **options)


def test_workers_change_nothing_but_the_time_and_are_explained_once():
    notes.say_once.cache_clear()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        loaders = [data.DataLoader(list(range(7)), 2, num_workers=count, pin_memory=True) for count in (0, 2, 3)]
    assert [loader.prefetch for loader in loaders] == [0, 4, 6]
    assert [[batch.tolist() for batch in loader] for loader in loaders] == [[[0, 1], [2, 3], [4, 5], [6]]] * 3
    assert len(said) == 1 and "there are no worker processes here" in str(said[0].message) and said[0].filename == __file__


def test_the_order_of_arguments_is_pytorchs():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    ours = list(inspect.signature(data.DataLoader).parameters)
    theirs = list(inspect.signature(torch.utils.data.DataLoader).parameters)
    assert ours[:9] == theirs[:9]


SPLITS = pytest.mark.parametrize(
    "count, lengths, expected",
    [
        (11, [8, 3], [8, 3]),
        (11, [11], [11]),
        (11, [0, 11], [0, 11]),
        (11, [0.8, 0.2], [9, 2]),
        (11, [1 / 3] * 3, [4, 4, 3]),
        (10, [0.55, 0.45], [6, 4]),
        (10, [0.1] * 10, [1] * 10),
        (3, [1.0], [3]),
        (3, [0.5, 0.5, 0], [2, 1, 0]),
        (0, [0.5, 0.5], [0, 0]),
    ],
)


@SPLITS
def test_random_split_has_pytorchs_sizes_and_shows_everything_once(count, lengths, expected):
    parts = data.random_split(list(range(count)), lengths, generator=np.random.default_rng(0))
    assert [len(part) for part in parts] == expected
    assert sorted(x for part in parts for x in (part[i] for i in range(len(part)))) == list(range(count))


@pytest.mark.parametrize("lengths, message", [([-1, 12], "at least 0"), ([0.6, -0.1, 0.5], "at least 0"), ([5, 5], "there are 11"), ([0.5, 0.4], "there are 11")])  # fmt: skip
def test_a_split_that_makes_no_sense_is_refused(lengths, message):
    with pytest.raises(ValueError, match=message):
        data.random_split(list(range(11)), lengths)


@SPLITS
@pytest.mark.filterwarnings("ignore:Length of split")
def test_pytorch_splits_into_the_same_sizes(count, lengths, expected):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: the expected sizes stand in for it")
    assert [len(part) for part in torch.utils.data.random_split(list(range(count)), lengths)] == expected


def test_a_split_draws_from_either_name_of_its_generator():
    first, second = (
        data.random_split(range(20), [5, 15], **{name: np.random.default_rng(3)})[0].indices for name in ("generator", "rng")
    )
    assert np.array_equal(first, second)


def test_a_tensor_dataset_gives_tensors_by_position_and_by_slice():
    dataset = data.TensorDataset(Tensor([[1.0], [2.0], [3.0]]), np.array([4, 5, 6]))
    assert [part.tolist() for part in dataset[-1]] == [[3.0], 6] and all(isinstance(part, Tensor) for part in dataset[0])
    assert [part.tolist() for part in dataset[1:]] == [[[2.0], [3.0]], [5, 6]]
    assert [y.item() for _, y in dataset] == [4, 5, 6], "it ends by itself when it is walked"
    with pytest.raises(IndexError):
        dataset[3]


def test_datasets_are_put_one_after_the_other():
    whole = names.ConcatDataset([[1, 2], data.Subset([7, 8, 9], [2, 0]), []])
    assert [whole[i] for i in range(len(whole))] == [1, 2, 9, 7] and [whole[-i] for i in (1, 4)] == [7, 1]
    for index in (4, -5):
        with pytest.raises(IndexError, match=f"4 examples have no position {index}"):
            whole[index]
    with pytest.raises(ValueError, match="at least one dataset"):
        names.ConcatDataset([])


def test_the_names_of_pytorchs_utils_data():
    from tinytorch.utils.data import DataLoader, Dataset, Subset, TensorDataset, default_collate, random_split

    assert (Dataset, Subset, TensorDataset) == (data.Dataset, data.Subset, data.TensorDataset)
    assert issubclass(DataLoader, data.DataLoader)  # with all of PyTorch's arguments
    assert random_split is data.random_split and default_collate is data.default_collate
    assert names.IterableDataset is data.IterableDataset
