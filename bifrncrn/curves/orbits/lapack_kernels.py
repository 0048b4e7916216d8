"""LAPACK's eigenvalues of a pair of matrices, for compiled code that knows its address."""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

_I64 = ir.IntType(64)


@intrinsic
def call_dggev(typingctx, address, job, order, a, b, real, imag, scale, left, right, work, length, failed):
    """Call `dggev` at an address with the addresses of its arguments, all matrices (order, order) by columns."""
    signature = types.void(*[types.int64] * 13)

    def codegen(context, builder, sig, args):
        function, job, order, a, b, real, imag, scale, left, right, work, length, failed = args
        given = [
            job,
            job,
            order,
            a,
            order,
            b,
            order,
            real,
            imag,
            scale,
            left,
            order,
            right,
            order,
            work,
            length,
            failed,
        ]
        kind = ir.FunctionType(ir.VoidType(), [_I64] * len(given))
        builder.call(builder.inttoptr(function, kind.as_pointer()), given)
        return context.get_dummy_value()

    return signature, codegen
