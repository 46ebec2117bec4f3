"""``python -m verifykit`` is the same as the console command ``verifykit``."""

from verifykit.cli import main

if __name__ == "__main__":
    main()
