"""Read model for shoppers: a Tantivy index on local disk, with one writer and many readers.

schema.py           fields and analyzers; a change of either makes a new index
index_documents.py  cards, pages and index fields of a product
projection.py       reads documents and makes index entries of them
sources.py          the repositories that are read
folder.py           where indexes are kept and which one is current
writer.py           the one open writer of an index: a change is written whole or not at all
updater.py          writes changes of the documents to one open index
indexer.py          opens or builds the index and follows the feeds
consistency.py      compares the index with the documents and repairs it
reader.py           the open index of a web worker
query.py            filters, orders and cursors as Tantivy queries
facets.py           counts beside the results
catalog_search.py   searches and lists, as bytes
"""
