'use strict';
// Passwords as CouchDB 3.5 keeps them: PBKDF2 over SHA-1 or SHA-2, hexadecimal, the salt taken as text.
const crypto = require('crypto');
const fs = require('fs');
const path = require('path');
const { promisify } = require('util');

const pbkdf2 = promisify(crypto.pbkdf2);
const ITERATIONS = 50000;
const HASHED = /^-pbkdf2(?::(sha|sha224|sha256|sha384|sha512))?-([0-9a-f]+),([^,]+),(\d+)$/;
const digest = (prf) => (prf === 'sha' ? 'sha1' : prf);

/** The administrators in the section [admins] of ini files, or of all *.ini in a folder; later ones win. */
function adminsOf(paths) {
  const found = new Map();
  const files = paths.flatMap((name) => (fs.statSync(name).isDirectory()
    ? fs.readdirSync(name).filter((file) => file.endsWith('.ini')).sort().map((file) => path.join(name, file)) : [name]));
  for (const file of files) {
    let section = '';
    for (const line of fs.readFileSync(file, 'utf8').split(/\r?\n/)) {
      const header = /^\s*\[([^\]]+)\]\s*$/.exec(line);
      const entry = /^\s*([^;#=\s][^=]*?)\s*=\s*(.*?)\s*$/.exec(line);
      if (header) [, section] = header;
      else if (section === 'admins' && entry && entry[2]) found.set(entry[1], entry[2]);
    }
  }
  return found;
}

/** The fields that take the place of `password` in a document of _users. */
async function hashed(password) {
  const salt = crypto.randomBytes(16).toString('hex');
  const key = await pbkdf2(password, salt, ITERATIONS, 32, 'sha256');
  return {
    password_scheme: 'pbkdf2', pbkdf2_prf: 'sha256', salt, iterations: ITERATIONS, derived_key: key.toString('hex'),
  };
}

function same(given, wanted) {
  return given.length === wanted.length && crypto.timingSafeEqual(given, wanted);
}

async function derivesTo(password, prf, key, salt, iterations) {
  const wanted = Buffer.from(key, 'hex');
  return same(await pbkdf2(password, salt, Number(iterations), wanted.length, digest(prf)), wanted);
}

const sha256 = (text) => crypto.createHash('sha256').update(text).digest();

/** Whether this is the administrator's password, which is kept in the way of an ini file. */
function isAdmins(password, kept) {
  const match = HASHED.exec(kept);
  if (!match) return same(sha256(password), sha256(kept));
  return derivesTo(password, match[1] || 'sha', match[2], match[3], match[4]);
}

/** Whether this is the password of the user with this document. */
function isUsers(password, user) {
  if (user.password_scheme !== 'pbkdf2') return false;
  return derivesTo(password, user.pbkdf2_prf || 'sha', user.derived_key, user.salt, user.iterations);
}

module.exports = { adminsOf, hashed, isAdmins, isUsers, sha256 };
