'use strict';
// CouchDB-protocol server for local runs and tests: PouchDB on LevelDB behind express-pouchdb, with the faults of the
// stock pouchdb-server mended (README.md lists them). Not for production: there the services talk to a real CouchDB.
const http = require('http');
const express = require('express');
const settings = require('./lib/settings');
const { answer, fail } = require('./lib/http');
const { PouchDB, pouch, openAll } = require('./lib/databases');
const changes = require('./lib/changes');
const users = require('./lib/users');
const access = require('./lib/access');
const replicator = require('./lib/replicator');

const app = express();
app.disable('x-powered-by');
app.disable('etag');
app.enable('case sensitive routing');

app.get('/_up', (req, res) => answer(res, 200, { status: 'ok' }));
app.get('/', (req, res) => answer(res, 200, {
  couchdb: 'Welcome', version: '3.0.0-local', vendor: { name: 'local (PouchDB)' },
}));
app.use(users.authenticate);
app.use(access.authorize);
users.routes(app);
access.routes(app);
replicator.routes(app);
require('./lib/database_routes')(app);
require('./lib/find')(app);
changes.routes(app);
require('./lib/view_routes')(app);
require('./lib/documents')(app);
app.use(pouch);
app.use((error, req, res, next) => { // express tells an error handler by its four arguments
  if (res.headersSent) return next(error);
  return fail(res, error.status || 500, error.status === 400 ? 'bad_request' : 'unknown_error', error.message);
});

// A rejected promise of one request must not end the server for all the others.
process.on('unhandledRejection', (error) => console.error('unhandled rejection:', (error && error.stack) || error));

function serve() {
  const server = http.createServer(app);
  server.keepAliveTimeout = 75000; // longer than the clients keep theirs, so that they are the ones to close
  server.requestTimeout = 0; // a changes feed never ends
  server.on('error', (error) => { console.error(error.message); process.exit(1); });
  server.listen(settings.port, settings.host, () => {
    console.log(`couch ready on http://${settings.host}:${settings.port} (${settings.inMemory ? 'memory' : settings.directory})`);
    replicator.follow();
  });
  const stop = () => {
    changes.endAll();
    replicator.endAll();
    server.closeIdleConnections();
    server.close(() => process.exit(0));
    setTimeout(() => process.exit(0), 1500).unref();
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

pouch.setPouchDB(PouchDB).then(openAll).then(serve).catch((error) => {
  console.error(`the data in ${settings.directory} is damaged: ${error.reason || error.message}`);
  process.exit(3);
});
