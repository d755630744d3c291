'use strict';
// Who asks: administrators from the settings, users from the database _users, whose passwords are hashed when written.
const settings = require('./settings');
const { answer, fail, json } = require('./http');
const { PouchDB, database } = require('./databases');
const { hashed, isAdmins, isUsers, sha256 } = require('./passwords');

const PREFIX = 'org.couchdb.user:';
const MOST_KNOWN = 1000;
const known = new Map(); // hash of name and password -> user: hashing a password takes 20 ms, a request less than one
let generation = 0; // of the documents in _users

function forget() {
  generation += 1;
  known.clear();
}

async function userDocument(name) {
  if (!(await PouchDB.allDbs()).includes('_users')) return null;
  return (await database('_users')).get(PREFIX + name).catch((error) => {
    if (error.status === 404) return null;
    throw error;
  });
}

async function signIn(name, password) {
  const admin = settings.admins.get(name);
  if (admin !== undefined) return (await isAdmins(password, admin)) ? { name, roles: ['_admin'] } : null;
  const user = await userDocument(name);
  if (!user || !(await isUsers(password, user))) return null;
  return { name, roles: user.roles };
}

/** The user {name, roles} of an Authorization header, null when it is none. */
async function userOf(header) {
  const match = /^Basic (.+)$/i.exec(header || '');
  if (!match) return null;
  const [, name, password] = /^([^:]*):?([\s\S]*)$/.exec(Buffer.from(match[1], 'base64').toString());
  const key = sha256(`${name}:${password}`).toString('hex');
  if (known.has(key)) return known.get(key);
  const before = generation;
  const user = await signIn(name, password);
  if (user && before === generation) {
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(key, user);
  }
  return user;
}

/** Middleware: sets req.user, refuses who has not signed in. */
async function authenticate(req, res, next) {
  try {
    req.user = await userOf(req.headers.authorization);
  } catch (error) {
    return next(error);
  }
  if (req.user) return next();
  const reason = req.headers.authorization ? 'Name or password is incorrect.' : 'Authentication required.';
  return fail(res, 401, 'unauthorized', reason);
}

function faultOf(doc) {
  if (doc._deleted || String(doc._id || '').startsWith('_design/')) return null;
  if (doc.type !== 'user') return 'doc.type must be user';
  if (!doc.name || doc._id !== PREFIX + doc.name) return 'Document ID must be of the form org.couchdb.user:name';
  if (!Array.isArray(doc.roles) || doc.roles.some((role) => typeof role !== 'string')) {
    return 'doc.roles must be an array of strings';
  }
  return doc.roles.some((role) => role.startsWith('_')) ? 'No system roles (starting with underscore) in users db.' : null;
}

async function withoutPassword(doc) {
  if (typeof doc.password !== 'string') return;
  Object.assign(doc, await hashed(doc.password));
  delete doc.password;
}

/** Before a write to _users: hash passwords, and let go of whom we know before the answer goes out. */
async function prepareWrite(req, res, next) {
  const docs = Array.isArray(req.body.docs) ? req.body.docs : [req.body];
  const id = /^\/_users\/([^/]+)$/.exec(req.path);
  if (req.method === 'PUT' && id) req.body._id = decodeURIComponent(id[1]);
  const writes = (req.method === 'PUT' && id) || req.path === '/_users' || req.path === '/_users/_bulk_docs';
  try {
    for (const doc of writes && req.method !== 'DELETE' ? docs : []) {
      const fault = Object.keys(doc).length ? faultOf(doc) : null;
      if (fault) return fail(res, 403, 'forbidden', fault);
      await withoutPassword(doc);
    }
  } catch (error) {
    return next(error);
  }
  forget();
  const { writeHead } = res;
  res.writeHead = (...head) => {
    forget();
    return writeHead.apply(res, head);
  };
  return next();
}

module.exports = {
  authenticate,
  routes(app) {
    app.get('/_session', (req, res) => answer(res, 200, {
      ok: true,
      userCtx: req.user,
      info: { authentication_handlers: ['default'], authenticated: 'default' },
    }));
    app.use((req, res, next) => {
      if (!req.path.startsWith('/_users') || ['GET', 'HEAD'].includes(req.method)) return next();
      return json(req, res, (error) => (error ? next(error) : prepareWrite(req, res, next)));
    });
  },
};
