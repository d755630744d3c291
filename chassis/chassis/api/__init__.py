"""The common part of all JSON interfaces: errors, pages, tags, keys, limits, strict input."""
