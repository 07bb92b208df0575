// Runs the tests named on the command line, and writes the last word when they have come to their end.
// What they judge by is fastened before the candidate is loaded.
import assert from "node:assert";
import fs from "node:fs";
import * as framework from "node:test";

const lastWord = fs.readFileSync(0, "utf8");
const { writeSync } = fs;

for (const judge of [assert, assert.strict, assert.AssertionError, assert.AssertionError.prototype, framework.test])
  Object.freeze(judge);
for (const name of ["describe", "it", "test", "before", "after", "beforeEach", "afterEach"])
  Object.defineProperty(globalThis, name, { value: globalThis[name] ?? framework[name] });

// Written before any listener of the candidate can change the exit code.
let whole = false;
process.on("beforeExit", () => whole && !process.exitCode && writeSync(3, lastWord));
await import(`./${process.argv[2]}`);
whole = true;
