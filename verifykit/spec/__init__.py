"""How to build and feed a module: the model of that knowledge, its sources, and live code tied to it."""
