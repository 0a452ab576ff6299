// Runs as they go: one stream of events a page, on top of parts that ask again by themselves. Old never paints over new.
(function () {
  "use strict";
  var follow = document.querySelector("[data-stream]");
  if (!follow) return;
  var stale = document.getElementById("run-stale");
  var source = null;
  var streams = false; // the stream is open: the parts need not ask every second
  var refused = false; // the program said that this page is to ask by itself
  var position = "";
  var SLOW = 15000;
  var paintedAt = {};

  function part(run) { return document.querySelector('[data-run="' + run + '"]'); }

  function isLive() {
    return !!document.querySelector("[data-run]:not(.has-ended)");
  }

  function isOld(run, version) {
    var shown = part(run);
    return !shown || Number(version) < Number(shown.dataset.version);
  }

  // Said at the start, at each tenth of the way and at the end: only when the sentence has changed.
  function tell(run) {
    var shown = part(run);
    var said = document.getElementById("run-" + run + "-said");
    if (!shown || !said) return;
    if (shown.dataset.said !== said.dataset.last) {
      said.dataset.last = shown.dataset.said;
      said.textContent = shown.dataset.said;
    }
    if (shown.classList.contains("has-ended") || shown.classList.contains("is-stopping")) leaveStop(run);
  }

  // The button is gone with the run; whoever stood on it stands on the heading now.
  function leaveStop(run) {
    var article = document.getElementById("run-" + run);
    var form = article && article.querySelector(".run-stop");
    if (!form) return;
    var heading = article.querySelector("h3 a") || article.querySelector("h2, h3");
    if (form.contains(document.activeElement) && heading) {
      if (!heading.hasAttribute("href")) heading.tabIndex = -1;
      heading.focus({ preventScroll: true });
    }
    form.remove();
  }

  function heard() { if (stale) stale.hidden = true; }

  function close() {
    if (source) source.close();
    source = null;
    streams = false;
  }

  function open() {
    if (source || refused || !window.EventSource || document.hidden || !isLive()) return;
    var address = follow.dataset.stream;
    if (position) address += (address.indexOf("?") < 0 ? "?" : "&") + "since=" + encodeURIComponent(position);
    source = new EventSource(address);
    source.onopen = function () { streams = true; heard(); };
    source.onerror = function () {
      streams = false;
      // A stream that was refused is not asked for again; one that broke comes again by itself, with its last id.
      if (source && source.readyState === EventSource.CLOSED) { refused = true; close(); }
    };
    source.addEventListener("painting", function (event) {
      position = event.lastEventId;
      heard();
      var said = JSON.parse(event.data);
      if (isOld(said.run, said.version)) return;
      paintedAt[said.run] = Date.now();
      window.htmx.swap(part(said.run), said.html, { swapStyle: "outerHTML", swapDelay: 0, settleDelay: 0 });
      tell(said.run);
    });
    source.addEventListener("end", function () { refused = true; close(); });
  }

  // Before a part asks again: not while nobody looks, and rarely while the stream tells all.
  document.addEventListener("htmx:beforeRequest", function (event) {
    var run = event.target.dataset && event.target.dataset.run;
    if (!run) return;
    var now = Date.now();
    if (document.hidden || (streams && now - (paintedAt[run] || 0) < SLOW)) {
      event.preventDefault();
      return;
    }
    paintedAt[run] = now;
  });

  document.addEventListener("htmx:beforeSwap", function (event) {
    var run = event.target.dataset && event.target.dataset.run;
    if (!run) return;
    var version = event.detail.xhr.getResponseHeader("X-Progress-Version");
    if (version === null) {
      // Whatever came is no part of this page: the person is signed out, or the run is no more.
      event.detail.shouldSwap = false;
      if (event.detail.xhr.status === 200 || event.detail.xhr.status === 404) window.location.reload();
      return;
    }
    heard();
    if (isOld(run, version)) event.detail.shouldSwap = false;
  });

  document.addEventListener("htmx:afterSwap", function () {
    document.querySelectorAll("[data-run]").forEach(function (shown) { tell(shown.dataset.run); });
    if (!isLive()) close();
  });

  ["htmx:sendError", "htmx:responseError", "htmx:timeout"].forEach(function (name) {
    document.addEventListener(name, function (event) {
      if (event.target.dataset && event.target.dataset.run && stale) stale.hidden = false;
    });
  });

  document.addEventListener("visibilitychange", function () {
    if (document.hidden) close(); else open();
  });
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", open);

  // What stands there when the page is opened is read with the page.
  document.querySelectorAll("[data-run]").forEach(function (shown) {
    var said = document.getElementById("run-" + shown.dataset.run + "-said");
    if (said) said.dataset.last = shown.dataset.said;
  });
  open();
})();
