"""Eager tensors with PyTorch's manners over the registry's ops."""

from zhisuan.eager.autograd import backward, grad
from zhisuan.eager.grad_mode import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from zhisuan.eager.tensor import Tensor, on, tensor

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
