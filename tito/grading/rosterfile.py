"""Read a roster as spreadsheets and LMSs export it: CSV with any usual separator, encoding and line end."""

import collections
import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

from tito.grading import parcel
from tito.grading.roster import plain, safe

LARGEST = 16 * 2**20  # bytes
LONGEST_HEAD = 100_000  # characters; the csv module refuses a cell of more
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", ":": "colons"}
COLUMNS = {  # the heads of columns as `plain` returns them, the best first: nbgrader's, Canvas's, Moodle's and those of others
    "student_id": [
        *("studentid", "sid", "sisuserid", "orgdefinedid", "idnumber", "sisloginid"),
        *("username", "loginid", "id", "emailaddress", "email"),
    ],
    "first_name": ["firstname", "givenname"],
    "last_name": ["lastname", "surname", "familyname"],
    "name": ["student", "studentname", "fullname", "name"],
    "email": ["email", "emailaddress"],
    "lms_user_id": ["lmsuserid", "id", "canvasid"],
}
NEEDED = "a column student_id (or ID number, SIS User ID, SID, Username, Email); names are read from first_name and last_name"
IN_EXCEL = 'save it in Excel as "CSV UTF-8"'
ROUNDED = re.compile(r"\d[.,]\d+E\+\d+", re.IGNORECASE)  # 1.23457E+11, which was 123456789012
NOT_STUDENTS = {"Points Possible", "Manual Posting"}  # rows of Canvas below the head


@dataclass(frozen=True)
class Table:
    """What a roster says.

    `students` is a dict from student to first_name, last_name, email and lms_user_id, each None if the table does not say it.
    `columns` is a dict from what is known to the heads of the columns that have it. `odd` is a list of texts.
    """

    students: dict
    columns: dict
    odd: list


def read_roster(path):
    """Return the `Table` in a file.

    Raises:
        ValueError: It is no table of students, or can be read in more than one way. The message says what was found and what is
            needed.
    """
    path = Path(path)
    text, odd = decoded(path)
    separator, lines = lines_of(text, path.name)
    if not lines:
        raise ValueError(f"{path.name} is empty: it needs {NEEDED}")
    (_, heads), *lines = lines
    columns = columns_of(heads, path.name)
    if not names_in(columns) and len(heads) > 1:
        odd.append(f"no column has the names: call them first_name and last_name; the columns are {parcel.shortened(heads)}")
    students, where = {}, collections.defaultdict(list)
    for line, cells in lines:
        check_fits(cells, heads, separator, f"{path.name}, line {line}")
        if not NOT_STUDENTS & set(cells):
            student, about, remarks = row_of(dict(zip(heads, cells, strict=False)), columns)
            odd += [f"line {line}: {remark}" for remark in remarks]
            if student:
                students[student] = about
                where[student].append(line)
    if not students:
        raise ValueError(f"{path.name} has no student below its head: {', '.join(heads)}")
    for student, several in where.items():
        if len(several) > 1:
            odd.append(
                f"lines {', '.join(map(str, several))} have the id {student}: the last one counts; give each student an id"
            )
    return Table(students, columns, odd)


def check_fits(cells, heads, separator, place):
    """Refuse a line that has more cells than the table has columns, or that another separator divides.

    Raises:
        ValueError: It does not fit; the message begins with the place.
    """
    undivided = len(cells) == 1 < len(heads) and set(cells[0]) & SEPARATORS.keys()
    if undivided or any(cells[len(heads) :]):
        raise ValueError(
            f"{place} has {len(cells)} cell{'s' * (len(cells) > 1)} for {len(heads)} columns, separated by "
            f"{SEPARATORS.get(separator, separator)}: separate all lines alike, and put quotes around cells with {separator!r}"
        )


def decoded(path):
    """Return the text of a file, and what is odd about its encoding, a list of texts.

    Raises:
        ValueError: It cannot be read, or is no text.
    """
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    if data.startswith((b"PK", b"\xd0\xcf\x11\xe0")):
        raise ValueError(f"{path.name} is a spreadsheet's own file, and a CSV file is needed: {IN_EXCEL}")
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))  # UTF-16: "Unicode text" of Excel, and Blackboard's export
    try:
        text, odd = data.decode("utf-16" if wide else "utf-8-sig"), []
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")
        odd = [f"{path.name} is not UTF-8, so it was read as Windows-1252. If a name is wrong, {IN_EXCEL} and read it again"]
    if len(data) > LARGEST or "\0" in text or "\ufffd" in text:
        raise ValueError(f"{path.name} is no text in UTF-8 of at most {LARGEST // 2**20} MB: {IN_EXCEL}")
    return text, odd


