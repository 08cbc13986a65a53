"""Collecting what a class really hands in: folders around it, files beside it, ids that look alike, several files, odd kinds."""

import io
import json
import pathlib
import time
import zipfile

import pytest
from typer.testing import CliRunner

from tito import workspace
from tito.app import app
from tito.grading import collecting, intake, parcel, roster as rosters, rosterfile, verdicts

TENSOR = workspace.Workspace(workspace.course_dir()).curriculum.module("01")
LAYERS = workspace.Workspace(workspace.course_dir()).curriculum.module("03")


def person(first, last, mail=None, lms=None):
    return {"first_name": first, "last_name": last, "email": mail, "lms_user_id": lms}


CLASS = {
    "alice": person("Alice", "Archer", "alice@x.org", "901"),
    "bob": person("Bob", "Baker", "bob@x.org", "902"),
    "carol": person("Carol", "Cook", "carol@x.org", "903"),
}
STUDENTS = [pytest.param(CLASS, id="with a roster"), pytest.param({}, id="without")]


def zipped(files):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


def export(tmp_path, files, packed, name="abgabe"):
    """Write files as a zip or as a folder, and return its path."""
    path = tmp_path / (f"{name}.zip" if packed else name)
    if packed:
        path.write_bytes(zipped(files))
        return path
    for each, content in files.items():
        (path / each).parent.mkdir(parents=True, exist_ok=True)
        (path / each).write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def gathered(source, students=CLASS, module=TENSOR):
    return collecting.gather([source], collecting.Roster(students), module)


def files_of(found):
    return {student: submission.files for student, submission in found.items()}


BOTH = {name: {"tensor.ipynb": name.encode()} for name in ("alice", "bob")}


# A. Folders around a class, and files beside an export.

CANVAS = {"archeralice_901_1_tensor.ipynb": "alice", "bakerbob_LATE_902_2_tensor.ipynb": "bob"}
MOODLE = {"Alice Archer_1_assignsubmission_file_/tensor.ipynb": "alice", "Bob Baker_2_assignsubmission_file_/tensor.ipynb": "bob"}
FLAT = {"Alice Archer_1_assignsubmission_file_tensor.ipynb": "alice", "Bob Baker_2_assignsubmission_file_tensor.ipynb": "bob"}
METADATA = """---
submission_11:
  :submitters:
  - :name: Alice Archer
    :sid: alice
    :email: alice@x.org
  :created_at: 2026-10-01 20:15:00.000000000 Z
  :results:
    :tests:
    - :name: Bob Baker
submission_12:
  :submitters:
  - :name: Bob Baker
    :email: bob@x.org
"""
GRADESCOPE = {
    "submission_metadata.yml": METADATA,
    "submission_11/tensor.ipynb": "alice",
    "submission_12/tensor.ipynb": "bob",
}
FORMS = {
    "folders": {"alice/tensor.ipynb": "alice", "bob/tensor.ipynb": "bob"},
    "nbgrader's folders": {"alice/01_tensor/tensor.ipynb": "alice", "bob/01_tensor/tensor.ipynb": "bob"},
    "Canvas": CANVAS,
    "Moodle": MOODLE,
    "Moodle without folders": FLAT,
    "Gradescope": GRADESCOPE,
}


@pytest.mark.parametrize("packed", [True, False], ids=["zip", "folder"])
@pytest.mark.parametrize("around", ["", "abgaben/", "hw/hw1/", "assignment_1_export/"])
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_folder_around_a_class_changes_nothing(tmp_path, form, around, packed):
    source = export(tmp_path, {around + name: content for name, content in form.items()}, packed)
    found, skipped = gathered(source)
    assert files_of(found) == BOTH and not skipped


@pytest.mark.parametrize("around", ["", "abgaben/", "hw/hw1/"])
def test_a_folder_around_a_class_without_a_roster_merges_nobody(tmp_path, around):
    found, _ = gathered(export(tmp_path, {around + name: text for name, text in FORMS["folders"].items()}, True), {})
    assert files_of(found) == BOTH
    own = {f"{around}alice/backup/tensor.ipynb": "1", f"{around}alice/modules/01_tensor/tensor.ipynb": "2"}
    found, _ = gathered(export(tmp_path, own, True), {})
    assert len(found) == 1, "these are one student's folders"


@pytest.mark.parametrize(
    "stray", ["readme.py", ".DS_Store", "index.html", "Thumbs.db", "tensor.ipynb", "__MACOSX/._tensor.ipynb"]
)
@pytest.mark.parametrize("around", ["", "hw1/"])
@pytest.mark.parametrize("form", [CANVAS, MOODLE, FLAT, GRADESCOPE], ids=["Canvas", "Moodle", "flat", "Gradescope"])
def test_a_file_beside_an_export_changes_nothing_else(tmp_path, form, around, stray):
    names = [*form, stray]
    for order in (names, names[::-1]):
        source = export(tmp_path, {around + name: form.get(name, "stray") for name in order}, True)
        found, skipped = gathered(source)
        assert files_of(found) == BOTH
        hidden = stray.startswith((".", "__MACOSX"))
        assert skipped == ([] if hidden else [f"{around}{stray}: its name does not say whose it is"])


