/**
 * Solve a proof-of-work challenge (ALTCHA, PBKDF2) in the browser.
 *
 * A module without an import: `const {solve} = await import(url)`. The browser's own cryptography
 * does the work off the page's thread, so nothing stutters and no worker is needed. Only pages over
 * https (and localhost) have it: elsewhere `canSolve` is false.
 */

export const canSolve = Boolean(globalThis.crypto?.subtle);

// This many parallel tries keep the browser's threads busy without queueing more than they can do.
const PARALLEL_TRIES = 16;

const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const hex = (array) => Array.from(array, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Return the solution of `challenge` (as the server made it) for the form's field `solution`. */
export async function solve(challenge) {
  const { algorithm, nonce, salt, cost, keyLength, keyPrefix } = challenge.parameters;
  const pbkdf2 = { name: "PBKDF2", hash: algorithm.split("/")[1], salt: bytes(salt), iterations: cost };
  const start = bytes(nonce);
  const started = Date.now();

  async function attempt(counter) {
    const password = new Uint8Array(start.length + 4);
    password.set(start);
    new DataView(password.buffer).setUint32(start.length, counter);
    const key = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
    const derivedKey = hex(new Uint8Array(await crypto.subtle.deriveBits(pbkdf2, key, keyLength * 8)));
    return derivedKey.startsWith(keyPrefix) ? { counter, derivedKey, time: Date.now() - started } : null;
  }

  for (let next = 0; ; next += PARALLEL_TRIES) {
    const tries = Array.from({ length: PARALLEL_TRIES }, (_, offset) => attempt(next + offset));
    const solution = (await Promise.all(tries)).find(Boolean);
    if (solution) return btoa(JSON.stringify({ challenge, solution }));
  }
}
