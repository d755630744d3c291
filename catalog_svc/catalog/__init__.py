"""What is sold: categories, products, variants, prices, stock, images, reviews."""