@pytest.mark.parametrize("top", ["alice", "Alice Archer", "archer", "alice@x.org", "901", "ALICE"])
@pytest.mark.parametrize(
    "inside",
    ["bob/tensor.ipynb", "bakerbob_902_9_tensor.ipynb", "Bob Baker_2_assignsubmission_file_/tensor.ipynb", "x/bob/tensor.ipynb"],
)
def test_a_students_own_folder_is_no_folder_around_a_class(tmp_path, top, inside):
    found, _ = gathered(export(tmp_path, {f"{top}/{inside}": "forged"}, True))
    assert "bob" not in found


@pytest.mark.parametrize(
    "inside", ["bakerbob_902_9_tensor.ipynb", "bob/tensor.ipynb", "Bob Baker_2_assignsubmission_file_x.ipynb"]
)
@pytest.mark.parametrize("packed", [True, False])
def test_a_source_that_is_named_like_a_student_is_that_students(tmp_path, inside, packed):
    assert list(gathered(export(tmp_path, {inside: "forged"}, packed, name="alice"))[0]) == ["alice"]


FORGED = "malloryx_9999_2_a-Bob Baker_9_assignsubmission_file_x.ipynb"  # a student's file at Canvas: its name ends like Moodle's


@pytest.mark.parametrize("others", [{}, {"archeralice_901_1_tensor.ipynb": "alice"}], ids=["alone", "among others"])
def test_a_file_at_canvas_that_is_named_as_moodle_names_them_leads_to_nobody_else(tmp_path, others):
    assert "bob" not in gathered(export(tmp_path, {FORGED: "forged", **others}, True))[0]


def test_moodles_group_before_a_name_is_no_part_of_it(tmp_path):
    names = {"Group A-Alice Archer_1": "alice", "Lab-2-Bob Baker_2": "bob"}
    found, _ = gathered(
        export(tmp_path, {f"{name}_assignsubmission_file_/tensor.ipynb": who for name, who in names.items()}, True)
    )
    assert files_of(found) == BOTH
    twins = {**CLASS, "gail": person("Lena", "Meier"), "hugo": person("Anna-Lena", "Meier")}
    found, skipped = gathered(export(tmp_path, {"G-Anna-Lena Meier_1_assignsubmission_file_/tensor.ipynb": "?"}, True), twins)
    assert not found and "gail, hugo" in skipped[0]


def test_the_time_grows_with_the_number_of_files_alone(tmp_path):
    """Were all names looked at for each, or all that follows each hyphen, it would take ten times as long and more."""
    began = time.process_time()
    gathered(export(tmp_path, {f"{number}.txt": "" for number in range(10_000)}, True))
    name = "-".join("x" * 20_000)
    assert not collecting.Roster(CLASS).student([], [name], grouped=True)[1]
    assert time.process_time() - began < 5


# B. Ids that look alike.

ALIKE = {
    "901": person("Ann", "Adams", "ann@x.org", "77"),
    "s-17": person("Max", "Muster", "max@x.org", "901"),
    "s17": person("Mia", "Moser", "mia@x.org", "902"),
}


@pytest.mark.parametrize(
    "entry, student",
    [
        ("mustermax_901_5002_tensor.ipynb", "s-17"),
        ("adamsann_77_5003_tensor.ipynb", "901"),
        ("mosermia_902_5004_tensor.ipynb", "s17"),
        ("901/tensor.ipynb", "901"),
        ("s-17/tensor.ipynb", "s-17"),
        ("s17/tensor.ipynb", "s17"),
        ("S17/tensor.ipynb", "s17"),
        ("902/tensor.ipynb", "s17"),
        ("MAX@x.org/tensor.ipynb", "s-17"),
    ],
)
def test_the_exact_id_of_the_right_kind_counts(tmp_path, entry, student):
    for students in (ALIKE, dict(reversed(ALIKE.items()))):
        found, skipped = gathered(export(tmp_path, {entry: "{}"}, True), students)
        assert list(found) == [student] and not skipped


def test_an_id_that_several_students_have_is_left_to_the_instructor(tmp_path):
    twins = {**CLASS, "dan": person("Dan", "Dale", "BOB@x.org", "902")}
    for entry in ("S_17/tensor.ipynb", "bakerbob_902_1_tensor.ipynb", "bob@X.org/tensor.ipynb"):
        found, skipped = gathered(export(tmp_path, {entry: "{}"}, True), {**ALIKE, **twins, "s17": person("A", "B")})
        assert not found and "is an id of" in skipped[0]


