"""What a module does with sizes, layouts and positions: shared by the checks of the family ``shape``."""