def lines_of(text, name):
    """Return the separator of a table, and a list of (line number, cells without blanks around them); empty lines are left out.

    Raises:
        ValueError: It is no CSV, or its separator is not clear.
    """
    said = re.match(r'\s*"?sep=(.)"?\r?\n', text)  # a line that tells Excel the separator
    before = text[: said.end()].count("\n") if said else 0
    text = text[said.end() :] if said else text
    separator = (
        said[1] if said else separator_of(next((line for line in text.splitlines() if line.strip()), "")[:LONGEST_HEAD], name)
    )
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        lines = [(before + reader.line_num, [cell.strip() for cell in cells]) for cells in reader]
    except csv.Error as error:
        raise ValueError(f"{name}, line {before + reader.line_num}: {error}") from None
    return separator, [(line, cells) for line, cells in lines if any(cells)]


def separator_of(head, name):
    """Return the separator with which most columns of a table's head are known.

    Raises:
        ValueError: None is known, or two separators fit.
    """
    heads = {separator: next(csv.reader([head], delimiter=separator), []) for separator in SEPARATORS}
    known = {each for names in COLUMNS.values() for each in names}
    count = {separator: sum(plain(cell) in known for cell in cells) for separator, cells in heads.items()}
    most = max(count.values())
    if head and most == 0:
        raise ValueError(f"{name} begins with the line {head.strip()[:80]!r}, in which no column is known: it needs {NEEDED}")
    best = [separator for separator in SEPARATORS if count[separator] == most and len(heads[separator]) > 1]
    if len(best) > 1:
        both = " or ".join(SEPARATORS[separator] for separator in best)
        raise ValueError(f"{name}: the line {head.strip()[:80]!r} can be separated by {both}: use one of them alone")
    return best[0] if best else ","  # a single column


def columns_of(heads, name):
    """Return which columns hold what: a dict from a key of `COLUMNS` to heads of the file, the best first.

    Raises:
        ValueError: No column holds an id, or two with the same head hold what is needed.
    """
    columns = {what: [head for known in names for head in heads if plain(head) == known] for what, names in COLUMNS.items()}
    for what, known in columns.items():
        twice = [head for head, times in collections.Counter(map(plain, known)).items() if times > 1]
        if twice:
            same = ", ".join(repr(head) for head in heads if plain(head) == twice[0])
            raise ValueError(f"{name} has two columns for the {what}, {same}: delete or rename one of them")
    if not columns["student_id"]:
        raise ValueError(f"{name} has the columns {', '.join(filter(None, heads))}: it needs {NEEDED}")
    unknown = [head for head in heads if head and not any(head in known for known in columns.values())]
    if columns["student_id"] == columns["email"] and unknown and not names_in(columns):
        raise ValueError(
            f"{name}: ids and names could be in the columns {parcel.shortened(unknown)}: rename those that have them to "
            f"student_id, first_name and last_name, or delete all columns but {columns['email'][0]}"
        )
    columns["lms_user_id"] = columns["lms_user_id"][:1]  # `id` is Canvas's own only in a table without lms_user_id
    return columns


def names_in(columns):
    """Return the heads of the columns that the names are taken from, a list."""
    return columns["first_name"][:1] + columns["last_name"][:1] or columns["name"][:1]


def row_of(cells, columns):
    """Return a row's student (None if it has no id), what is known about them, and what is odd, a list of texts.

    Args:
        cells: Dict from the head of a column to the row's cell in it.
        columns: Dict from `columns_of`.
    """

    def value(what):
        return next((cells[head] for head in columns[what] if cells.get(head)), None)

    column = next((head for head in columns["student_id"] if cells.get(head)), None)
    if column is None:
        return None, {}, [f"no id, so it is left out: {', '.join(filter(None, cells.values()))[:60]}"]
    written, odd = cells[column].removeprefix("#"), []  # Brightspace puts # before an id
    student = safe(written)
    if student != written:
        odd.append(f"{written} is stored as {student}, because a folder cannot have that name")
    if column != columns["student_id"][0]:
        odd.append(f"no {columns['student_id'][0]}, so {written}, from {column}, is the id")
    if ROUNDED.fullmatch(written):
        odd.append(f"the spreadsheet has rounded the id to {written}: format its column as text, and export it again")
    last, _, first = (value("name") or "").partition(",")
    about = {
        "first_name": value("first_name") or first.strip() or None,
        "last_name": value("last_name") or last.strip() or None,
        "email": value("email"),
        "lms_user_id": value("lms_user_id"),
    }
    return student, about, odd