def test_a_student_id_counts_at_canvas_where_no_other_lms_id_is_known(tmp_path):
    source = export(tmp_path, {"whoever_901_1_tensor.ipynb": "{}"}, True)
    assert list(gathered(source, {"901": person("Ann", "Adams")})[0]) == ["901"]
    assert list(gathered(source, {"901": person("Ann", "Adams", lms="77")})[0]) == ["whoever"]


HEADER = "student_id,first_name,last_name,email,lms_user_id\n"


def test_what_is_odd_about_a_roster_is_said(classroom, grade, tmp_path):
    table = tmp_path / "students.csv"
    odd = "123/456,Ann,Adams,ann@x.org,1\nbob,Bob,Baker,b@x.org,2\nbob,Rob,Baker,r@x.org,3\n"
    table.write_text(f"{HEADER}{odd}s-17,M,M,ANN@x.org,4\ns17,N,N,n@x.org,4\n", encoding="utf-8")
    said = grade("roster", table, "--course", classroom.folder).output
    for text in (
        "123/456 is stored as 123-456",
        "lines 3, 4 have the id bob",
        "s-17, s17 have the same LMS id 4",
        "ids s-17, s17 look",
    ):
        assert text in said
    assert "123-456, s-17 have the same mail address ann@x.org" in said


def test_nothing_is_odd_about_a_usual_roster(tmp_path):
    table = tmp_path / "students.csv"
    table.write_text(HEADER + "alice,Alice,Archer,a@x.org,1\nbob,Bob,Baker,b@x.org,2\n", encoding="utf-8")
    read = rosterfile.read_roster(table)
    assert not read.odd and not rosters.doubles(read.students)


def test_a_table_with_fewer_columns_erases_nothing(classroom, grade, tmp_path):
    table = tmp_path / "students.csv"
    for text in (f"{HEADER}bob,Bob,Baker,bob@x.org,902\n", "student_id,first_name\nbob,Robert\n"):
        table.write_text(text, encoding="utf-8")
        grade("roster", table, "--course", classroom.folder)
    assert classroom.students()["bob"] == person("Robert", "Baker", "bob@x.org", "902")


# C. Which of several files counts.

RIGHT = {
    "a copy in a folder": ["backup/tensor.ipynb", "modules/01_tensor/tensor.ipynb"],
    "an older one in a folder": ["tensor.ipynb", "old/tensor.ipynb"],
    "one deeper in the module's folder": ["tensor.ipynb", "01_tensor/tensor.ipynb"],
    "deeper and deeper": ["a/tensor.ipynb", "a/b/tensor.ipynb"],
}
WINS = {"a copy in a folder": 1, "an older one in a folder": 0, "one deeper in the module's folder": 1, "deeper and deeper": 0}


@pytest.mark.parametrize("place", ["alice/", "zip in alice/", "alice.zip"])
@pytest.mark.parametrize("kind", RIGHT)
def test_of_two_files_of_a_name_the_likelier_one_counts_and_the_other_is_said(tmp_path, kind, place):
    for names in (RIGHT[kind], RIGHT[kind][::-1]):
        files = {name: name for name in names}
        if place == "alice.zip":
            source = export(tmp_path, files, True, name="alice")
        elif place == "alice/":
            source = export(tmp_path, {f"alice/{name}": name for name in names}, False)
        else:
            source = export(tmp_path, {"alice/work.zip": zipped(files)}, True)
        found, skipped = gathered(source)
        right, other = RIGHT[kind][WINS[kind]], RIGHT[kind][1 - WINS[kind]]
        assert files_of(found) == {"alice": {"tensor.ipynb": right.encode()}}
        assert len(skipped) == 1 and skipped[0].startswith("alice: ") and other in skipped[0]


def test_files_that_are_equal_are_no_question(tmp_path):
    found, skipped = gathered(export(tmp_path, {"alice/tensor.ipynb": "1", "alice/old/tensor.ipynb": "1"}, True))
    assert found["alice"].files == {"tensor.ipynb": b"1"} and not skipped


WORKSPACE = {
    **{f".tito/backups/{number:02}/tensor.ipynb": "backup" for number in range(30)},
    **{f"milestones/m{number:02}.py": f"{number}" for number in range(30)},
    **{f"modules/{name}/{name[3:]}.ipynb": name for name in ("01_tensor", "02_activations", "03_layers")},
    ".ipynb_checkpoints/tensor-checkpoint.ipynb": "checkpoint",
    "data/mnist.npz": "x" * 1000,
}


