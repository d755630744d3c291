'use strict';
// Views over HTTP: startkey_docid, which PouchDB lacks, and refusing a design document that does not compile.
const { answer, fail, json, parsed } = require('./http');
const { withDatabase } = require('./databases');

/** Where the rows after (key, id) begin. */
function positionAfter(rows, key, id, descending) {
  const wanted = JSON.stringify(key);
  let position = 0;
  while (position < rows.length && JSON.stringify(rows[position].key) === wanted
    && (descending ? rows[position].id > id : rows[position].id < id)) position += 1;
  return position;
}

const fromDocument = withDatabase(async (req, res, db, next) => {
  const { query, params } = req;
  const id = query.startkey_docid || query.start_key_doc_id;
  if (id === undefined) return next();
  const descending = query.descending === 'true';
  const startkey = parsed(query.startkey || query.start_key);
  const endkey = parsed(query.endkey || query.end_key);
  const all = await db.query(`${params.id}/${params.view}`, {
    reduce: false, include_docs: query.include_docs === 'true', descending, startkey,
    inclusive_end: query.inclusive_end !== 'false', ...(endkey === undefined ? {} : { endkey }),
  });
  const from = positionAfter(all.rows, startkey, id, descending) + Number(query.skip || 0);
  const to = query.limit === undefined ? undefined : from + Number(query.limit);
  return answer(res, 200, { total_rows: all.total_rows, offset: all.offset + from, rows: all.rows.slice(from, to) });
});

function compiled(req, res, next) {
  for (const [name, view] of Object.entries((req.body || {}).views || {})) {
    for (const part of ['map', 'reduce']) {
      const source = view[part];
      if (typeof source !== 'string' || (part === 'reduce' && source.startsWith('_'))) continue;
      try {
        new Function(`return (${source})`); // eslint-disable-line no-new-func -- only parsed, never called
      } catch (error) {
        const reason = `Compilation of the ${part} function in the '${name}' view failed: ${error.message}`;
        return fail(res, 400, 'compilation_error', reason);
      }
    }
  }
  return next();
}

module.exports = (app) => {
  app.get('/:db/_design/:id/_view/:view', fromDocument);
  app.put('/:db/_design/:id', json, compiled);
  app.post('/:db/_view_cleanup', withDatabase(async (req, res, db) => {
    await db.viewCleanup().catch(() => {}); // a view that somebody else removed first
    answer(res, 200, { ok: true });
  }));
};
