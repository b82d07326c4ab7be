// Runs before the first paint, so that a stored theme never flashes the other one. src/lib/theme.ts writes the value.
(function () {
  try {
    var theme = localStorage.getItem("khala.theme");
    if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
  } catch (_) {
    // Storage is closed to this page: the system's theme is used.
  }
})();
