'use strict';
// Documents: the revision as ETag, a stale delete as a conflict, the error of a missing document in _bulk_get; the short
// way for plain reads and writes, which are most of what a service asks for.
const { answer, fail, json } = require('./http');
const { withDatabase } = require('./databases');

const CONFLICT = 'Document update conflict.';
const isPlain = (req) => !req.params.id.startsWith('_') && !Object.keys(req.query).length;

const read = withDatabase(async (req, res, db, next) => {
  if (!isPlain(req) || /multipart/.test(req.headers.accept || '')) return next();
  const doc = await db.get(req.params.id);
  const tag = `"${doc._rev}"`;
  res.setHeader('ETag', tag);
  if (req.headers['if-none-match'] === tag) return res.writeHead(304).end();
  return answer(res, 200, doc);
});

const remove = withDatabase(async (req, res, db, next) => {
  const { id } = req.params;
  if (id.startsWith('_')) return next();
  const revision = req.query.rev || (req.headers['if-match'] || '').replace(/"/g, '');
  try {
    if (revision) return answer(res, 200, await db.remove(id, revision));
    await db.get(id);
    return fail(res, 409, 'conflict', CONFLICT);
  } catch (error) {
    return fail(res, error.status || 500, error.name, error.status === 409 ? CONFLICT : error.reason || error.message);
  }
});

function bulkRow({ id, docs }) {
  const entry = ({ ok, error = {} }) => (ok ? { ok } : {
    error: { id, rev: 'undefined', error: error.name || 'not_found', reason: error.reason || 'missing' },
  });
  return { id, docs: docs.map(entry) };
}

const bulkGet = withDatabase(async (req, res, db) => {
  if (!req.body || !Array.isArray(req.body.docs)) return fail(res, 400, 'bad_request', "Missing JSON list of 'docs'.");
  const { results } = await db.bulkGet({ ...req.body, revs: req.query.revs === 'true' });
  return answer(res, 200, { results: results.map(bulkRow) });
});

module.exports = (app) => {
  app.post('/:db/_bulk_get', json, bulkGet);
  app.get('/:db/:id', read);
  app.delete('/:db/:id', remove);
};
