"""Say what is wrong with a data set, and what to do."""


class DataError(Exception):
    """Report a data set that cannot be used: the base of all these errors."""


class MissingData(DataError):
    """Report data that is not on this machine."""


class DownloadFailed(MissingData):
    """Report that no mirror gives the file."""


class CorruptFile(DataError):
    """Name a file and the reason why it cannot be trusted.

    Args:
        path: the file.
        reason: what was found, and what was needed.

    Example:
        >>> print(CorruptFile("labels.gz", "the file is empty"))
        labels.gz: the file is empty
    """

    def __init__(self, path, reason):
        super().__init__(path, reason)  # both, so that the error survives being sent to another process
        self.path, self.reason = path, reason

    def __str__(self):
        return f"{self.path}: {self.reason}"


def paragraph(title, lines):
    """Join a title and indented lines.

    Args:
        title: the first line.
        lines: the lines below it.

    Returns:
        The text, without a newline at the end.

    Example:
        >>> print(paragraph("Looked in", ["/data", "/cache"]))
        Looked in
          /data
          /cache
    """
    return "\n  ".join([title, *lines])
