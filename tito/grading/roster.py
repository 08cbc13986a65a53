"""Who is in a class: find the student whom an export means."""

import re
import unicodedata


class Ambiguous(Exception):
    """A name or an id does not say who handed something in."""


def plain(key):
    """Return a key in lower case without blanks, accents and punctuation that LMSs drop from names."""
    text = unicodedata.normalize("NFKD", str(key or "")).lower()
    return "".join(letter for letter in text if letter.isalnum() or letter in "@")


def safe(name):
    """Return a name that is a folder's on every system."""
    text = "-".join(re.findall(r"[\w.@]+", unicodedata.normalize("NFKC", str(name))))[:80].strip(".")
    return text or "unnamed"


ALIKE = (str, str.casefold, plain)  # two keys are the same: exactly; but for capitals; but for signs and accents
KINDS = {"id": "student id", "lms_user_id": "LMS id", "email": "mail address"}


class Roster:
    """Find a student by what an LMS knows: id, name, mail address.

    Args:
        students: Dict from student to a dict of first_name, last_name, email, lms_user_id.
    """

    def __init__(self, students):
        self.students, self.keys, self.names, self.parts = students, {}, {}, {}
        for student, about in students.items():
            for kind in KINDS:
                key = str({**about, "id": student}[kind] or "").strip()
                for alike in ALIKE:
                    if alike(key):
                        self.keys.setdefault((kind, alike, alike(key)), set()).add(student)
            first, last, mail = about["first_name"] or "", about["last_name"] or "", about["email"] or ""
            for name in filter(None, map(plain, (f"{first}{last}", f"{last}{first}"))):
                self.names.setdefault(name, set()).add(student)
            for part in {plain(first), plain(last), plain(mail.partition("@")[0])} - {""}:
                self.parts.setdefault(part, set()).add(student)

    def student(self, ids, names=(), asks="id", grouped=False):
        """Return the student whom an id or a name means, else a name made of the last key, and whether it is in the roster.

        A name is never taken for an id: at most LMSs, students choose the name that is shown.

        Args:
            ids: What identifies the student, the best first.
            names: Full names.
            asks: The kind of id to look for first, a key of `KINDS`.
            grouped: Whether a name may have its group before it, as in `Group A-Wei Li`.

        Raises:
            Ambiguous: Several students have the id or the name.
        """
        for key in ids:
            if students := self.with_id(str(key), asks):
                return only(students, f"{key} is an id of"), True
        for name in names:
            if students := self.named(name) or grouped and self.in_a_group(name):
                return only(students, f"{name} is the name of"), True
        stranger = safe([*ids, *names][-1])
        return stranger + "-unknown" * bool(self.with_id(stranger)), False  # never another student's folder

    def with_id(self, key, asks="id"):
        """Return the students who have an id, a set: the most exact match counts, and among those the kind that is asked for."""
        for alike in ALIKE:
            for kind in sorted(KINDS, key=lambda kind: kind != asks):
                students = self.keys.get((kind, alike, alike(key)), set())
                if asks == "lms_user_id" and kind == "id":  # whose LMS id is known, and is another, is not meant
                    students = {student for student in students if not self.students[student]["lms_user_id"]}
                if students:
                    return students
        return set()

    def named(self, name):
        """Return the students with a full name, a set."""
        return self.names.get(plain(name), set())

    def in_a_group(self, name):
        """Return the students whose full name is what follows one of a text's hyphens, a set."""
        parts = name.split("-", 10)  # a name may be long
        return set().union(*(self.named("-".join(parts[at:])) for at in range(1, len(parts))))

    def called(self, name):
        """Return the students who have an id or a full name, a set."""
        return self.with_id(name) | self.named(name)

    def perhaps(self, name):
        """Return the students who could be meant by a name, a set: it may also be their first or last name alone."""
        return self.called(name) | self.parts.get(plain(name), set())


def only(students, says):
    """Return the one student in a set.

    Raises:
        Ambiguous: There are several.
    """
    if len(students) > 1:
        raise Ambiguous(f"{says} {', '.join(sorted(students))}")
    return min(students)


def doubles(students):
    """Return which students of a roster an export cannot tell apart, a list of texts."""
    odd, keys = [], Roster(students).keys
    for (kind, alike, key), several in sorted(keys.items(), key=str):
        if len(several) > 1 and kind != "id" and alike is str.casefold:
            odd.append(f"{', '.join(sorted(several))} have the same {KINDS[kind]} {key}: correct it in the CSV")
        elif len(several) > 1 and kind == "id" and alike is plain:
            odd.append(f"the ids {', '.join(sorted(several))} look alike: name students' folders exactly like them")
    return odd
