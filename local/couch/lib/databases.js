'use strict';
// PouchDB with the parts we use, express-pouchdb over it, and the database that a request is about.
const fs = require('fs');
const path = require('path');
const { getOrCreateDB } = require('express-pouchdb/lib/create-or-delete-dbs');
const settings = require('./settings');
const { fail } = require('./http');

fs.mkdirSync(settings.directory, { recursive: true });

const store = settings.inMemory ? 'memory' : 'leveldb';
const PouchDB = require('pouchdb-core')
  .plugin(require(`pouchdb-adapter-${store}`))
  .plugin(require('./turns')(store))
  .plugin(require('pouchdb-adapter-http'))
  .plugin(require('pouchdb-replication'))
  .plugin(require('./views'))
  .defaults({ prefix: settings.directory, revs_limit: settings.revisions });

const pouch = require('express-pouchdb')({
  mode: 'minimumForPouchDB',
  inMemoryConfig: true,
  overrideMode: {
    include: ['routes/find', 'routes/replicate', 'validation'],
    exclude: ['compression', 'routes/session-stub'], // a compressed continuous feed delivers nothing until it ends
  },
});
pouch.disable('etag');
PouchDB.setMaxListeners(0); // one listener per open database and feed: more than ten is no leak

const open = new Map(); // name -> database: asking for the list of all databases at each request is slow

async function database(name) {
  if (open.has(name)) return open.get(name);
  if (!(await PouchDB.allDbs()).includes(name)) return null;
  const db = await getOrCreateDB(PouchDB, name);
  await pouch.dbWrapper.wrap(name, db);
  db.setMaxListeners(0);
  open.set(name, db);
  return db;
}

/** Opens every database, so that damage is told at the start and not by the first who asks; Error names the database. */
async function openAll() {
  const names = await PouchDB.allDbs();
  for (const name of names) {
    const file = path.join(settings.directory, encodeURIComponent(name), 'CURRENT');
    if (!settings.inMemory && !fs.existsSync(file)) throw new Error(`database ${name} has lost its files`);
    try {
      await (await database(name)).info();
    } catch (error) {
      throw new Error(`database ${name}: ${error.reason || error.message}`);
    }
  }
}

/** Makes a route handler (req, res, db, next) out of one that wants the database named in the path. */
function withDatabase(handler) {
  return async (req, res, next) => {
    try {
      const db = await database(req.params.db);
      if (!db) return fail(res, 404, 'not_found', 'Database does not exist.');
      return await handler(req, res, db, next);
    } catch (error) {
      if (res.headersSent) return res.destroy();
      return fail(res, error.status || 500, error.name || error.error || 'error', error.reason || error.message || String(error));
    }
  };
}

module.exports = { PouchDB, pouch, openAll, database, withDatabase, forget: (name) => open.delete(name) };
