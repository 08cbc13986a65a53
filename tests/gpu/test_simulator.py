"""The simulator: kernels give what they should, and each planted fault is reported by name."""

import re
import sys
import traceback
from pathlib import Path

import numpy as np
import pytest

from tinytorch.given.gpu import drawing, simulator
from tinytorch.given.gpu.arrays import OutOfBounds, Unsupported
from tinytorch.given.gpu.report import InactiveLane, Race, Unwritten
from tinytorch.given.gpu.simulator import DivergentBarrier, EndlessLoop, Kernel, cuda, watch

sys.path.insert(0, str(Path(__file__).parent))
import planted as k

FLOAT = np.float32


@pytest.fixture
def x():
    return np.random.default_rng(0).standard_normal(100).astype(FLOAT)


def unwritten(*shape):
    return np.full(shape, np.nan, FLOAT)


# Right kernels.


def test_a_map_with_a_guard(x):
    out = unwritten(100)
    k.relu[4, 32](x, out)
    assert (out == np.maximum(x, 0)).all()
    report = watch(k.relu, 4, 32, x, unwritten(100))
    assert report.faults() == [] and (report.counts("x", "read") == 1).all() and (report.counts("out", "write") == 1).all()


def test_barriers_and_shared_memory(x):
    out = unwritten(2)
    report = watch(k.block_sum, 2, 64, x, out)
    np.testing.assert_allclose(out, [x[:64].sum(), x[64:].sum()], rtol=1e-5)
    assert report.faults() == [] and report.most_barriers() == 7 and report.bank_conflicts() == 0


def test_shuffles_within_a_device_function():
    x = np.random.default_rng(0).standard_normal((3, 70)).astype(FLOAT)
    out = unwritten(3)
    assert watch(k.row_sum_of_exp, 3, 32, x, out).faults() == []
    np.testing.assert_allclose(out, np.exp(x).sum(axis=1), rtol=1e-6)
    assert out.dtype == FLOAT


def test_a_lane_beyond_the_warp_keeps_its_value(x):
    out = unwritten(32)
    k.shifts_down[1, 32](x[:32], out)
    assert (out[:29] == x[3:32]).all() and (out[29:] == x[29:32]).all()


def test_a_lane_that_does_not_run_has_no_value(x):
    out = unwritten(20)
    k.shifts_down[1, 20](x[:20], out)
    assert (out[:17] == x[3:20]).all() and np.isnan(out[17:]).all()


def test_a_warp_votes(x):
    out = np.zeros(32, np.int64)
    k.votes[1, 32](x[:32], out)
    assert (out == sum(1 << i for i in range(32) if x[i] > 0)).all()


def test_a_block_counts(x):
    out = np.zeros(70, np.int64)
    k.counts_positive[1, 70](x[:70], out)
    assert (out == (x[:70] > 0).sum()).all()


def test_two_shared_arrays_on_one_line_are_two(x):
    out = unwritten(4)
    k.two_on_a_line[1, 4](x[:4], out)
    assert (out == x[:4]).all()


def test_each_thread_has_its_own_local_array(x):
    out = unwritten(100)
    assert watch(k.local_table, 1, 100, x, out).faults() == []
    np.testing.assert_allclose(out, 3 * x, rtol=1e-6)


def test_a_sum_is_rounded_to_float32_at_every_step():
    @cuda.jit
    def add_up(x, out):
        total = np.float32(0)
        for i in range(x.size):
            total += x[i]
        out[0] = total

    x = np.full(300, 0.1, FLOAT)
    out = unwritten(1)
    add_up[1, 1](x, out)
    expected = FLOAT(0)
    for value in x:
        expected = FLOAT(expected + value)
    assert out[0] == expected != FLOAT(np.float64(x).sum())


def test_the_same_launch_does_the_same_every_time(x):
    runs = [[access[:4] for access in watch(k.block_sum, 2, 64, x, unwritten(2)).accesses] for _ in range(2)]
    assert runs[0] == runs[1]


# Planted faults.


def test_a_missing_guard_is_named_with_block_and_thread(x):
    with pytest.raises(OutOfBounds, match=r"thread \(4, 0, 0\) of block \(3, 0, 0\) uses x\[100\].*shape \(100,\)"):
        k.relu_without_guard[4, 32](x, unwritten(100))


def test_a_negative_index_is_out_of_bounds(x):
    with pytest.raises(OutOfBounds, match=r"thread \(0, 0, 0\) of block \(0, 0, 0\) uses x\[-1\]"):
        k.reads_before_itself[4, 32](x, unwritten(100))


