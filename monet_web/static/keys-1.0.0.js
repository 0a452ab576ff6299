// Shortcuts of the keyboard. They go to a page, move along its rows, or open a question; none answers one.
// Listed in the dialog #keys, where they are switched off too (other software may need the same keys).
(function () {
  "use strict";
  var dialog = document.getElementById("keys");
  if (!dialog) return;
  var SWITCH = "monet-keys"; // in this browser's store: "off" when the person wants none
  var PATIENCE = 1500; // ms in which the second key of "g t" has to follow
  var ROWS = "main .cause, main .ledger:not(.correct) > tbody > tr";
  var went = 0; // when g was pressed
  var row = null;

  // --- on or off ---
  function isOn() {
    try { return window.localStorage.getItem(SWITCH) !== "off"; } catch (refused) { return true; }
  }
  var box = dialog.querySelector("[data-keys-on]");
  box.checked = isOn();
  box.closest("[hidden]").hidden = false;
  box.addEventListener("change", function () {
    try { window.localStorage.setItem(SWITCH, box.checked ? "on" : "off"); } catch (refused) { box.checked = true; }
  });

  function say(text) {
    var said = document.getElementById("said");
    if (said) said.textContent = text;
  }

  function isTyping(element) {
    if (!element || !element.closest) return false;
    if (element.isContentEditable || element.closest("textarea, select")) return true;
    var input = element.closest("input");
    return !!input && ["checkbox", "radio", "button", "submit", "reset"].indexOf(input.type) < 0;
  }

  function isShown(element) { return !!element && element.getClientRects().length > 0; }

  // --- pages, search ---
  function go(key) {
    var link = document.querySelector('a[data-go="' + key + '"]');
    if (link) window.location.assign(link.href);
    return !!link;
  }

  function search() {
    var field = Array.prototype.find.call(document.querySelectorAll("main input[type=search]"), isShown);
    if (!field) return say(dialog.dataset.noSearch);
    field.focus();
    field.select();
  }

  // --- rows: one has the focus, so that Enter and a screen reader need nothing of this ---
  function door(one) {
    return one.querySelector("[data-open], a.doc, th a[href]");
  }

  function rows() {
    return Array.prototype.filter.call(document.querySelectorAll(ROWS), function (one) {
      return isShown(one) && (one.matches(".cause") || door(one) || one.querySelector("input[type=checkbox]"));
    });
  }

  function current() {
    var focused = document.activeElement;
    var found = focused && focused.closest ? focused.closest(ROWS) : null;
    if (found) row = found;
    return row && document.contains(row) ? row : null;
  }

  function move(step) {
    var all = rows();
    if (!all.length) return say(dialog.dataset.noRows);
    var here = all.indexOf(current());
    var next = all[here < 0 ? (step > 0 ? 0 : all.length - 1) : here + step];
    if (!next) return say(step > 0 ? dialog.dataset.lastRow : dialog.dataset.firstRow);
    stand(next);
  }

  function stand(on) {
    if (row) row.classList.remove("is-current");
    row = on;
    row.classList.add("is-current");
    var target = row.matches(".cause") ? row : door(row) || row.querySelector("input[type=checkbox]");
    if (target === row) row.tabIndex = -1;
    target.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  }

  function open() {
    var focused = document.activeElement;
    // A link or a button that has the focus does what it does by itself.
    if (focused && focused !== row) return false;
    var link = row && door(row);
    if (link) link.click();
    return !!link;
  }

  function choose() {
    var one = current();
    var ticked = one && one.querySelector("input[type=checkbox]");
    if (!ticked || ticked.disabled) return say(dialog.dataset.noBox);
    ticked.click();
    say(ticked.getAttribute("aria-label") + ": " + (ticked.checked ? dialog.dataset.on : dialog.dataset.off));
  }

  // --- the question before registering: of the row, of what is ticked, of the page ---
  function ask() {
    var one = current();
    var ticked = document.querySelector("main .pick input:checked");
    var asks = (!ticked && one && one.querySelector("[data-register]")) ||
      (ticked && document.querySelector("[data-register=ticked]")) ||
      document.querySelector("[data-register=page]");
    if (!asks) return say(dialog.dataset.noQuestion);
    // A button that sends says itself how much and when: it is only stood on, pressing it is the answer.
    if (asks.form && asks.form.method === "post") return asks.focus();
    if (!asks.matches("summary")) return asks.click();
    asks.parentElement.open = true;
    var answer = asks.parentElement.querySelector("button");
    if (answer) answer.focus();
  }

  function close() {
    var focused = document.activeElement;
    var question = (focused && focused.closest && focused.closest("details.ask[open]")) ||
      document.querySelector("details.ask[open]");
    if (!question) return false;
    question.open = false;
    question.querySelector("summary").focus();
    return true;
  }

  document.addEventListener("keydown", function (event) {
    if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
    if (!isOn() || isTyping(event.target)) return;
    if (dialog.matches(":popover-open")) {
      if (event.key === "?") { event.preventDefault(); dialog.hidePopover(); }
      return;
    }
    if (done(event)) event.preventDefault();
  });

  // True when the key was ours.
  function done(event) {
    var key = event.key;
    if (key === "Escape") return close();
    if (event.repeat && key !== "j" && key !== "k") return false;
    if (Date.now() - went < PATIENCE) {
      went = 0;
      return go(key);
    }
    switch (key) {
      case "?": dialog.showPopover(); return true;
      case "g": went = Date.now(); return true;
      case "/": search(); return true;
      case "j": move(1); return true;
      case "k": move(-1); return true;
      case "x": choose(); return true;
      case "r": ask(); return true;
      case "Enter": return open();
      default: return false;
    }
  }
})();
