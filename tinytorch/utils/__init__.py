"""PyTorch's `torch.utils`, as far as there is one. Given."""
