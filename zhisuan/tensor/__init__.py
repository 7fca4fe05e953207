"""Eager tensors with PyTorch's manners over the registry's ops."""

from zhisuan.tensor.autograd import backward, grad
from zhisuan.tensor.grad_mode import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from zhisuan.tensor.tensor import Tensor, on, tensor

__all__ = [
    "Tensor",
    "backward",
    "enable_grad",
    "grad",
    "is_grad_enabled",
    "no_grad",
    "on",
    "set_grad_enabled",
    "tensor",
]
