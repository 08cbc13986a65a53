"""Compile every CUDA kernel to machine code without a GPU, and print what the assembler says, as JSON lines.

Run as ``python gate.py sm_75 sm_90``; ``only=convolution`` compiles the kernels with that in their names, ``package=numba-cuda-mlir``
uses NVIDIA's newer compiler. It needs that package and NVIDIA's tools (the extra ``gate``), and no driver.
"""

import importlib
import json
import os
import re
import site
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from tinytorch.given.gpu import backend

SETTINGS = dict(word.split("=", 1) for word in sys.argv[1:] if "=" in word)
PACKAGE = SETTINGS.get("package", "numba-cuda")
CAPABILITY = 7, 5  # the oldest that is supported: the assembler makes machine code of its PTX for later ones, too

backend.choose.cache_clear()
backend.choose = lambda: backend.Backend(PACKAGE, "it compiles, and runs nothing", "none")
cuda = backend.cuda
types = importlib.import_module(f"{backend.PACKAGES[PACKAGE]}.types")


class Device:
    """What numba asks the driver for when a kernel calls a function of the device."""

    compute_capability = CAPABILITY


if PACKAGE == "numba-cuda":
    importlib.import_module("numba.cuda.dispatcher").get_current_device = Device
else:
    importlib.import_module("numba_cuda_mlir.tools")._cached_cc = CAPABILITY  # without a driver it does not heed cc=

from tinytorch import kernels_cuda  # noqa: E402
from tinytorch.given.gpu.kernels import entrywise, fused, images, losses, moves, products, reductions, registers, rows, steps  # noqa: E402

F, F2, F3, F4, F4OUT = (types.Array(types.float32, ndim, "C") for ndim in (1, 2, 3, 4, 4))
B, L, I = (types.Array(kind, 1, "C") for kind in (types.boolean, types.int64, types.int32))
f, i, b = types.float32, types.int64, types.boolean


def pair(count):
    return types.UniTuple(types.int64, count)


def kernels():
    """Yield a name, a kernel and the types of its arguments for each kernel of the course."""
    made = dict(relu_kernel=(F, F), add_row_kernel=(F2, F, F2), block_sum_kernel=(F, F), matmul_kernel=(F2, F2, F2))
    for name, kinds in made.items():
        yield name, getattr(kernels_cuda, name), kinds
    for name, kernel in entrywise.KERNELS.items():
        if isinstance(kernel, tuple):
            out = B if name in ("greater", "greater_equal", "equal", "not_equal") else F
            whole = name.startswith("bitwise")
            a, number = (L, i) if whole else (F, f)
            out = L if whole else out
            for form, kinds in zip(("arrays", "number last", "number first"), ((a, a, out), (a, number, out), (number, a, out))):
                yield f"{name}, {form}", kernel[("arrays", "number last", "number first").index(form)], kinds
        else:
            yield name, kernel, (L, L) if name == "bitwise_not" else (F, F)
    for name, kernel in entrywise.GELU.items():
        yield f"gelu, {name}", kernel, (F, F)
    yield "leaky_relu", entrywise.LEAKY_RELU[1], (F, f, F)
    yield "logical_not", entrywise.NOT, (B, B)
    yield "where", entrywise.choose, (B, F, F, F)
    for kernel in (moves.gather, moves.scatter):
        yield kernel.__name__, kernel, (F, F, i, pair(6), pair(6))
    yield "convert", moves.convert, (L, F)
    yield "convert_to_bool", moves.convert_to_bool, (F, B)
    yield "fill", moves.fill, (F, f)
    for kernel in (moves.take_rows, moves.put_rows, moves.add_rows):
        yield kernel.__name__, kernel, (F, L, F, i)
    for name, (along, down) in reductions.KERNELS.items():
        yield f"{name} along rows", along, (F, F, f, i, i)
        yield f"{name} down columns", down, (F, F, f, i, i)
    yield "position_of_best", reductions.position_of_best, (F, L, i, i, b)
    for kernel in (rows.softmax_rows, rows.log_softmax_rows):
        yield kernel.__name__, kernel, (F2, F2)
    yield "logsumexp_rows", rows.logsumexp_rows, (F2, F)
    yield "loss_rows", rows.loss_rows, (F2, L, F)
    yield "grad_rows", rows.grad_rows, (F2, L, F2)
    for kernel in (losses.squared_differences, losses.yes_or_no):
        yield kernel.__name__, kernel, (F, F, F)
    narrow = np.dtype(np.float32)
    for kind in products.KINDS:
        yield kind, products.kernel_of(kind, narrow), (F3, F3, F4OUT, i, i, i, i, i, types.Tuple(()))
    for kind in images.KINDS:
        first = F4 if kind == "kernels" else F2
        yield f"convolution, {kind}", images.kernel_of(kind, narrow), (first, F4, F4OUT, i, i, i, i, i, pair(14))
    yield "add_bias", products.add_bias, (F, F)
    yield "add_to_channels", images.add_to_channels, (F, F, i)
    yield "max_windows", images.max_windows, (F, F, I, i, i, i, i, pair(2), pair(2), pair(2))
    yield "send_back", images.send_back, (F, I, F, i, i, i, i, pair(2), pair(2), pair(2))
    yield "normalise", images.normalise, (F, F, F, F, F, F, f, i)
    yield "apart_times", images.apart_times, (F, F, F, F, i)
    yield "apart_squared", images.apart_squared, (F, F, F, i)
    yield "divided_by_deviation", images.divided_by_deviation, (F, F, F, f)
    yield "back_to_input", images.back_to_input, (F, F, F, F, F, F, F, F, f, i, b)
    yield "sgd", steps.sgd, (F, F, f)
    yield "with_momentum", steps.with_momentum, (F, F, F, f, f, b)
    yield "adam", steps.adam, (F, F, F, F, *[f] * 8)
    yield "scale", steps.scale, (F, f)
    yield "bias_relu", fused.bias_relu, (F2, F, F2)
    for kernel in (fused.transpose_naive, fused.transpose_tiled, fused.transpose_padded):
        yield kernel.__name__, kernel, (F2, F2)
    for kind in registers.KINDS:
        yield f"8 x 8 in registers, {kind}", registers.kernel_of(kind), (F, F, F, i, i, i)


