"""HTTP views: validate, make one call, respond."""
