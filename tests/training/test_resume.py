"""Training that is stopped and goes on ends with the same numbers, to the last bit, however it was stopped."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tinytorch import manual_seed, training
from tinytorch.given.callbacks import Callback
from tinytorch.optim import SGD

sys.path.insert(0, str(Path(__file__).parent))
import problem

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def seeded():
    """Start the default generator anew, as a new process does."""
    manual_seed(0)


def start(*arguments):
    """Start the training in a process of its own, on one thread."""
    here = {**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONUTF8": "1"}
    flags = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
    return subprocess.Popen(
        [sys.executable, str(Path(problem.__file__)), *map(str, arguments)],
        env=here,
        encoding="utf-8",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        creationflags=flags,
    )


def finish(process):
    """Wait for a process, and return the last line that it printed."""
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out.strip().splitlines()[-1]


def wait_for(flag, process):
    """Wait until a process says that it has come to its step."""
    until = time.monotonic() + 60
    while not flag.exists():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < until, "the training did not come to its step within a minute"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The digest of a training that nobody disturbs, in a process of its own."""
    return finish(start(tmp_path_factory.mktemp("whole") / "run.safetensors"))


@pytest.mark.parametrize("epoch, step", [(1, 2), (4, 3)])
def test_a_kill_in_the_middle_of_an_epoch_changes_nothing(tmp_path, whole, epoch, step):
    checkpoint, flag = tmp_path / "run.safetensors", tmp_path / "flag"
    process = start(checkpoint, "--hang", epoch, step, flag)
    wait_for(flag, process)
    process.kill()  # SIGKILL; on Windows TerminateProcess
    process.communicate()
    assert training.load_checkpoint(checkpoint)["epoch"] == epoch - 1
    assert finish(start(checkpoint, "--resume")) == whole


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot send Ctrl-C to one process of a console")
def test_ctrl_c_ends_politely_with_the_last_whole_epoch(tmp_path, whole):
    checkpoint, flag = tmp_path / "run.safetensors", tmp_path / "flag"
    process = start(checkpoint, "--hang", 3, 2, flag)
    wait_for(flag, process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert f"stopped in epoch 3: {checkpoint} holds the state after epoch 2" in out
    assert "interrupted" in out
    assert finish(start(checkpoint, "--resume")) == whole


def test_resuming_in_new_objects_gives_the_same_bits(tmp_path):
    straight = problem.trainer()
    straight.fit(*problem.loaders(), epochs=5)
    manual_seed(0)
    problem.trainer(tmp_path / "run").fit(*problem.loaders(), epochs=2)
    manual_seed(123)  # what a new process would have, and the checkpoint must put right
    second = problem.trainer(tmp_path / "run")
    second.fit(*problem.loaders(), epochs=5, resume=True)
    assert problem.digest(second) == problem.digest(straight)
    assert [record["epoch"] for record in second.history] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("forgotten", ["default", "train.generator", "train.dataset.dataset.rng", "model.3.rng"])
def test_every_generator_counts(tmp_path, forgotten):
    """Without any one of them the numbers differ: the test above would see it."""
    straight = problem.trainer()
    straight.fit(*problem.loaders(), epochs=3)
    manual_seed(0)
    problem.trainer(tmp_path / "run").fit(*problem.loaders(), epochs=1)
    state = training.load_checkpoint(tmp_path / "run")
    state["generators"][forgotten] = np.random.default_rng(99).bit_generator.state
    training.save_checkpoint(tmp_path / "run", state)
    second = problem.trainer(tmp_path / "run")
    second.fit(*problem.loaders(), epochs=3, resume=True)
    assert problem.digest(second) != problem.digest(straight)


def test_ctrl_c_takes_the_network_itself_back_to_the_last_whole_epoch(tmp_path, capsys):
    class Interrupt(Callback):
        def step_end(self, trainer, loss):
            if trainer.epoch == 2:
                raise KeyboardInterrupt

    undisturbed = problem.trainer()
    undisturbed.fit(*problem.loaders(), epochs=2)
    manual_seed(0)
    one = problem.trainer(tmp_path / "run", [Interrupt()])
    one.fit(*problem.loaders(), epochs=5)
    assert one.interrupted
    assert problem.digest(one) == problem.digest(undisturbed)


class FirstIsBest(Callback):
    """Make every epoch look worse than the one before, so that the best weights are the first ones."""

    def epoch_end(self, trainer, record):
        record["validation_loss"] = float(record["epoch"])


def test_fit_again_goes_on_to_the_new_total_from_the_last_weights():
    once, twice = problem.trainer(), problem.trainer()
    for one in (once, twice):
        one.callbacks.insert(0, FirstIsBest())
    once.fit(*problem.loaders(), epochs=4)
    manual_seed(0)
    both = problem.loaders()
    twice.fit(*both, epochs=2)
    twice.fit(*both, epochs=4)
    assert problem.digest(twice) == problem.digest(once)


def test_resume_without_a_file_begins_and_without_a_checkpoint_is_refused(tmp_path):
    one = problem.trainer(tmp_path / "none-yet")
    assert len(one.fit(*problem.loaders(), epochs=1, resume=True)) == 1
    with pytest.raises(ValueError, match="resume=True needs a checkpoint"):
        problem.trainer().fit(*problem.loaders(), epochs=1, resume=True)


def test_a_training_that_stopped_early_stays_stopped(tmp_path):
    class Stop(Callback):
        def epoch_end(self, trainer, record):
            trainer.stopped = "enough"

    problem.trainer(tmp_path / "run", [Stop()]).fit(*problem.loaders(), epochs=9)
    again = problem.trainer(tmp_path / "run")
    again.fit(*problem.loaders(), epochs=9, resume=True)
    assert (again.epoch, again.stopped) == (1, "enough")


def unfit(tmp_path, match, **options):
    """Resume with other things than were saved, and expect a message; nothing may have changed."""
    problem.trainer(tmp_path / "run", settings={"batch_size": 8}).fit(*problem.loaders(), epochs=1)
    other = problem.trainer(tmp_path / "run", **{"settings": {"batch_size": 8}, **options})
    before = {path: tensor.data.copy() for path, tensor in other.model.state_dict().items()}
    with pytest.raises(ValueError, match=match):
        other.fit(*problem.loaders(), epochs=2, resume=True)
    after = {path: tensor.data for path, tensor in other.model.state_dict().items()}
    assert all(np.array_equal(before[path], after[path]) for path in before)
    assert other.epoch == 0


def test_a_network_of_another_shape_is_refused_by_name(tmp_path):
    unfit(tmp_path, r"model\.1\.weight: \(12, 20\) in the checkpoint, \(13, 20\) here", hidden=13)


def test_other_settings_are_refused_by_name(tmp_path):
    unfit(tmp_path, r"settings\.batch_size: 8 in the checkpoint, 16 here", settings={"batch_size": 16})


def test_a_generator_that_was_not_saved_is_refused_by_name(tmp_path):
    unfit(tmp_path, r"generators\.mixup: missing in the checkpoint", generators={"mixup": np.random.default_rng(3)})


def test_another_optimizer_is_refused_by_name(tmp_path):
    problem.trainer(tmp_path / "run").fit(*problem.loaders(), epochs=1)
    other = problem.trainer(tmp_path / "run")
    other.optimizer = SGD(other.model.parameters(), lr=0.1, momentum=0.9)
    with pytest.raises(ValueError, match=r"optimizer\.state\.0\.momentum_buffer: missing in the checkpoint"):
        other.fit(*problem.loaders(), epochs=2, resume=True)


def test_parameters_in_another_order_are_refused_by_name(tmp_path):
    problem.trainer(tmp_path / "run").fit(*problem.loaders(), epochs=1)
    other = problem.trainer(tmp_path / "run")
    other.optimizer = type(other.optimizer)(list(other.model.parameters())[::-1], lr=0.02)
    other.scheduler.optimizer = other.optimizer
    with pytest.raises(ValueError, match=r"optimizer\.state\.0\.exp_avg: \(12, 20\) in the checkpoint, \(4,\) here"):
        other.fit(*problem.loaders(), epochs=2, resume=True)
