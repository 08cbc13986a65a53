"""Collecting: what Canvas, Gradescope and Moodle export is put beside the right student."""

import io
import json
import zipfile

import pytest

from tito.grading import collecting, exports
from tito.grading.roster import plain

ROSTER = {
    "ab12": {"first_name": "Ana María", "last_name": "O'Brien-Løvås", "email": "ana@example.org", "lms_user_id": "4711"},
    "cd34": {"first_name": "Wei", "last_name": "Li", "email": "wei@example.org", "lms_user_id": "4712"},
    "ef56": {"first_name": "Jean Luc", "last_name": "Picard", "email": "jl@example.org", "lms_user_id": "4713"},
}


def archive(tmp_path, files, name="export.zip"):
    path = tmp_path / name
    with zipfile.ZipFile(path, "w") as packed:
        for entry, data in files.items():
            packed.writestr(entry, data)
    return path


def gathered(*sources, roster=ROSTER):
    return collecting.gather(sources, collecting.Roster(roster))


@pytest.mark.parametrize(
    "entry, student, file",
    [
        # Canvas: name, id, submission id, file; the name without blanks and punctuation, the last name first
        ("obrienlvsanamara_4711_90001_tensor.ipynb", "ab12", "tensor.ipynb"),
        ("liwei_4712_90002_tensor-1.ipynb", "cd34", "tensor-1.ipynb"),
        ("picardjeanluc_LATE_4713_90003_tensor.ipynb", "ef56", "tensor.ipynb"),
        ("picardjeanluc_4713_90003_my_own_tensor (2).ipynb", "ef56", "my_own_tensor (2).ipynb"),
        ("liwei_999_90002_tensor.ipynb", "cd34", "tensor.ipynb"),  # an id that the roster lacks: the name counts
        # Moodle: name, number, kind, in a folder or in the file's name
        ("Jean Luc Picard_88_assignsubmission_file_/tensor.ipynb", "ef56", "tensor.ipynb"),
        ("Jean Luc Picard_88_assignsubmission_file/tensor.ipynb", "ef56", "tensor.ipynb"),
        ("Wei Li_89_assignsubmission_file_tensor.ipynb", "cd34", "tensor.ipynb"),
        ("Li Wei_89_assignsubmission_file_/sub/tensor.ipynb", "cd34", "tensor.ipynb"),
        ("Ana María O'Brien-Løvås_90_assignsubmission_file_/tensor.ipynb", "ab12", "tensor.ipynb"),
        # A folder for each student
        ("ab12/tensor.ipynb", "ab12", "tensor.ipynb"),
        ("wei@example.org/01_tensor/tensor.ipynb", "cd34", "tensor.ipynb"),
        ("submitted/ef56/01_tensor/tensor.ipynb", "ef56", "tensor.ipynb"),
        ("4713/tensor.ipynb", "ef56", "tensor.ipynb"),
    ],
)
def test_the_names_of_an_export_lead_to_the_student(tmp_path, entry, student, file):
    found, skipped = gathered(archive(tmp_path, {entry: b"{}"}))
    assert {name: list(submission.files) for name, submission in found.items()} == {student: [file]}
    assert not skipped


def test_canvas_says_who_was_late(tmp_path):
    found, _ = gathered(archive(tmp_path, {"liwei_LATE_4712_1_tensor.ipynb": b"{}", "picardjeanluc_4713_2_tensor.ipynb": b"{}"}))
    assert found["cd34"].notes == ["Canvas says that it was late"] and found["ef56"].notes == []


METADATA = """---
submission_111:
  :submitters:
  - :name: Wei Li
    :sid: cd34
    :email: wei@example.org
  :created_at: 2026-10-01 20:15:00.000000000 Z
  :score: 0.0
submission_222:
  :submitters:
  - :name: Jean Luc Picard
    :sid:
    :email: 'jl@example.org'
  :created_at: 2026-10-02 08:00:00.000000000 Z
submission_333:
  :submitters:
  - :name: "Nobody Known"
    :sid: zz99
    :email: n@example.org
"""


def test_gradescope_names_its_students_in_a_file_of_its_own(tmp_path):
    folder = "assignment_4242_export"
    files = {f"{folder}/submission_{number}/tensor.ipynb": str(number) for number in (111, 222, 333)}
    found, skipped = gathered(archive(tmp_path, {**files, f"{folder}/submission_metadata.yml": METADATA}))
    assert {name: submission.files["tensor.ipynb"] for name, submission in found.items()} == {
        "cd34": b"111",
        "ef56": b"222",
        "Nobody-Known": b"333",
    }
    assert found["cd34"].when == "2026-10-01 20:15:00.000000000 Z"
    assert not skipped and [name for name in found if not found[name].known] == ["Nobody-Known"]


