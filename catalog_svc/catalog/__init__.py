"""Catalogue: categories, products, variants, prices, stock, images and reviews."""
