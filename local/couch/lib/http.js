'use strict';
// Answers in CouchDB's shape, JSON bodies.
const express = require('express');

function answer(res, status, body) {
  const bytes = Buffer.from(`${JSON.stringify(body)}\n`);
  res.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': bytes.length,
    'Cache-Control': 'must-revalidate',
  });
  res.end(bytes);
}

function fail(res, status, error, reason) {
  answer(res, status, { error, reason });
}

/** The value of a query parameter that CouchDB writes as JSON; undefined stays undefined. */
const parsed = (value) => (value === undefined ? undefined : JSON.parse(value));

module.exports = { answer, fail, parsed, json: express.json({ limit: '64mb', type: () => true }) };
