"""Views of pages and fragments, wrapped by `page` or `fragment` for access and caching."""
