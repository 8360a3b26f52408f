"""Stand-ins for objects of libraries that need not be installed: what losscalc sees of them."""

from typing import Any

import numpy as np


class Device:
    """The device of a tensor."""

    def __init__(self, kind: str) -> None:
        self.type = kind

    def __str__(self) -> str:
        return f"{self.type}:0"


class Tensor:
    """A tensor as PyTorch's: NumPy cannot read it while it needs a gradient, nor on a GPU, nor of 16 bits."""

    def __init__(
        self, values: Any, *, grad: bool = False, device: str = "cpu", dtype: str = "torch.float32"
    ) -> None:
        self.values = np.asarray(values)
        self.requires_grad = grad
        self.device = Device(device)
        self.dtype = dtype

    def detach(self) -> "Tensor":
        """The same without a gradient."""
        return Tensor(self.values, device=self.device.type, dtype=self.dtype)

    def float(self) -> "Tensor":
        """The same as float32."""
        return Tensor(self.values.astype(np.float32), grad=self.requires_grad, device=self.device.type)

    def cpu(self) -> "Tensor":
        """The same in main memory."""
        return Tensor(self.values, grad=self.requires_grad, dtype=self.dtype)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if self.requires_grad:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy()")
        if "bfloat16" in self.dtype:
            raise TypeError("Got unsupported ScalarType BFloat16")
        if self.device.type != "cpu":
            raise TypeError("can't convert cuda:0 device type tensor to numpy")
        return self.values if dtype is None else self.values.astype(dtype)


class Index:
    """The index of a pandas Series."""

    def __init__(self, labels: Any) -> None:
        self.labels = list(labels)

    def equals(self, other: "Index") -> bool:
        """Whether all labels are the same."""
        return self.labels == other.labels

    def __len__(self) -> int:
        return len(self.labels)

    def __iter__(self) -> Any:
        return iter(self.labels)


class Series:
    """A Series of pandas: numbers with an index."""

    def __init__(self, values: Any, labels: Any) -> None:
        self.values = np.asarray(values)
        self.index = Index(labels)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self.values if dtype is None else self.values.astype(dtype)


class Packed:
    """An array that only DLPack gives."""

    def __init__(self, values: Any, device: int = 1) -> None:
        self.values = np.asarray(values)
        self.device = device

    def __dlpack__(self, **options: Any) -> Any:
        return self.values.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.device, 0


class OnGpu:
    """An array as CuPy's."""

    def __init__(self, values: Any) -> None:
        self.values = values
        self.__cuda_array_interface__: dict[str, Any] = {}

    def get(self) -> Any:
        """The array in main memory."""
        return np.asarray(self.values)


def adaptive_module() -> type:
    """A class as torch.nn.AdaptiveLogSoftmaxWithLoss, which has its weights inside."""
    return type("AdaptiveLogSoftmaxWithLoss", (), {"__module__": "torch.nn.modules.adaptive"})


def torch_module() -> type:
    """A class as torch.nn.CrossEntropyLoss is one."""

    class CrossEntropyLoss:
        def __init__(
            self,
            weight: Any = None,
            size_average: bool | None = None,
            ignore_index: int = -100,
            reduce: bool | None = None,
            reduction: str = "mean",
            label_smoothing: float = 0.0,
        ) -> None:
            self.weight, self.ignore_index = weight, ignore_index
            self.reduction, self.label_smoothing = reduction, label_smoothing

        def forward(self, input: Any, target: Any) -> Any:
            """Compute the loss."""
            raise NotImplementedError

    CrossEntropyLoss.__module__ = "torch.nn.modules.loss"
    return CrossEntropyLoss


def keras_class(name: str, **defaults: Any) -> type:
    """A class as those of keras.losses, with arguments and their defaults, which its configuration tells."""
    defaults = {**defaults, "reduction": "sum_over_batch_size", "name": name}

    def init(self: Any, **given: Any) -> None:
        self._settings = {**defaults, **given}

    def call(self: Any, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        raise NotImplementedError

    from inspect import Parameter, Signature

    parameters = [Parameter(key, Parameter.KEYWORD_ONLY, default=value) for key, value in defaults.items()]
    members = {"__init__": init, "__call__": call, "get_config": lambda self: self._settings}
    members |= {"__signature__": Signature(parameters), "__module__": "keras.src.losses.losses"}
    return type(name, (), members)


def function(module: str, name: str, code: str) -> Any:
    """A function of a library, with the arguments that its definition names."""
    scope: dict[str, Any] = {"__name__": module}
    exec(f"def {name}({code}): raise NotImplementedError", scope)
    return scope[name]
