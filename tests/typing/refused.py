"""What mypy --strict refuses to users, each line with the code of its error."""

import losscalc


def parameters() -> None:
    """Parameters have a type, a name, and no other value once they are there."""
    losscalc.CrossEntropy(label_smoothing="0.1")  # error: arg-type
    losscalc.Huber(2.0)  # error: call-arg
    losscalc.CrossEntropy(smoothing=0.1)  # error: call-arg
    losscalc.Huber().delta = 2.0  # error: misc


def calls() -> None:
    """What is no array, and what is no option."""
    losscalc.MSE()([1.0], [2.0], reduction=None)  # error: arg-type
    losscalc.MSE()([1.0], [2.0], threads="two")  # error: arg-type
    losscalc.check("mse", [1.0], [2.0])  # error: call-arg
    losscalc.check("mse", [1.0], [2.0], expected=0.5, rtol="1e-3")  # error: arg-type


def names() -> None:
    """The registry is read, and a name that is not public is none."""
    losscalc.losses()["mine"] = losscalc.MSE  # error: index
    losscalc.MeanSquaredError()  # error: attr-defined
