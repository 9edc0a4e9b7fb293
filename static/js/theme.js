// A classic script, before the first paint: a chosen theme must not flash the other one.
try {
  const theme = JSON.parse(localStorage.getItem("theme"));
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage is blocked, or holds something else: the system's theme it is.
}
document.documentElement.classList.add("js");
