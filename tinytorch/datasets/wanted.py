"""Describe the files of a data set, and what to do if they cannot be found."""

from typing import NamedTuple

from tinytorch.datasets.errors import paragraph

VARIABLE = "TINYTORCH_DATA"  # the environment variable that names the user's folder of data sets


class Wanted(NamedTuple):
    """Describe what to look for.

    Args:
        title: what is needed, in a sentence.
        names: the files, each accepted with or without `.gz`.
        layouts: folders that may hold them, relative to the one that is searched; "." is that folder itself.
        offline: advice for users who have neither the data nor a network, or "".

    Example:
        >>> Wanted("It needs labels.", ["labels"], ["."]).names
        ['labels']
    """

    title: str
    names: list
    layouts: list
    offline: str = ""

    def unavailable(self, looked, tried):
        """Say what is needed, which places were searched, what else was tried, and what to do.

        Args:
            looked: a line for each place.
            tried: the result of the download.

        Returns:
            The text of the error.

        Example:
            >>> print(Wanted("It needs labels.", ["labels"], ["."]).unavailable(["/data: no such folder"], "Offline."))
            It needs labels.
            Looked in
              /data: no such folder
            Offline.
            What to do
              name the folder that has the files: --data-dir DIR (data_dir=DIR in Python) or $TINYTORCH_DATA
              or run this once with a network and without --data-dir, to download them into the cache
        """
        advice = [
            f"name the folder that has the files: --data-dir DIR (data_dir=DIR in Python) or ${VARIABLE}",
            "or run this once with a network and without --data-dir, to download them into the cache",
            self.offline,
        ]
        return "\n".join([self.title, paragraph("Looked in", looked), tried, paragraph("What to do", filter(None, advice))])
