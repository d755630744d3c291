"""The node agent: CPU and memory counters of this node's containers, in the Prometheus text format.

`manage.py node_agent` starts it without Django: the whole package imports the standard library only.
"""
