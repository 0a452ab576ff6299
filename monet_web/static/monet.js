// Small helps on top of pages that work without them.
(function () {
  "use strict";
  document.addEventListener("click", function (event) {
    var button = event.target.closest("[data-close]");
    if (button) button.parentElement.remove();
  });

  // --- said aloud: a region that stands from the start, filled later, since what a page comes with is not announced ---
  var said = document.getElementById("said");

  function say(text) {
    text = text.replace(/\s+/g, " ").trim();
    if (said && text && said.textContent !== text) said.textContent = text;
  }

  var slips = Array.prototype.map.call(document.querySelectorAll("#toasts .slip > div"), function (slip) {
    return slip.textContent;
  });
  window.setTimeout(function () { say(slips.join(" ")); }, 300);

  // A part that is swapped as a whole says in data-said what has changed; the same words are said once.
  document.addEventListener("htmx:afterSwap", function (event) {
    var parts = document.querySelectorAll("[data-said]:not([data-run])");
    if (parts.length && event.target) {
      say(Array.prototype.map.call(parts, function (part) { return part.dataset.said; }).join(" "));
    }
  });

  // --- what was refused is where one stands: its summary, else the field that needs mending ---
  function stand() {
    if (window.location.hash) return;
    var summary = document.querySelector("main [data-focus]");
    var field = document.querySelector("main [aria-invalid=true]");
    if (summary) {
      summary.tabIndex = -1;
      summary.focus();
    } else if (field) {
      field.focus();
    }
  }
  stand();
})();
