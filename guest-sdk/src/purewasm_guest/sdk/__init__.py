"""Sources that guests are built with, by language."""