@pytest.mark.parametrize("place", ["alice.zip", "alice/", "a zip at Canvas"])
@pytest.mark.parametrize("module", [TENSOR, LAYERS], ids=str)
def test_a_whole_workspace_is_collected_by_the_module_that_is_asked_for(tmp_path, module, place):
    if place == "a zip at Canvas":
        source = export(tmp_path, {"archeralice_901_1_work.zip": zipped(WORKSPACE)}, True)
    else:
        source = export(tmp_path, WORKSPACE, place == "alice.zip", name="alice")
    found, skipped = gathered(source, module=module)
    files = found["alice"].files
    assert files[f"{module.name}.ipynb"] == module.folder.encode() and len(files) == collecting.MOST_OF_A_STUDENT
    assert b"backup" not in files.values() and b"checkpoint" not in files.values()
    assert any("and 8 more" in text for text in skipped), "33 files, of which 20 are taken and 5 are named"


def test_the_notebook_that_is_asked_for_comes_before_the_limit(tmp_path):
    files = {**{f"a{number:02}.py": "x" for number in range(30)}, "my/work/tensor (2).ipynb": "{}"}
    found, _ = gathered(export(tmp_path, {f"alice/{name}": text for name, text in files.items()}, True))
    assert found["alice"].files["tensor (2).ipynb"] == b"{}"


def test_a_large_data_set_in_a_zip_does_not_use_up_its_limit(monkeypatch):
    monkeypatch.setattr(parcel, "MOST_BYTES", 1000)
    found, skipped = {"data/a.npz": "x" * 5000, "z/tensor.ipynb": "{}"}, []
    assert parcel.unpack(zipped(found), skipped)[0] == {"z/tensor.ipynb": b"{}"} and not skipped


# D. Kinds that were not asked for, and damaged ones.


@pytest.mark.parametrize("name", ["tensor.ipynb.txt", "tensor.ipynb.json", "tensor.IPYNB.TXT", "Tensor.ipynb"])
@pytest.mark.parametrize("place", ["alice/{}", "archeralice_901_1_{}", "Alice Archer_1_assignsubmission_file_/{}", "zip"])
def test_what_a_browser_saves_is_a_notebook(tmp_path, classroom, place, name):
    files = {"alice/work.zip": zipped({name: "{}"})} if place == "zip" else {place.format(name): "{}"}
    found, skipped = gathered(export(tmp_path, files, True))
    assert [each.lower() for each in found["alice"].files] == ["tensor.ipynb"] and not skipped
    collecting.store(classroom, TENSOR, "alice", found["alice"])
    assert verdicts.hand_in(classroom.path("submitted", TENSOR, "alice"), TENSOR).data == b"{}"


PLACES = ["alice/{}", "archeralice_901_1_{}", "Alice Archer_1_assignsubmission_file_/{}", "submission_11/{}"]


@pytest.mark.parametrize("name", ["tensor.rar", "work.docx", "work.pdf", "tensor.7z", "tensor.ipynb.html", "notes"])
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("packed", [True, False])
def test_a_file_of_another_kind_is_said_and_listed(tmp_path, place, name, packed):
    files = {place.format(name): "?", "submission_metadata.yml": METADATA}
    found, skipped = gathered(export(tmp_path, files, packed))
    assert skipped == [f"alice: not a notebook: {name}"] and found["alice"].files == {}
    with_notebook = {**files, place.format("tensor.ipynb"): "{}"}
    found, skipped = gathered(export(tmp_path, with_notebook, packed))
    assert skipped == [f"alice: not a notebook: {name}"] and list(found["alice"].files) == ["tensor.ipynb"]


def test_a_folder_of_nobody_without_notebooks_makes_no_student(tmp_path):
    found, skipped = gathered(export(tmp_path, {"alice/tensor.ipynb": "{}", "pictures/logo.png": "?"}, True))
    assert list(found) == ["alice"] and skipped == ["pictures: not a notebook: logo.png"]


UNUSABLE = {
    "a damaged zip": ("work.zip", b"PK\x03\x04 damaged", "cannot be read as a zip"),
    "an empty zip": ("work.zip", zipped({}), "no notebook"),
    "a zip of something else": ("work.zip", zipped({"a.pdf": "?"}), "no notebook, but a.pdf"),
    "another kind": ("work.rar", b"Rar!", "not a notebook: work.rar"),
    "too large": ("tensor.ipynb", b"x" * 3000, "clear its outputs"),
    "a zip of another module": ("03_layers.zip", zipped({"layers.ipynb": "{}", "tito.json": '{"module": "03_layers"}'}), "of module 03_layers"),
}  # fmt: skip


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("name, data, says", UNUSABLE.values(), ids=UNUSABLE)
def test_what_cannot_be_used_has_a_folder_with_its_reason(tmp_path, classroom, monkeypatch, name, data, says, packed):
    monkeypatch.setattr(intake, "LARGEST", 2000)
    source = export(tmp_path, {f"alice/{name}": data, "bob/tensor.ipynb": "{}"}, packed)
    found, skipped = gathered(source)
    assert found["bob"].files and len(skipped) == 1 and skipped[0].startswith("alice: ") and says in skipped[0]
    folder = classroom.path("submitted", TENSOR, "alice")
    assert collecting.store(classroom, TENSOR, "alice", found["alice"]) == "new"
    assert classroom.submissions(TENSOR) == {"alice": folder}
    assert "tensor.ipynb was not submitted (" in verdicts.hand_in(folder, TENSOR) and says in verdicts.hand_in(folder, TENSOR)
    assert collecting.store(classroom, TENSOR, "alice", gathered(source)[0]["alice"]) == "the same"


