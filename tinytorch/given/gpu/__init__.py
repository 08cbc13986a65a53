"""The GPU: who runs kernels, the memory of the device, and kernels for the ops. Given.

`backend` chooses who runs kernels; `simulator` runs them where there is no GPU, with `rewriting`, `arrays`, `report` and
`drawing`; `memory` holds arrays on the device; `kernels` has those that no notebook writes.
"""
