"""Load for a deployed shop: Locust profiles, and the seed's scenario with a report (`make spike`).

python -m locust -f swarm/load/shop.py --headless -u 20 -t 2m -H http://127.0.0.1
"""
