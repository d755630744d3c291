"""The pages. Each view is wrapped by `page` or `fragment`, which say who may see it and who may keep it."""
