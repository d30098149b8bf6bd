"""The one error that a user can cause."""


class InputError(Exception):
    """Something that the user gave is wrong; the message names the file, what is wrong and what to do next."""


class BadFrameError(Exception):
    """One member of an archive cannot be used; the message says why, without its name."""
