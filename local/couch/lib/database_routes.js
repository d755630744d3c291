'use strict';
// Databases: names as CouchDB wants them, an instance that can be told from its successor, _uuids.
const crypto = require('crypto');
const { answer, fail } = require('./http');
const { withDatabase, forget } = require('./databases');

const NAME = /^(_(users|replicator|global_changes)|[a-z][a-z0-9_$()+/-]*)$/;
const NAME_RULE = 'Only lowercase characters (a-z), digits (0-9), and any of the characters _, $, (, ), +, -, and / '
  + 'are allowed. Must begin with a letter.';

/** As in CouchDB 3: one value for the life of the database, another when it is made anew (cursors depend on it). */
async function instance(db) {
  const digest = crypto.createHash('sha256').update(await db.id()).digest('hex');
  return String(parseInt(digest.slice(0, 12), 16));
}

module.exports = (app) => {
  app.get('/_uuids', (req, res) => {
    const count = Math.min(Number(req.query.count) || 1, 1000);
    answer(res, 200, { uuids: Array.from({ length: count }, () => crypto.randomBytes(16).toString('hex')) });
  });

  app.put('/:db', (req, res, next) => {
    if (NAME.test(req.params.db)) return next();
    return fail(res, 400, 'illegal_database_name', `Name: '${req.params.db}'. ${NAME_RULE}`);
  });

  app.get('/:db', (req, res, next) => (req.params.db.startsWith('_') ? next() : info(req, res, next)));
  const info = withDatabase(async (req, res, db) => {
    const gone = (await db.changes({ since: 0 })).results.filter((change) => change.deleted).length;
    answer(res, 200, { ...(await db.info()), doc_del_count: gone, instance_start_time: await instance(db) });
  });

  app.delete('/:db', withDatabase((req, res, db, next) => {
    forget(req.params.db);
    next();
  }));
};
