"""What a rule reports: a place in the course, and what is wrong there."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """Something that is wrong or, as a warning, something that an author should look at."""

    path: str
    reason: str
    line: int | None = None  # in the file, from 1
    cell: int | None = None
    warning: bool = False

    def __str__(self):
        line = f":{self.line}" if self.line else ""
        cell = f", cell {self.cell}" if self.cell else ""
        return f"{self.path}{line}{cell}: {self.reason}"
