"""The book: one page for every module, its outputs those of the solved notebook, its answers taken out."""


class BookError(Exception):
    """The book cannot be built; `status` is 1 for something to mend in the sources, 2 for something to mend in the call."""

    def __init__(self, message, status=1):
        super().__init__(message)
        self.status = status
