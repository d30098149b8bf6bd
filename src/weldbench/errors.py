"""The errors of the library: what a user can put right, and what makes one frame unusable."""


class InputError(Exception):
    """Something that the user gave is wrong; the message names the file, what is wrong and what to do next."""


class BadFrameError(Exception):
    """One member of an archive cannot be used; the message says why, without its name."""
