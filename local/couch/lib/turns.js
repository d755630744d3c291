'use strict';
// The PouchDB plug-in that keeps writes out of a changes feed while it is read.
//
// PouchDB's LevelDB adapter reads changes in two steps: the list of revisions as it was at the start, then the present
// state of each document in it. A document that is written between the two counts as one that comes later in the list,
// but that list is an old one: the document is in it nowhere. A follower gets it with its next request, for the new
// revision has a higher number. But views and _find bring their index up to date by one such request, so a query missed
// a document that had been there for long. PouchDB locks reads against writes for _all_docs and for a document; here
// the same is done for changes.

/** Lets work of one kind run at a time, any number of it; the kinds take turns in the order of asking. */
class Turns {
  constructor() {
    this.running = 0;
    this.kind = null;
    this.waiting = [];
    this.over = false;
  }

  /** Calls run(done) when it is its turn; it calls done, once or more, when it has finished. */
  take(kind, run) {
    this.waiting.push({ kind, run });
    this.next();
  }

  next() {
    while (this.waiting.length && (this.over || !this.running || this.waiting[0].kind === this.kind)) {
      const { kind, run } = this.waiting.shift();
      this.kind = kind;
      this.running += 1;
      let finished = false;
      run(() => {
        if (finished) return;
        finished = true;
        this.running -= 1;
        this.next();
      });
    }
  }

  /** Nothing waits any more: the database is gone, and what runs may never finish. */
  end() {
    this.over = true;
    this.next();
  }
}

function writeInTurn(turns, write) {
  return (request, options, callback) => turns.take('write', (done) => {
    write(request, options, (...results) => { done(); callback(...results); });
  });
}

function readChangesInTurn(turns, changes) {
  return (options) => {
    if (options.continuous) return changes(options); // waits for writes, then asks for what is new, in turn
    let reading;
    let cancelled = false;
    let leave = () => {};
    turns.take('changes', (done) => {
      leave = done;
      if (cancelled) return done();
      const complete = (...results) => { done(); options.complete(...results); };
      try {
        reading = changes({ ...options, complete });
      } catch (error) { // the database was closed meanwhile
        complete(error);
      }
      return undefined;
    });
    return {
      cancel() {
        cancelled = true;
        if (reading) reading.cancel(); // which does not complete
        leave();
      },
    };
  };
}

function inTurns(Adapter) {
  function InTurns(options, callback) {
    Adapter.call(this, options, callback);
    const turns = new Turns();
    this._bulkDocs = writeInTurn(turns, this._bulkDocs);
    this._changes = readChangesInTurn(turns, this._changes);
    this.once('destroyed', () => turns.end());
    this.once('closed', () => turns.end());
  }
  return Object.assign(InTurns, Adapter); // valid and use_prefix
}

/** For PouchDB.plugin(…), after the plug-in of that adapter. */
module.exports = (name) => (PouchDB) => PouchDB.adapter(name, inTurns(PouchDB.adapters[name]), false);
