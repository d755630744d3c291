'use strict';
// _changes: the timeout is honoured, live feeds end with their client, the _selector filter does not kill the server.
const { answer, fail, json } = require('./http');
const { withDatabase } = require('./databases');

const LIVE = ['longpoll', 'continuous', 'eventsource'];
const LONGEST = 60000; // ms without a change, CouchDB's own default
const feeds = new Set();

function parsedOrText(value) {
  try { return JSON.parse(value); } catch (error) { return value; }
}

/** What to follow, as options for PouchDB. */
function optionsOf(query, body) {
  const options = { since: parsedOrText(query.since || 0), include_docs: query.include_docs === 'true' };
  if (query.limit) options.limit = Math.max(1, Number(query.limit));
  if (query.filter === '_selector') options.selector = body.selector;
  else if (query.filter === '_doc_ids') options.doc_ids = body.doc_ids || parsedOrText(query.doc_ids);
  else if (query.filter) Object.assign(options, { filter: query.filter, view: query.view, query_params: query });
  return options;
}

function written(change) {
  const { seq, id, changes, deleted, doc } = change;
  return JSON.stringify({ seq, id, changes, ...(deleted ? { deleted: true } : {}), ...(doc ? { doc } : {}) });
}

/** How each kind of feed frames what it sends. */
const FRAMES = {
  longpoll: {
    open: '{"results":[\n', change: (text, seq, count) => (count ? `,\n${text}` : text),
    close: (seq) => `\n],\n"last_seq":${JSON.stringify(seq)},"pending":0}\n`,
  },
  continuous: {
    open: '', change: (text) => `${text}\n`, close: (seq) => `${JSON.stringify({ last_seq: seq, pending: 0 })}\n`,
  },
  eventsource: { open: '', change: (text, seq) => `data: ${text}\nid: ${seq}\n\n`, close: () => '' },
};

/** One client that follows a database: what is there already, then each change as it comes. */
class Feed {
  constructor(res, db, kind, options, { timeout, heartbeat }) {
    Object.assign(this, { res, db, kind, options, timeout, frame: FRAMES[kind] });
    this.last = options.since;
    this.sent = 0;
    this.done = false;
    if (heartbeat) this.beat = setInterval(() => { if (!res.writableEnded) res.write('\n'); }, heartbeat);
  }

  async start() {
    feeds.add(this);
    this.res.on('close', () => this.end());
    this.res.write(this.frame.open);
    this.rearm();
    try {
      await this.sendPast();
      if (!this.done) this.follow();
    } catch (error) {
      this.end();
    }
  }

  async sendPast() {
    if (this.options.since === 'now') {
      this.last = (await this.db.info()).update_seq;
      return;
    }
    const past = await this.db.changes(this.options);
    if (this.done) return;
    past.results.forEach((change) => this.send(change));
    if (!past.results.length) this.last = past.last_seq;
    if (this.isFull()) this.end();
  }

  follow() {
    this.live = this.db.changes({ ...this.options, since: this.last, live: true, limit: undefined })
      .on('change', (change) => {
        if (this.done) return;
        this.send(change);
        if (this.isFull()) this.end();
      })
      .on('error', () => this.end());
    this.live.catch(() => {});
  }

  isFull() {
    if (this.kind === 'longpoll' && this.sent) return true;
    return Boolean(this.options.limit) && this.sent >= this.options.limit;
  }

  send(change) {
    this.last = change.seq;
    this.res.write(this.frame.change(written(change), change.seq, this.sent));
    this.sent += 1;
    this.rearm();
  }

  rearm() {
    if (this.beat) return; // a heartbeat takes the place of the timeout
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.end(), this.timeout);
  }

  end() {
    if (this.done) return;
    this.done = true;
    clearTimeout(this.timer);
    clearInterval(this.beat);
    if (this.live) this.live.cancel();
    feeds.delete(this);
    if (!this.res.writableEnded && !this.res.destroyed) this.res.end(this.frame.close(this.last));
  }
}

const live = withDatabase((req, res, db, next) => {
  const { feed = 'normal', timeout, heartbeat } = req.query;
  if (feed === 'normal') return next();
  if (!LIVE.includes(feed)) return fail(res, 400, 'bad_request', 'unknown feed');
  res.writeHead(200, {
    'Content-Type': feed === 'eventsource' ? 'text/event-stream' : 'application/json', 'Cache-Control': 'must-revalidate',
  });
  res.flushHeaders();
  return new Feed(res, db, feed, optionsOf(req.query, req.body || {}), {
    timeout: timeout ? Math.min(Number(timeout), LONGEST) : LONGEST,
    heartbeat: heartbeat === 'true' ? LONGEST : Number(heartbeat) || 0,
  }).start();
});

async function withAttachments(db, doc) {
  if (!doc || !doc._attachments) return doc;
  const { _attachments } = await db.get(doc._id, { rev: doc._rev, attachments: true });
  return { ...doc, _attachments };
}

/** What there is now, a change on each line, as CouchDB sends it: a reader needs no more memory than one document. */
const snapshot = withDatabase(async (req, res, db, next) => {
  const { query } = req;
  if (query.filter || query.descending === 'true') return next();
  const options = {
    ...optionsOf(query, {}), style: query.style || 'main_only', conflicts: query.conflicts === 'true',
  };
  if (options.since === 'now') options.since = (await db.info()).update_seq;
  const { results, last_seq: last } = await db.changes(options);
  res.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': 'must-revalidate' });
  res.write('{"results":[\n');
  for (let count = 0; count < results.length && !res.destroyed; count += 1) {
    const change = results[count];
    const doc = query.attachments === 'true' ? await withAttachments(db, change.doc) : change.doc;
    if (!res.write(`${count ? ',\n' : ''}${written({ ...change, doc })}`)) {
      await new Promise((resolve) => { res.once('drain', resolve).once('close', resolve); });
    }
  }
  const pending = options.limit ? (await db.changes({ since: last })).results.length : 0;
  return res.end(`\n],\n"last_seq":${JSON.stringify(last)},"pending":${pending}}\n`);
});

const selected = withDatabase(async (req, res, db, next) => {
  if (req.query.filter !== '_selector') return next();
  const { results, last_seq: lastSeq } = await db.changes(optionsOf(req.query, req.body || {}));
  return answer(res, 200, { results, last_seq: lastSeq, pending: 0 });
});

module.exports = {
  routes(app) {
    app.get('/:db/_changes', live, snapshot);
    app.post('/:db/_changes', json, live, selected);
  },
  endAll() { feeds.forEach((feed) => feed.end()); },
};
