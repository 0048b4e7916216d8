"""Numba intrinsics for memory and functions that are known by their address.

The march and the curves meet only through addresses (`int64`), so each is compiled once per installation and any model
can be handed in without compiling anything again. Plain pointers also keep numba's front end fast: an array argument
costs seven values at every call.
"""

from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

kernel = njit(error_model="numpy", nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
"""Marks what compiled functions call; without what Python would need to call it, which takes longest to compile."""
_I64 = ir.IntType(64)
_DOUBLES = types.CPointer(types.float64)
_INTEGERS = types.CPointer(types.int64)


@intrinsic
def doubles(typingctx, address):
    """View an address as a pointer to float64."""

    def codegen(context, builder, signature, args):
        return builder.inttoptr(args[0], context.get_value_type(signature.return_type))

    return _DOUBLES(types.int64), codegen


@intrinsic
def integers(typingctx, address):
    """View an address as a pointer to int64."""

    def codegen(context, builder, signature, args):
        return builder.inttoptr(args[0], context.get_value_type(signature.return_type))

    return _INTEGERS(types.int64), codegen


@intrinsic
def address_of(typingctx, pointer):
    """Return the address of a pointer to float64."""
    return types.int64(_DOUBLES), lambda context, builder, signature, args: builder.ptrtoint(args[0], _I64)


def _call(builder, args, result):
    kind = ir.FunctionType(result, [_I64] * (len(args) - 1))
    return builder.call(builder.inttoptr(args[0], kind.as_pointer()), args[1:])


@intrinsic
def call2(typingctx, address, a, b):
    """Call `int64 f(int64, int64)` at an address."""
    signature = types.int64(types.int64, types.int64, types.int64)
    return signature, lambda context, builder, sig, args: _call(builder, args, _I64)


@intrinsic
def call4(typingctx, address, a, b, c, d):
    """Call `int64 f(int64 x 4)` at an address."""
    signature = types.int64(*[types.int64] * 5)
    return signature, lambda context, builder, sig, args: _call(builder, args, _I64)


@intrinsic
def call5(typingctx, address, a, b, c, d, e):
    """Call `int64 f(int64 x 5)` at an address."""
    signature = types.int64(*[types.int64] * 6)
    return signature, lambda context, builder, sig, args: _call(builder, args, _I64)


@intrinsic
def call_model3(typingctx, address, a, b, c):
    """Call `void f(int64 x 3)` at an address: the compiled tests of a model."""
    signature = types.void(*[types.int64] * 4)

    def codegen(context, builder, sig, args):
        _call(builder, args, ir.VoidType())
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def call_model5(typingctx, address, a, b, c, d, e):
    """Call `void f(int64 x 5)` at an address: the jet of a model."""
    signature = types.void(*[types.int64] * 6)

    def codegen(context, builder, sig, args):
        _call(builder, args, ir.VoidType())
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def call_model6(typingctx, address, a, b, c, d, e, f):
    """Call `void f(int64 x 6)` at an address: the compiled functions of a model."""
    signature = types.void(*[types.int64] * 7)

    def codegen(context, builder, sig, args):
        _call(builder, args, ir.VoidType())
        return context.get_dummy_value()

    return signature, codegen