def test_a_missing_barrier_is_a_race(x):
    (race,) = watch(k.sum_without_barrier, 1, 64, x, unwritten(1)).races()
    assert "race in shared memory: partial[1] is written by thread (1, 0, 0)" in race
    assert "read by thread (0, 0, 0)" in race and "no barrier is between them" in race


@pytest.mark.parametrize(
    "kernel, where", [(k.barrier_in_branch, "has ended"), (k.two_different_barriers, "waits in line")], ids=["skipped", "two"]
)
def test_a_barrier_in_a_branch_is_divergent(x, kernel, where):
    with pytest.raises(
        DivergentBarrier, match=rf"thread \(0, 0, 0\).* waits in line \d+ of \w+, but thread \(8, 0, 0\).* {where}"
    ):
        kernel[1, 32](x, unwritten(32))


def test_a_lane_that_waits_elsewhere_is_divergent(x):
    with pytest.raises(DivergentBarrier, match=r"divergent shfl_down_sync.*thread \(5, 0, 0\)"):
        k.late_lane[1, 32](x, unwritten(32))


def test_blocks_that_write_to_one_place_race(x):
    races = watch(k.all_blocks_add, 2, 2, x, np.zeros(1, FLOAT)).races()
    assert any("blocks run in no order" in race and "race in global memory: out[0]" in race for race in races)


def test_an_atomic_addition_does_not_race(x):
    out = np.zeros(1, FLOAT)
    assert watch(k.all_blocks_add_at_once, 4, 25, x, out).races() == []
    np.testing.assert_allclose(out[0], x.sum(), rtol=1e-4)


def test_threads_of_a_warp_that_waited_do_not_race(x):
    out = unwritten(32)
    assert watch(k.in_step, 1, 32, x, out).races() == []
    assert (out == x[31::-1]).all()


def test_an_endless_loop_ends_with_its_line(x, monkeypatch):
    monkeypatch.setattr(simulator, "TURNS", 10_000)
    with pytest.raises(EndlessLoop, match=r"thread \(\d, 0, 0\).*while loop in line \d+ of never_ends"):
        k.never_ends[1, 4](x, unwritten(1))


def test_memory_that_nobody_wrote_is_poison(x):
    out = unwritten(64)
    report = watch(k.reads_unwritten, 1, 64, x, out)
    assert np.isnan(out[0]) and not np.isnan(out[1:]).any()
    assert any("unwritten memory: thread (0, 0, 0)" in fault and "partial[0]" in fault for fault in report.faults())


@pytest.mark.parametrize("kernel", [k.relu_in_float64, k.hides_float64])
def test_float64_is_found_where_it_is_stored_or_rounded(x, kernel):
    (fault,) = watch(kernel, 4, 32, x, unwritten(100)).faults()
    assert fault.startswith("float64 at `") and ("* 0.5" in fault or "np.float32(total)" in fault)


def test_columns_move_more_sectors_than_rows():
    x = np.arange(32 * 32, dtype=FLOAT).reshape(32, 32)
    block = (32, 8)
    rows = watch(k.copy_rows, (1, 4), block, x, unwritten(32, 32))
    columns = watch(k.copy_columns, (1, 4), block, x, unwritten(32, 32))
    assert rows.sectors("x") == (128, 128)
    assert columns.sectors("x") == (1024, 128)


def test_a_padded_tile_has_no_bank_conflict():
    x = np.arange(32 * 32, dtype=FLOAT).reshape(32, 32)
    out = unwritten(32, 32)
    conflicts = [watch(kernel, 1, (32, 32), x, out).bank_conflicts() for kernel in (k.transpose, k.transpose_padded)]
    assert conflicts == [32 * 31, 0] and (out == x.T).all()


