// A classic script, before the first paint: a chosen theme must not flash the other one.
try {
  const theme = localStorage.getItem("theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage is blocked: the system's theme it is.
}
document.documentElement.classList.add("js");
