"""`tito update` on workspaces of an older course: what is given is today's, what the learner wrote is theirs."""

import json
from pathlib import Path

import pytest

from tito import scaffold, standing, workspace
from tito.notebooks import source
from tito.notebooks.export import export_text
from tito.update import files, origin

fill = scaffold.fill  # the fixture `short_course` replaces it


def update(learner):
    """Bring a workspace along, and return the plan that was carried out."""
    plan = files.plan(learner.space)
    files.carry_out(learner.space, plan)
    return plan


def text_of(learner, number):
    return "\n".join(learner.texts(number))


def test_an_untouched_workspace_becomes_todays(learner, fresh):
    today = fresh(learner.format)
    before = learner.files()
    assert "tinytorch/op.py" in before and b"from tinytorch.op import" in before[f"modules/01_tensor/tensor.{learner.format}"]
    update(learner)
    mine, theirs = learner.files(), today.files()
    assert mine.keys() == theirs.keys()
    assert [label for label in mine if mine[label] != theirs[label] and not label.startswith("modules/")] == []
    for number in ("01", "02", "05"):
        assert learner.texts(number) == today.texts(number)


def test_a_second_update_changes_nothing(learner):
    learner.answer("01", only="01.1")
    learner.add_below("01", "broadcast_shape", ("code", "from tinytorch.op import state\nprint(state)"))
    update(learner)
    assert files.plan(learner.space).changes == {}


def test_answers_notes_and_own_cells_stay_where_they_were(learner):
    answers = learner.answer("01")
    learner.replace("01", "**Predict**: for how long", "**Predict** (I say 2 ms): for how long")
    learner.add_below("01", "per_column = np.array", ("markdown", "My note."), ("code", "mine = 3  # %% no cell"))
    update(learner)
    texts = learner.texts("01")
    assert {cell.exercise: cell.text for cell in learner.cells("01") if cell.exercise} == answers
    assert sum("(I say 2 ms)" in text for text in texts) == 1
    at = next(number for number, text in enumerate(texts) if "per_column = np.array" in text)
    assert texts[at + 1 : at + 3] == ["My note.", "mine = 3  # %% no cell"]


def test_an_answer_below_a_question_stays(learner, fresh):
    learner.edit("01", lambda cell: "**Your answer:** 2 ms" if cell.metadata.get("answer") == "01.1" else cell.text)
    update(learner)
    answers = [cell.text for cell in learner.cells("01") if cell.metadata.get("answer")]
    assert answers[0] == "**Your answer:** 2 ms"
    assert len(answers) == len([cell for cell in fresh(learner.format).cells("01") if cell.question])


@pytest.mark.parametrize(("format", "solved"), [("ipynb", False), ("py", False), ("ipynb", True), ("py", True)])
def test_a_workspace_that_was_written_now_is_not_older(tmp_path, monkeypatch, format, solved):
    monkeypatch.setattr(scaffold, "fill", fill)
    scaffold.write(tmp_path / "now", format, solved)
    plan = files.plan(workspace.Workspace(tmp_path / "now"))
    assert not plan.changes and not plan.is_older


def test_imports_of_own_cells_are_brought_along_and_all_else_in_them_stays(learner):
    learner.add_below(
        "01", "broadcast_shape(a, b)", ("code", "from tinytorch.op import op, state  # both\nx  =  [1,2]\n%timeit x")
    )
    learner.add_below("05", "first_gradient", ("code", "import tinytorch as tt\nprint(tt.op.fallbacks)\nif (:"))
    update(learner)
    moved = "from tinytorch.given.op import op\nfrom tinytorch.given.state import state  # both\nx  =  [1,2]\n%timeit x"
    assert moved.replace("\n%timeit", "\n%timeit") in text_of(learner, "01")
    assert "tt.op.fallbacks)\nif (:" in text_of(learner, "05")  # not Python: only its lines that are imports could be read


def test_outputs_stay_while_the_code_does(older, learner):
    if learner.format == "py":
        pytest.skip("a .py file has no outputs")
    learner.answer("01")
    update(learner)
    assert learner.outputs("01", "def broadcast_shape")[0]["text"][0].startswith("printed by #| export")
    assert learner.outputs("01", "per_column = np.array")[0]["text"][0].startswith("printed by per_column")
    document = json.loads(learner.path("01").read_text(encoding="utf-8"))
    ids = [cell["id"] for cell in document["cells"]]
    assert len(set(ids)) == len(ids)