def test_a_damaged_zip_replaces_what_was_there_which_is_kept(tmp_path, classroom):
    def store(source):
        return collecting.store(classroom, TENSOR, "alice", gathered(source)[0]["alice"])

    assert store(export(tmp_path, {"alice/tensor.ipynb": "{}"}, True)) == "new"
    assert store(export(tmp_path, {"alice/work.zip": "damaged"}, True)) == "replaced"
    folder = classroom.path("submitted", TENSOR, "alice")
    assert "cannot be read as a zip" in verdicts.hand_in(folder, TENSOR)
    assert [path.read_text("utf-8") for path in classroom.folder.glob("collected/*/alice/*/tensor.ipynb")] == ["{}"]
    assert store(export(tmp_path, {"alice/tensor.ipynb": "{}"}, True)) == "replaced"
    assert verdicts.hand_in(folder, TENSOR).data == b"{}"


def test_a_file_of_another_kind_replaces_no_notebook(tmp_path, classroom, grade):
    classroom.enroll("alice", **CLASS["alice"])
    collected(classroom, grade, {"alice/tensor.ipynb": "{}", "bob/tensor.ipynb": "{}"}, tmp_path)
    files = {"archeralice_LATE_901_1_tensor.pdf": "?", "bob_902_1_work.zip": "damaged"}
    said = collected(classroom, grade, files, tmp_path)
    assert "no notebook; the one from before stays" in said and "alice: not a notebook: tensor.pdf" in said
    assert verdicts.hand_in(classroom.path("submitted", TENSOR, "alice"), TENSOR).data == b"{}"
    assert "1 replaced, 1 as before" in said


# E. Files that cannot be read.


@pytest.fixture
def locked(monkeypatch):
    """Return a function that takes away the right to read what has a word in its path, also from root."""

    def lock(word):
        opened, listed = intake.os.open, pathlib.Path.iterdir

        def deny(path):
            if word in str(path):
                raise PermissionError(13, "Permission denied", str(path))

        monkeypatch.setattr(intake.os, "open", lambda path, *rest, **more: deny(path) or opened(path, *rest, **more))
        monkeypatch.setattr(pathlib.Path, "iterdir", lambda path: deny(path) or listed(path))

    return lock


@pytest.mark.parametrize(
    "word, says", [("tensor.rar", None), ("alice/tensor", "Permission denied"), ("alice", "Permission denied")]
)
def test_a_file_or_folder_that_cannot_be_read_is_said_and_the_others_are_collected(tmp_path, locked, word, says):
    source = export(tmp_path, {"alice/tensor.ipynb": "{}", "alice/tensor.rar": "?", "bob/tensor.ipynb": "{}"}, False)
    locked(f"abgabe/{word}")
    found, skipped = gathered(source)
    assert found["bob"].files == {"tensor.ipynb": b"{}"}
    assert says is None or any("alice" in text and says in text for text in skipped)


def test_a_folder_that_cannot_be_listed_does_not_stop_the_other_sources(tmp_path, locked):
    shut, fine = (export(tmp_path, {"alice/tensor.ipynb": "{}"}, False, name=name) for name in ("shut", "fine"))
    locked("/shut")
    found, skipped = collecting.gather([shut, fine], collecting.Roster(CLASS), TENSOR)
    assert list(found) == ["alice"] and len(skipped) == 1 and "shut" in skipped[0]


def test_a_submission_that_is_there_and_cannot_be_read_is_replaced(tmp_path, classroom, monkeypatch):
    monkeypatch.setattr(intake, "LARGEST", 2000)
    folder = classroom.path("submitted", TENSOR, "alice")
    folder.mkdir(parents=True)
    (folder / "tensor.ipynb").write_bytes(b"x" * 3000)
    found, _ = gathered(export(tmp_path, {"alice/tensor.ipynb": "{}"}, True))
    assert collecting.store(classroom, TENSOR, "alice", found["alice"]) == "replaced"
    assert (folder / "tensor.ipynb").read_bytes() == b"{}"
    assert [path.stat().st_size for path in classroom.folder.glob("collected/*/alice/*/tensor.ipynb")] == [3000]


