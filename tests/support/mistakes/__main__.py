"""Make the wrong numbers anew: `python -m tests.support.mistakes`."""

from tests.support.mistakes.corpus import write
from tests.support.mistakes.making import made

if __name__ == "__main__":
    write(*made())
