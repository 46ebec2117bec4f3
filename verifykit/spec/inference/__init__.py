"""Works out how to build a module and what to feed it, from what is written about it and by trying."""
