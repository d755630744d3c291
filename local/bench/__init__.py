"""Figures of the whole shop: start-up, memory, CPU per request, orders per second. `make bench`."""
