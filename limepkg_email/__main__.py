"""`python -m limepkg_email` is the console script."""

from limepkg_email.cli import main

main()
