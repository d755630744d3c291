"""The one door: nginx configuration made from one template, and the health page."""
