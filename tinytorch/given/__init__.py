"""The given files that do not depend on your code: the ground floor of the package.

- `op`, `dispatch`, `history`, `state`: where rules and kernels are registered on an op, and what a result remembers.
- `device`, `random`, `printing`, `notes`, `imports`, `machine`, `cache`, `files`: what every module needs.
- `walk`, `gradient_check`: for module 05. `parameters`: for module 06. `collate`: for module 07. `callbacks`, `resuming`,
  `safetensors`: for module 08. `profiling`: for module 09. `numba_kernels`: for module 10. `image_sizes`: for module 12.

Nothing here imports a file that a learner writes. Code that needs one of them, such as the class `Tensor`, calls `op.part`.
"""
