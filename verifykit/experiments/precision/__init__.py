"""How a module behaves in other floating-point types and on other devices: runs, origins of types, error bounds."""
