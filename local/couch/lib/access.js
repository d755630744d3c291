'use strict';
// Who may do what: server administrators everything; administrators of a database all in it; its members documents.
const { answer, fail, json } = require('./http');
const { database, withDatabase } = require('./databases');

const KEPT = '_local/_security'; // goes with its database, is not replicated
const DEFAULT = { members: { roles: ['_admin'] }, admins: { roles: ['_admin'] } };
const READS_BY_POST = ['_find', '_explain', '_all_docs', '_changes', '_bulk_get', '_revs_diff', '_missing_revs',
  '_ensure_full_commit', '_design_docs'];
const ADMINS_ONLY = ['_security', '_index', '_compact', '_view_cleanup', '_purge', '_revs_limit', '_design'];
const FOR_ALL = ['', '_session', '_uuids', '_up'];

const isServerAdmin = (user) => user.roles.includes('_admin');

const known = new WeakMap(); // database -> its security object: every request asks for it

async function securityOf(db) {
  if (known.has(db)) return known.get(db);
  const kept = await db.get(KEPT).catch((error) => {
    if (error.status === 404) return null;
    throw error;
  });
  known.set(db, kept ? kept.security : DEFAULT);
  return known.get(db);
}

const among = ({ name, roles }, { names = [], roles: wanted = [] } = {}) => (
  names.includes(name) || wanted.some((role) => roles.includes(role)));
const isEmpty = ({ names = [], roles = [] } = {}) => !names.length && !roles.length;
const isMember = (user, security) => isEmpty(security.members) || among(user, security.members);

/** The path of a request without its database: '_design/a/_view/b', however it was escaped. */
const below = (req) => req.path.split('/').slice(2).map(decodeURIComponent).join('/');

function writtenIds(req) {
  const { body } = req;
  const docs = body && Array.isArray(body.docs) ? body.docs : [body || {}];
  return [below(req), ...docs.map((doc) => String((doc && doc._id) || ''))];
}

function needsDatabaseAdmin(req) {
  const path = below(req);
  const first = path.split('/')[0];
  if (['GET', 'HEAD'].includes(req.method)) return path.startsWith(KEPT);
  if (req.method === 'POST' && (READS_BY_POST.includes(first) || /^_design\/[^/]+\/_view\//.test(path))) return false;
  return ADMINS_ONLY.includes(first) || writtenIds(req).some((id) => id.startsWith('_design/') || id.startsWith(KEPT));
}

function parsedBody(req, res) {
  if (['GET', 'HEAD'].includes(req.method) || !/json/.test(req.headers['content-type'] || 'json')) return undefined;
  return new Promise((resolve, reject) => {
    json(req, res, (error) => (error ? reject(error) : resolve()));
  });
}

async function refusal(req, res) {
  const { user } = req;
  const name = decodeURIComponent(req.path.split('/')[1]);
  const onDatabase = below(req) === '';
  if (isServerAdmin(user)) return null;
  if (FOR_ALL.includes(name)) return null;
  const changesDatabase = onDatabase && ['PUT', 'DELETE'].includes(req.method);
  if (name.startsWith('_') || changesDatabase) return [401, 'unauthorized', 'You are not a server admin.'];
  const db = await database(name);
  if (!db) return null; // 404 follows
  const security = await securityOf(db);
  if (among(user, security.admins)) return null;
  if (!isMember(user, security)) return [403, 'forbidden', 'You are not allowed to access this db.'];
  await parsedBody(req, res);
  return needsDatabaseAdmin(req) ? [403, 'forbidden', 'You are not a db or server admin.'] : null;
}

async function authorize(req, res, next) {
  try {
    const refused = await refusal(req, res);
    return refused ? fail(res, ...refused) : next();
  } catch (error) {
    return next(error);
  }
}

const isList = (value) => value === undefined || (Array.isArray(value) && value.every((one) => typeof one === 'string'));
const isPart = (value) => value === undefined
  || (typeof value === 'object' && value !== null && isList(value.names) && isList(value.roles));

const readSecurity = withDatabase(async (req, res, db) => answer(res, 200, await securityOf(db)));
const writeSecurity = withDatabase(async (req, res, db) => {
  const security = req.body;
  if (!security || Array.isArray(security) || !isPart(security.admins) || !isPart(security.members)) {
    return fail(res, 400, 'bad_request', 'admins and members must be objects with lists of names and roles');
  }
  const kept = await db.get(KEPT).catch(() => ({ _id: KEPT }));
  await db.put({ ...kept, security });
  known.set(db, security);
  return answer(res, 200, { ok: true });
});

module.exports = {
  authorize,
  routes(app) {
    app.get('/:db/_security', readSecurity);
    app.put('/:db/_security', json, writeSecurity);
  },
};
