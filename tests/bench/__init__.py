"""How fast, measured against everyone: `./popcandy bench NAME` (see README.md)."""
