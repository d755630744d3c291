'use strict';
// Everything that the server takes from its environment.
const path = require('path');

const { env } = process;
if (!env.COUCHDB_PASSWORD) {
  console.error('COUCHDB_PASSWORD is not set');
  process.exit(2);
}

module.exports = {
  host: env.COUCH_HOST || '127.0.0.1',
  port: Number(env.COUCH_PORT || 5984),
  directory: path.resolve(env.COUCH_DIR || './data') + path.sep,
  inMemory: env.COUCH_IN_MEMORY === '1',
  user: env.COUCHDB_USER || 'admin',
  password: env.COUCHDB_PASSWORD,
};
