'use strict';
// Everything that the server takes from its environment.
const path = require('path');
const { adminsOf } = require('./passwords');

const { env } = process;

/** Name -> password, hashed as CouchDB does or plain; those of the ini files and the one of the environment. */
function admins() {
  const found = adminsOf((env.COUCH_INI || '').split(':').filter(Boolean));
  if (env.COUCHDB_PASSWORD) found.set(env.COUCHDB_USER || 'admin', env.COUCHDB_PASSWORD);
  if (found.size) return found;
  console.error('COUCHDB_PASSWORD is not set, nor COUCH_INI to a file with a section [admins]');
  return process.exit(2);
}

module.exports = {
  host: env.COUCH_HOST || '127.0.0.1',
  port: Number(env.COUCH_PORT || 5984),
  directory: path.resolve(env.COUCH_DIR || './data') + path.sep,
  inMemory: env.COUCH_IN_MEMORY === '1',
  // A short history does where nobody replicates: with the 1,000 revisions of CouchDB's default, a document that is
  // written often (the stock of a popular product) gets slower with every write. A standby that was away for more
  // revisions than this finds conflicts.
  revisions: Number(env.COUCH_REVS_LIMIT || 20),
  admins: admins(),
};
