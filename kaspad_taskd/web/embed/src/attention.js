// One eye and one clock for all components, however many there are: only what is in view is woken.
const TICK_MS = 1000; // ages grow
const attended = new Map(); // component -> what draws it again
const inView = new Set();
let eye = null, clock = null;

/** Whether a component is in a place that is seen, or nearly. */
export const isInView = (component) => inView.has(component);

/** Calls `again` when it comes into view, and every second while it is; returns what ends that. */
export function attend(component, again) {
  eye ??= new IntersectionObserver(look, { rootMargin: "50%" });
  if (!attended.size) begin();
  attended.set(component, again);
  eye.observe(component);
  return () => {
    eye.unobserve(component);
    attended.delete(component);
    inView.delete(component);
    if (!attended.size) end();
  };
}

function look(changes) {
  for (const { target, isIntersecting } of changes) {
    if (!isIntersecting) inView.delete(target);
    else if (attended.has(target)) {
      inView.add(target);
      attended.get(target)();
    }
  }
}

function begin() {
  clock = setInterval(wake, TICK_MS);
  document.addEventListener("visibilitychange", wake);
}

function end() {
  clearInterval(clock);
  document.removeEventListener("visibilitychange", wake);
}

function wake() {
  if (!document.hidden) for (const component of inView) attended.get(component)();
}
