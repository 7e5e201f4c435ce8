// Waits for what has to come.
"use strict";

const assert = require("node:assert/strict");

/** What `holds` gives as soon as it is something; up to a minute, and then it says what did not come. */
exports.until = async (holds, seen = () => "") => {
  for (const end = Date.now() + 60_000; ; ) {
    const found = await holds();
    if (found) return found;
    assert.ok(Date.now() < end, `it did not come: ${holds} ${seen()}`);
    await new Promise((more) => setTimeout(more, 10));
  }
};
