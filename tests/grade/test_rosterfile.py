"""A roster is read as spreadsheets and LMSs write it, and refused where it could mean two things."""

import pytest

from tito.grading.rosterfile import read_roster

HEAD = ["student_id", "first_name", "last_name", "email"]
CLASS = [["ab12", "Zoë", "O'Brien", "zoe@x.org"], ["007", "Jürgen", "Groß, Dr.", "j@x.org"]]
EXPECTED = {
    "ab12": {"first_name": "Zoë", "last_name": "O'Brien", "email": "zoe@x.org", "lms_user_id": None},
    "007": {"first_name": "Jürgen", "last_name": "Groß, Dr.", "email": "j@x.org", "lms_user_id": None},
}


def table(tmp_path, data, name="class.csv"):
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def text(separator=",", end="\n", rows=CLASS, head=HEAD, quoted=True):
    lines = [[f'"{cell}"' if quoted or separator in cell else cell for cell in row] for row in [head, *rows]]
    return "".join(separator.join(line) + end for line in lines)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["Unix", "Windows", "old Mac"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|", ":"])
@pytest.mark.parametrize("quoted", [True, False])
def test_every_separator_encoding_and_line_end_is_read(tmp_path, separator, end, encoding, quoted):
    read = read_roster(table(tmp_path, text(separator, end, quoted=quoted).encode(encoding)))
    assert read.students == EXPECTED
    assert len(read.odd) == (encoding == "cp1252") and all("was read as Windows-1252" in remark for remark in read.odd)


@pytest.mark.parametrize(
    "before, after", [("sep=;\r\n", ""), ("\r\n \r\n", "\r\n;;;\r\n\r\n"), ("", ";;\r\n"), ("", "c;C;;;;\r\n")]
)
def test_empty_lines_and_the_line_for_excel_are_no_students(tmp_path, before, after):
    read = read_roster(table(tmp_path, "\ufeff" + before + text(";", "\r\n") + after))
    assert {student: read.students[student] for student in EXPECTED} == EXPECTED and not read.odd
    assert len(read.students) == 2 + after.startswith("c")


def test_a_line_break_in_a_cell_moves_no_line_number(tmp_path):
    rows = [["a", "Ann\nMarie", "A", ""], ["", "Nobody", "N", ""]]
    read = read_roster(table(tmp_path, "sep=;\n" + text(";", rows=rows)))
    assert read.students["a"]["first_name"] == "Ann\nMarie" and read.odd == ["line 5: no id, so it is left out: Nobody, N"]


ANN = ("ann", "Ann", "Archer", None)
EXPORTS = {
    "Canvas": ('Student,ID,SIS User ID,SIS Login ID,Section,Lab 1 (7)\n,,,,,Manual Posting\n    Points Possible,,,,,10\n"Archer, Ann",9,ann,ann@x.org,A,8\n', "9"),
    "Canvas with semicolons": ('Student;ID;SIS User ID;SIS Login ID;Section\n"Archer, Ann";9;ann;ann@x.org;A\n', "9"),
    "Moodle": ("First name,Surname,ID number,Email address\nAnn,Archer,ann,a@x.org\n", None),
    "Moodle 4": ('"First name","Last name","ID number",Institution,"Email address"\nAnn,Archer,ann,U,a@x.org\n', None),
    "Gradescope": ("First Name,Last Name,SID,Email,Role,Section\nAnn,Archer,ann,a@x.org,Student,1\n", None),
    "Blackboard": ('"Last Name"\t"First Name"\t"Username"\t"Student ID"\n"Archer"\t"Ann"\t"aa1"\t"ann"\n', None),
    "Brightspace": ("OrgDefinedId,Username,Last Name,First Name,Email,End-of-Line Indicator\n#ann,#aa1,Archer,Ann,a@x.org,#\n", None),
    "nbgrader": ("id,first_name,last_name,email,lms_user_id\nann,Ann,Archer,a@x.org,\n", None),
}  # fmt: skip


@pytest.mark.parametrize("content, lms", EXPORTS.values(), ids=EXPORTS)
def test_exports_of_lms_are_read(tmp_path, content, lms):
    read = read_roster(table(tmp_path, content.encode("utf-16" if "\t" in content else "utf-8")))
    (student,) = read.students
    about = read.students[student]
    assert (student, about["first_name"], about["last_name"], about["lms_user_id"]) == ("ann", "Ann", "Archer", lms)
    assert not read.odd


REFUSED = {
    "nothing": ("", ["is empty", "student_id"]),
    "a head alone": ("student_id,first_name\n", ["no student below"]),
    "no head": ("ab12,Ann,Archer\n", ["'ab12,Ann,Archer'", "no column is known", "student_id"]),
    "no id": ("first_name;last_name\nAnn;Archer\n", ["first_name, last_name", "student_id"]),
    "another language": ("Vorname;Nachname;Kennung\nAnn;Archer;a\n", ["Vorname;Nachname;Kennung", "student_id"]),
    "a mail address alone": ("Matrikelnummer;Vorname;E-Mail\n7;Ann;a@x.org\n", ["Matrikelnummer, Vorname", "rename", "E-Mail"]),
    "two separators": ("student_id;first_name,last_name\na;Ann,Archer\n", ["commas or semicolons"]),
    "a column twice": ("student_id,Email,E-mail\na,x@x.org,y@x.org\n", ["'Email', 'E-mail'", "two columns"]),
    "a comma in a name": ("student_id,first_name,last_name\na,Ann,Archer, Jr.\n", ["line 2", "4 cells", "3 columns", "quotes"]),
    "other separators below": ("student_id\na;Ann\nb,Bob\n", ["line 3", "2 cells"]),
    "commas below semicolons": ("student_id;first_name\na,Ann\n", ["line 2", "1 cell for 2 columns", "semicolons"]),
    "a spreadsheet": (b"PK\x03\x04 sheet", ["CSV UTF-8"]),
    "an old spreadsheet": (b"\xd0\xcf\x11\xe0 sheet", ["CSV UTF-8"]),
    "bytes": (b"student_id\n\0\1\2\n", ["CSV UTF-8"]),
    "letters of no encoding": (b"student_id\n\x81\x8d\n", ["CSV UTF-8"]),
    "half of UTF-16": (b"\xff\xfes\0t", ["CSV UTF-8"]),
    "an endless head": ("x" * 200_000, ["no column is known"]),
    "an endless cell": ('student_id\n"' + "x" * 200_000, ["line 2", "field"]),
}  # fmt: skip


@pytest.mark.parametrize("content, says", REFUSED.values(), ids=REFUSED)
def test_what_could_mean_two_things_is_refused_with_what_is_needed(tmp_path, content, says):
    with pytest.raises(ValueError) as raised:
        read_roster(table(tmp_path, content))
    assert "class.csv" in str(raised.value) and all(word in str(raised.value) for word in says)


def test_names_that_are_in_no_known_column_are_told(tmp_path):
    read = read_roster(table(tmp_path, "student_id;Vorname;Nachname\na;Ann;Archer\n"))
    assert list(read.students) == ["a"] and read.odd == [
        "no column has the names: call them first_name and last_name; the columns are student_id, Vorname, Nachname"
    ]
    assert not read_roster(table(tmp_path, "email\na@x.org\n")).odd


def test_what_is_no_file_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "nowhere.csv"):
        with pytest.raises(ValueError, match="cannot be read"):
            read_roster(path)


