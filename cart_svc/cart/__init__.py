"""What a shopper means to buy: carts, saved items, coupons."""
