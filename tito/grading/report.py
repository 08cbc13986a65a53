"""What a class gets wrong, from the verdicts that are there: a page and tables."""

import calendar
import collections
import html

from tito.grading import verdicts

STYLE = """body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; width: 100%; margin: 1rem 0 2rem }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #ccc; vertical-align: top }"""


def gathered(classroom, module):
    """Return what was found about each student: a dict from student to the record."""
    records = {student: verdicts.load(classroom, module, student) for student in verdicts.students(classroom, module)}
    return {student: record for student, record in records.items() if record}


def exercises(records):
    """Return a row for each exercise: id, name, how many passed, of how many, and (wrong turn, how many) pairs."""
    rows = {}
    for record in records.values():
        for each in record["exercises"]:
            row = rows.setdefault(
                each["id"], {"id": each["id"], "name": each["name"], "passed": 0, "of": 0, "turns": collections.Counter()}
            )
            row["of"] += 1
            if each["status"] == "passed":
                row["passed"] += 1
            else:
                row["turns"][each["looks_like"] or STATUSES.get(each["status"], each["status"])] += 1
    return list(rows.values())


STATUSES = {
    "failed": "(wrong, by no known wrong turn)",
    "unwritten": "(not written)",
    "error": "(raised or could not be used)",
    "timeout": "(endless)",
    "missing": "(missing)",
    "unread": "(the submission could not be read)",
}


def stuck(records):
    """Return (student, points, of, first exercise without a pass, its status), the fewest points first."""
    rows = []
    for student, record in records.items():
        first = next((each for each in record["exercises"] if each["status"] != "passed"), None)
        if first:
            rows.append((student, record["points"], record["maximum"], f"{first['id']} {first['name']}", first["status"]))
    return sorted(rows, key=lambda row: (row[1], row[0]))


def ages(classroom, module):
    """Return the days from the first release to each student's hand-in, where the times are known: a dict."""
    released = classroom.releases().get(module.folder)
    if released is None:
        return {}
    when = {student: score["timestamp"] for student, score in classroom.scores(module).items() if score["timestamp"]}
    return {student: (calendar.timegm(stamp.timetuple()) - released) / 86400 for student, stamp in when.items()}  # in UTC


def table(records):
    """Return the rows of the CSV, its head first: exercise, name, passed, of, wrong turn, how often."""
    rows = [["exercise", "name", "passed", "of", "wrong_turn", "times"]]
    for row in exercises(records):
        turns = row["turns"].most_common() or [("", 0)]
        rows += [[row["id"], row["name"], row["passed"], row["of"], turn, times] for turn, times in turns]
    return rows


def page(module, records, days, alike):
    """Return the report as a page of HTML; everything that students wrote is escaped."""
    points = [record["points"] for record in records.values()]
    unread = {student: record["reason"] for student, record in records.items() if record["reason"]}
    flagged = {student: record["flags"] for student, record in records.items() if record["flags"]}
    waiting = [
        [name, f"{have} of {of}", where, how, f"{days[name]:.1f}" if name in days else ""]
        for name, have, of, where, how in stuck(records)
    ]
    similar = [[f"{likeness:.2f}", one, other, count] for likeness, one, other, count in alike]
    own = [(student, ", ".join(record["own"]["failing"])) for student, record in records.items() if failing_on_own(record)]
    average = sum(points) / len(points)
    parts = [
        f"<h1>{escape(module)}</h1><p>{len(records)} submissions, {average:.1f} points on average.</p>",
        section(
            "What went wrong",
            ("exercise", "passed", "wrong turns, and how many took them"),
            map(exercise_row, exercises(records)),
        ),
        section("Who is stuck where", ("student", "points", "first open exercise", "how", "days after the release"), waiting),
        section("Fails on the student's own earlier modules (no points depend on it)", ("student", "exercises"), own),
        section("Could not be read", ("student", "why"), unread.items()),
        section("To look at", ("student", "what"), ((name, "; ".join(some)) for name, some in flagged.items())),
        section("Alike: pairs to look at, not a mark", ("likeness", "student", "student", "pieces in common"), similar),
    ]
    head = f'<meta charset="utf-8"><title>{escape(module)}: what a class gets wrong</title><style>{STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(parts)}</body></html>\n'


def failing_on_own(record):
    """Return the exercises that pass on the course's earlier modules and fail on the student's own."""
    return (record.get("own") or {}).get("failing", [])


def section(title, head, body):
    """Return a heading with a table of escaped cells, or "" without rows."""
    lines = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in body)
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    return f"<h2>{escape(title)}</h2><table><tr>{top}</tr>{lines}</table>" if lines else ""


def exercise_row(row):
    turns = "; ".join(f"{turn} ({times})" for turn, times in row["turns"].most_common(8))
    return [f"{row['id']} {row['name']}", f"{row['passed']} of {row['of']}", turns]


def escape(text):
    return html.escape(str(text)[:2000])
