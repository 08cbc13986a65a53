"""The commands that were probably meant by a word that is none."""

import difflib
import sys

from typer.core import TyperGroup

MOST = 3  # commands named
# What other tools call it, or what it is natural to call it.
MEANT = {
    "check": "module test",
    "continue": "module start",
    "export": "module complete",
    "new": "init",
    "open": "module start",
    "progress": "",
    "show": "module start",
    "status": "",
    "train": "milestone run",
}
WITHOUT_VERB = {"module": "test", "milestone": "run", "model": "show"}  # tito module 3


class Commands(TyperGroup):
    """A group of commands that answers a word that is none of them with whole command lines, ready to be typed."""

    def resolve_command(self, ctx, args):
        """Find the command that the first word names; the names are those of `TyperGroup`."""
        if self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            inside = names(ctx)
            near = nearest(ctx.find_root().command, inside, args)
            group = " ".join(["tito", *inside])
            ctx.fail(f"there is no command `{group} {args[0]}`: " + (either(near) if near else f"`{group} --help` lists them"))
        return super().resolve_command(ctx, args)


def names(context):
    """Return the words that lead to a group, without `tito`."""
    return [*names(context.parent), context.info_name] if context.parent else []


def nearest(root, inside, words):
    """Return the command lines that were probably meant, the likeliest first.

    Args:
        root: The group of all commands.
        inside: The names that lead to the group that was asked.
        words: The word that is no command of it, and what comes after it.
    """
    wrong, rest = words[0].lower(), words[1:]
    leaves = list(commands(root))
    level = [path for path in [*groups(root, rest), *leaves] if path[:-1] == inside]

    def guesses():
        if wrong == "help":
            yield [[*inside, "--help"]]
        meant = MEANT[wrong].split() if wrong in MEANT else None
        called = [path for path in leaves if path[-1] == wrong]
        yield [path + rest for path in ([meant] if meant is not None and meant[: len(inside)] == inside else []) + called]
        yield [path + rest for path in level if is_close(path[-1], wrong)]
        yield named(words) if not inside else [path + words for path in leaves if path[-1] == inside[-1]]  # tito grade lenet5
        yield [path + rest for path in leaves if is_close(path[-1], wrong)]
        yield [[*inside, WITHOUT_VERB[inside[-1]], *words]] if inside and inside[-1] in WITHOUT_VERB else []

    lines = next(filter(None, guesses()), [])
    return list(dict.fromkeys(" ".join(["tito", *map(quoted, line)]) for line in lines))[:MOST]


def commands(group, path=()):
    """Yield the words that lead to each command of a group, and of the groups in it."""
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from commands(command, [*path, name])
        else:
            yield [*path, name]


def groups(root, rest):
    """List the words that lead to each group which has the command that comes next, if any does; else to every group."""
    every = {name: command.commands for name, command in root.commands.items() if isinstance(command, TyperGroup)}
    fitting = [name for name, inner in every.items() if rest and rest[0] in inner]
    return [[name] for name in fitting or every]


def is_close(name, word):
    """Return whether a word is a misspelling of a name, or begins with it or is its beginning."""
    return bool(difflib.get_close_matches(word, [name])) or len(word) > 2 and (name.startswith(word) or word.startswith(name))


def named(words):
    """Return what to do with a module or a milestone, if the first word is the name or number of one."""
    from tito import workspace
    from tito.curriculum import Curriculum, UnknownName

    curriculum = Curriculum.load(workspace.course_dir() / workspace.MANIFEST)
    for find, line in ((curriculum.target, ["module", "test"]), (curriculum.milestone, ["milestone", "run"])):
        try:
            find(words[0])
            return [[*line, *words]]
        except UnknownName:
            pass
    return []


def quoted(word):
    """Return a word of a command line, in quotes if it has spaces."""
    return f'"{word}"' if " " in word else word


def either(lines):
    """Ask which of some command lines was meant."""
    marked = [f"`{line}`" for line in lines]
    return "did you mean " + " or ".join([*[", ".join(marked[:-1])] * (len(marked) > 1), marked[-1]]) + "?"


def retyped(given, meant):
    """Return the command line that runs, with a name replaced, also before a dot (tensr.2); None if the name is not in it."""
    words = [meant + word[len(given) :] if f"{word}.".startswith(f"{given}.") else quoted(word) for word in sys.argv[1:]]
    return " ".join(["tito", *words]) if words != [*map(quoted, sys.argv[1:])] else None
