// No module, for which browsers say where they come from: where the page is taken for a foreign one, its
// modules do not load, and this one tells why. Where they do, link.js asks it.
addEventListener("error", async ({ target }) => {
  if (!(target instanceof HTMLScriptElement)) return;
  const line = document.createElement("p");
  line.textContent = await shutOutFor();
  if (line.textContent) document.getElementById("notices").append(line);
}, true);

/**
 * Which setting keeps this page out, in words; "" where none does, or nobody is there. To a socket both
 * look the same, and only a POST says which page it is of, too.
 */
async function shutOutFor() {
  const { root, foreign } = document.documentElement.dataset;
  const signal = AbortSignal.timeout(3000);
  try {
    const answer = await fetch(`${root}healthz`, { method: "POST", cache: "no-store", signal });
    const { setting } = answer.status === 403 ? await answer.json() : {};
    return setting ? foreign.replace("{setting}", () => setting) : "";
  } catch {
    return "";
  }
}
