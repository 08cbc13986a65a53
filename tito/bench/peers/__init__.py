"""The frameworks measured: the learner's package with each kernel set, PyTorch, tinygrad. Each is imported on demand."""
