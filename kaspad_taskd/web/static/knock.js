// No module, for which browsers say where they come from: where the page is taken for a foreign one, its
// modules do not load, and this one tells why.
addEventListener("error", async ({ target }) => {
  if (!(target instanceof HTMLScriptElement)) return;
  const { root, foreign } = document.documentElement.dataset;
  try {
    const answer = await fetch(`${root}healthz`, { method: "POST", cache: "no-store" });
    const { setting } = answer.status === 403 ? await answer.json() : {};
    const line = document.createElement("p");
    line.textContent = foreign.replace("{setting}", setting);
    if (setting) document.getElementById("notices").append(line);
  } catch {
    // nobody is there any more
  }
}, true);