def test_a_students_own_zip_in_an_export_is_opened(tmp_path):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as packed:
        packed.writestr("work/tensor.ipynb", "{}")
        packed.writestr("__MACOSX/work/._tensor.ipynb", "junk")
    found, _ = gathered(archive(tmp_path, {"liwei_4712_1_work.zip": inner.getvalue()}))
    assert found["cd34"].files == {"tensor.ipynb": b"{}"}


def test_without_a_roster_the_exports_own_names_are_used(tmp_path):
    found, skipped = gathered(archive(tmp_path, {"liwei_4712_1_tensor.ipynb": b"{}"}), roster={})
    assert list(found) == ["liwei"] and not skipped


def test_what_is_not_in_the_roster_is_said(tmp_path):
    found, skipped = gathered(archive(tmp_path, {"someoneelse_1_1_tensor.ipynb": b"{}"}))
    assert not found["someoneelse"].known and not skipped


def test_unpacked_exports_are_collected_like_packed_ones(tmp_path):
    folder = tmp_path / "export" / "Wei Li_89_assignsubmission_file_"
    folder.mkdir(parents=True)
    (folder / "tensor.ipynb").write_text("{}", encoding="utf-8")
    assert list(gathered(tmp_path / "export")[0]) == ["cd34"]


# Students who choose names: of files, of folders, at the LMS, in a zip. None puts a file in another's place, or sets its own time.


def files_of(found):
    return {student: submission.files for student, submission in found.items()}


FOLDER = "assignment_4242_export"
MINE = {f"{FOLDER}/submission_{number}/tensor.ipynb": str(number) for number in (111, 222)}
SWAPPED = METADATA.replace("cd34", "jl").replace("wei@", "jl@").replace("Wei Li", "Jean Luc Picard")
FORGED = {
    "a file named as Canvas names them": {"cd34/tensor.ipynb": "right", "ef56/liwei_4712_9_tensor.ipynb": "forged"},
    "a folder named as Moodle names them": {
        "cd34/tensor.ipynb": "right",
        "ef56/Wei Li_1_assignsubmission_file_/tensor.ipynb": "forged",
    },
    "such a folder within Moodle's": {
        "Wei Li_1_assignsubmission_file_/tensor.ipynb": "right",
        "Jean Luc Picard_2_assignsubmission_file_/Wei Li_1_assignsubmission_file_/tensor.ipynb": "forged",
    },
    "a metadata file of one's own": {**MINE, f"{FOLDER}/submission_metadata.yml": METADATA, f"{FOLDER}/submission_222/submission_metadata.yml": SWAPPED},
    "another's id as the name at Moodle": {
        "Wei Li_1_assignsubmission_file_/tensor.ipynb": "right",
        "cd34_2_assignsubmission_file_/tensor.ipynb": "forged",
    },
    "another's mail address as the name at Canvas": {
        "liwei_4712_1_tensor.ipynb": "right",
        "wei@example.org_9999_2_tensor.ipynb": "forged",
    },
}  # fmt: skip


@pytest.mark.parametrize("entries", FORGED.values(), ids=FORGED)
def test_names_that_students_choose_lead_to_nobody_else(tmp_path, entries):
    found, _ = gathered(archive(tmp_path, entries))
    assert list(found["cd34"].files.values()) in ([b"right"], [b"111"])


@pytest.mark.parametrize("entries", FORGED.values(), ids=FORGED)
def test_read_alone_they_lead_to_another_student(entries):
    """The defence off: each path says in its own way whose it is, wherever in it, and a name may be an id."""
    roster = collecting.Roster(ROSTER)
    path, content = list(entries.items())[-1]
    matches = [pattern.match(part) for part in path.split("/") for pattern in (exports.MOODLE, exports.CANVAS)]
    keys = [plain(match[key]) for match in matches if match for key in ("name", "id")]
    said = exports.gradescope(content).get("submission_222", {"submitters": []})
    keys += [plain(who["email"]) for who in said["submitters"]]
    named = {student for key in keys for student in roster.with_id(key) | roster.named(key)}
    assert "cd34" in named or "ef56" in named and "metadata" in path


def packed(student, content):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as inner:
        inner.writestr("tensor.ipynb", content)
        inner.writestr("tito.json", json.dumps({"student": student}))
    return data.getvalue()


def test_two_who_say_that_they_are_the_same_student_are_both_left_out(tmp_path):
    (tmp_path / "inbox").mkdir()
    for name, student in (("wei.zip", "cd34"), ("mallory.zip", "cd34"), ("jean.zip", "ef56")):
        (tmp_path / "inbox" / name).write_bytes(packed(student, f'"{name}"'))
    found, skipped = gathered(tmp_path / "inbox")
    assert files_of(found) == {"ef56": {"tensor.ipynb": b'"jean.zip"'}}
    assert len(skipped) == 1 and all(word in skipped[0] for word in ("cd34", "inbox/wei", "inbox/mallory"))
    found, skipped = gathered(tmp_path / "inbox" / "wei.zip")
    assert files_of(found) == {"cd34": {"tensor.ipynb": b'"wei.zip"'}} and not skipped