def test_a_notebook_that_is_too_large_is_not_packed(tmp_path, monkeypatch):
    space = tmp_path / "mine"
    runner = CliRunner()
    assert runner.invoke(app, ["init", str(space)]).exit_code == 0
    notebook = space / "modules" / "01_tensor" / "tensor.ipynb"
    document = json.loads(notebook.read_text(encoding="utf-8"))
    document["metadata"]["plot"] = "x" * 3_000_000
    notebook.write_text(json.dumps(document), encoding="utf-8")
    monkeypatch.chdir(space)
    monkeypatch.setattr(intake, "LARGEST", 2 * 2**20)
    done = runner.invoke(app, ["module", "submit", "01"])
    assert done.exit_code == 1 and isinstance(done.exception, SystemExit)
    assert all(text in done.output for text in ("tensor.ipynb", "3 MB", "2 MB", "clear its outputs"))
    assert not (space / "01_tensor.zip").exists()


# F. The time of a submission.


@pytest.mark.parametrize(
    "when, option, expected",
    [
        ("2026-10-01 20:15:00.000000000 Z", "2026-10-05T12:00:00+02:00", "2026-10-01 20:15:00.000000000 Z"),
        (None, "2026-10-05T12:00:00+02:00", "2026-10-05T12:00:00+02:00"),
        ("yesterday", "2026-10-05T12:00:00+02:00", "2026-10-05T12:00:00+02:00"),
        ("12", "2026-10-05T12:00:00+02:00", "2026-10-05T12:00:00+02:00"),
        ("2026", None, None),
        ("2026-10-01 99:99", None, None),
    ],
)
def test_the_time_that_an_export_says_counts_where_it_is_one(classroom, when, option, expected):
    collecting.store(classroom, TENSOR, "alice", collecting.Submission(when=when, found=[("tensor.ipynb", b"{}")]), option)
    path = classroom.path("submitted", TENSOR, "alice") / "timestamp.txt"
    assert (path.read_text(encoding="utf-8").strip() if path.exists() else None) == expected


def test_the_time_of_a_submission_that_is_there_is_added_but_not_changed(classroom):
    def store(option):
        submission = collecting.Submission(found=[("tensor.ipynb", b"{}")])
        said = collecting.store(classroom, TENSOR, "alice", submission, option)
        path = classroom.path("submitted", TENSOR, "alice") / "timestamp.txt"
        return said, path.read_text(encoding="utf-8").strip() if path.exists() else None, " ".join(submission.notes)

    first, later = "2026-10-01T20:00:00+00:00", "2026-10-09T20:00:00+00:00"
    assert store(None) == ("new", None, "")
    said, time, notes = store(first)
    assert (said, time) == ("the same", first) and first in notes
    said, time, notes = store(later)
    assert (said, time) == ("the same", first) and later in notes and "2026-10-01 20:00" in notes
    assert store("2026-10-01T22:00:00+02:00") == ("the same", first, ""), "the same moment"


def test_each_of_a_group_at_gradescope_has_its_submission(tmp_path):
    group = METADATA.replace("  :created_at", "  - :name: Carol Cook\n    :sid: carol\n    :email: carol@x.org\n  :created_at")
    found, skipped = gathered(export(tmp_path, {**GRADESCOPE, "submission_metadata.yml": group}, True))
    assert files_of(found) == {**BOTH, "carol": BOTH["alice"]} and not skipped
    assert found["carol"].when == found["alice"].when == "2026-10-01 20:15:00.000000000 Z"


# G. What the command says.


@pytest.mark.parametrize("place", ["01_tensor.zip", "inbox"])
def test_a_zip_of_another_module_is_refused(tmp_path, place):
    data = zipped({"tensor.ipynb": "{}", "tito.json": '{"module": "01_tensor", "student": "alice"}'})
    path = tmp_path / "inbox" / "01_tensor.zip"
    path.parent.mkdir()
    path.write_bytes(data)
    source = path if place == path.name else path.parent
    found, skipped = gathered(source, module=LAYERS)
    assert len(skipped) == 1 and "it is of module 01_tensor, and 03_layers is collected" in skipped[0]
    assert not found, "a zip of another module is no submission of this one"
    assert files_of(gathered(source)[0]) == {"alice": {"tensor.ipynb": b"{}"}}


def collected(classroom, grade, files, tmp_path):
    return grade("collect", "01", export(tmp_path, files, True), "--course", classroom.folder).output


