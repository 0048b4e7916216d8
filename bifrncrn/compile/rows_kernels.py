"""The functions of a model at many states, one after the other, without Python between two of them."""

from bifrncrn.compile.pointers import call_model3, call_model6, kernel


@kernel
def evaluate_rows(function, x, p, f, n, count):
    """Write f of a model at the rows x (count, n) to the rows f (count, n); all are addresses."""
    for i in range(count):
        call_model3(function, x + 8 * n * i, p, f + 8 * n * i)
    return 0


@kernel
def linearize_rows(function, x, p, dp, f, jacobian, slope, n, count):
    """Write F (count, n) and J (count, n, n) of a model at rows x (count, n); `slope` receives the last (df/dp) dp."""
    for i in range(count):
        call_model6(function, x + 8 * n * i, p, dp, f + 8 * n * i, jacobian + 8 * n * n * i, slope)
    return 0
