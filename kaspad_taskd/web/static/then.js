// What is said while nothing comes from the daemon: how it was then. A number has its time, or is
// not shown (page.css hides what can have none).
import { about, conditionOf, isWatched, mostUrgent, OLD, said, shape, stop, tidy, troubled, view } from "./view.js";
import { say, when } from "./words.js";

/** A card as of `then`; only how long ago the last look was goes on, to `now`; both in seconds. */
export function viewThen(task, then, now) {
  const shown = view(task, then), at = when(then, now);
  const timed = ["complete", "in-sync", ...OLD].includes(conditionOf(task));
  const percent = timed || !shown.percent
    ? shown.percent
    : tidy(say("last-seen", { percent: shown.percent, when: at }));
  return { ...shown, percent, checked: view(task, now).checked };
}

/** The first sentences, as `overview` has them. */
export function overviewThen(tasks, then, now, problem) {
  const first = mostUrgent(tasks);
  const other = tasks.find((task) => troubled(task) && task !== first) ?? null;
  const at = when(then, now);
  return {
    headline: tidy(problem ? say("page.then.store", { when: at, why: problem }) : was(first, then, at)),
    reassure: "",
    attention: other ? tidy(stop(was(other, then, at))) : "",
    place: other && `t-${other.id}`,
  };
}

function was(task, then, at) {
  if (task === null) return say("page.then.none", { when: at });
  if (isWatched(task)) return about(task, then, "page.then.kept-", { when: at });
  const known = { ...shape(task, then), when: at };
  const key = conditionOf(task) === "ok" ? (known.eta === null ? "running" : "left") : said(task);
  return say(`page.then.${key}`, known);
}
