"""The comments in code cells that mean something to tito."""

import re

# The first line of a cell that goes into the package; what is in brackets, such as (given: add, sub), is for the reader.
EXPORT = re.compile(r"^#[ \t]*\|[ \t]*export(?:[ \t]+\([^)\n]*\))?[ \t]*$", re.MULTILINE)
EXPORTED = re.compile(r"(?:[^\S\n]*\n)*" + EXPORT.pattern, re.MULTILINE)
SOLUTION = re.compile(r"^\s*#+ *(BEGIN|END) SOLUTION *$")  # the lines around the reference solution of an exercise
