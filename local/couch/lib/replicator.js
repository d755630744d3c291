'use strict';
// _replicator: each document in it is a replication that runs for as long as the document is there, also after a
// restart; _scheduler/docs tells how far each has come.
const { answer, fail } = require('./http');
const { PouchDB, database } = require('./databases');

const FIRST_PAUSE = 500; // ms
const LONGEST_PAUSE = 5000;
const running = new Map(); // document id -> Replication
let following = Promise.resolve();

/** 'http://…' or {url, auth: {basic: {username, password}}, headers} as a database. */
function remote(place) {
  const { url, auth = {}, headers = {} } = typeof place === 'string' ? { url: place } : place || {};
  if (!/^https?:\/\//.test(url || '')) throw new Error('source and target must be URLs');
  return new PouchDB(url, {
    skip_setup: true,
    ...(auth.basic ? { auth: auth.basic } : {}),
    fetch: (address, options) => {
      Object.entries(headers).forEach(([name, value]) => options.headers.set(name, value));
      return PouchDB.fetch(address, options);
    },
  });
}

function withoutPassword(place) {
  const url = typeof place === 'string' ? place : (place || {}).url;
  return String(url).replace(/\/\/[^@/]*@/, '//');
}

class Replication {
  constructor(doc) {
    Object.assign(this, { doc, state: 'initializing', errors: 0, error: null, started: new Date(), updated: new Date() });
    this.info = { docs_read: 0, docs_written: 0, doc_write_failures: 0, changes_pending: null, checkpointed_source_seq: 0 };
    this.run();
  }

  turn(state, error = null) {
    Object.assign(this, { state, error, updated: new Date() });
  }

  run() {
    try {
      [this.source, this.target] = [remote(this.doc.source), remote(this.doc.target)];
    } catch (error) {
      this.turn('failed', error.message);
      return;
    }
    this.turn('running');
    this.work = this.source.replicate.to(this.target, {
      live: Boolean(this.doc.continuous),
      retry: true,
      back_off_function: (pause) => Math.min(pause ? pause * 2 : FIRST_PAUSE, LONGEST_PAUSE),
      heartbeat: 10000,
    });
    this.work
      .on('change', (info) => this.moved(info))
      .on('active', () => this.turn('running'))
      .on('paused', (error) => this.rest(error))
      .on('denied', () => { this.info.doc_write_failures += 1; })
      .on('complete', (info) => { this.moved(info); if (this.state !== 'ended') this.turn('completed'); })
      .on('error', (error) => this.crash(error));
    this.work.catch(() => {}); // told by the event
  }

  moved(info) {
    this.info.docs_read = info.docs_read;
    this.info.docs_written = info.docs_written;
    this.info.checkpointed_source_seq = info.last_seq;
    if (info.pending !== undefined) this.info.changes_pending = info.pending;
  }

  rest(error) {
    if (error) {
      this.errors += 1;
      this.turn('crashing', error.reason || error.message || String(error));
    } else {
      this.info.changes_pending = 0;
    }
  }

  /** A refusal ends PouchDB's own attempts; a password may be put right. */
  crash(error) {
    if (this.state === 'ended') return;
    this.errors += 1;
    this.turn('crashing', error.reason || error.message || String(error));
    this.again = setTimeout(() => this.run(), LONGEST_PAUSE);
  }

  end() {
    this.turn('ended');
    clearTimeout(this.again);
    if (this.work) this.work.cancel();
  }

  describe() {
    const { doc } = this;
    return {
      database: '_replicator',
      doc_id: doc._id,
      id: this.state === 'failed' ? null : `${doc._id}${doc.continuous ? '+continuous' : ''}`,
      node: 'nonode@nohost',
      source: withoutPassword(doc.source),
      target: withoutPassword(doc.target),
      state: this.state,
      info: this.error ? { ...this.info, error: this.error } : this.info,
      error_count: this.errors,
      start_time: this.started.toISOString(),
      last_updated: this.updated.toISOString(),
    };
  }
}

async function wantedNow() {
  if (!(await PouchDB.allDbs()).includes('_replicator')) return [];
  const { rows } = await (await database('_replicator')).allDocs({ include_docs: true });
  return rows.map((row) => row.doc).filter((doc) => !doc._id.startsWith('_design/'));
}

async function compare() {
  const wanted = new Map((await wantedNow()).map((doc) => [doc._id, doc]));
  for (const [id, replication] of running) {
    if (!wanted.has(id) || wanted.get(id)._rev !== replication.doc._rev) {
      replication.end();
      running.delete(id);
    }
  }
  wanted.forEach((doc, id) => { if (!running.has(id)) running.set(id, new Replication(doc)); });
}

/** Starts and ends replications, so that there is one for each document. */
function follow() {
  following = following.then(compare).catch((error) => console.error('_replicator:', error.message));
  return following;
}

module.exports = {
  follow,
  endAll() { running.forEach((replication) => replication.end()); },
  routes(app) {
    app.use((req, res, next) => {
      if (/^\/_replicator(\/|$)/.test(req.path) && !['GET', 'HEAD'].includes(req.method)) res.once('finish', follow);
      next();
    });
    app.get('/_scheduler/docs', async (req, res) => {
      await following;
      const docs = [...running.values()].map((replication) => replication.describe());
      answer(res, 200, { total_rows: docs.length, offset: 0, docs });
    });
    app.get('/_scheduler/docs/_replicator/:id', async (req, res) => {
      await following;
      const found = running.get(req.params.id);
      return found ? answer(res, 200, found.describe()) : fail(res, 404, 'not_found', 'Couldn\'t find document');
    });
  },
};
