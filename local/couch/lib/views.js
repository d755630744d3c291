'use strict';
// The PouchDB plug-in that answers views. pouchdb-mapreduce builds a new V8 context for every document; here a view's
// function is compiled once. Adds CouchDB's _sum over objects and _approx_count_distinct.
const vm = require('vm');
const { BuiltInError, NotFoundError } = require('pouchdb-mapreduce-utils');

const defaultExport = (module) => module.default || module;
const createAbstractMapReduce = defaultExport(require('pouchdb-abstract-mapreduce'));

/** What a view's function finds around it in CouchDB. */
const AROUND = `
  var __out; var log = function () {}; var isArray = Array.isArray; var toJSON = JSON.stringify;
  var emit = function (key, value) { __out.push([key, value === undefined ? null : value]); };
  var sum = function (values) { return values.reduce(function (a, b) { return a + b; }, 0); };`;

/** The function of that source: called with JSON values, it gives [its result, what it emitted]. */
function compile(source) {
  const context = vm.createContext(Object.create(null));
  vm.runInContext(AROUND, context);
  vm.runInContext(`
    var __view = (${source.replace(/;\s*$/, '')});
    function __run(json) {
      __out = [];
      var result = __view.apply(null, JSON.parse(json));
      return JSON.stringify([result === undefined ? null : result, __out]);
    }`, context);
  return (...args) => JSON.parse(context.__run(JSON.stringify(args)));
}

function refuse() {
  throw new BuiltInError('builtin _sum function requires map values to be numbers or number arrays');
}

const isMap = (value) => Boolean(value) && typeof value === 'object' && !Array.isArray(value);

function addNumber(total, value) {
  if (typeof total === 'number') return total + value;
  return Array.isArray(total) ? [total[0] + value, ...total.slice(1)] : refuse();
}

function addArray(total, values) {
  const sums = Array.isArray(total) ? total.slice() : [total];
  values.forEach((value, index) => { sums[index] = (sums[index] || 0) + value; });
  return sums;
}

function addMap(total, values) {
  const sums = isMap(total) ? { ...total } : {};
  Object.entries(values).forEach(([key, value]) => { sums[key] = key in sums ? add(sums[key], value) : value; });
  return sums;
}

function add(total, value) {
  if (typeof value === 'number') return addNumber(total, value);
  if (Array.isArray(value)) return addArray(total, value);
  return isMap(value) ? addMap(total, value) : refuse();
}

const BUILTIN = {
  _sum: (keys, values) => values.reduce(add, 0),
  _count: (keys, values) => values.length,
  _stats: (keys, values) => ({
    sum: values.reduce(add, 0),
    count: values.length,
    min: values.reduce((a, b) => Math.min(a, b), Infinity),
    max: values.reduce((a, b) => Math.max(a, b), -Infinity),
    sumsqr: values.reduce((a, b) => a + b * b, 0),
  }),
  _approx_count_distinct: (keys) => new Set(keys.map(([key]) => JSON.stringify(key))).size,
};

function mapper(source, emit) {
  if (typeof source === 'function' && source.length === 2) return (doc) => source(doc, emit);
  const run = compile(String(source));
  return (doc) => {
    const [result, emitted] = run(doc);
    emitted.forEach(([key, value]) => emit(key, value));
    return result;
  };
}

function reducer(source) {
  const text = String(source).trim();
  if (!text.startsWith('_')) {
    const run = compile(text);
    return (keys, values, rereduce) => run(keys, values, rereduce)[0];
  }
  if (!BUILTIN[text]) throw new Error(`${text} is not a supported reduce function.`);
  return BUILTIN[text];
}

function validate(design, name) {
  const view = design.views && design.views[name];
  if (!view || typeof view.map !== 'string') throw new NotFoundError('missing_named_view');
}

const mapReduce = createAbstractMapReduce('mrviews', mapper, reducer, validate);

module.exports = {
  query(view, options, callback) { return mapReduce.query.call(this, view, options, callback); },
  viewCleanup(callback) { return mapReduce.viewCleanup.call(this, callback); },
};