def test_a_given_cell_that_only_the_learner_changed_stays_theirs(learner):
    learner.replace("01", "def neg(a):\n", "def neg(a):  # mine\n")
    update(learner)
    text = text_of(learner, "01")
    assert text.count("def neg(a):") == 1 and "def neg(a):  # mine" in text
    assert "from tinytorch.given.op import" in text and "tinytorch.op" not in text


def test_a_check_cell_that_the_learner_changed_stays_theirs(learner):
    learner.edit("01", lambda cell: 'check("01.2")\nprint("again")' if cell.check == "01.2" else cell.text)
    update(learner)
    assert [cell.text for cell in learner.cells("01") if cell.check == "01.2"] == ['check("01.2")\nprint("again")']


def test_an_answer_that_is_not_python_yet_stays(learner):
    learner.edit(
        "01", lambda cell: "#| export\ndef broadcast_shape(a, b):\n    return (" if cell.exercise == "01.1" else cell.text
    )
    update(learner)
    assert [cell.text[-8:] for cell in learner.cells("01") if cell.exercise == "01.1"] == ["return ("]


def test_a_given_cell_that_both_changed_is_todays_and_the_other_is_left_beside(learner):
    learner.answer("01")
    learner.replace(
        "01", "@op\ndef sub(a, b):\n", "HELP = 3\n\n\ndef help(x):\n    return HELP\n\n\n@op\ndef sub(a, b):  # mine\n"
    )
    update(learner)
    text = text_of(learner, "01")
    assert "# mine" not in text and "return -b + a" not in text and text.count("return a - b") == 1
    assert "#| export\nHELP = 3\n\n\ndef help(x):\n    return HELP" in text  # what they added is a cell of their own
    beside = learner.path("01").with_name("tensor.beside.md").read_text(encoding="utf-8")
    assert "def sub(a, b):  # mine" in beside
    assert learner.tito("module", "test", "01.1")[0] == 0


def test_what_was_completed_is_complete_and_what_was_borrowed_is_borrowed(learner):
    learner.answer("01")
    module, path = learner.module("01"), learner.path("01")
    text = export_text(source.read(path), source.read(workspace.course_source(module)), learner.space.label(path))
    learner.space.exported(module).write_text(text, encoding="utf-8")
    standing.record(learner.space, module, ["01.1", "01.2"])
    standing.borrow(learner.space, learner.module("02"))
    learner.space.exported(learner.module("02")).write_text(
        "# Borrowed by tito from the reference of an older course\n", encoding="utf-8"
    )
    assert "from tinytorch.op import" in text
    update(learner)
    states = {one.module.number: one for one in standing.standings(learner.space)}
    assert (states["01"].state, states["01"].passed) == ("done", ("01.1", "01.2"))
    assert states["02"].state == "borrowed"
    assert "from tinytorch.given.op import" in learner.space.exported(module).read_text(encoding="utf-8")
    assert learner.space.exported(learner.module("02")).read_text(encoding="utf-8") == standing.borrowed_text(
        learner.module("02")
    )
    for command in ("test", "complete"):
        status, said = learner.tito("module", command, "01")
        assert status == 0, said


def test_an_exported_file_changed_by_hand_keeps_the_change(learner):
    learner.answer("01")
    module, path = learner.module("01"), learner.path("01")
    text = export_text(source.read(path), source.read(workspace.course_source(module)), learner.space.label(path))
    learner.space.exported(module).write_text(text.replace("class Tensor(", "HAND = 1\n\n\nclass Tensor(", 1), encoding="utf-8")
    update(learner)
    now = learner.space.exported(module).read_text(encoding="utf-8")
    assert "HAND = 1" in now and "tinytorch.op" not in now
    assert standing.standings(learner.space)[0].state == "edited"


