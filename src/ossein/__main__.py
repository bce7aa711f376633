"""`python -m ossein`, the same as the command `ossein`; this is what `torchrun -m ossein ...` starts."""

from ossein.cli import main

main()
