// Small helps on top of pages that work without them.
(function () {
  document.addEventListener("click", function (event) {
    var button = event.target.closest("[data-close]");
    if (button) button.parentElement.remove();
  });
})();