@pytest.mark.parametrize("inside", [False, True], ids=["the zip", "a folder of zips"])
@pytest.mark.parametrize("student, folder", [("newcomer", "newcomer"), (None, "01_tensor")])
def test_a_zip_from_one_who_is_not_in_the_roster_goes_where_it_says(tmp_path, student, folder, inside):
    path = tmp_path / "inbox" / "01_tensor.zip"
    path.parent.mkdir()
    path.write_bytes(packed(student, "{}"))
    for roster in ({}, ROSTER):
        found, skipped = gathered(path.parent if inside else path, roster=roster)
        assert files_of(found) == {folder: {"tensor.ipynb": b"{}"}}
        assert not found[folder].known and not skipped


def test_two_zips_of_one_name_without_a_student_are_told_apart(tmp_path):
    paths = [tmp_path / name / "01_tensor.zip" for name in ("first", "second")]
    for path in paths:
        path.parent.mkdir()
        path.write_bytes(packed(None, f'"{path.parent.name}"'))
    found, skipped = gathered(*paths, roster={})
    assert not found and len(skipped) == 1 and all(f"{path}/" in skipped[0] for path in paths)


def test_the_same_thing_from_two_places_is_no_question(tmp_path):
    for name in ("a.zip", "b.zip"):
        (tmp_path / name).write_bytes(packed("cd34", "{}"))
    assert list(gathered(tmp_path / "a.zip", tmp_path / "b.zip")[0]) == ["cd34"]


def test_a_name_that_two_students_have_is_left_to_the_instructor(tmp_path):
    twins = {**ROSTER, "gh78": {"first_name": "Li", "last_name": "Wei", "email": None, "lms_user_id": "4714"}}
    export = archive(tmp_path, {"Wei Li_89_assignsubmission_file_/tensor.ipynb": b"{}"})
    found, skipped = gathered(export, roster=twins)
    assert not found and "is the name of cd34, gh78" in skipped[0]
    found, _ = gathered(archive(tmp_path, {"liwei_4714_1_tensor.ipynb": b"{}"}, "canvas.zip"), roster=twins)
    assert list(found) == ["gh78"], "an id says it"


CONFUSABLE = {
    "Wеi Li": "with a Cyrillic e",
    "Wei Li\u200b\u202e": "with invisible signs",
    "Ｗｅｉ Ｌｉ": "of full width",
    "WEI  LI": "in capitals",
}


@pytest.mark.parametrize("name", CONFUSABLE, ids=CONFUSABLE.values())
def test_a_name_that_looks_like_anothers_replaces_nobodys_work(tmp_path, name):
    entries = {
        "Wei Li_1_assignsubmission_file_/tensor.ipynb": b"right",
        f"{name}_2_assignsubmission_file_/tensor.ipynb": b"forged",
    }
    found, skipped = gathered(archive(tmp_path, entries))
    assert "cd34" not in found or found["cd34"].files == {"tensor.ipynb": b"right"}
    assert skipped or not all(submission.known for submission in found.values()), "it is said"
    assert all(student.isprintable() for student in found)


@pytest.mark.parametrize("entry", ["Wei Li_1_assignsubmission_file_/timestamp.txt", "work/timestamp.txt", "timestamp.txt"])
def test_nobody_chooses_the_time_of_a_submission(tmp_path, entry):
    notebook = entry.replace("timestamp.txt", "tensor.ipynb")
    found, _ = gathered(archive(tmp_path, {notebook: b"{}", entry: b"2020-01-01 00:00:00 UTC"}, "cd34.zip"))
    assert [submission.when for submission in found.values()] == [None]
    late = archive(
        tmp_path, {**MINE, f"{FOLDER}/submission_metadata.yml": METADATA, f"{FOLDER}/submission_111/timestamp.txt": "2020-01-01"}
    )
    assert gathered(late)[0]["cd34"].when.startswith("2026-10-01")


def test_in_nbgraders_own_folders_the_time_counts(tmp_path):
    folder = tmp_path / "submitted" / "cd34" / "01_tensor"
    (folder / "more").mkdir(parents=True)
    (folder / "tensor.ipynb").write_text("{}", encoding="utf-8")
    (folder / "timestamp.txt").write_text("2026-10-01 10:00:00 UTC", encoding="utf-8")
    (folder / "more" / "timestamp.txt").write_text("2020-01-01", encoding="utf-8")
    assert gathered(tmp_path / "submitted")[0]["cd34"].when == "2026-10-01 10:00:00 UTC"
