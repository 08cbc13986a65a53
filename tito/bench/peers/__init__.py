"""Who is measured: the learner's package with each kernel set, PyTorch, tinygrad. Each is imported when it is asked for."""
