"""The list of names that modules build, which tells a learner the module of a missing name."""

import ast
import textwrap

PATH = "tinytorch/given/built.py"
HEAD = '''"""Which module builds which name. Made by `tito dev export` from the modules: edit those."""

'''


def text_of(course):
    """Return the text of `tinytorch/given/built.py`.

    Args:
        course: The `Course`; all its modules are read, even if only some are checked.
    """
    trees = {module.exports.removesuffix(".py"): ast.parse(course.text(module)) for module in course.present}
    names = "".join(f'    "{stem}": """\n{wrapped(at_top(tree))}\n    """.split(),\n' for stem, tree in trees.items())
    return f"{HEAD}NAMES = {{  # exported file -> the names that it defines\n{names}}}\n"


def wrapped(names):
    """Return names as lines of text."""
    return "\n".join(textwrap.wrap(" ".join(names), 120, initial_indent="        ", subsequent_indent="        "))


def at_top(tree):
    """Return the public names that a module's file defines at the top level."""
    names = []
    for statement in tree.body:
        if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
            names.append(statement.name)
        elif isinstance(statement, ast.Assign):
            names += [target.id for target in statement.targets if isinstance(target, ast.Name)]
    return [name for name in dict.fromkeys(names) if not name.startswith("_")]
