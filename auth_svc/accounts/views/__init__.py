"""The HTTP side, one module per part of a person's life with the shop."""
