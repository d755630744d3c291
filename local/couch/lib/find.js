'use strict';
// _find and _index: CouchDB's default limit of 25, a bookmark that works, PCRE's (?i), one direction of sorting.
const { answer, fail, json } = require('./http');
const { withDatabase } = require('./databases');

const NO_INDEX = 'No index exists for this sort, try indexing by the sort fields.';
const MIXED = 'Sorts currently only support a single direction for all fields.';

const toBookmark = (position) => (position ? Buffer.from(`local-${position}`).toString('base64url') : 'nil');

/** The position that a bookmark stands for, or null if it is none of ours. */
function fromBookmark(bookmark) {
  if (!bookmark || bookmark === 'nil') return 0;
  const match = /^local-(\d+)$/.exec(Buffer.from(String(bookmark), 'base64url').toString());
  return match ? Number(match[1]) : null;
}

/** JavaScript has no inline flags: {"$regex": "(?i)^red"} becomes a RegExp object. */
function translateRegexes(selector) {
  if (Array.isArray(selector)) return selector.forEach(translateRegexes);
  if (!selector || typeof selector !== 'object') return undefined;
  for (const [key, value] of Object.entries(selector)) {
    const flags = key === '$regex' && typeof value === 'string' && /^\(\?([ims]+)\)/.exec(value);
    if (flags) selector[key] = new RegExp(value.slice(flags[0].length), flags[1]);
    else translateRegexes(value);
  }
  return undefined;
}

function sortsBothWays(sort) {
  if (!Array.isArray(sort)) return false;
  return new Set(sort.map((field) => (typeof field === 'string' ? 'asc' : Object.values(field)[0]))).size > 1;
}

/** CouchDB's query as PouchDB's: what it does not know taken out, the bookmark as a position. */
function toPouch(query, position) {
  const { bookmark, update, stable, r, conflicts, execution_stats: stats, ...rest } = query;
  translateRegexes(rest.selector);
  return { ...rest, limit: rest.limit === undefined ? 25 : rest.limit, ...(position ? { skip: position } : {}) };
}

const find = withDatabase(async (req, res, db) => {
  const started = Date.now();
  const query = req.body;
  if (!query || typeof query !== 'object') return fail(res, 400, 'bad_request', 'invalid UTF-8 JSON');
  const position = fromBookmark(query.bookmark);
  if (position === null) {
    return fail(res, 400, 'invalid_bookmark', `Invalid bookmark value: ${JSON.stringify(query.bookmark)}`);
  }
  if (sortsBothWays(query.sort)) return fail(res, 400, 'unsupported_mixed_sort', MIXED);
  const options = toPouch(query, position);
  let found;
  try {
    found = await db.find(options);
  } catch (error) {
    if (/^Cannot sort|no index/i.test(error.message || '')) return fail(res, 400, 'no_usable_index', NO_INDEX);
    const name = !error.name || error.name === 'unknown_error' ? 'bad_request' : error.name;
    return fail(res, 400, name, error.message || error.reason);
  }
  const body = { docs: found.docs, bookmark: toBookmark((options.skip || 0) + found.docs.length) };
  if (found.warning) body.warning = 'No matching index found, create an index to optimize query time.';
  if (query.execution_stats) {
    body.execution_stats = {
      total_docs_examined: 0, results_returned: found.docs.length, execution_time_ms: Date.now() - started,
    };
  }
  return answer(res, 200, body);
});

// PouchDB picks a partial index for queries outside its filter, so the filter is dropped: the index is merely larger.
const withoutFilter = withDatabase((req, res, db, next) => {
  if (req.body && req.body.index) {
    delete req.body.index.partial_filter_selector;
    delete req.body.partial_filter_selector;
  }
  next();
});

const deleteIndex = withDatabase(async (req, res, db) => {
  const { ddoc, type, name } = req.params;
  const id = ddoc.startsWith('_design/') ? ddoc : `_design/${ddoc}`;
  const { indexes } = await db.getIndexes();
  if (!indexes.some((index) => index.ddoc === id && index.name === name)) {
    return fail(res, 404, 'not_found', 'Index not found');
  }
  await db.deleteIndex({ ddoc: id, type, name });
  return answer(res, 200, { ok: true });
});

module.exports = (app) => {
  app.post('/:db/_find', json, find);
  app.post('/:db/_index', json, withoutFilter);
  app.delete('/:db/_index/_design/:ddoc/:type/:name', deleteIndex);
  app.delete('/:db/_index/:ddoc/:type/:name', deleteIndex);
};