BLOCK = r"of block \(0, 0, 0\)"
STOPS = {  # kernel -> grid, block, entries of out, the error, and what it says
    k.barriers_by_lane: (
        1,
        32,
        32,
        DivergentBarrier,
        rf"thread \(1, 0, 0\) {BLOCK} waits in line 5.*thread \(0, 0, 0\) .* ended",
    ),
    k.barrier_after_the_guard: (1, 32, 32, DivergentBarrier, rf"thread \(20, 0, 0\) {BLOCK} has ended"),
    k.shuffle_without_its_bit: (
        1,
        32,
        32,
        DivergentBarrier,
        rf"thread \(16, 0, 0\) {BLOCK} names the mask 0xffff without its bit",
    ),
    k.shuffle_with_two_masks: (
        1,
        32,
        32,
        DivergentBarrier,
        rf"thread \(16, 0, 0\) {BLOCK} names the mask 0xffff0000, and thread",
    ),
    k.sums_a_half: (1, 32, 32, DivergentBarrier, r"in line 3 of half_sum"),
    k.shared_tiles_too_large: (
        1,
        64,
        64,
        Unsupported,
        r"b of shape \(64, 128\) takes 32,768 bytes after 32,768 for others, .* 49,152",
    ),
    k.adds_past_the_end: (1, 64, 60, OutOfBounds, rf"thread \(60, 0, 0\) {BLOCK} uses out\[60\]"),
    k.grid_stride_past_the_end: (2, 16, 64, OutOfBounds, rf"thread \(0, 0, 0\) {BLOCK} uses out\[64\]"),
    k.wraps_around: (1, 32, 32, OverflowError, r"256 does not fit into uint8.*thread \(6, 0, 0\) of block"),
    k.below_zero_unsigned: (1, 32, 32, OverflowError, r"-1 does not fit into uint32.*thread \(0, 0, 0\) of block"),
    k.divides_by_zero: (1, 32, 32, ZeroDivisionError, r"thread \(3, 0, 0\) of block \(0, 0, 0\) of divides_by_zero"),
}


@pytest.mark.parametrize("kernel", STOPS, ids=lambda kernel: kernel.__name__)
def test_a_fault_stops_the_launch_with_its_block_and_thread(x, kernel):
    grid, block, entries, error, words = STOPS[kernel]
    with pytest.raises(error) as caught:
        kernel[grid, block](x[:64], unwritten(entries))
    said = " ".join([str(caught.value), *getattr(caught.value, "__notes__", ())])
    assert re.search(words, said), said
    assert "planted.py" in [entry.path.name for entry in caught.traceback]


def test_a_whole_number_that_does_not_fit_is_named_with_its_place(x):
    with pytest.raises(OverflowError, match=r"10000000000 does not fit into out\[1\], which is int32") as caught:
        k.position_too_large[1, 4](x, np.zeros(4, np.int32))
    assert caught.value.__notes__ == ["in thread (1, 0, 0) of block (0, 0, 0) of position_too_large"]


SEEN = {  # kernel -> block, and what the report of a watched run says
    k.shuffle_in_branch: (
        32,
        r"inactive lane: thread \(8, 0, 0\) of block \(0, 0, 0\) takes the value of lane 16 in line 6 of shuffle",
    ),
    k.shifts_down: (20, r"inactive lane: thread \(17, 0, 0\) .* lane 20"),
    k.histogram: (64, r"race in global memory: out\[\d\] is written by thread .* and read by thread"),
    k.adds_and_overwrites: (64, r"changed at once by thread \(0, 0, 0\) .* and written by thread \(5, 0, 0\)"),
    k.local_unwritten: (64, r"unwritten memory: thread \(0, 0, 0\) .* reads row\[3\] in local memory"),
    k.wants_64_threads: (32, r"unwritten memory: thread \(0, 0, 0\) .* reads tile\[63\] in shared memory"),
    k.next_tile_too_early: (
        32,
        r"race in shared memory: tile\[0\] is written by thread \(0, 0, 0\) .* read by thread \(31, 0, 0\)",
    ),
    k.multiplies_by_pi: (64, r"float64 at `out\[i\] = x\[i\] \* math.pi`: math.pi is a float64; np.float32\(math.pi\) is not"),
    k.divides_by_the_count: (64, r"float64 at .*: `/` of two whole numbers makes a float64"),
}


@pytest.mark.parametrize("kernel", SEEN, ids=lambda kernel: kernel.__name__)
def test_a_fault_that_values_may_hide_is_reported(x, kernel):
    block, words = SEEN[kernel]
    report = watch(kernel, 1, block, x[:64], np.zeros(64, FLOAT))
    assert re.search(words, "\n".join(report.faults())), report.faults()


def test_a_value_of_an_inactive_lane_stops_a_check(x):
    with pytest.raises(InactiveLane, match=r"lane 16") as caught:
        watch(k.shuffle_in_branch, 1, 32, x, unwritten(32)).check()
    assert traceback.extract_tb(caught.tb)[-1].line == "value += cuda.shfl_down_sync(FULL, value, 8)"


def test_a_name_of_its_own_may_be_that_of_a_kernel(x):
    out = unwritten(8)
    k.named_like_a_kernel[1, 8](x, out)
    assert (out == x[:8]).all()


# What a GPU does not have.


