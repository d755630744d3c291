"""The catalogue as shoppers browse it: a Tantivy index on local disk, written by one process and read by
many.

schema.py     fields and analyzers; a change of either makes a new index
documents.py  how a product becomes cards, pages and index fields
folder.py     where indexes are kept and which one is current
indexer.py    the one writer
reader.py     what web workers hold open
query.py      filters, orders and cursors as Tantivy queries
facets.py     counts beside the results
browse.py     the answers, as bytes
"""