def test_ids_that_a_student_would_not_recognize_are_told(tmp_path):
    head, rows = ["SIS User ID", "Email"], [["1,23457E+11", "a@x.org"], ["", "b@x.org"], ["c/d", ""]]
    read = read_roster(table(tmp_path, text(";", head=head, rows=rows)))
    assert list(read.students) == ["1-23457E-11", "b@x.org", "c-d"]
    told = "\n".join(read.odd)
    assert "line 2: the spreadsheet has rounded the id" in told and "line 4: c/d is stored as c-d" in told
    assert "line 3: no SIS User ID, so b@x.org, from Email, is the id" in told


def test_the_command_says_which_columns_it_took_and_makes_no_class_of_a_wrong_file(classroom, grade, tmp_path):
    wrong = table(tmp_path, "Vorname;Nachname\nAnn;Archer\n", "wrong file.csv")
    done = grade("roster", wrong, "--course", tmp_path / "new")
    assert done.exit_code == 2 and "no column is known" in done.output and not (tmp_path / "new").exists()
    done = grade("roster", table(tmp_path, text(";", "\r\n").encode("cp1252")), "--course", classroom.folder)
    said = " ".join(done.output.split())
    assert done.exit_code == 0 and "2 students; ids from student_id, names from first_name and last_name" in said
    assert "Jürgen Groß, Dr." in said and "was read as Windows-1252" in said
