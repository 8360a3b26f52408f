"""What is collected: the module that imports PyTorch is, where there is one."""

from importlib.util import find_spec

collect_ignore = [] if find_spec("torch") else ["parity.py"]
