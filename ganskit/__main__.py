"""`python -m ganskit`, for `torchrun -m ganskit run ...`."""

from ganskit.cli.main import main

if __name__ == "__main__":
    main()
