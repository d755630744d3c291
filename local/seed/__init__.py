"""The demo shop: goods, pictures and a history of visits, sent through the shop's own doors."""
