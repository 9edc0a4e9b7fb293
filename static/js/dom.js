// The few helpers that pages are built with. Text goes in as text: nothing here parses HTML.

// h makes an element: properties are attributes, except on… listeners and class lists; children
// are nodes or text, and nothing for null, undefined or false.
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  set(element, attributes);
  element.append(...children.flat().filter((c) => c != null && c !== false));
  return element;
}

// set changes attributes: null or false removes one, true sets it empty.
export function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === null || value === undefined || value === false) element.removeAttribute(name);
    else if (element.getAttribute(name) !== String(value === true ? "" : value))
      element.setAttribute(name, value === true ? "" : value);
  }
}

// text changes an element's text only when it differs, so that selections and focus survive.
export function text(element, value) {
  if (element.textContent !== value) element.textContent = value;
}

export const $ = (selector, root = document) => root.querySelector(selector);
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

// announce speaks through the page's polite live region: fills and status, never ticks.
export function announce(message) {
  const region = document.getElementById("live-region");
  if (region) region.textContent = message;
}

// nextFrame runs once before the next paint, or soon when the page is not being painted.
export function nextFrame(run) {
  let ran = false;
  const once = () => {
    if (ran) return;
    ran = true;
    clearTimeout(timer);
    run();
  };
  const timer = setTimeout(once, 100);
  requestAnimationFrame(once);
}

// tint marks digits that changed, for 300 ms; the style sheet leaves it out for reduced motion.
export function tint(element) {
  element.classList.remove("tint");
  void element.offsetWidth; // so that a change during the tint starts it anew
  element.classList.add("tint");
}

// kept and keep are for what a storage ("localStorage", "sessionStorage") remembers; where it is
// blocked, even naming it throws, and nothing is remembered.
export function kept(storage, name) {
  try {
    return JSON.parse(globalThis[storage].getItem(name));
  } catch {
    return null;
  }
}

export function keep(storage, name, value) {
  try {
    if (value === null) globalThis[storage].removeItem(name);
    else globalThis[storage].setItem(name, JSON.stringify(value));
  } catch {
    // as above
  }
}

export function isTyping(target) {
  return (
    target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}