def test_every_file_that_is_replaced_or_leaves_is_kept_under_backups(learner):
    learner.answer("01", only="01.1")
    (learner.space.package / "op.py").write_text("# edited by me\n", encoding="utf-8")
    before = learner.files()
    plan = update(learner)
    kept = {path.read_bytes() for path in (learner.space.root / ".tito" / "backups").rglob("*") if path.is_file()}
    assert all(before[label] in kept for label in plan.changes if label in before)
    assert any("you changed tinytorch/op.py" in note for note in plan.notes)
    assert not (learner.space.package / "kernels").exists()


def test_files_of_the_learners_own_stay(learner):
    (learner.space.package / "mine.py").write_text("from tinytorch.op import op, state\n", encoding="utf-8")
    (learner.space.root / "scratch.py").write_text("print( 1)\n", encoding="utf-8")
    update(learner)
    own = (learner.space.package / "mine.py").read_text(encoding="utf-8")
    assert own == "from tinytorch.given.op import op\nfrom tinytorch.given.state import state\n"
    assert (learner.space.root / "scratch.py").read_text(encoding="utf-8") == "print( 1)\n"


def test_a_notebook_that_cannot_be_read_stays_as_it_is(learner):
    path = learner.path("02")
    path.write_text("{", encoding="utf-8") if learner.format == "ipynb" else path.write_bytes(b"\xff")
    broken = path.read_bytes()
    plan = update(learner)
    assert path.read_bytes() == broken
    assert any("02_activations" in note and "left as it is" in note for note in plan.notes)


class Killed(BaseException):
    pass


@pytest.mark.parametrize("after", [1, 130, *(pytest.param(after, marks=pytest.mark.slow) for after in (40, 170, 200))])
def test_a_kill_at_any_moment_loses_nothing(older, learner, monkeypatch, after):
    if learner.format == "py":
        pytest.skip("the same steps as for ipynb")
    answers = learner.answer("01")
    calls = {"left": after}
    replace_atomically = files.replace_atomically

    def killed(path, data):
        calls["left"] -= 1
        if calls["left"] < 0:
            raise Killed
        replace_atomically(path, data)

    monkeypatch.setattr(files, "replace_atomically", killed)
    try:
        update(learner)
    except Killed:
        pass
    monkeypatch.undo()
    if files.is_unfinished(learner.space):
        files.go_on(learner.space)
    update(learner)
    assert {cell.exercise: cell.text for cell in learner.cells("01") if cell.exercise} == answers
    assert not (learner.space.package / "op.py").exists()
    assert files.plan(learner.space).changes == {} and not files.is_unfinished(learner.space)


def test_an_edit_between_a_kill_and_the_next_update_is_kept(learner, monkeypatch):
    replace_atomically, calls = files.replace_atomically, []

    def killed(path, data):
        calls.append(path)
        if ".tito" not in path.parts:
            raise Killed
        replace_atomically(path, data)

    monkeypatch.setattr(files, "replace_atomically", killed)
    with pytest.raises(Killed):
        update(learner)
    monkeypatch.undo()
    answers = learner.answer("01")
    assert files.is_unfinished(learner.space)
    files.go_on(learner.space)
    update(learner)
    assert {cell.exercise: cell.text for cell in learner.cells("01") if cell.exercise} == answers


def test_tito_says_that_a_workspace_is_older_and_what_brings_it_along(learner):
    if learner.format == "py":
        pytest.skip("the same steps as for ipynb")
    assert origin.is_older(learner.space)
    status, said = learner.tito("doctor")
    assert status == 1 and "an older course wrote this workspace" in said and said.rstrip().endswith("Next: tito update")
    status, said = learner.tito("module", "test", "01")
    assert status == 2 and said.rstrip().endswith("Next: tito update")
    before = learner.files()
    status, said = learner.tito("update", "--dry-run")
    assert status == 0 and "nothing was changed" in said and learner.files() == before
    assert learner.tito("update")[0] == 0
    assert not origin.is_older(learner.space)
    assert "an older course" not in learner.tito("doctor")[1]


def test_a_clone_is_not_updated():
    with pytest.raises(workspace.WorkspaceError, match="git pull"):
        files.plan(workspace.Workspace(workspace.course_dir()))


def test_the_record_of_workspaces_from_before_there_were_records():
    record = origin.load(Path(origin.__file__).with_name("older") / "38b3934.json")
    assert len(record["cells"]) == 11 and "tinytorch/op.py" in record["files"]
