"""Writes files of results: each is replaced as a whole, or stays as it was."""

import contextlib
import os
import stat
from collections.abc import Iterable

from losscalc.cli.signals import temporary
from losscalc.errors import Location, OutputError, UsageError, reason
from losscalc.inputs.parts import quoted


def check_writable(path: str) -> None:
    """Raise OutputError before the work is done, if the file could not be written after it."""
    if not path:
        raise UsageError("`output` needs the name of a file")
    folder = os.path.dirname(path) or "."
    try:
        os.path.realpath(path)
    except OSError as error:
        # The current folder may be deleted.
        raise OutputError(f"cannot write: {reason(error)}", location=Location(path)) from error
    if os.path.isdir(path):
        raise OutputError("is a directory, not a file", location=Location(path))
    if not os.path.isdir(folder):
        hint = f"mkdir -p {quoted(folder)} makes it"
        raise OutputError("there is no such directory", location=Location(folder), hint=hint)
    if not os.access(path if os.path.exists(path) else folder, os.W_OK):
        raise OutputError("permission denied", location=Location(path))


def write_file(path: str, pieces: Iterable[bytes]) -> None:
    """Replace a file as a whole: it holds all of the new bytes, or still the old ones."""
    try:
        if is_device(path):
            with open(path, "ab") as device:
                device.writelines(pieces)
            return
        # The target of a symbolic link is replaced, so that the link stays a link.
        target = os.path.realpath(path)
        beside = os.path.join(os.path.dirname(target), f".losscalc-{os.getpid()}-{os.urandom(8).hex()}")
        with temporary(beside):
            handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.writelines(pieces)
                file.flush()
                os.fsync(file.fileno())
            # The file is complete only if it was closed without an error.
            _keep_attributes(target, beside)
            os.replace(beside, target)
    except BrokenPipeError:
        return
    except OSError as error:
        raise OutputError(f"cannot write: {reason(error)}", location=Location(path)) from error


def is_device(path: str) -> bool:
    """Whether a path is a pipe, a device or an open file, which cannot be replaced."""
    if path.startswith(("/dev/fd/", "/dev/std", "/proc/")):
        return True
    return os.path.exists(path) and not stat.S_ISREG(os.stat(path).st_mode)


def _keep_attributes(target: str, beside: str) -> None:
    """Give a file the owner and the permissions of the one that it replaces, or those of a new file."""
    try:
        old = os.stat(target)
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(beside, 0o666 & ~mask)
        return
    new = os.stat(beside)
    if (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
        # Only root may give files away.
        with contextlib.suppress(PermissionError):
            os.chown(beside, old.st_uid, old.st_gid)
    os.chmod(beside, stat.S_IMODE(old.st_mode))
