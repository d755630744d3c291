'use strict';
// Answers in CouchDB's shape, JSON bodies and the password.
const crypto = require('crypto');
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

const sha256 = (text) => crypto.createHash('sha256').update(text).digest();

/** Middleware: Basic authentication, compared in constant time. */
function requirePassword(user, password) {
  const wanted = sha256(`${user}:${password}`);
  return (req, res, next) => {
    const match = /^Basic (.+)$/i.exec(req.headers.authorization || '');
    const given = match && sha256(Buffer.from(match[1], 'base64').toString());
    if (given && crypto.timingSafeEqual(given, wanted)) return next();
    return fail(res, 401, 'unauthorized', 'Authentication required.');
  };
}

/** The value of a query parameter that CouchDB writes as JSON; undefined stays undefined. */
const parsed = (value) => (value === undefined ? undefined : JSON.parse(value));

module.exports = { answer, fail, requirePassword, parsed, json: express.json({ limit: '64mb', type: () => true }) };