def test_strangers_have_a_heading_of_their_own(classroom, grade, tmp_path):
    said = collected(classroom, grade, {"zoe/tensor.ipynb": "{}", "yan/tensor.ipynb": "{}"}, tmp_path)
    assert said.count("Nobody is in a roster yet") == 1 and "Not used" not in said
    for student, about in CLASS.items():
        classroom.enroll(student, **about)
    said = collected(classroom, grade, {"zoe/tensor.ipynb": "{}", "alice/tensor.ipynb": "{}", "alice/a.pdf": "?"}, tmp_path)
    used, strangers = said.split("Not used:")[1].split("Stored, but not in the roster:")
    assert "a.pdf" in used and "zoe" not in used and "zoe" in strangers and "alice" not in strangers
    assert "in a roster yet" not in said


@pytest.mark.parametrize("own", [".", "..", "feedback", "autograded", "release/01_tensor"])
def test_what_was_made_for_the_class_is_not_collected(classroom, grade, own):
    for name in ("feedback", "autograded"):
        (classroom.folder / name / "alice").mkdir(parents=True)
        (classroom.folder / name / "alice" / "tensor.ipynb").write_text("{}", encoding="utf-8")
    done = grade("collect", "01", classroom.folder / own, "--course", classroom.folder)
    assert done.exit_code == 2 and "not what students handed in" in done.output and not classroom.submissions(TENSOR)


@pytest.mark.parametrize("files", [{}, {"__MACOSX/._tensor.ipynb": "junk", ".DS_Store": "?"}], ids=["nothing", "hidden files"])
def test_a_source_with_nothing_in_it_is_named(classroom, grade, tmp_path, files):
    folder = tmp_path / "empty"
    folder.mkdir()
    done = grade("collect", "01", folder, export(tmp_path, files, True), "--course", classroom.folder)
    assert "empty: there is no file in it" in done.output and "abgabe.zip: there is no file in it" in done.output
    assert done.exit_code == 1 and "Next: do what is said above" in done.output


def test_a_long_list_says_how_much_is_left_out(classroom, grade, tmp_path):
    files = {"alice/tensor.ipynb": "{}", **{f"nobody{number}/a.pdf": "?" for number in range(60)}}
    said = collected(classroom, grade, files, tmp_path)
    assert said.count("not a notebook") == 50 and "and 10 more" in said


# H. Loose notebooks that are named like students.

LOOSE = {
    "ids": ["alice.ipynb", "bob.ipynb"],
    "names": ["Alice Archer.ipynb", "Baker, Bob.ipynb"],
    "capitals": ["ALICE.IPYNB", "Bob.ipynb"],
    "with the module": ["tensor_alice.ipynb", "bob-01_tensor.ipynb"],
    "copies": ["alice (1).ipynb", "Bob Baker - tensor-Copy1.ipynb"],
    "as a browser saves them": ["alice.ipynb.txt", "bob.ipynb.json"],
    "LMS ids and mail addresses": ["901.ipynb", "bob@x.org.ipynb"],
    "beside a folder": ["alice/tensor.ipynb", "bob.ipynb"],
}


@pytest.mark.parametrize("around", ["", "hw1/", "hw/hw1/"])
@pytest.mark.parametrize("packed", [True, False], ids=["zip", "folder"])
@pytest.mark.parametrize("names", LOOSE.values(), ids=LOOSE)
def test_loose_notebooks_go_to_the_students_whose_names_they_have(tmp_path, names, packed, around):
    files = {around + name: student for name, student in zip(names, BOTH, strict=True)}
    found, skipped = gathered(export(tmp_path, files, packed))
    stored = {student: {name.lower(): data for name, data in files.items()} for student, files in files_of(found).items()}
    assert stored == BOTH and not skipped


def test_scripts_and_zips_may_lie_loose_too(tmp_path):
    files = {"alice (2).zip": zipped({"tensor.ipynb": "alice"}), "tensor_bob.py": "bob", "carol.rar": "?", "readme.py": "?"}
    for packed in (True, False):
        found, skipped = gathered(export(tmp_path, files, packed))
        assert {student: files for student, files in files_of(found).items() if files} == {
            "alice": {"tensor.ipynb": b"alice"},
            "bob": {"tensor.py": b"bob"},
        }
        assert "readme.py: its name does not say whose it is" in skipped and any("carol.rar" in text for text in skipped)


def test_the_time_in_a_students_folder_counts_beside_loose_notebooks(tmp_path):
    files = {"alice/01_tensor/tensor.ipynb": "alice", "alice/01_tensor/timestamp.txt": "2026-10-01 20:00 UTC", "bob.ipynb": "bob"}
    found, _ = gathered(export(tmp_path, files, False))
    assert files_of(found) == BOTH and found["alice"].when == "2026-10-01 20:00 UTC"
    assert gathered(export(tmp_path, files, True))[0]["alice"].when is None, "a student may have made the zip"


