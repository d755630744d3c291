"""The catalogue as shoppers browse it: a Tantivy index on local disk, written by one process and read by
many.

schema.py     fields and analyzers; a change of either makes a new index
documents.py  how a product becomes cards, pages and index fields
projection.py reads what entries are made of
folder.py     where indexes are kept and which one is current
writer.py     the one open writer of an index: a change is written whole or not at all
updater.py    changes of the documents, written to one open index
indexer.py    opens or builds the index and follows the feeds
comparison.py the index compared with the documents, and mended
reader.py     what web workers hold open
query.py      filters, orders and cursors as Tantivy queries
facets.py     counts beside the results
browse.py     the answers, as bytes
"""
