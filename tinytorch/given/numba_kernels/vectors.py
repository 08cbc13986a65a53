"""What this processor's vectors are, and LLVM's instructions on them. Given."""

from llvmlite import binding, ir
from numba import types
from numba.core import cgutils


def host_features():
    """Return what this processor can do, a dict from feature to bool; an empty one where LLVM cannot tell."""
    try:
        return binding.get_host_cpu_features()
    except RuntimeError:
        return {}


FEATURES = host_features()
WIDTH = 64 if FEATURES.get("avx512f") else 32 if FEATURES.get("avx") else 16  # bytes of a vector register
FEW = bool(FEATURES.get("sse2")) and WIDTH < 64  # 16 vector registers; others have 32
INDEX = ir.IntType(64)


class Vectors:
    """Builds instructions on vectors of one dtype."""

    def __init__(self, builder, dtype, lanes=0):
        self.builder, self.size = builder, dtype.bitwidth // 8
        self.lanes = lanes or WIDTH // self.size
        self.number = ir.FloatType() if self.size == 4 else ir.DoubleType()
        self.vector = ir.VectorType(self.number, self.lanes)

    def variable(self, vector):
        """Make a variable that starts as a vector; LLVM keeps it in a register."""
        place = cgutils.alloca_once(self.builder, self.vector)
        self.builder.store(vector, place)
        return place

    def place(self, pointer, index):
        """Point to the vector that starts at a number's index."""
        return self.builder.bitcast(self.builder.gep(pointer, [index]), self.vector.as_pointer())

    def load(self, pointer, index):
        """Read the vector that starts at a number's index."""
        return self.builder.load(self.place(pointer, index), align=self.size)

    def store(self, vector, pointer, index):
        """Write a vector so that it starts at a number's index."""
        self.builder.store(vector, self.place(pointer, index), align=self.size)

    def spread(self, pointer, index):
        """Read one number into all lanes."""
        return self.repeat(self.builder.load(self.builder.gep(pointer, [index])))

    def repeat(self, number):
        """Copy a number into all lanes."""
        alone = self.builder.insert_element(ir.Constant(self.vector, ir.Undefined), number, ir.IntType(32)(0))
        return self.shuffle(alone, alone, [0] * self.lanes)

    def shuffle(self, a, b, lanes):
        """Make a vector from lanes of two vectors; the second one's lanes are numbered after the first one's."""
        return self.builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(ir.IntType(32), len(lanes)), lanes))

    def add_product(self, sum_, a, b):
        """Add the product of two vectors to a variable, rounding once where the CPU can."""
        product = self.builder.fmul(a, b, flags=["contract"])
        self.builder.store(self.builder.fadd(self.builder.load(sum_), product, flags=["contract"]), sum_)


def unpack(context, builder, signature, args):
    """Return pointers to the numbers of arrays, and other arguments as they are."""
    return [
        context.make_array(kind)(context, builder, arg).data if isinstance(kind, types.Array) else arg
        for kind, arg in zip(signature.args, args)
    ]