@pytest.mark.parametrize(
    "kernel, words",
    [
        (k.catches, "an exception is not caught"),
        (k.makes_a_list, "no lists"),
        (k.sums_a_generator, "no lists"),
        (k.makes_an_array, "np.zeros makes an array"),
        (k.shared_of_the_launch, "known before the launch, got cuda.blockDim.x"),
        (k.shared_of_an_argument, r"known before the launch, got \(x.size, 2\)"),
        (k.shared_of_a_counter, "known before the launch, got size"),
        (k.all_at_once, "`maximum` of the array x .* such as x\\[i\\]"),
        (k.adds_arrays, "`add` of the array x .* such as x\\[i\\]"),
        (k.reads_a_part, r"x\[:3\] is about many entries"),
        (k.writes_a_row, r"table\[0\] = ... is about many entries .* table\[i, j\]"),
        (k.half_an_index, r"x\[2.0\]: an index has to be a whole number, and `/`"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_a_gpu_does_not_have_is_refused_at_its_line(x, kernel, words):
    out = unwritten(8, 2) if kernel is k.writes_a_row else unwritten(8)
    with pytest.raises(Unsupported, match=words) as caught:
        kernel[1, 4](x, out)
    assert "planted.py" in [entry.path.name for entry in caught.traceback]


def test_an_array_in_a_kernel_has_no_methods(x):
    with pytest.raises(AttributeError, match="x.sum: in a kernel"):
        k.has_a_method[1, 4](x, unwritten(4))


def test_the_size_of_a_shared_array_is_made_of_constants(x):
    out = unwritten(4)
    k.shared_of_constants[1, 4](x, out)
    assert (out == x[:4]).all()


def test_an_endless_loop_with_a_barrier_ends_soon(x):
    with pytest.raises(EndlessLoop, match=r"while loop in line \d+ of never_ends_together"):
        watch(k.never_ends_together, 1, 128, x, unwritten(1))


# What is said in words, and drawn.


@pytest.mark.parametrize(
    "kernel, error, line",
    [
        (k.sum_without_barrier, Race, "total += partial[k]"),
        (k.reads_unwritten, Unwritten, "out[t] = partial[t]"),
        (k.barrier_in_branch, DivergentBarrier, "cuda.syncthreads()"),
    ],
    ids=["race", "unwritten", "divergent"],
)
def test_a_traceback_ends_in_the_kernel(x, kernel, error, line):
    with pytest.raises(error) as caught:
        watch(kernel, 1, 64, x, unwritten(64)).check()
    last = traceback.extract_tb(caught.tb)[-1]
    assert Path(last.filename).name == "planted.py" and last.line == line


@pytest.mark.parametrize(
    "kernel, words",
    [
        (k.relu_in_float64, "a number with a point is a float64"),
        (k.total_of_a_python_number, "it comes from `total = 0.0`, which is float64"),
        (k.total_of_a_whole_number, "a whole number and a float32 together"),
        (k.shared_in_float64, "float64 at `partial = cuda.shared.array(64, np.float64)`"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_float64_is_told_with_its_cause(x, kernel, words):
    assert words in watch(kernel, 4, 32, x, unwritten(128)).float64()[0]


def test_a_kernel_without_source_says_so():
    names = {}
    exec("def f(x):\n    x[0] = 1\n", names)
    with pytest.raises(ValueError, match="the simulator reads a kernel's source, and that of f cannot be found"):
        Kernel(names["f"])[1, 1](np.zeros(1, FLOAT))


def test_a_kernel_is_launched_with_sizes(x):
    with pytest.raises(TypeError, match=r"relu\[blocks, threads\]"):
        k.relu(x, x)
    with pytest.raises(ValueError, match="at most 1024 threads"):
        k.relu[1, 2048](x, x)


def test_a_report_reads_as_text(x):
    text = str(watch(k.sum_without_barrier, 1, 64, x, unwritten(1)))
    assert text.splitlines()[0] == "sum_without_barrier: 1 blocks of 64 threads" and "race in shared memory" in text


def test_the_drawings_are_svg_and_say_what_they_show():
    import xml.etree.ElementTree as tree

    x = np.arange(32 * 32, dtype=FLOAT).reshape(32, 32)
    report = watch(k.transpose, 1, (32, 32), x, unwritten(32, 32))
    columns = watch(k.copy_columns, (1, 4), (32, 8), x, unwritten(32, 32))
    drawn = drawing.draw_sectors(columns, "x"), drawing.draw_banks(report, "tile"), drawing.draw_timeline(report)
    texts = ["".join(tree.fromstring(picture).itertext()) for picture in drawn]
    assert "32 sectors of 32 bytes are moved; 4 would do" in texts[0]
    assert "32 turns for one access of the warp" in texts[1]
    assert "timeline of block (0, 0, 0): 1 barriers" in texts[2]
    with pytest.raises(ValueError, match="has no write of x"):
        drawing.draw_sectors(columns, "x", "write")
