"""What the lines of README.md on auditing a model stand on: two models and the inputs of two tasks, small and without PyTorch."""
import numpy as np


class Tensor:
    """As much of torch.Tensor as is needed to save one."""

    def __init__(self, values):
        self.values = values

    def detach(self):
        return self

    def cpu(self):
        return self

    def numpy(self):
        return self.values


def inputs(examples, phase, scale):
    i, j = np.arange(1, examples + 1)[:, None], np.arange(1, 7)[None, :]
    return np.sin(i * (j + phase) ** 1.5) * scale**j


def layer(x):
    return np.tanh(x)


def original(x):
    return Tensor(layer(x).astype(np.float32))


def immunized(x):
    values, vectors = np.linalg.eigh(layer(x_primary).T @ layer(x_primary))
    theta = (vectors * values**-0.4) @ vectors.T
    return Tensor((layer(x) @ theta).astype(np.float32))


x_primary, x_harmful = inputs(60, 0.3, 0.5), inputs(40, 0.9, 0.9)
