// Runs before the first paint, so a chosen theme never flashes the other one.
// A plain script: modules wait until the page has been read.
(function () {
  try {
    const theme = localStorage.getItem("stillwatch.theme");
    if (theme === "light" || theme === "dark") {
      document.documentElement.dataset.theme = theme;
    }
  } catch {
    // Storage is forbidden here; the system's theme will do.
  }
})();
