"""Errors that a user can cause and mend, and how a command ends on one."""

import errno
import sys
from collections.abc import Callable


class MovierecError(Exception):
    """A mistake or misfortune to be told in one line: what is wrong and what to do.

    Raised for bad parameters, bad data and failed downloads; never for a defect of movierec itself,
    which keeps its traceback.
    """


class UnreachableError(MovierecError):
    """An address gave no file this time; another address may, or the same one later."""


def run_command(main: Callable[[], None]) -> None:
    """Run `main` and end the process as a well-behaved command does.

    Parameters
    ----------
    main : callable
        Called without arguments.

    Raises
    ------
    SystemExit
        Status 1 with one line on stderr after a `MovierecError` or when the disk is full, status 130
        after Ctrl-C. Anything else is a defect and propagates.
    """
    try:
        main()
    except MovierecError as error:
        sys.exit(f"error: {' '.join(str(error).split())}")
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
    except OSError as error:
        if error.errno != errno.ENOSPC and f"(os error {errno.ENOSPC})" not in str(error):  # Polars sets no errno
            raise
        sys.exit(f"error: no space left while writing {error.filename or 'a file'}: free some and run again")
