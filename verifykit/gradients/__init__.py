"""The gradient engine: pure functions of callables and tensors. It knows no modules and no checks."""