def test_a_loose_notebook_of_nobody_is_told_and_the_others_are_collected(tmp_path):
    for stray in ("zoe.ipynb", "tensor.ipynb"):
        found, skipped = gathered(export(tmp_path / stray, {"alice.ipynb": "alice", "bob.ipynb": "bob", stray: "?"}, False))
        assert files_of(found) == BOTH and skipped == [f"{stray}: its name does not say whose it is"]


@pytest.mark.parametrize("students", STUDENTS)
@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("around", ["", "hw1/"])
def test_loose_notebooks_of_nobody_known_are_refused_with_what_to_do(tmp_path, students, packed, around):
    source = export(tmp_path, {f"{around}yan.ipynb": "{}", f"{around}zoe.ipynb": "{}"}, packed)
    found, skipped = gathered(source, students)
    assert not found and len(skipped) == 1
    assert all(text in skipped[0] for text in ("yan.ipynb, zoe.ipynb", "tito grade roster FILE.csv", "yan/tensor.ipynb"))


@pytest.mark.parametrize("files", [["tensor.ipynb", "bob.ipynb"], ["tensor.ipynb", "scratch.ipynb"], ["my_tensor.ipynb"]])
@pytest.mark.parametrize("students", STUDENTS)
def test_several_notebooks_beside_the_modules_are_one_students(tmp_path, students, files):
    found, _ = gathered(export(tmp_path, dict.fromkeys(files, "{}"), True, name="zoe"), students)
    assert list(found) == ["zoe"] and set(found["zoe"].files) == set(files)


def test_two_loose_notebooks_that_two_students_could_have_named_are_left_to_the_instructor(tmp_path):
    found, skipped = gathered(export(tmp_path, {"alice.ipynb": "1", "Alice Archer.ipynb": "2", "bob.ipynb": "bob"}, False))
    assert list(found) == ["bob"] and "alice" in skipped[0] and "none is used" in skipped[0]


@pytest.mark.parametrize(
    "name, student", [("alice.ipynb", "alice"), ("tensor_bob.ipynb", "bob"), ("zoe.ipynb", "zoe"), ("tensor.ipynb", None)]
)
def test_a_notebook_itself_may_be_collected(tmp_path, name, student):
    source = export(tmp_path, {name: "{}"}, False) / name
    found, skipped = gathered(source)
    assert list(found) == ([student] if student else []) and len(skipped) == (student is None)
    assert student or "name it like the student" in skipped[0]


# I. Folders of a class that are named like a student, or like a part of one's name.

INSIDE = {
    "folders": {f"{name}/tensor.ipynb": name for name in CLASS},
    "files": {f"{name}.ipynb": name for name in CLASS},
    "Moodle": MOODLE,
    "Canvas": CANVAS,
    "deeper": {f"hw/hw1/{name}/tensor.ipynb": name for name in CLASS},
}


@pytest.mark.parametrize("inside", INSIDE.values(), ids=INSIDE)
@pytest.mark.parametrize("packed", [True, False], ids=["zip", "folder"])
@pytest.mark.parametrize("top", ["archer", "ARCHER", "Alice", "alice@x.org", "901", "Alice Archer"])
@pytest.mark.parametrize("around", ["", "hw/"])
def test_a_folder_around_a_class_that_is_named_like_a_student_is_told(tmp_path, top, inside, packed, around):
    found, skipped = gathered(export(tmp_path, {f"{around}{top}/{name}": text for name, text in inside.items()}, packed))
    assert not found and len(skipped) == 1, "one student has not the work of all"
    assert all(text in skipped[0] for text in (f"{top} could be the name of the student alice", "bob", "rename it"))


@pytest.mark.parametrize(
    "inside", [INSIDE["folders"], INSIDE["files"], MOODLE, CANVAS], ids=["folders", "files", "Moodle", "Canvas"]
)
@pytest.mark.parametrize("packed", [True, False], ids=["zip", "folder"])
def test_a_source_that_is_named_like_a_student_and_has_the_work_of_several_is_told(tmp_path, inside, packed):
    found, skipped = gathered(export(tmp_path, inside, packed, name="alice"))
    assert not found and "alice could be the name of the student alice" in skipped[0]
    found, skipped = gathered(export(tmp_path, inside, packed, name="archer"))
    assert {"alice", "bob"} <= set(found) and not skipped, "a part of a name is no student's"


@pytest.mark.parametrize("top", ["arch", "lic", "90", "li", "x.org"])
def test_a_few_letters_of_a_name_are_no_name(tmp_path, top):
    found, skipped = gathered(export(tmp_path, {f"{top}/{name}/tensor.ipynb": name for name in BOTH}, True))
    assert files_of(found) == BOTH and not skipped
