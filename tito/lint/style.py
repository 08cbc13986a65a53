"""The voice and the habits of the course: plain English, no emoji, no praise, no star imports, no pickle."""

import ast
import io
import re
import tokenize

from tito.lint.encoding import python_files
from tito.lint.problem import Problem
from tito.lint.staircase import all_parts

BELITTLING = re.compile(r"\b(simply|just|obviously|trivially)\b", re.IGNORECASE)
PRAISE = re.compile(r"\b(congratulations|well done|great job|awesome|good job|bravo)\b", re.IGNORECASE)
LEFT_OVER = re.compile(r"\b(TODO|FIXME|XXX)\b")
EMOJI = re.compile("[\U0001f300-\U0001faff\u2600-\u27bf\ufe0f]")
UNWELCOME = ((BELITTLING, "belittles the reader"), (PRAISE, "praises"), (LEFT_OVER, "is left over"), (EMOJI, "is an emoji"))
CODE = re.compile(r"```.*?```|`[^`]*`|\$[^$]*\$", re.DOTALL)
ARCHAIC = (  # what does not sound like a colleague explaining, and what to write instead
    (r"anew", "again"),
    (r"shall", "must, should or will"),
    (r"mend(?:s|ed|ing)?", "fix"),
    (r"whoever", "the person or the code that is meant"),
    (r"so many", "the number, or several"),
    (r"as far as", "if, until or up to"),
    (r"put to rest", "what happens, such as: switched to eval mode"),
    (r"measured slopes?", "finite differences"),
    (r"by heart", "memorise"),
    (r"(?:pictures of MNIST|MNIST(?:'s)? pictures)", "MNIST images"),
    (r"gather(?:s|ed)? your code", "export"),
    (r"knows? no", "what is missing, such as: is not one of"),
    (r"not to be had", "missing, or cannot be found"),
    (r"unawares", "by accident"),
)
READ = ("tito/**/*.py", "tinytorch/**/*.py", "milestones/**/*.py", "modules/**/*.py", "*.md", "book/*.md")
LOADERS = {"pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}


def prose(course, module):
    """Prose, hints, questions, docstrings, comments and misconceptions contain no belittling words, praise or emoji."""
    for cell in course.notebook(module).cells:
        for number, text in prose_of(cell):
            for reason in unwelcome(text):
                yield course.at(module, reason, cell, number)
    for file in course.checks_files(module):
        for sentence, line in sentences(course.tree(file)):
            for reason in unwelcome(sentence):
                yield Problem(course.label(file), reason, line)


def prose_of(cell):
    """Yield the numbered prose lines of a cell: a markdown cell without its code, comments and docstrings of a code cell."""
    if cell.kind == "markdown":
        text = CODE.sub(lambda code: "\n" * code[0].count("\n"), cell.text)
        yield from enumerate(text.split("\n"), 1)
    else:
        for number, line in enumerate(cell.text.split("\n"), 1):
            if not line.lstrip().startswith(("%", "!", ">>>", "...")):
                yield number, line


def unwelcome(text):
    """Yield the unwelcome words of a text."""
    for pattern, what in UNWELCOME:
        for match in pattern.finditer(text):
            yield f'"{match[0]}" {what}'


def sentences(tree):
    """Yield the misconceptions' sentences in a file of checks, with their lines."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict):
            yield from (
                (key.value, key.lineno) for key in node.value.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)
            )


def comments(course):
    """No comment of tito, the package or the milestones is left over from work in progress."""
    for path in python_files(course):
        text = path.read_text(encoding="utf-8")
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT and LEFT_OVER.search(token.string):
                yield Problem(course.label(path), f"{LEFT_OVER.search(token.string)[0]} is left over", token.start[0])


def plain_english(course):
    """All text is in plain English, without words such as those that `tito/lint/style.py` lists."""
    exported = {course.space.exported(module) for module in course.curriculum.modules}
    for path in sorted({path for pattern in READ for path in course.root.glob(pattern)} - exported):
        text = path.read_text(encoding="utf-8")
        if course.label(path) == "tito/lint/style.py" or text.startswith("<!-- Made by"):
            continue
        for number, line in enumerate(text.split("\n"), 1):
            for reason in archaic(line):
                yield Problem(course.label(path), reason, number)


def archaic(text):
    """Yield each word of a text that is not plain English, with the word to write instead."""
    for word, instead in ARCHAIC:
        for match in re.finditer(rf"\b{word}\b", text, re.IGNORECASE):
            yield f'"{match[0]}" is not plain English: write {instead}'


def habits(course):
    """No star imports, no modules that load code from data files, no hasattr in the code that learners read."""
    for path in python_files(course):
        if path.is_relative_to(course.root / "tests"):
            continue  # tests may write the files that must not be loaded
        for line, reason in bad_habits(course.tree(path), path.is_relative_to(course.root / "tinytorch")):
            yield Problem(course.label(path), reason, line)
    for module in course.present:
        for part in all_parts(course, module):
            for line, reason in bad_habits(part.tree, part.cell.exported) if part.tree else ():
                yield course.at(module, reason, part.cell, part.number(line))


def bad_habits(tree, probing):
    """Yield lines and reasons; hasattr counts only if `probing`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            yield node.lineno, f"from {node.module} import *: name what is imported"
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            if name.partition(".")[0] in LOADERS:
                yield node.lineno, f"imports {name}: a file from elsewhere could run code"
        if probing and isinstance(node, ast.Call) and getattr(node.func, "id", "") == "hasattr":
            yield node.lineno, "uses hasattr: check the type, or give the attribute a default"
