"""Where `import tinytorch` goes: for every way to run Python, from every place, with a wheel and with an editable install."""

import re

import pytest
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import KernelManager

PROBE = "import tinytorch; print('FILE', tinytorch.__file__, sep='=')\n"
SPAWN = """
import multiprocessing, tinytorch
if __name__ == "__mp_main__":
    print("FILE", tinytorch.__file__, sep="=")
if __name__ == "__main__":
    child = multiprocessing.get_context("spawn").Process(target=print)
    child.start(), child.join()
"""
# What pip writes as the program `pytest`; the borrowed environment has it, but it would run that environment's Python.
PYTEST = "import sys, pytest; sys.exit(pytest.main())\n"


@pytest.fixture
def elsewhere(tmp_path):
    """A current folder that is in no workspace."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return folder


@pytest.fixture(params=["workspace", "clone", "outside"])
def place(request, tmp_path):
    """A learner's workspace, a clone, and a folder that is in neither."""
    if request.param != "outside":
        return request.getfixturevalue(request.param)
    (tmp_path / "modules/01_tensor").mkdir(parents=True)
    return tmp_path


def write(file, text):
    """Write a file and its folders, and return it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def script(environment, place, elsewhere):
    return environment.run(write(place / "modules/01_tensor/probe.py", PROBE), cwd=elsewhere)


def script_at_the_root(environment, place, elsewhere):
    return environment.run(write(place / "probe.py", PROBE), cwd=elsewhere)


def safe_path(environment, place, elsewhere):
    return environment.run("-P", write(place / "probe.py", PROBE), cwd=elsewhere)


def named_by_the_environment(environment, place, elsewhere):
    return environment.run(write(elsewhere / "probe.py", PROBE), cwd=elsewhere, TINYTORCH_WORKSPACE=str(place))


def current_folder(environment, place, elsewhere):
    return environment.run("-P", "-c", PROBE, cwd=place / "modules")


def module(environment, place, elsewhere):
    write(place / "modules/01_tensor/probe.py", PROBE)
    return environment.run("-m", "probe", cwd=place / "modules/01_tensor")


def bare_pytest(environment, place, elsewhere):
    program = write(environment.folder / "bin/pytest", PYTEST)
    write(place / "tests/test_probe.py", f"def test_probe():\n    {PROBE}")
    return environment.run(program, cwd=place, PYTEST_ADDOPTS="-s -p no:cacheprovider")


def spawned_process(environment, place, elsewhere):
    return environment.run(write(place / "modules/01_tensor/spawn.py", SPAWN), cwd=elsewhere)


def kernel(environment, place, elsewhere):
    manager = KernelManager(kernel_spec_manager=OneKernel(environment.python))
    manager.start_kernel(cwd=str(place / "modules/01_tensor"), env=environment.variables | {"IPYTHONDIR": str(elsewhere)})
    client = manager.client()
    client.start_channels()
    printed = []
    try:
        client.wait_for_ready(timeout=60)
        reply = client.execute_interactive(PROBE, output_hook=lambda message: printed.append(message["content"]), timeout=60)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    return "".join(text(content) for content in printed), reply["content"]["status"] != "ok"


class OneKernel(KernelSpecManager):
    """Offers one kernel: ipykernel in a given Python, started as Jupyter and VS Code start it."""

    def __init__(self, python):
        super().__init__()
        self.spec = KernelSpec(argv=[python, "-m", "ipykernel_launcher", "-f", "{connection_file}"], language="python")

    def get_kernel_spec(self, kernel_name):
        return self.spec


def text(content):
    """Return what a kernel's message shows: printed text, or an error as its type and its message."""
    return content.get("text", "") or f"{content.get('ename', '')}: {content.get('evalue', '')}"


WAYS = [
    script,
    script_at_the_root,
    safe_path,
    named_by_the_environment,
    current_folder,
    module,
    bare_pytest,
    spawned_process,
    kernel,
]


def found(printed):
    """Return the file that a probe printed, or None."""
    lines = [line for line in printed.splitlines() if "FILE=" in line]
    return lines[-1].partition("FILE=")[2] if lines else None


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_the_import_goes_to_the_workspace_or_says_how_to_make_one(way, environment, place, elsewhere):
    printed, failed = way(environment, place, elsewhere)
    if (place / "tinytorch").exists():
        assert (found(printed), failed) == (str(place / "tinytorch/__init__.py"), 0), printed
    else:
        assert found(printed) is None and failed, printed
        assert re.search("ImportError: (tinytorch is the package that you write|TINYTORCH_WORKSPACE is)", printed), printed
        assert "tito init" in printed


def test_the_nearest_workspace_wins(environment, workspace, clone, elsewhere):
    assert found(script(environment, workspace, clone)[0]) == str(workspace / "tinytorch/__init__.py")
    assert found(named_by_the_environment(environment, workspace, clone / "modules")[0]) == str(
        workspace / "tinytorch/__init__.py"
    )


