// A wait that ends.
"use strict";

/** Waits for it, `ms` at most. The process does not stay for this. */
async function within(ms, promise) {
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, ms).unref();
  });
  await Promise.race([promise, late]);
  clearTimeout(timer);
}

exports.within = within;
