"""What is given."""


def double(number):
    """Return a number twice over.

    Example:
        >>> double(2)
        4
    """
    twice = number + number
    return twice


def load(path):
    """Return the text of a file."""
    with open(path, encoding="utf-8") as file:
        return file.read()