def test_a_wrong_variable_is_an_error_even_inside_a_workspace(environment, workspace):
    printed, failed = environment.run("-P", "-c", PROBE, cwd=workspace, TINYTORCH_WORKSPACE=str(workspace / "modules"))
    assert failed and f"TINYTORCH_WORKSPACE is {workspace / 'modules'}, which is not a workspace" in printed
    assert "tito init" in printed


def test_the_error_names_what_was_searched(environment, elsewhere):
    probe = write(elsewhere / "deep/probe.py", PROBE)
    printed, _ = environment.run(probe, cwd=elsewhere)
    assert f"  {probe}\n  {elsewhere}\n" in printed


def test_where_tito_is_installed_says_nothing(environment, workspace, elsewhere):
    """A process of tito's own runs a file of tito, in a clone or beside the course in site-packages."""
    posing = "import sys, tito.launcher as own, __main__; __main__.__file__ = sys.argv[0] = own.__file__; " + PROBE
    assert found(environment.run("-P", "-c", posing, cwd=workspace)[0]) == str(workspace / "tinytorch/__init__.py")
    printed, failed = environment.run("-P", "-c", posing, cwd=elsewhere)
    assert failed and "tito init" in printed


def test_the_installed_course_is_no_workspace(from_wheel):
    course = from_wheel.site / "tito/course"
    assert (course / "tinytorch/__init__.py").exists() and (course / "modules/curriculum.toml").exists()
    printed, failed = from_wheel.run("-P", "-c", PROBE, cwd=course / "modules")
    assert failed and "tito init" in printed


def test_a_decoy_later_on_the_path_loses(environment, workspace, elsewhere):
    decoy = write(elsewhere / "tinytorch/__init__.py", "").parent.parent
    probe = write(workspace / "modules/01_tensor/probe_decoy.py", f"import sys; sys.path.append({str(decoy)!r}); {PROBE}")
    assert found(environment.run(probe, cwd=elsewhere)[0]) == str(workspace / "tinytorch/__init__.py")


def test_a_decoy_earlier_on_the_path_wins_and_is_reported(environment, workspace, elsewhere):
    decoy = write(elsewhere / "tinytorch/__init__.py", "")
    report = PROBE + "from tito.stray import stray; print('STRAY', stray())"
    printed, _ = environment.run("-P", "-c", report, cwd=workspace, PYTHONPATH=str(elsewhere))
    assert printed.splitlines() == [f"FILE={decoy}", f"STRAY {decoy}"]


@pytest.mark.parametrize("first", ["", "import tinytorch; "], ids=["before the import", "after the import"])
def test_the_workspace_is_not_reported(first, environment, workspace):
    report = first + "from tito.stray import stray; print('STRAY', stray())"
    assert environment.run("-P", "-c", report, cwd=workspace) == ("STRAY None\n", 0)
    assert environment.run("-c", report, cwd=workspace) == ("STRAY None\n", 0)


def test_another_workspace_s_package_is_reported(environment, workspace, clone):
    """`-c` and `-m` put the current folder first, so that it wins over the variable."""
    report = "from tito.stray import stray; print('STRAY', stray())"
    printed, _ = environment.run("-c", report, cwd=workspace, TINYTORCH_WORKSPACE=str(clone))
    assert printed == f"STRAY {workspace / 'tinytorch/__init__.py'}\n"


def test_a_package_that_fails_can_be_imported_again_once_mended(environment, tmp_path):
    init = write(tmp_path / "tinytorch/__init__.py", "mended = False; 1 / 0\n")
    write(tmp_path / "modules/curriculum.toml", "")
    again = f"""
import pathlib
try:
    import tinytorch
except ZeroDivisionError:
    pathlib.Path({str(init)!r}).write_text("mended = True", encoding="utf-8")
import tinytorch; print(tinytorch.mended)
"""
    assert environment.run("-P", "-c", again, cwd=tmp_path) == ("True\n", 0)


def test_submodules_and_reload_work_as_a_package_s_do(environment, tmp_path):
    init = write(tmp_path / "tinytorch/__init__.py", "")
    write(tmp_path / "tinytorch/optim.py", "class SGD: pass\n")
    write(tmp_path / "modules/curriculum.toml", "")
    use = """
import importlib, pickle
from tinytorch.optim import SGD
import tinytorch
print([name for name in vars(tinytorch) if not name.startswith("__")], pickle.loads(pickle.dumps(SGD)) is SGD)
print(importlib.reload(tinytorch).__file__)
"""
    assert environment.run("-P", "-c", use, cwd=tmp_path) == (f"['optim'] True\n{init}\n", 0)