def assembler():
    """Return the path of ptxas, which NVIDIA's packages bring along."""
    for folder in site.getsitepackages():
        for path in sorted(Path(folder, "nvidia").glob("*/bin/ptxas*")):
            return path
    sys.exit("ptxas is not there: pip install nvidia-cuda-nvcc")


def assembled(ptx, target):
    """Return what the assembler says of a kernel: registers, stack, spilled bytes."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "kernel.ptx")
        source.write_text(ptx, encoding="utf-8")
        words = [str(assembler()), "-v", f"-arch={target}", str(source), "-o", os.devnull]
        done = subprocess.run(words, capture_output=True, text=True, encoding="utf-8")
    said = done.stdout + done.stderr
    if done.returncode:
        return {"error": said[-500:]}
    stack = max(map(int, re.findall(r"(\d+) bytes stack frame", said)), default=0)
    spilled = sum(map(int, re.findall(r"(\d+) bytes spill", said)))
    return {"registers": int(re.search(r"Used (\d+) registers", said)[1]), "stack": stack, "spilled": spilled}


def main(targets):
    """Compile kernels, and print a line for each kernel and target."""
    for name, kernel, kinds in kernels():
        if SETTINGS.get("only", "") not in name:
            continue
        try:
            ptx, _ = cuda.compile_ptx(kernel.py_func, kinds, cc=CAPABILITY, **bounds(kernel))
        except Exception as error:  # whatever numba raises belongs into the report
            print(json.dumps({"kernel": name, "error": str(error)[-700:]}), flush=True)
            continue
        for target in targets:
            found = {"kernel": name, "target": target, "f64": ptx.count(".f64"), **assembled(ptx, target)}
            print(json.dumps(found), flush=True)


def bounds(kernel):
    """Return the option that tells the compiler how many threads a block has, if the kernel has one."""
    given = kernel.targetoptions.get("launch_bounds")
    return {"launch_bounds": given} if given else {}


if __name__ == "__main__":
    main([word for word in sys.argv[1:] if "=" not in word] or ["sm_75", "sm_90"])
