"""What is given to you and knows nothing of your code: the ground floor of the package.

- `op`, `dispatch`, `history`, `state`: the seam at which an op grows, and what a result remembers.
- `device`, `random`, `printing`, `notes`, `imports`, `machine`, `cache`, `files`: what every module needs.
- `walk`, `gradient_check`: beside module 05. `parameters`: beside module 06. `collate`: beside module 07. `callbacks`, `resuming`,
  `safetensors`: beside module 08. `profiling`: beside module 09. `numba_kernels`: beside module 10. `image_sizes`: beside module 12.

Nothing here imports a file that a learner writes. What is needed of those, such as the class `Tensor`, is asked of `op.part`.
"""
