"""Find the line of the user's that a message names. Given."""

import dis
from pathlib import Path

from tinytorch.given.capture.sources import codes


class Lines:
    """The lines of the functions that a step can reach.

    Args:
        functions: List of the functions; it may still grow.
        ran: Set of the code that has run, which may still grow; empty if nobody watched.
    """

    def __init__(self, functions, ran):
        self.functions, self.ran = functions, ran

    def of(self, name, does="STORE"):
        """Return where a function of the user's assigns to a name, as ``file:line``; None if nothing is found.

        Args:
            name: The name, or a path such as ``model.count``.
            does: What the line does to the name: ``"STORE"`` or ``"LOAD"``.
        """
        last = name.replace("]", "").replace("'", "").split(".")[-1].split("[")[-1] or name
        known = last, name, name.split("[")[0].split(".")[-1]
        found = [line for line, step in self.instructions() if step.opname.startswith(does) and step.argval in known]
        return found[0] if found else None

    def calling(self, owner):
        """Return where a function of the user's last names an object: there, it may call a method that changes it."""
        attribute = owner.rpartition(".")[2]
        lines = [line for line, step in self.instructions() if step.opname.startswith("LOAD") and step.argval == attribute]
        return lines[-1] if lines else None

    def into(self, name):
        """Return where a function of the user's may write into an object: a line that names it and stores an entry, if any."""
        stores = {line for line, step in self.instructions() if step.opname in ("STORE_SUBSCR", "STORE_SLICE", "DELETE_SUBSCR")}
        known = name.split("[")[0].split(".")[-1], name.rpartition(".")[2]
        lines = [line for line, step in self.instructions() if step.opname.startswith("LOAD") and step.argval in known]
        store = self.of(name, "STORE_ATTR")  # as in ``self.mean *= 0.9``
        return next((line for line in lines if line in stores), store or (lines[-1] if lines else None))

    def instructions(self):
        """Yield what the functions of the user's do, each with its line, as ``file:line``."""
        for function in self.functions:
            for code in codes(function.__code__) if function.__code__ in self.ran or not self.ran else ():
                line = code.co_firstlineno
                for step in dis.get_instructions(code):
                    starts = step.starts_line  # the line; since Python 3.13, whether one starts
                    line = getattr(step, "line_number", line) if isinstance(starts, bool) else starts or line
                    yield f"{Path(code.co_filename).name}:{line}", step
