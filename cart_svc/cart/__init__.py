"""Carts, saved items and coupons."""
