"""What a service says about itself: health, metrics, logs, and the id that ties a request together."""
